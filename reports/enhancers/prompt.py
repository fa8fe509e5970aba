"""What the enhancer asks a model, in which pieces, and how the answer is read."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from reports.writers.openai_json import check_object, find_object
from reports.writers.openai_messages import Message, language_phrase, material_messages

LINES_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "lines": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"number": {"type": "integer"}, "text": {"type": "string"}},
                "required": ["number", "text"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["lines"],
    "additionalProperties": False,
}
"""``CleanLines`` without its lengths: strict servers refuse a schema that has them."""

KEYS = 'the key "lines", a list of objects with the keys "number" and "text"'

INSTRUCTIONS = """\
You correct how a transcript is written, not what it says. {material}; correct it like the rest.

Each line of the material is one line of speech as JSON: its "number" and its "text". A recogniser wrote it: it may \
lack punctuation and capitals, and take a word for another that sounds alike.

Answer with one JSON object, no text around it: {"lines": [{"number": 1, "text": "…"}, …]}, one entry for each line, \
with the same number and the corrected text. In each line:
- set punctuation and capitals;
- correct a word only where it was obviously misheard and the right one is certain;
- keep all other words, their order, fillers, and numbers as they are written; move no word to another line, for \
a line may begin and end within a sentence;
- keep the language: {language}. Do not translate, shorten, explain or add anything.

Plain text only: no Markdown, no HTML, no links. A line that needs no correction is repeated as it is."""

LINES = "lines {first} to {last} of the transcript of a recording"


class CleanLine(BaseModel):
    model_config = ConfigDict(extra="forbid")

    number: int
    text: str


class CleanLines(BaseModel):
    """A model's answer."""

    model_config = ConfigDict(extra="forbid")

    lines: list[CleanLine] = Field(min_length=1)


def numbered(lines: Iterable[str]) -> list[str]:
    """Each line as it is shown to the model, counted from 1."""
    return [json.dumps({"number": n, "text": line}, ensure_ascii=False) for n, line in enumerate(lines, start=1)]


def line_messages(part: Sequence[str], *, last: int, language: str | None) -> list[Message]:
    """Instructions, then the numbered lines of ``part`` as data; ``last`` is the number of its last one."""
    what = LINES.format(first=last - len(part) + 1, last=last)
    instructions = INSTRUCTIONS.replace("{language}", language_phrase(language))
    return material_messages(instructions, "\n".join(part), what=what)


def read_lines(content: str) -> dict[int, str]:
    """Text by number; a number that is given twice means nothing. Raises ``UnusableAnswerError``."""
    given = check_object(find_object(content), CleanLines).lines
    times = Counter(line.number for line in given)
    return {line.number: line.text for line in given if times[line.number] == 1}
