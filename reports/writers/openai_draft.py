"""From what a chat model wrote to a ``ReportDraft``: the JSON found, cleaned, trimmed and checked."""

import json
import re
from typing import Any

from pydantic import ValidationError

from reports.writers.base import ReportDraft
from reports.writers.plain_text import to_plain_text

MAX_SUMMARY_CHARACTERS = 4_000
MAX_KEY_POINT_CHARACTERS = 500
MAX_TOPIC_CHARACTERS = 100
MAX_ITEMS = 20

MAX_ANSWER_CHARACTERS = 200_000
MAX_OBJECTS_TRIED = 50


class UnusableAnswerError(ValueError):
    """The text is no report; the message tells the model why."""


def read_draft(content: str) -> ReportDraft:
    """The report in a model's answer: bare, fenced, after ``<think>`` or within other text.

    Too much is trimmed; what is missing, extra or of the wrong type raises ``UnusableAnswerError``.
    """
    fields = _find_object(_without_thoughts(content[:MAX_ANSWER_CHARACTERS]))
    try:
        return ReportDraft.model_validate(_clean(fields))
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in error.errors()[:5]]
        raise UnusableAnswerError("; ".join(problems)[:500]) from None


def _without_thoughts(content: str) -> str:
    # A reasoning model's template may open the block before the answer begins, so that only its end is seen.
    _, end, answer = content.rpartition("</think>")
    return answer if end else re.sub(r"<think>[\s\S]*", "", content)


def _find_object(content: str) -> dict[str, Any]:
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


def _clean(fields: dict[str, Any]) -> dict[str, Any]:
    """Known fields as trimmed plain text where they have the right type; the rest is left for validation to name."""
    cleaned = dict(fields)
    if isinstance(summary := fields.get("summary"), str):
        cleaned["summary"] = _shorten(summary, MAX_SUMMARY_CHARACTERS)
    if isinstance(sentiment := fields.get("sentiment"), str):
        cleaned["sentiment"] = sentiment.strip().rstrip(".").lower()
    for name, limit in (("key_points", MAX_KEY_POINT_CHARACTERS), ("topics", MAX_TOPIC_CHARACTERS)):
        if isinstance(items := fields.get(name), list):
            cleaned[name] = _clean_items(items, limit)
    return cleaned


def _clean_items(items: list[Any], limit: int) -> list[Any]:
    if not all(isinstance(item, str) for item in items):
        return items[:MAX_ITEMS]
    lines = (" ".join(_shorten(item, limit).split()) for item in items[: 2 * MAX_ITEMS])
    return [line for line in lines if line][:MAX_ITEMS]


def _shorten(text: str, limit: int) -> str:
    # Cleaning only shortens; the cut before it bounds its work.
    text = to_plain_text(text[: 3 * limit])
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    return (cut.rsplit(maxsplit=1)[0] if " " in cut else cut).rstrip() + "…"
