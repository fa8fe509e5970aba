"""From what a chat model wrote to a ``ReportDraft``: the JSON found, cleaned, trimmed and checked."""

from typing import Any

from reports.writers.base import ReportDraft
from reports.writers.openai_json import check_object, find_object
from reports.writers.plain_text import to_plain_text

MAX_SUMMARY_CHARACTERS = 4_000
MAX_KEY_POINT_CHARACTERS = 500
MAX_TOPIC_CHARACTERS = 100
MAX_ITEMS = 20


def read_draft(content: str) -> ReportDraft:
    """The report in a model's answer: bare, fenced, after ``<think>`` or within other text.

    Too much is trimmed; what is missing, extra or of the wrong type raises ``UnusableAnswerError``.
    """
    return check_object(_clean(find_object(content)), ReportDraft)


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
