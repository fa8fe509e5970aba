"""Lists that go from the database to the client unread."""

import json

import pytest

from jobs.api.renderers import SplicingJSONRenderer, StoredArray
from jobs.models import TranscriptPart
from jobs.selectors import stored_parts_of

render = SplicingJSONRenderer().render


@pytest.mark.parametrize(
    ("texts", "items"),
    [
        ([], []),
        (["[]"], []),
        (["[]", "[]"], []),
        (['[{"a": 1}]'], [{"a": 1}]),
        (['[{"a": 1}, 2]', " [ ] ", "[3]"], [{"a": 1}, 2, 3]),
        (['["Доброе утро", "\\u0414"]', '["]", "["]'], ["Доброе утро", "Д", "]", "["]),
    ],
)
def test_they_are_one_list_to_who_reads_them(texts, items):
    content = render({"before": 1, "list": StoredArray(texts), "after": "[]"})
    assert json.loads(content) == {"before": 1, "list": items, "after": "[]"}
    assert StoredArray(texts).as_list() == items


def test_whoever_wants_it_indented_gets_the_same():
    stored = StoredArray(['[{"a": 1}]'])
    content = render({"list": stored}, "application/json; indent=4", {})
    assert b"\n    " in content
    assert json.loads(content) == {"list": [{"a": 1}]}


@pytest.mark.parametrize("data", [None, [1], {"a": {"b": [1]}}, "text"])
def test_everything_else_is_rendered_as_ever(data):
    assert json.loads(render(data) or "null") == data


@pytest.mark.django_db
def test_letters_are_stored_and_sent_as_they_are(as_alice, make_job):
    job = make_job()
    segment = {"id": 0, "start": 0.0, "end": 1.0, "text": "Доброе «утро» 😀 \u2028"}
    TranscriptPart.objects.create(job=job, position=0, text="Доброе утро", segments=[segment])
    assert "Доброе" in stored_parts_of(job)[1][0]
    answer = as_alice.get(f"/jobs/{job.pk}")
    assert "Доброе «утро» 😀".encode() in answer.content
    assert answer.json()["segments"] == [segment]
    assert list(job.parts.values_list("segments", flat=True)) == [[segment]]


@pytest.mark.django_db
def test_parts_come_in_the_order_of_the_recording_whenever_they_were_saved(as_alice, make_job):
    job, other = make_job(), make_job()
    for position, text in ((2, "three"), (0, "one"), (1, ""), (3, "four\x1e")):
        TranscriptPart.objects.create(job=job, position=position, text=text, segments=[{"id": position, "text": text}])
    TranscriptPart.objects.create(job=other, position=0, text="another's", segments=[{"id": 0}])
    shown = as_alice.get(f"/jobs/{job.pk}").json()
    assert shown["transcript"] == "one three four\x1e"
    assert [segment["id"] for segment in shown["segments"]] == [0, 1, 2, 3]
    assert shown["segments"][3]["text"] == "four\x1e"


@pytest.mark.django_db
def test_a_job_without_a_transcript_shows_an_empty_one(as_alice, make_job):
    shown = as_alice.get(f"/jobs/{make_job().pk}").json()
    assert (shown["transcript"], shown["segments"]) == ("", [])
