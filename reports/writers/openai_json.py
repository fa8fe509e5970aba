"""The JSON object in what a chat model wrote, checked against the form that was asked for."""

import json
import re
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

MAX_ANSWER_CHARACTERS = 200_000
MAX_OBJECTS_TRIED = 50

Shape = TypeVar("Shape", bound=BaseModel)


class UnusableAnswerError(ValueError):
    """The text is not what was asked for; the message tells the model why."""


def find_object(content: str) -> dict[str, Any]:
    """The object in a model's answer: bare, fenced, after ``<think>`` or within other text.

    Raises ``UnusableAnswerError``.
    """
    content = _without_thoughts(content[:MAX_ANSWER_CHARACTERS])
    decoder = json.JSONDecoder()
    for count, brace in enumerate(re.finditer(r"\{", content)):
        if count == MAX_OBJECTS_TRIED:
            break
        try:
            found, _ = decoder.raw_decode(content, brace.start())
        except (ValueError, RecursionError):
            continue
        if found:
            return dict(found)
    raise UnusableAnswerError("it holds no complete JSON object" if content.strip() else "it is empty")


def check_object(fields: dict[str, Any], shape: type[Shape]) -> Shape:
    """``fields`` as ``shape``. Raises ``UnusableAnswerError`` that names what is wrong."""
    try:
        return shape.model_validate(fields)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in error.errors()[:5]]
        raise UnusableAnswerError("; ".join(problems)[:500]) from None


def _without_thoughts(content: str) -> str:
    # A reasoning model's template may open the block before the answer begins, so that only its end is seen.
    _, end, answer = content.rpartition("</think>")
    return answer if end else re.sub(r"<think>[\s\S]*", "", content)
