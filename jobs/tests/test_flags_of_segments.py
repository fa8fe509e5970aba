"""The flags of doubtful segments on their way: stored, shown, exported, and not in what OpenAI's clients get."""

import json

import pytest

from jobs.models import Job, Status, TranscriptPart
from jobs.notices import notice
from jobs.selectors import transcript_of
from jobs.steps.chunk import segment_json
from jobs.transcript import Segment

pytestmark = pytest.mark.django_db

SEGMENTS = [
    Segment(0.0, 2.0, " Good morning.", avg_logprob=-0.2, seek=0),
    Segment(2.0, 4.0, " Thank you.", avg_logprob=-1.2, flags=("improbable", "loop")),
]


@pytest.fixture
def done(alice):
    job = Job.objects.create(owner=alice, filename="a.mp3", status=Status.DONE, stage=None, duration_ms=4000)
    stored = [segment_json(number, segment) for number, segment in enumerate(SEGMENTS)]
    TranscriptPart.objects.create(job=job, position=0, text="Good morning. Thank you.", segments=stored)
    return job


def test_they_are_stored_only_where_there_are_any_and_come_back_as_they_were(done):
    first, second = TranscriptPart.objects.get(job=done).segments
    assert "flags" not in first
    assert second["flags"] == ["improbable", "loop"]
    assert transcript_of(done).segments == tuple(SEGMENTS)


def test_a_transcript_from_before_there_were_flags_has_none(done):
    TranscriptPart.objects.update(segments=[{"id": 0, "start": 0.0, "end": 1.0, "text": " Hello."}])
    assert transcript_of(done).segments == (Segment(0.0, 1.0, " Hello."),)


def test_the_job_shows_them(as_alice, done):
    first, second = as_alice.get(f"/jobs/{done.pk}").json()["segments"]
    assert "flags" not in first
    assert second["flags"] == ["improbable", "loop"]


def test_the_json_export_has_them_and_captions_are_as_ever(as_alice, done):
    exported = as_alice.get(f"/jobs/{done.pk}/transcript.json").json()["segments"]
    assert [segment.get("flags") for segment in exported] == [None, ["improbable", "loop"]]
    for name in ("txt", "srt", "vtt", "tsv"):
        assert b"loop" not in as_alice.get(f"/jobs/{done.pk}/transcript.{name}").content


def test_the_notice_says_where_to_look():
    warning = notice("possible_hallucination", "Segments marked: 1.")
    assert json.loads(json.dumps(warning)) == warning
    assert "`flags`" in warning["message"]
    assert warning["message"].endswith("Listen to them before you rely on them. Segments marked: 1.")
