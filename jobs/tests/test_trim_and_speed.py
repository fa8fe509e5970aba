"""A job of a stretch of its recording, or at another speed: what is charged, and times that are the recording's own."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from accounts.errors import AudioLimitExceeded
from accounts.models import LedgerEntry, QuotaAccount
from jobs import files, lifecycle
from jobs.errors import InputFault
from jobs.lease import LeaseKeeper
from jobs.lifecycle import chunks
from jobs.models import Job, MeasuredSpeed, Stage, Status, TranscriptPart
from jobs.selectors import segments_of
from jobs.speeds import speed_of
from jobs.steps.probe import probe_recording
from jobs.steps.transcribe import transcribe_recording
from jobs.tests.conftest import OPTIONS, run_ffmpeg

pytestmark = pytest.mark.django_db

ASSETS = Path(__file__).parent / "assets"
SPEECH_MS = 13_870
SECOND_SENTENCE = "the budget for the new project is ready"
FOURTH_SENTENCE = "our product launch is in july"


@pytest.fixture(autouse=True)
def installation(settings, tmp_path, monkeypatch):
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.WORK_DIR = tmp_path / "work"
    settings.WHISPER_MODELS_DIR = ASSETS
    settings.DEFAULT_MODEL = "whisper-micro"
    settings.WHISPER_CPU_THREADS = 1
    monkeypatch.setenv("TRANSCRIBIFY_CHOSEN_ENGINE", "faster-whisper")


@pytest.fixture(scope="module")
def speech_path() -> Path:
    """Five English sentences, 13.87 s."""
    return ASSETS / "english.flac"


@pytest.fixture
def submit(make_job) -> Callable[..., Job]:
    def submit(path: Path, reserved_ms: int = SPEECH_MS, **options) -> Job:
        chosen = {**OPTIONS, "language": "en", "temperature": 0.0, "report": False, **options}
        job = make_job(reserved_ms=reserved_ms, options=chosen)
        job.source_key = default_storage.save(files.source_key(job.uid), ContentFile(path.read_bytes()))
        job.save()
        return job

    return submit


def run(job: Job, *, until: Stage | None = None) -> Job:
    """Take the job through its steps as a worker does; the threads that renew stay out of the test's transaction."""
    for stage, step in ((Stage.PROBE, probe_recording), (Stage.TRANSCRIBE, transcribe_recording)):
        if stage == until:
            break
        claim = lifecycle.claim_job(job_id=job.pk, stage=stage, holder="here:1:2")
        job.refresh_from_db()
        step(job, LeaseKeeper(claim, stall_seconds=60))
        job.refresh_from_db()
    return job


def charged_ms(job: Job) -> int:
    return LedgerEntry.objects.get(job_id=job.pk, kind="settle").ms


def starts(job: Job) -> dict[str, float]:
    return {segment["text"].strip(): segment["start"] for segment in segments_of(job)}


def words_of(job: Job) -> dict[str, tuple[float, float]]:
    """Where each word is that was said once."""
    words = [word for segment in segments_of(job) for word in segment["words"]]
    said = [word["word"] for word in words]
    return {word["word"]: (word["start"], word["end"]) for word in words if said.count(word["word"]) == 1}


def furthest(found: dict[str, tuple[float, float]], expected: dict[str, tuple[float, float]]) -> float:
    """How far from where it should be the furthest of the words is that are in both."""
    off = max(
        abs(a - b) for word in found.keys() & expected.keys() for a, b in zip(found[word], expected[word], strict=True)
    )
    print(f"{len(found.keys() & expected.keys())} words at most {off:.3f} s off")
    return off


@pytest.fixture
def plain(submit, speech_path) -> dict[str, float]:
    """Where each sentence begins, when all of the recording is recognised as it is."""
    return starts(run(submit(speech_path)))


