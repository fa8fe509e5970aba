"""A job's options as its steps read them."""

from dataclasses import fields

import pytest

from jobs.engines.base import EngineConfig
from jobs.engines.pocketsphinx import PocketSphinxEngine
from jobs.models import TranscriptPart
from jobs.options import Options
from jobs.selectors import transcript_of
from jobs.steps.chunk import build_request


def test_what_is_not_there_has_its_default():
    assert Options.of({}) == Options()
    assert Options.of({"speed": 2.0, "tags": ["a", "b"], "unknown": 1}) == Options(speed=2.0, tags=("a", "b"))


def test_every_field_can_be_stored():
    stored = {field.name: f"value of {field.name}" for field in fields(Options)} | {"tags": ["a"]}
    options = Options.of(stored)
    assert {name: getattr(options, name) for name in stored} == stored | {"tags": ("a",)}


@pytest.mark.django_db
def test_the_engine_is_asked_for_what_the_owner_chose(make_job, monkeypatch):
    monkeypatch.setenv("TRANSCRIBIFY_CHOSEN_ENGINE", "pocketsphinx")
    chosen = {
        "language": "en", "task": "translate", "prompt": "p", "hotwords": "h", "temperature": 0.2, "beam_size": 3,
        "word_timestamps": True, "vad_filter": False, "batched": True,
    }  # fmt: skip
    job = make_job(options=chosen)
    request = build_request(job, PocketSphinxEngine(EngineConfig()))
    assert {name: getattr(request, name) for name in chosen} == chosen


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("task", "language", "expected"),
    [("translate", "ru", "en"), ("translate", None, "en"), ("transcribe", "ru", "ru"), ("transcribe", None, None)],
)
def test_a_translated_transcript_is_english_whatever_was_spoken(make_job, task, language, expected):
    job = make_job(options={"task": task}, language=language)
    TranscriptPart.objects.create(job=job, position=0, text="Hi.", segments=[{"start": 0, "end": 1, "text": "Hi."}])
    assert transcript_of(job).language == expected
    assert job.language == language


@pytest.mark.django_db
def test_nobody_knows_the_language_of_a_translation_of_silence(make_job):
    assert transcript_of(make_job(options={"task": "translate"}, language=None)).language is None
