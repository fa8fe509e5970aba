"""What the ``openai`` writer asks a model, and in which pieces."""

import json
from collections.abc import Sequence
from typing import Any

from jobs.transcript import Transcript
from reports.writers.base import ReportDraft
from reports.writers.openai_messages import Message, cut_line, fill_parts, language_phrase, material_messages

REPORT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "summary": {"type": "string"},
        "key_points": {"type": "array", "items": {"type": "string"}},
        "topics": {"type": "array", "items": {"type": "string"}},
        "sentiment": {"type": "string", "enum": ["positive", "neutral", "negative", "mixed"]},
    },
    "required": ["summary", "key_points", "topics", "sentiment"],
    "additionalProperties": False,
}
"""``ReportDraft`` without its lengths: strict servers refuse a schema that has them."""

KEYS = 'the keys "summary", "key_points", "topics" and "sentiment"'

INSTRUCTIONS = """\
You write the report on a recording. {material}; if they matter, report that they were said.

Answer with one JSON object, no text around it, with exactly these keys:
"summary": what was said and decided, two to six sentences;
"key_points": at most 10 strings, one short sentence each, the most important first;
"topics": at most 8 strings of one to four words;
"sentiment": "positive", "neutral", "negative" or "mixed", as a whole.

Write the summary, the key points and the topics in {language}. Keep the value of "sentiment" in English. \
State only what the material says. Plain text only: no Markdown, no HTML, no links, no images."""

WHOLE = "the transcript of the recording"
PART = "part {number} of {total} of the transcript of a long recording"
NOTES = "reports on consecutive parts of one long recording, one JSON object a line, to be merged into one report"


def report_messages(material: str, *, what: str, language: str | None) -> list[Message]:
    """Instructions, then the material as data."""
    return material_messages(INSTRUCTIONS.replace("{language}", language_phrase(language)), material, what=what)


def split_transcript(transcript: Transcript, part_characters: int) -> list[str]:
    """The transcript, one segment a line, in parts of at most ``part_characters``, cut between segments if possible."""
    lines = (line for segment in transcript.segments for line in cut_line(segment.text.strip(), part_characters))
    return ["\n".join(part) for part in fill_parts(lines, part_characters)]


def group_notes(drafts: Sequence[ReportDraft], part_characters: int) -> list[list[ReportDraft]]:
    """Drafts to merge in one go: as many as fit, two at the least so that each round of merging leaves fewer."""
    groups: list[list[ReportDraft]] = []
    room = 0
    for draft in drafts:
        size = len(note(draft)) + 1
        if not groups or (size > room and len(groups[-1]) >= 2):
            groups.append([])
            room = part_characters
        groups[-1].append(draft)
        room -= size
    return groups


def note(draft: ReportDraft) -> str:
    """One part's report as a line of the material to merge."""
    return json.dumps(draft.model_dump(), ensure_ascii=False)