class TestTrim:
    @pytest.mark.parametrize("kind", ["flac", "mp3", "mp4"])
    def test_a_stretch_has_the_recordings_times_and_costs_its_own_length(
        self, submit, speech_path, plain, tmp_path, kind
    ):
        path = tmp_path / f"speech.{kind}"
        picture = ("-f", "lavfi", "-i", "testsrc=duration=13:size=64x48") if kind == "mp4" else ()
        run_ffmpeg("-i", str(speech_path), *picture, "-q:a", "2", "-ar", "44100", str(path))
        job = run(submit(path, trim_start=2.9, trim_seconds=6.0, word_timestamps=True))
        assert (job.status, job.duration_ms, charged_ms(job)) == (Status.DONE, 6_000, 6_000)
        found = starts(job)
        assert next(iter(found)) == SECOND_SENTENCE
        assert found[SECOND_SENTENCE] == pytest.approx(plain[SECOND_SENTENCE], abs=0.7)  # words begin at the cut
        for segment in segments_of(job):
            assert 2.9 <= segment["start"] <= segment["end"] <= 8.9
            assert all(2.9 <= word["start"] <= word["end"] <= 8.9 for word in segment["words"])
            assert segment["seek"] >= 290

    def test_nothing_of_what_was_left_out_is_heard(self, submit, speech_path, plain):
        found = starts(run(submit(speech_path, trim_start=9.0)))
        assert list(found) == [FOURTH_SENTENCE, "thank you everyone"]
        assert all(found[text] == pytest.approx(plain[text], abs=0.3) for text in found)

    def test_a_small_budget_reaches_for_a_stretch_of_a_long_recording(self, submit, speech_path, tmp_path):
        once, path = tmp_path / "once.ogg", tmp_path / "hour.ogg"
        run_ffmpeg("-i", str(speech_path), "-c:a", "libopus", "-b:a", "16k", str(once))
        run_ffmpeg("-stream_loop", "259", "-i", str(once), "-c", "copy", str(path))
        QuotaAccount.objects.update(limit_ms=10_000)
        job = run(submit(path, reserved_ms=5_000, trim_start=3_000, trim_seconds=5))
        assert (job.status, charged_ms(job)) == (Status.DONE, 5_000)
        assert QuotaAccount.objects.get().reserved_ms == 0

    def test_a_stretch_that_the_budget_does_not_reach_for_is_refused(self, submit, speech_path):
        QuotaAccount.objects.update(limit_ms=4_000)
        job = submit(speech_path, reserved_ms=4_000, trim_start=2, trim_seconds=6)
        with pytest.raises(AudioLimitExceeded):
            run(job)
        assert QuotaAccount.objects.get().reserved_ms == 4_000

    def test_a_start_past_the_end_fails_and_says_how_long_the_recording_is(self, submit, speech_path):
        job = submit(speech_path, trim_start=13.9)
        with pytest.raises(InputFault, match=r"13\.87 s long") as refusal:
            run(job)
        assert refusal.value.code == "trim_start_past_end"
        job.refresh_from_db()
        assert (job.stage, job.decoded, job.pcm_key) == (Stage.PROBE, False, "")

    def test_a_start_past_what_is_taken_here_is_refused_without_reading_that_far(self, submit, speech_path, settings):
        settings.MAX_AUDIO_SECONDS = 3_600
        with pytest.raises(InputFault, match="at most 1 hours") as refusal:
            run(submit(speech_path, trim_start=1e9))
        assert refusal.value.code == "trim_start_past_end"

    def test_only_a_stretch_that_breaks_off_is_called_short(self, submit, speech_path, tmp_path):
        whole, cut = tmp_path / "whole.mp3", tmp_path / "cut.mp3"
        run_ffmpeg("-i", str(speech_path), str(whole))
        cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
        warnings = [
            [warning["code"] for warning in run(submit(cut, **trim), until=Stage.TRANSCRIBE).warnings]
            for trim in ({"trim_start": 1, "trim_seconds": 3}, {"trim_start": 1}, {})
        ]
        assert warnings == [[], ["shorter_than_its_header"], ["shorter_than_its_header"]]


