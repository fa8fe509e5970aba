"""GET /jobs/{id}/transcript and /jobs/{id}/transcript.srt."""

import json

import pytest
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator

from jobs.models import Job, Status, TranscriptPart
from reports.formats.registry import FORMATS
from reports.models import EnhancedTranscript

pytestmark = pytest.mark.django_db

SEGMENTS = [
    {"id": 0, "start": 0.0, "end": 1.5, "text": " Доброе утро.", "words": [
        {"start": 0.0, "end": 0.7, "word": " Доброе", "probability": 0.9},
        {"start": 0.7, "end": 1.5, "word": " утро.", "probability": 0.8},
    ]},
    {"id": 1, "start": 59.9996, "end": 61.0, "text": " Начнём & <закончим>."},
]  # fmt: skip


@pytest.fixture
def done(alice):
    job = Job.objects.create(
        owner=alice, filename="Планёрка 1.mp3", status=Status.DONE, stage=None, language="ru", duration_ms=61_000,
        finished_at=timezone.now(),
    )  # fmt: skip
    TranscriptPart.objects.create(job=job, position=0, text="Доброе утро.", segments=SEGMENTS)
    return job


def test_srt_is_a_file_with_the_recordings_name(as_alice, done):
    answer = as_alice.get(f"/jobs/{done.pk}/transcript.srt")
    assert answer.status_code == 200
    assert answer.content.decode() == (
        "1\n00:00:00,000 --> 00:00:01,500\nДоброе утро.\n\n2\n00:01:00,000 --> 00:01:01,000\nНачнём & <закончим>.\n"
    )
    assert answer["Content-Type"] == "application/x-subrip; charset=utf-8"
    name = "%D0%9F%D0%BB%D0%B0%D0%BD%D1%91%D1%80%D0%BA%D0%B0%201.srt"
    assert answer["Content-Disposition"] == f"attachment; filename*=utf-8''{name}"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_the_same_by_path_by_query_and_by_accept(as_alice, done, name):
    media_type = FORMATS[name].media_type
    answers = [
        as_alice.get(f"/jobs/{done.pk}/transcript.{name}"),
        as_alice.get(f"/jobs/{done.pk}/transcript?format={name}", headers={"Accept": "text/html"}),
        as_alice.get(f"/jobs/{done.pk}/transcript", headers={"Accept": f"image/png, {media_type}"}),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert {answer["Content-Type"] for answer in answers} == {f"{media_type}; charset=utf-8"}
    assert len({answer.content for answer in answers}) == 1
    assert all("Accept" in answer["Vary"] for answer in answers)


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("*/*", "application/json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "application/json"),
        ("text/plain, */*", "text/plain"),
        ("text/*", "text/plain"),
        ("text/plain;q=0.5, text/vtt", "text/vtt"),
    ],
)
def test_who_names_no_format_gets_json_unless_something_else_is_liked_better(as_alice, done, accept, content_type):
    answer = as_alice.get(f"/jobs/{done.pk}/transcript", headers={"Accept": accept})
    assert answer["Content-Type"] == f"{content_type}; charset=utf-8"


@pytest.mark.parametrize(
    ("address", "accept"),
    [
        ("transcript?format=docx", "*/*"),
        ("transcript?format=", "*/*"),
        ("transcript?format=SRT", "*/*"),
        ("transcript.docx", "*/*"),
        ("transcript.srt.exe", "*/*"),
        ("transcript", "image/png"),
    ],
)
def test_an_unknown_format_is_refused(as_alice, done, address, accept):
    answer = as_alice.get(f"/jobs/{done.pk}/{address}", headers={"Accept": accept})
    assert (answer.status_code, answer.json()["code"]) == (406, "not_acceptable")
    assert set(answer.json()) == {"detail", "code"}
    assert "json, txt, srt, vtt, tsv" in answer.json()["detail"]


