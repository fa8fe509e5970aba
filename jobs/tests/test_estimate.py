"""POST /jobs/estimate: what a recording would cost and when it would be done, with nothing changed."""

from datetime import datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from accounts.models import LedgerEntry, QuotaAccount
from jobs.models import Job, MeasuredSpeed, Status, WorkerSlot
from jobs.speeds import record_speed, speed_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def engine(settings):
    settings.TRANSCRIPTION_ENGINE = "pocketsphinx"


@pytest.fixture
def estimate(as_alice):
    """Asks by the length alone, as JSON; or with a file, as a form."""

    def ask(file=None, **asked):
        if file is None:
            return as_alice.post("/jobs/estimate", asked, format="json")
        return as_alice.post(
            "/jobs/estimate", {"file": SimpleUploadedFile("a.flac", file.read_bytes()), **asked}, format="multipart"
        )

    return ask


@pytest.fixture
def worker(db):
    return WorkerSlot.objects.create(name="here:1:1", queues="speech", engine="pocketsphinx")


def test_a_length_is_enough(estimate):
    answer = estimate(duration_seconds=90)
    assert answer.status_code == 200, answer.json()
    assert answer.json() == {
        "duration_seconds": 90.0,
        "charged_seconds": 90.0,
        "remaining_seconds": 1800.0,
        "remaining_seconds_after": 1710.0,
        "fits": True,
        "queue_position": 1,
        "workers": 0,
        "model": "en-us",
        "speed_factor": None,
        "expected_seconds": None,
        "expected_finish_at": None,
    }


def test_a_file_is_measured_and_nothing_is_kept_of_it(estimate, tone_path):
    answer = estimate(tone_path).json()
    assert (answer["duration_seconds"], answer["charged_seconds"]) == (2.0, 2.0)
    assert not Job.objects.exists()
    assert not LedgerEntry.objects.exists()
    assert QuotaAccount.objects.get().reserved_ms == 0


def test_only_what_is_taken_of_the_recording_is_charged(estimate):
    answer = estimate(duration_seconds=90, trim_start=30, trim_seconds=20, speed=2).json()
    assert (answer["charged_seconds"], answer["remaining_seconds_after"]) == (20.0, 1780.0)


def test_it_says_that_the_budget_does_not_reach(estimate):
    QuotaAccount.objects.update(used_ms=1_780_000)
    answer = estimate(duration_seconds=90).json()
    assert (answer["fits"], answer["remaining_seconds"], answer["remaining_seconds_after"]) == (False, 20.0, 0.0)


def test_an_empty_budget_is_no_reason_not_to_tell(estimate, tone_path):
    QuotaAccount.objects.update(used_ms=1_800_000)
    assert estimate(tone_path).json()["fits"] is False


def test_an_unlimited_budget_has_no_rest(estimate):
    QuotaAccount.objects.update(limit_ms=None)
    answer = estimate(duration_seconds=1e6).json()
    assert (answer["fits"], answer["remaining_seconds"], answer["remaining_seconds_after"]) == (True, None, None)


class TestFinish:
    def test_it_follows_from_the_measured_speed(self, estimate, worker):
        record_speed(engine="pocketsphinx", model="en-us", audio_seconds=100, work_seconds=25)
        answer = estimate(duration_seconds=120).json()
        assert (answer["workers"], answer["speed_factor"], answer["expected_seconds"]) == (1, 4.0, 30.0)
        finish = datetime.fromisoformat(answer["expected_finish_at"])
        assert 28 < (finish - timezone.now()).total_seconds() <= 30

    def test_a_recording_that_is_played_faster_takes_less_time(self, estimate, worker):
        record_speed(engine="pocketsphinx", model="en-us", audio_seconds=100, work_seconds=25)
        assert estimate(duration_seconds=120, speed=2).json()["expected_seconds"] == 15.0

    def test_who_waits_ahead_is_waited_for(self, estimate, worker, make_job, charlie):
        record_speed(engine="pocketsphinx", model="en-us", audio_seconds=10, work_seconds=10)
        make_job(reserved_ms=60_000, owner=charlie)
        make_job(reserved_ms=60_000, owner=charlie)
        answer = estimate(duration_seconds=10).json()
        # Owners take turns: of charlie's two one is ahead.
        assert (answer["queue_position"], answer["expected_seconds"]) == (2, 70.0)

    def test_her_own_waiting_jobs_are_all_ahead(self, estimate, make_job):
        make_job(reserved_ms=60_000)
        make_job(reserved_ms=60_000)
        assert estimate(duration_seconds=10).json()["queue_position"] == 3

    def test_the_rest_of_a_running_job_counts(self, estimate, worker, make_job, charlie):
        record_speed(engine="pocketsphinx", model="en-us", audio_seconds=10, work_seconds=10)
        job = make_job(reserved_ms=60_000, owner=charlie)
        Job.objects.filter(pk=job.pk).update(token=job.uid, status=Status.PROCESSING, progress=0.5)
        answer = estimate(duration_seconds=10).json()
        assert (answer["queue_position"], answer["expected_seconds"]) == (1, 40.0)


class TestMeasuredSpeed:
    def test_later_recordings_count_more_and_longer_ones_too(self):
        record_speed(engine="e", model="m", audio_seconds=100, work_seconds=100)
        for _ in range(50):
            record_speed(engine="e", model="m", audio_seconds=100, work_seconds=50)
        assert speed_of(engine="e", model="m") == pytest.approx(2.0, abs=0.02)
        assert MeasuredSpeed.objects.count() == 1

    def test_each_model_has_its_own(self):
        record_speed(engine="e", model="m", audio_seconds=100, work_seconds=50)
        assert speed_of(engine="e", model="other") is None


class TestBadInput:
    @pytest.mark.parametrize(
        ("asked", "code"),
        [
            ({}, "duration_seconds_file_or_length"),
            ({"duration_seconds": 0}, "duration_seconds_min_value"),
            ({"duration_seconds": -1}, "duration_seconds_min_value"),
            ({"duration_seconds": "NaN"}, "duration_seconds_invalid"),
            ({"duration_seconds": 10, "trim_start": 10}, "trim_start_past_end"),
            ({"duration_seconds": 10, "speed": 9}, "speed_max_value"),
            ({"duration_seconds": 10, "speed": 0.4}, "speed_min_value"),
            ({"duration_seconds": 10, "model": "gpt-9"}, "unknown_model"),
            ({"duration_seconds": 10, "tags": ["x"] * 3 + [f"t{i}" for i in range(10)]}, "tags_too_many"),
            ({"duration_seconds": 10, "tags": ["x" * 41]}, "tags_too_long"),
            ({"duration_seconds": 10, "tags": ["a\nb"]}, "tags_unprintable"),
            ({"duration_seconds": 10, "delete_after_seconds": 0}, "delete_after_seconds_min_value"),
            ({"duration_seconds": 10, "task": "sing"}, "task_invalid_choice"),
            ({"duration_seconds": 10, "nonsense": 1}, "unknown_option"),
        ],
    )
    def test_it_is_named(self, estimate, asked, code):
        answer = estimate(**asked)
        assert (answer.status_code, answer.json()["code"]) == (400, code), answer.json()

    def test_file_and_length_together_are_refused(self, estimate, tone_path):
        answer = estimate(tone_path, duration_seconds="2")
        assert (answer.status_code, answer.json()["code"]) == (400, "duration_seconds_file_or_length")

    def test_nobody_is_told_anything(self, api):
        assert api.post("/jobs/estimate", {"duration_seconds": 10}, format="json").status_code == 401
