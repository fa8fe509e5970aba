"""The judge of the recording: what was decoded counts, not what the header says."""

import struct
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from accounts.errors import AudioLimitExceeded
from accounts.models import LedgerEntry, QuotaAccount
from jobs import files, lifecycle
from jobs.errors import InputFault
from jobs.lease import LeaseKeeper
from jobs.models import Job, Stage
from jobs.steps.probe import probe_recording
from jobs.tests.conftest import run_ffmpeg

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_folders(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.WORK_DIR = tmp_path / "work"


@pytest.fixture
def probe(make_job):
    """Probes a file as a worker does, with a reservation as the header (or the test) says; the job afterwards."""

    def run(path: Path, reserved_ms: int) -> Job:
        job = make_job(reserved_ms=reserved_ms)
        job.source_key = default_storage.save(files.source_key(job.uid), ContentFile(path.read_bytes()))
        job.save()
        claim = lifecycle.claim_job(job_id=job.pk, stage=Stage.PROBE, holder="here:1:2")
        # Not entered: the thread that renews would wait for this test's own transaction.
        probe_recording(job, LeaseKeeper(claim, stall_seconds=60))
        job.refresh_from_db()
        return job

    return run


@pytest.fixture
def speech_path(tmp_path, meeting_path):
    """Six seconds of speech."""
    path = tmp_path / "speech.flac"
    run_ffmpeg("-t", "6", "-i", str(meeting_path), str(path))
    return path


@pytest.fixture
def lying_path(tmp_path, speech_path):
    """A FLAC of six seconds whose header says one."""
    data = bytearray(speech_path.read_bytes())
    at = data.index(b"fLaC") + 8 + 10
    (packed,) = struct.unpack(">Q", data[at : at + 8])
    data[at : at + 8] = struct.pack(">Q", packed >> 36 << 36 | 16_000)
    path = tmp_path / "lying.flac"
    path.write_bytes(data)
    return path


def limit(seconds):
    QuotaAccount.objects.update(limit_ms=seconds * 1000)


def reserved():
    return QuotaAccount.objects.get().reserved_ms


def test_it_finds_the_speech_and_the_true_duration(probe, speech_path):
    job = probe(speech_path, reserved_ms=6_000)
    assert (job.stage, job.token, job.decoded, job.duration_ms) == (Stage.TRANSCRIBE, None, True, 6_000)
    chunk = job.chunks.get()
    assert 0 <= chunk.start_sample < chunk.end_sample <= 6 * 16_000
    assert 0 <= chunk.speech[0][0] < 0.01
    assert chunk.speech[-1][1] == pytest.approx(chunk.samples / 16_000, abs=1e-6)
    assert default_storage.size(files.chunk_key(job.pcm_key, 0)) == chunk.samples * 2


def test_a_reservation_that_was_too_small_grows_to_what_was_decoded(probe, lying_path):
    job = probe(lying_path, reserved_ms=1_000)
    assert job.duration_ms == 6_000
    assert reserved() == 6_000
    assert LedgerEntry.objects.get(kind="top_up").ms == 5_000


def test_a_reservation_that_was_too_large_shrinks(probe, speech_path):
    probe(speech_path, reserved_ms=60_000)
    assert reserved() == 6_000


def test_a_budget_that_does_not_reach_for_what_was_decoded_is_refused(probe, lying_path, alice):
    limit(5)
    with pytest.raises(AudioLimitExceeded):
        probe(lying_path, reserved_ms=1_000)
    job = Job.objects.get()
    assert (job.stage, job.pcm_key, job.decoded) == (Stage.PROBE, "", False)
    assert reserved() == 1_000
    assert not LedgerEntry.objects.filter(kind="top_up").exists()
    assert not list(Path(default_storage.location).glob("work/**/*.pcm"))


def test_a_budget_that_misses_by_the_decoders_padding_reaches(probe, speech_path):
    QuotaAccount.objects.update(limit_ms=5_950)
    job = probe(speech_path, reserved_ms=5_950)
    assert reserved() == 5_950
    assert job.duration_ms == 5_950


def test_sound_without_speech_has_no_clips_and_a_warning(probe, tone_path):
    job = probe(tone_path, reserved_ms=2_000)
    assert (job.chunks.count(), job.pcm_key) == (0, "")
    assert [warning["code"] for warning in job.warnings] == ["no_speech"]


def test_a_recording_that_breaks_off_is_taken_with_a_warning(probe, tmp_path, meeting_path):
    whole, cut = tmp_path / "whole.mp3", tmp_path / "cut.mp3"
    run_ffmpeg("-t", "20", "-i", str(meeting_path), str(whole))
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 4])
    job = probe(cut, reserved_ms=20_000)
    assert 4_000 < job.duration_ms < 6_500
    assert "shorter_than_its_header" in [warning["code"] for warning in job.warnings]
    assert reserved() == job.duration_ms


def test_a_recording_with_damage_inside_is_taken_with_a_warning(probe, tmp_path, speech_path):
    data = bytearray(speech_path.read_bytes())
    for at in range(len(data) // 2, len(data) * 3 // 4, 2_000):
        data[at : at + 40] = b"\xff" * 40
    damaged = tmp_path / "damaged.flac"
    damaged.write_bytes(data)
    job = probe(damaged, reserved_ms=6_000)
    assert 0 < job.duration_ms < 6_000
    assert {warning["code"] for warning in job.warnings} & {"damaged", "shorter_than_its_header"}
    assert reserved() == job.duration_ms


def test_longer_than_the_installation_takes_is_refused(probe, speech_path, settings):
    settings.MAX_AUDIO_SECONDS = 3
    with pytest.raises(InputFault, match="longer than"):
        probe(speech_path, reserved_ms=1_000)


def test_no_work_folder_is_left(probe, speech_path, settings):
    probe(speech_path, reserved_ms=6_000)
    assert list(Path(settings.WORK_DIR).iterdir()) == []