def test_json_has_words_on_request_only(as_alice, done):
    plain, rich = (
        as_alice.get(f"/jobs/{done.pk}/transcript{query}").json() for query in ("", "?words=true&format=json")
    )
    assert plain == {
        "text": "Доброе утро. Начнём & <закончим>.",
        "language": "ru",
        "segments": [
            {"id": 0, "start": 0.0, "end": 1.5, "text": " Доброе утро."},
            {"id": 1, "start": 60.0, "end": 61.0, "text": " Начнём & <закончим>."},
        ],
    }
    assert [segment.pop("words") for segment in rich["segments"]] == [SEGMENTS[0]["words"], []]
    assert rich == plain


def test_captions_are_cut_as_asked(as_alice, done):
    answer = as_alice.get(f"/jobs/{done.pk}/transcript.vtt?max_line_width=8&max_line_count=1")
    assert answer.content.decode().startswith(
        "WEBVTT\n\n00:00:00.000 --> 00:00:00.700\nДоброе\n\n00:00:00.700 --> 00:00:01.500\nутро.\n\n"
    )


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("max_line_width=0", "max_line_width_min_value"),
        ("max_line_width=-1", "max_line_width_min_value"),
        ("max_line_width=1001", "max_line_width_max_value"),
        ("max_line_count=two", "max_line_count_invalid"),
        ("max_words_per_line=1.5", "max_words_per_line_invalid"),
        ("words=perhaps", "words_invalid"),
        ("max_line_width=1&max_line_width=2", "given_twice"),
        ("max_width=1", "unknown_option"),
    ],
)
@pytest.mark.parametrize("path", ["transcript", "transcript.srt"])
def test_a_bad_layout_is_refused(as_alice, done, path, query, code):
    answer = as_alice.get(f"/jobs/{done.pk}/{path}?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, code)


class TestBeforeItIsThere:
    @pytest.mark.parametrize("status", [Status.PENDING, Status.PROCESSING, Status.FAILED])
    def test_it_is_a_conflict_that_names_the_status(self, as_alice, done, status):
        Job.objects.update(status=status)
        for path in ("transcript", "transcript.srt"):
            answer = as_alice.get(f"/jobs/{done.pk}/{path}")
            body = answer.json()
            assert (answer.status_code, body["code"], body["status"]) == (409, "not_finished", status)

    def test_a_cancelled_job_gives_the_part_that_it_kept(self, as_alice, done):
        Job.objects.update(status=Status.CANCELLED)
        assert "Доброе" in as_alice.get(f"/jobs/{done.pk}/transcript.txt").content.decode()
        TranscriptPart.objects.all().delete()
        assert as_alice.get(f"/jobs/{done.pk}/transcript.txt").json()["status"] == "cancelled"

    def test_it_stays_while_the_report_is_written_again(self, as_alice, done):
        assert as_alice.post(f"/jobs/{done.pk}/report").status_code == 202
        assert as_alice.get(f"/jobs/{done.pk}/transcript.txt").status_code == 200

    def test_a_recording_without_speech_has_an_empty_one(self, as_alice, done):
        TranscriptPart.objects.all().delete()
        assert as_alice.get(f"/jobs/{done.pk}/transcript.srt").content == b""
        assert as_alice.get(f"/jobs/{done.pk}/transcript.vtt").content == b"WEBVTT\n"


class TestWhoHasItAlready:
    def ask(self, client, done, known, query=""):
        return client.get(f"/jobs/{done.pk}/transcript.srt{query}", headers={"If-None-Match": known})

    def test_is_told_so_before_the_transcript_is_read(self, as_alice, done, django_assert_num_queries):
        etag = as_alice.get(f"/jobs/{done.pk}/transcript.srt")["ETag"]
        assert etag.startswith('"')
        for known in (etag, f'"other", {etag}', f"W/{etag}", "*"):
            with django_assert_num_queries(1):
                answer = self.ask(as_alice, done, known)
            assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", etag)
            assert answer["Cache-Control"] == "private, no-cache"

    def test_gets_it_when_anything_of_it_differs(self, as_alice, done):
        etag = as_alice.get(f"/jobs/{done.pk}/transcript.srt")["ETag"]
        assert self.ask(as_alice, done, '"other"').status_code == 200
        assert self.ask(as_alice, done, etag, "?max_line_width=10").status_code == 200
        assert as_alice.get(f"/jobs/{done.pk}/transcript.vtt", headers={"If-None-Match": etag}).status_code == 200
        Job.objects.update(run=2)
        assert self.ask(as_alice, done, etag).status_code == 200

    def test_hears_of_a_conflict_first(self, as_alice, done):
        etag = as_alice.get(f"/jobs/{done.pk}/transcript.srt")["ETag"]
        Job.objects.update(status=Status.PENDING)
        assert self.ask(as_alice, done, etag).status_code == 409


def test_head_says_what_get_would(as_alice, done):
    head, get = (getattr(as_alice, method)(f"/jobs/{done.pk}/transcript.srt") for method in ("head", "get"))
    assert (head.status_code, head.content, head["ETag"]) == (200, b"", get["ETag"])
    assert head["Content-Length"] == get["Content-Length"] == str(len(get.content))


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        ("../../etc/passwd", 'attachment; filename="passwd.txt"'),
        ('a"b\\c.mp3', 'attachment; filename="c.txt"'),
        ('say "hi".mp3', 'attachment; filename="say \\"hi\\".txt"'),
        ("a\r\nSet-Cookie: x=1.mp3", 'attachment; filename="aSet-Cookie: x=1.txt"'),
        ("", 'attachment; filename="recording.txt"'),
        ("page.html", 'attachment; filename="page.txt"'),
        ("\ud800.mp3".encode("utf-8", "replace").decode(), 'attachment; filename="?.txt"'),
    ],
)
def test_a_hostile_name_stays_a_name(as_alice, done, filename, expected):
    Job.objects.update(filename=filename)
    assert as_alice.get(f"/jobs/{done.pk}/transcript.txt")["Content-Disposition"] == expected


