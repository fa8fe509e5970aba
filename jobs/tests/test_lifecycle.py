"""The moves of a job, each of which changes exactly one row or is refused."""

import uuid

import pytest

from accounts.models import LedgerEntry
from jobs import lifecycle
from jobs.clock import from_now
from jobs.errors import CancelRequested, LeaseLost
from jobs.models import Job, JobEvent, Stage, Status, TranscriptPart

pytestmark = pytest.mark.django_db


def claim(job, stage=Stage.PROBE):
    return lifecycle.claim_job(job_id=job.pk, stage=stage, holder="here:1:2")


def ledger(job):
    return list(LedgerEntry.objects.filter(job_id=job.pk).order_by("id").values_list("kind", "ms"))


def steal(job):
    """What happens when the lease ran out and another worker claimed the job."""
    Job.objects.filter(pk=job.pk).update(token=uuid.uuid4())


class TestClaim:
    def test_it_takes_a_waiting_job(self, make_job):
        job = make_job()
        held = claim(job)
        job.refresh_from_db()
        assert (job.status, job.token, job.holder) == (Status.PROCESSING, held.token, "here:1:2")
        assert job.started_at
        assert job.lease_until > job.started_at

    def test_only_one_of_two_gets_it(self, make_job):
        job = make_job()
        first = claim(job)
        assert claim(job) is None
        job.refresh_from_db()
        assert job.token == first.token

    @pytest.mark.parametrize(
        "fields",
        [
            {"stage": Stage.TRANSCRIBE},
            {"status": Status.DONE, "stage": None},
            {"cancel_requested": True},
            {"not_before": from_now(60)},
        ],
    )
    def test_it_refuses_what_is_not_its_turn(self, make_job, fields):
        job = make_job()
        Job.objects.filter(pk=job.pk).update(**fields)
        assert claim(job) is None
        job.refresh_from_db()
        assert job.token is None


class TestWriting:
    def test_a_holder_may_write_and_renews_by_it(self, make_job):
        job = make_job()
        held = claim(job)
        Job.objects.filter(pk=job.pk).update(lease_until=from_now(1))
        with lifecycle.writing(held, progress=0.5):
            TranscriptPart.objects.create(job=job, position=0, text="hello", segments=[])
        job.refresh_from_db()
        assert job.progress == 0.5
        assert Job.objects.filter(pk=job.pk, lease_until__gt=from_now(30)).exists()

    def test_who_lost_the_lease_writes_nothing(self, make_job):
        job = make_job()
        held = claim(job)
        steal(job)
        with pytest.raises(LeaseLost), lifecycle.writing(held):
            TranscriptPart.objects.create(job=job, position=0, text="late", segments=[])
        assert not job.parts.exists()

    def test_a_cancelled_job_is_not_written_to(self, make_job):
        job = make_job()
        held = claim(job)
        Job.objects.filter(pk=job.pk).update(cancel_requested=True)
        with pytest.raises(CancelRequested), lifecycle.writing(held):
            TranscriptPart.objects.create(job=job, position=0, text="late", segments=[])
        assert not job.parts.exists()


class TestTheEnd:
    def test_completing_charges_the_decoded_duration_once(self, make_job):
        job = make_job()
        held = claim(job)
        lifecycle.complete(held)
        job.refresh_from_db()
        assert (job.status, job.stage, job.token, job.progress) == (Status.DONE, None, None, 1.0)
        assert ledger(job) == [("reserve", 10_000), ("settle", 10_000)]
        with pytest.raises(LeaseLost):
            lifecycle.complete(held)
        assert len(ledger(job)) == 2

    def test_failing_refunds_and_says_why(self, make_job, alice):
        job = make_job()
        lifecycle.fail(claim(job), code="no_audio", message="There is no sound in this file.")
        job.refresh_from_db()
        assert (job.status, job.error_code, job.error_message) == (
            Status.FAILED,
            "no_audio",
            "There is no sound in this file.",
        )
        assert ledger(job)[-1] == ("release", 10_000)
        alice.quota.refresh_from_db()
        assert (alice.quota.used_ms, alice.quota.reserved_ms) == (0, 0)

    @pytest.mark.parametrize("move", ["complete", "fail", "cancel", "advance", "put_back", "back_off"])
    def test_a_zombie_changes_nothing(self, make_job, move):
        job = make_job()
        held = claim(job)
        steal(job)
        before = Job.objects.filter(pk=job.pk).values().get()
        arguments = {
            "fail": {"code": "x", "message": "y"},
            "back_off": {"code": "x", "message": "y"},
            "put_back": {"reason": "stop"},
        }.get(move, {})
        positional = [Stage.TRANSCRIBE] if move == "advance" else []
        with pytest.raises(LeaseLost):
            getattr(lifecycle, move)(held, *positional, **arguments)
        assert Job.objects.filter(pk=job.pk).values().get() == before
        assert ledger(job) == [("reserve", 10_000)]

    def test_a_cancelled_job_pays_for_the_finished_part(self, make_job, alice):
        job = make_job()
        held = claim(job)
        TranscriptPart.objects.create(job=job, position=0, text="half", segments=[{"id": 0, "end": 4.5}])
        lifecycle.cancel(held)
        assert ledger(job)[-1] == ("settle", 4_500)
        alice.quota.refresh_from_db()
        assert (alice.quota.used_ms, alice.quota.reserved_ms) == (4_500, 0)

    def test_a_cancelled_job_without_a_finished_part_pays_nothing(self, make_job):
        job = make_job()
        lifecycle.cancel(claim(job))
        assert ledger(job)[-1] == ("release", 10_000)


class TestTheWay:
    def test_advancing_frees_the_job_for_the_next_stage(self, make_job):
        job = make_job(crashes=2, transient_failures=1)
        lifecycle.advance(claim(job), Stage.TRANSCRIBE)
        job.refresh_from_db()
        assert (job.stage, job.token, job.crashes, job.transient_failures) == (Stage.TRANSCRIBE, None, 0, 0)
        assert job.status == Status.PROCESSING
        assert job.dispatched_at
        assert claim(job, Stage.TRANSCRIBE)

    def test_putting_back_counts_as_no_crash(self, make_job):
        job = make_job()
        lifecycle.put_back(claim(job), reason="stop")
        job.refresh_from_db()
        assert (job.token, job.crashes, job.transient_failures, job.dispatched_at) == (None, 0, 0, None)
        assert claim(job)

    def test_transient_failures_wait_longer_each_time_and_end_in_a_refund(self, make_job):
        job = make_job()
        for wait in (10, 60, 300):
            lifecycle.back_off(claim(job), code="storage_unavailable", message="The storage did not answer.")
            waiting = Job.objects.filter(
                pk=job.pk, not_before__gt=from_now(wait - 2), not_before__lt=from_now(wait + 1)
            )
            assert waiting.exists()
            waiting.update(not_before=from_now(0))
        lifecycle.back_off(claim(job), code="storage_unavailable", message="The storage did not answer.")
        job.refresh_from_db()
        assert (job.status, job.error_code) == (Status.FAILED, "storage_unavailable")
        assert ledger(job)[-1] == ("release", 10_000)

    def test_the_timeline_tells_the_story(self, make_job):
        job = make_job()
        lifecycle.advance(claim(job), Stage.TRANSCRIBE)
        lifecycle.complete(claim(job, Stage.TRANSCRIBE))
        assert list(JobEvent.objects.filter(job=job).values_list("stage", "kind")) == [
            ("probe", "claimed"),
            ("probe", "advanced"),
            ("transcribe", "claimed"),
            ("transcribe", "done"),
        ]
