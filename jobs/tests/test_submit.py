"""POST /jobs: what is accepted, and what is refused with nothing changed."""

from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import LedgerEntry, QuotaAccount
from jobs.models import Job, WorkerSlot
from jobs.tests.conftest import run_ffmpeg

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_storage(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def submit(as_alice, tone_path):
    """Sends the tone, or another file, with options."""

    def send(path: Path = tone_path, name: str = "tone.flac", **options):
        file = SimpleUploadedFile(name, path.read_bytes())
        return as_alice.post("/jobs", {"file": file, **options}, format="multipart")

    return send


def assert_nothing_changed():
    assert not Job.objects.exists()
    assert not LedgerEntry.objects.exists()
    assert not QuotaAccount.objects.exclude(reserved_ms=0).exists()
    assert not stored_files()


def stored_files():
    folders = (Path(default_storage.location), Path(django_settings.FILE_UPLOAD_TEMP_DIR))
    return [path for folder in folders for path in folder.rglob("*") if path.is_file()]


def refusal(response):
    assert response.json()["detail"]
    return response.status_code, response.json()["code"]


def test_a_recording_is_accepted_and_its_seconds_are_reserved(submit):
    response = submit()
    assert response.status_code == 202
    answer = response.json()
    job = Job.objects.get()
    assert answer["id"] == job.pk
    assert answer["uid"] == str(job.uid)
    assert (answer["status"], answer["stage"], answer["filename"]) == ("pending", "probe", "tone.flac")
    assert answer["duration_seconds"] == 2.0
    assert (answer["transcript"], answer["segments"], answer["report"], answer["error"]) == ("", [], None, None)
    assert response.headers["Location"] == f"/jobs/{job.pk}"
    assert QuotaAccount.objects.get().reserved_ms == 2000
    assert [path.name for path in stored_files()] == ["source"]


def test_all_options_are_kept_and_echoed(submit):
    sent = {"model": "whisper-1", "language": "EN", "prompt": "Transcribify", "temperature": "0.2", "task": "translate"}
    sent |= {"beam_size": "3", "vad_filter": "false", "word_timestamps": "true", "report": "false", "batched": "true"}
    sent |= {"hotwords": "budget, Vlasov", "speed": "1.5", "trim_start": "0.5", "trim_seconds": "1", "enhance": "true"}
    sent |= {"tags": ["sales", "Отдел продаж"], "delete_after_seconds": "3600"}
    response = submit(**sent)
    assert response.status_code == 202, response.json()
    kept = {
        "model": "", "language": "en", "prompt": "Transcribify", "temperature": 0.2, "task": "translate",
        "beam_size": 3, "vad_filter": False, "word_timestamps": True, "report": False, "batched": True,
        "hotwords": "budget, Vlasov", "speed": 1.5, "trim_start": 0.5, "trim_seconds": 1.0, "enhance": True,
        "tags": ["sales", "Отдел продаж"], "delete_after_seconds": 3600,
    }  # fmt: skip
    assert Job.objects.get().options == kept
    assert response.json()["options"] == kept
    assert QuotaAccount.objects.get().reserved_ms == 1000


def test_a_job_without_a_model_takes_its_workers_default(submit):
    assert submit().json()["model"] is None
    assert submit(model="base").json()["model"] == "base"


def test_a_budget_that_does_not_reach_is_refused_with_the_figures(submit):
    QuotaAccount.objects.update(limit_ms=1_800_000, used_ms=1_799_000)
    response = submit()
    assert response.status_code == 429
    assert response.json() == {
        "detail": "audio limit exceeded. you have 1s remaining out of 1800s total",
        "code": "audio_limit_exceeded",
        "remaining_seconds": 1.0,
        "limit_seconds": 1800.0,
        "requested_seconds": 2.0,
    }
    assert_nothing_changed()


def test_a_recording_without_a_length_reserves_what_is_left(submit, tmp_path):
    stream = tmp_path / "live.webm"
    run_ffmpeg("-f", "lavfi", "-i", "sine=duration=2", "-c:a", "libopus", "-f", "webm", "-live", "1", str(stream))
    response = submit(stream, "live.webm")
    assert response.status_code == 202
    assert response.json()["duration_seconds"] is None
    assert QuotaAccount.objects.get().reserved_ms == 1_800_000


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"modell": "base"}, "unknown_option"),
        ({"model": "gpt-9"}, "unknown_model"),
        ({"model": "large"}, "model_not_allowed"),
        ({"language": "klingon"}, "unknown_language"),
        ({"language": "xx"}, "unknown_language"),
        ({"temperature": "NaN"}, "temperature_invalid"),
        ({"temperature": "inf"}, "temperature_invalid"),
        ({"temperature": "-0.1"}, "temperature_min_value"),
        ({"temperature": "1.5"}, "temperature_max_value"),
        ({"beam_size": "0"}, "beam_size_min_value"),
        ({"beam_size": "many"}, "beam_size_invalid"),
        ({"beam_size": ["2", "3"]}, "given_twice"),
        ({"prompt": "x" * 1001}, "prompt_max_length"),
        ({"vad_filter": "perhaps"}, "vad_filter_invalid"),
    ],
)
def test_a_bad_option_is_named(submit, options, code):
    assert refusal(submit(**options)) == (400, code)
    assert_nothing_changed()


