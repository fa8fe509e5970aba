"""GET /jobs/{id}/audio: the recording as it was uploaded, or a part of it."""

import tracemalloc

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from rest_framework.test import APIRequestFactory, force_authenticate

from accounts.tokens import issue_pair
from jobs import files
from jobs.api.audio import OTHER_TYPE, TYPES, AudioView
from jobs.models import Job, Status

pytestmark = pytest.mark.django_db

SOUND = bytes(range(256)) * 40


@pytest.fixture
def job(alice):
    made = Job.objects.create(owner=alice, filename="Разговор.MP3", status=Status.DONE, stage=None)
    made.source_key = default_storage.save(files.source_key(made.uid), ContentFile(SOUND))
    made.save()
    yield made
    default_storage.delete(made.source_key)


@pytest.fixture
def get(alice, job):
    """Asks over Django's whole stack, as alice; ``content`` is the body."""
    bearer = {"Authorization": f"Bearer {issue_pair(user=alice).access_token}"}

    def ask(method="get", **headers):
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = getattr(Client(), method)(f"/jobs/{job.pk}/audio", headers={**bearer, **names})
        answer.body = answer.getvalue()
        return answer

    return ask


def test_the_whole_recording_is_a_file_to_be_kept(get):
    answer = get()
    assert (answer.status_code, answer.body) == (200, SOUND)
    assert answer["Content-Length"] == str(len(SOUND))
    assert answer["Content-Type"] == "audio/mpeg"
    assert answer["Accept-Ranges"] == "bytes"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "private, no-cache"
    name = "%D0%A0%D0%B0%D0%B7%D0%B3%D0%BE%D0%B2%D0%BE%D1%80.MP3"
    assert answer["Content-Disposition"] == f"attachment; filename*=utf-8''{name}"
    assert "Content-Range" not in answer


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-", 0, 10_239),
        ("bytes=5-9", 5, 9),
        ("bytes=10239-", 10_239, 10_239),
        ("bytes=10000-99999999", 10_000, 10_239),
        ("bytes=-1", 10_239, 10_239),
        ("bytes=-99999", 0, 10_239),
        ("Bytes=4095-4096", 4095, 4096),
        (" bytes=1-2 ", 1, 2),
    ],
)
def test_a_range_gives_these_bytes_and_no_others(get, asked, first, last):
    answer = get(Range=asked)
    assert (answer.status_code, answer.body) == (206, SOUND[first : last + 1])
    assert answer["Content-Range"] == f"bytes {first}-{last}/10240"
    assert answer["Content-Length"] == str(last - first + 1)


@pytest.mark.parametrize("asked", ["bytes=10240-", "bytes=99999-100000", "bytes=-0"])
def test_a_range_beyond_the_end_is_refused_with_the_length(get, asked):
    answer = get(Range=asked)
    assert (answer.status_code, answer["Content-Range"]) == (416, "bytes */10240")
    assert answer.json()["code"] == "range_not_satisfiable"


@pytest.mark.parametrize(
    "asked",
    [
        "", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-4", "bytes=1-2,4-5", "seconds=1-2", "bytes=1-2-3",
        "bytes=--1", "bytes=+1-2", "bytes=1_0-20", "bytes=٣-٤", "bytes=0x1-2", "bytes=" + "9" * 5000 + "-",
        "bytes=1.5-",
    ],
)  # fmt: skip
def test_a_range_that_makes_no_sense_is_ignored(get, asked):
    answer = get(Range=asked)
    assert (answer.status_code, answer.body) == (200, SOUND)


def test_a_range_of_what_has_changed_gives_the_whole(get):
    etag = get()["ETag"]
    assert get(Range="bytes=1-2", If_Range=etag).status_code == 206
    for other in ('"other"', f"W/{etag}", "Wed, 21 Oct 2015 07:28:00 GMT"):
        assert get(Range="bytes=1-2", If_Range=other).body == SOUND


def test_who_has_it_already_is_told_so(get):
    etag = get()["ETag"]
    for known in (etag, "*", f'"a", {etag}'):
        answer = get(If_None_Match=known, Range="bytes=1-2")
        assert (answer.status_code, answer.body, answer["ETag"]) == (304, b"", etag)
    assert get(If_None_Match='"other"').status_code == 200


def test_head_says_what_get_would(get):
    answer = get("head", Range="bytes=1-2")
    assert (answer.status_code, answer.body, answer["Content-Length"]) == (200, b"", "10240")
    assert answer["Accept-Ranges"] == "bytes"


def test_head_reads_nothing_of_the_file(alice, job):
    request = APIRequestFactory().head("/")
    force_authenticate(request, alice)
    answer = AudioView.as_view()(request, job_id=job.pk)
    assert (answer["Content-Length"], answer.getvalue()) == ("10240", b"")


@pytest.mark.parametrize("status", Status.values)
def test_it_is_there_whatever_became_of_the_job(get, status):
    Job.objects.update(status=status)
    assert get().status_code == 200


@pytest.mark.parametrize("method", ["get", "head"])
def test_a_removed_recording_is_gone(get, job, method):
    default_storage.delete(job.source_key)
    assert get(method).status_code == 410
    Job.objects.update(source_key="")
    answer = get(method, If_None_Match="*")
    assert answer.status_code == 410
    if method == "get":
        assert answer.json()["code"] == "audio_removed"


@pytest.mark.parametrize("filename", ["x.html", "x.svg", "x.js", "x.htm.", "x", ".html", "mp3", "x.mp3.html"])
def test_no_file_name_makes_it_a_page(get, filename):
    Job.objects.update(filename=filename)
    answer = get()
    assert answer["Content-Type"] == OTHER_TYPE
    assert answer["Content-Disposition"].startswith("attachment; ")


def test_every_kind_of_file_that_is_accepted_has_a_type_of_its_own(settings):
    assert set(settings.ALLOWED_EXTENSIONS) == set(TYPES)
    assert {kind.split("/")[0] for kind in TYPES.values()} == {"audio", "video"}


@pytest.mark.parametrize("accept", ["audio/*", "audio/mpeg", "text/html"])
def test_whatever_a_client_accepts_it_gets_the_recording(get, accept):
    assert get(Accept=accept).body == SOUND


def test_a_large_recording_is_never_in_memory(get, job):
    with default_storage.open(job.source_key, "wb") as stored:
        stored.truncate(200_000_000)
    client, headers = Client(), {"Authorization": f"Bearer {issue_pair(user=job.owner).access_token}"}
    tracemalloc.start()
    answer = client.get(f"/jobs/{job.pk}/audio", headers=headers | {"Range": "bytes=1000-"})
    received = sum(len(block) for block in answer)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    answer.close()
    print(f"peak {peak / 1e6:.1f} MB for 200 MB")
    assert received == 200_000_000 - 1000
    assert peak < 5_000_000