@pytest.mark.parametrize("path", ["transcript", "transcript.srt", "transcript.docx", "report", "audio"])
def test_another_users_results_are_unknown(as_charlie, api, done, path):
    assert as_charlie.get(f"/jobs/{done.pk}/{path}").json() == {"detail": "Not found.", "code": "not_found"}
    assert api.get(f"/jobs/{done.pk}/{path}").status_code == 401


class TestEnhanced:
    def test_it_is_had_on_request_and_has_an_etag_of_its_own(self, as_alice, done):
        segments = [{"id": 0, "start": 0.0, "end": 1.5, "text": "Доброе утро!"}]
        EnhancedTranscript.objects.create(job=done, segments=segments, text="Доброе утро!", model="m")
        plain = as_alice.get(f"/jobs/{done.pk}/transcript.txt")
        enhanced = as_alice.get(f"/jobs/{done.pk}/transcript.txt?enhanced=true")
        assert enhanced.content.decode() == "Доброе утро!\n"
        assert plain.content.decode().startswith("Доброе утро.\n")
        assert plain["ETag"] != enhanced["ETag"]

    def test_a_job_without_one_says_so(self, as_alice, done):
        answer = as_alice.get(f"/jobs/{done.pk}/transcript.txt?enhanced=true")
        assert (answer.status_code, answer.json()["code"]) == (404, "no_enhanced_transcript")


@pytest.mark.parametrize("removed", [{"removed_at": timezone.now()}, {"receipt": {}}])
def test_a_removed_transcript_is_gone(as_alice, done, removed):
    Job.objects.update(**removed)
    answer = as_alice.get(f"/jobs/{done.pk}/transcript.srt")
    assert (answer.status_code, answer.json()["code"]) == (410, "transcript_removed")


def test_the_schema_names_the_formats_and_the_limits():
    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]
    by_query = paths["/jobs/{job_id}/transcript"]["get"]
    assert set(by_query["responses"]["200"]["content"]) == {known.media_type for known in FORMATS.values()}
    limits = {"max_line_width", "max_line_count", "max_words_per_line", "words", "enhanced", "If-None-Match"}
    assert {parameter["name"] for parameter in by_query["parameters"]} == {"job_id", "format", *limits}
    by_path = paths["/jobs/{job_id}/transcript.{format_name}"]["get"]
    assert {parameter["name"] for parameter in by_path["parameters"]} == {"job_id", "format_name", *limits}
    json.dumps(paths, default=str)
