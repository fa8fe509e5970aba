"""What the chain dropped is picked up again."""

import pytest

from accounts.models import LedgerEntry
from jobs import lifecycle, reconciler
from jobs.clock import from_now
from jobs.errors import LeaseLost
from jobs.models import Job, Stage, Status, WorkerSlot

pytestmark = pytest.mark.django_db


def silence(job):
    """Claim the job and let the lease run out."""
    held = lifecycle.claim_job(job_id=job.pk, stage=Stage.PROBE, holder="here:1:2")
    Job.objects.filter(pk=job.pk).update(lease_until=from_now(-1))
    return held


def test_an_expired_lease_frees_the_job_and_counts_a_crash(make_job):
    job = make_job()
    silence(job)
    assert reconciler.expire_silent_holders() == 1
    job.refresh_from_db()
    assert (job.token, job.crashes, job.status) == (None, 1, Status.PROCESSING)


def test_a_living_lease_is_left_alone(make_job):
    job = make_job()
    held = lifecycle.claim_job(job_id=job.pk, stage=Stage.PROBE, holder="here:1:2")
    assert reconciler.expire_silent_holders() == 0
    job.refresh_from_db()
    assert (job.token, job.crashes) == (held.token, 0)


def test_the_third_crash_fails_the_job_and_refunds_it(make_job, alice):
    job = make_job()
    for crash in (1, 2, 3):
        silence(job)
        reconciler.expire_silent_holders()
        job.refresh_from_db()
        assert job.crashes == crash
    assert (job.status, job.stage, job.error_code) == (Status.FAILED, None, "crashed_repeatedly")
    assert LedgerEntry.objects.filter(job_id=job.pk, kind="release").count() == 1
    alice.quota.refresh_from_db()
    assert alice.quota.reserved_ms == 0


def test_the_late_holder_of_an_expired_lease_is_fenced_off(make_job):
    job = make_job()
    late = silence(job)
    reconciler.expire_silent_holders()
    with pytest.raises(LeaseLost):
        lifecycle.complete(late)
    job.refresh_from_db()
    assert job.status == Status.PROCESSING


def test_two_reconcilers_count_one_crash(make_job):
    job = make_job()
    held = silence(job)
    assert lifecycle.expire(job_id=job.pk, token=held.token)
    assert not lifecycle.expire(job_id=job.pk, token=held.token)
    job.refresh_from_db()
    assert job.crashes == 1


def test_a_cancelled_job_that_nobody_holds_is_finished(make_job):
    job = make_job()
    Job.objects.filter(pk=job.pk).update(cancel_requested=True)
    assert reconciler.finish_cancelled() == 1
    job.refresh_from_db()
    assert (job.status, job.stage) == (Status.CANCELLED, None)
    assert LedgerEntry.objects.filter(job_id=job.pk, kind="release").exists()


def test_slots_that_are_long_gone_are_forgotten(db):
    WorkerSlot.objects.create(name="old", queues="speech", seen_at=from_now(-3600))
    WorkerSlot.objects.create(name="new", queues="speech")
    assert reconciler.forget_dead_slots() == 1
    assert WorkerSlot.objects.get().name == "new"
