"""Whole conversations as transcripts, and the built-in writer's report on them."""

from pathlib import Path

import pytest

from jobs.transcript import Segment, Transcript
from reports.writers.base import ReportDraft, WriterConfig
from reports.writers.extractive import ExtractiveWriter

TEXTS = Path(__file__).parent / "texts"
SPOKEN = [
    ("meeting_en", "en"),
    ("meeting_en_recogniser", "en"),
    ("lecture_en", "en"),
    ("complaint_en", "en"),
    ("meeting_ru", "ru"),
    ("news_ru", "ru"),
    ("complaint_ru", "ru"),
]
NEVER_TOPICS = {
    *("um", "uh", "okay", "ok", "yeah", "well", "thing", "things", "week", "monday", "thank", "thanks"),
    *("everyone", "the", "and", "that", "with"),
    *("ну", "вот", "как", "бы", "это", "коллеги", "вопрос", "спасибо", "понедельник", "рублей", "день"),
}


def transcript_of(lines: list[str], language: str | None) -> Transcript:
    """One segment per line, at two and a half words a second with short pauses."""
    segments, clock = [], 0.0
    for line in lines:
        end = clock + 0.4 * len(line.split())
        segments.append(Segment(clock, end, line))
        clock = end + 0.3
    return Transcript(tuple(segments), language)


def spoken(name: str, language: str | None) -> Transcript:
    return transcript_of((TEXTS / f"{name}.txt").read_text(encoding="utf-8").splitlines(), language)


def report_on(*lines: str, language: str | None = "en") -> ReportDraft:
    return ExtractiveWriter(WriterConfig()).write(transcript_of(list(lines), language))


def read(name: str, language: str | None) -> ReportDraft:
    return ExtractiveWriter(WriterConfig()).write(spoken(name, language))


def whole(report: ReportDraft) -> str:
    return " ".join([report.summary, *report.key_points])


every_text = pytest.mark.parametrize(("name", "language"), SPOKEN)