def test_russian_is_refused_where_only_english_can_be_recognised(submit):
    WorkerSlot.objects.create(name="a", queues="speech", engine="pocketsphinx")
    assert refusal(submit(language="ru")) == (400, "language_not_supported")
    assert_nothing_changed()
    assert submit(language="en").status_code == 202


class TestFiles:
    def test_none(self, as_alice):
        assert refusal(as_alice.post("/jobs", {}, format="multipart")) == (400, "file_required")
        assert_nothing_changed()

    def test_two(self, as_alice, tone_path):
        files = [SimpleUploadedFile(f"{n}.flac", tone_path.read_bytes()) for n in range(2)]
        assert refusal(as_alice.post("/jobs", {"file": files}, format="multipart")) == (400, "one_file_only")
        assert refusal(as_alice.post("/jobs", {"file": files[0], "other": files[1]}, format="multipart"))[0] == 400
        assert_nothing_changed()

    def test_three(self, as_alice, tone_path):
        files = [SimpleUploadedFile(f"{n}.flac", tone_path.read_bytes()) for n in range(3)]
        assert refusal(as_alice.post("/jobs", {"file": files}, format="multipart")) == (400, "bad_request")
        assert_nothing_changed()

    def test_empty(self, submit, tmp_path):
        (tmp_path / "empty").touch()
        assert refusal(submit(tmp_path / "empty", "empty.mp3")) == (400, "file_empty")
        assert_nothing_changed()

    def test_text_in_a_form_field_is_no_file(self, as_alice):
        assert refusal(as_alice.post("/jobs", {"file": "hello"}, format="multipart")) == (400, "file_invalid")

    def test_text_named_mp3(self, submit, tmp_path):
        (tmp_path / "text").write_text("These are words, not sound.\n" * 100)
        assert refusal(submit(tmp_path / "text", "text.mp3")) == (415, "unsupported_media")
        assert_nothing_changed()

    def test_video_without_sound(self, submit, tmp_path):
        video = tmp_path / "silent.mp4"
        run_ffmpeg("-f", "lavfi", "-i", "testsrc=duration=1:size=64x64:rate=5", "-pix_fmt", "yuv420p", str(video))
        assert refusal(submit(video, "silent.mp4")) == (400, "no_audio")
        assert_nothing_changed()

    def test_a_format_that_is_not_accepted(self, submit):
        assert refusal(submit(name="tone.exe")) == (400, "unsupported_format")
        assert_nothing_changed()

    def test_a_playlist_renamed_to_mp3_reads_nothing_else(self, submit, tmp_path, tone_path):
        playlist = tmp_path / "list"
        playlist.write_text(f"#EXTM3U\n#EXTINF:2,\nfile://{tone_path}\n")
        assert refusal(submit(playlist, "list.mp3")) == (415, "unsupported_media")
        assert_nothing_changed()

    def test_larger_than_allowed(self, submit, settings, tmp_path):
        settings.MAX_UPLOAD_MEGABYTES = 1
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10_000_000
        (tmp_path / "large").write_bytes(bytes(1_000_001))
        assert refusal(submit(tmp_path / "large", "large.wav")) == (413, "upload_too_large")
        assert_nothing_changed()

    def test_much_larger_than_allowed_is_refused_unread(self, submit, settings, tmp_path):
        settings.MAX_UPLOAD_MEGABYTES = 1
        (tmp_path / "large").write_bytes(bytes(3_000_000))
        assert refusal(submit(tmp_path / "large", "large.wav")) == (413, "upload_too_large")
        assert_nothing_changed()

    @pytest.mark.parametrize(
        ("sent", "shown"),
        [
            ("../../etc/tone.flac", "tone.flac"),
            ("встреча в среду.flac", "встреча в среду.flac"),
            ("-i tone.flac", "-i tone.flac"),
            ("x" * 400 + ".flac", "x" * 250 + ".flac"),
        ],
    )
    def test_the_name_is_shown_and_never_used_as_a_path(self, submit, sent, shown):
        assert submit(name=sent).json()["filename"] == shown
        assert [path.name for path in stored_files()] == ["source"]


def test_json_is_no_way_to_send_a_recording(as_alice):
    assert refusal(as_alice.post("/jobs", {"file": "x"}, format="json")) == (415, "unsupported_media_type")


def test_nobody_may_submit(api, tone_path):
    file = SimpleUploadedFile("tone.flac", tone_path.read_bytes())
    response = api.post("/jobs", {"file": file}, format="multipart")
    assert response.status_code == 401
    assert_nothing_changed()