class TestSpeed:
    """With pocketsphinx, which knows to a hundredth of a second where a word is."""

    LENGTH_MS = 6_200

    @pytest.fixture(autouse=True)
    def pocketsphinx(self, settings, monkeypatch):
        settings.WHISPER_CPU_THREADS = 2
        monkeypatch.setenv("TRANSCRIBIFY_CHOSEN_ENGINE", "pocketsphinx")

    @pytest.fixture
    def sentence_path(self, tmp_path, meeting_path) -> Path:
        """ "Good morning, everyone. Today we need to make a decision about the new customer website." """
        path = tmp_path / "sentence.flac"
        run_ffmpeg("-t", "6.2", "-i", str(meeting_path), str(path))
        return path

    @pytest.mark.parametrize("speed", [0.75, 1.25, 2.0])
    def test_times_are_mapped_back_and_the_speed_costs_nothing(self, submit, sentence_path, speed):
        plain = words_of(run(submit(sentence_path, word_timestamps=True)))
        job = run(submit(sentence_path, speed=speed, word_timestamps=True))
        assert (job.status, job.duration_ms, charged_ms(job)) == (Status.DONE, self.LENGTH_MS, self.LENGTH_MS)
        found = words_of(job)
        assert len(found.keys() & plain.keys()) >= 11
        assert furthest(found, plain) < 0.3
        assert segments_of(job)[-1]["end"] <= self.LENGTH_MS / 1000

    @pytest.mark.parametrize("speed", [0.75, 2.0])
    def test_a_stretch_at_another_speed_has_the_recordings_times(self, submit, sentence_path, speed):
        plain = words_of(run(submit(sentence_path, word_timestamps=True)))
        job = run(submit(sentence_path, speed=speed, trim_start=1.8, trim_seconds=4.2, word_timestamps=True))
        assert (job.duration_ms, charged_ms(job)) == (4_200, 4_200)
        found = words_of(job)
        assert {"everyone", "website"} & found.keys() == {"website"}
        assert len(found.keys() & plain.keys()) >= 8
        assert furthest(found, plain) < 0.3
        assert all(1.8 <= segment["start"] <= segment["end"] <= 6.0 for segment in segments_of(job))

    def test_what_is_heard_lasts_as_long_as_the_speed_says(self, submit, sentence_path):
        job = run(submit(sentence_path, speed=2.0), until=Stage.TRANSCRIBE)
        chunk = job.chunks.get()
        assert chunk.samples <= self.LENGTH_MS / 2 * 16
        assert default_storage.size(files.chunk_key(job.pcm_key, 0)) == chunk.samples * 2
        assert chunk.speech[-1][1] <= self.LENGTH_MS / 2000

    def test_a_moment_of_sound_at_full_speed_is_a_recording_without_speech(self, submit, speech_path):
        job = run(submit(speech_path, speed=4.0, trim_start=1, trim_seconds=0.02))
        assert (job.status, job.duration_ms, job.language) == (Status.DONE, 20, None)
        assert "no_speech" in [warning["code"] for warning in job.warnings]


class TestCancel:
    def cancelled(self, submit, speech_path, end: float) -> int:
        """What a job is charged that is cancelled after a segment that ends there."""
        job = run(submit(speech_path, trim_start=6.0, trim_seconds=7.0), until=Stage.TRANSCRIBE)
        claim = lifecycle.claim_job(job_id=job.pk, stage=Stage.TRANSCRIBE, holder="here:1:2")
        TranscriptPart.objects.create(job=job, position=0, text="half", segments=[{"id": 0, "end": end}])
        lifecycle.cancel(claim)
        assert QuotaAccount.objects.get().reserved_ms == 0
        return charged_ms(job)

    def test_what_was_skipped_is_not_charged(self, submit, speech_path):
        assert self.cancelled(submit, speech_path, 8.44) == 2_440

    def test_a_charge_is_never_below_nothing(self, submit, speech_path):
        assert self.cancelled(submit, speech_path, 5.999) == 0

    def test_progress_counts_from_where_the_stretch_begins(self, submit, speech_path, monkeypatch):
        seen = []
        progress_of = chunks.progress_of

        def watch(job_id):
            seen.append(progress_of(job_id))
            return seen[-1]

        monkeypatch.setattr(chunks, "progress_of", watch)
        run(submit(speech_path, trim_start=6.2, trim_seconds=3))
        assert 0.05 < seen[0] < 0.95
        assert seen[-1] == 0.95


def test_how_fast_the_model_was_is_remembered_for_estimates(submit, speech_path):
    job = run(submit(speech_path))
    assert MeasuredSpeed.objects.get().audio_ms == pytest.approx(job.chunks.get().samples / 16, abs=1)
    assert speed_of(engine="faster-whisper", model="whisper-micro") > 0
