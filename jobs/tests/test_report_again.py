"""The report of a finished job, written again: free, and never at the transcript's cost."""

import pytest

from accounts.models import LedgerEntry
from jobs import lifecycle, reconciler
from jobs.clock import from_now
from jobs.models import Job, Stage, Status, TranscriptPart

pytestmark = pytest.mark.django_db


@pytest.fixture
def done(make_job):
    job = make_job(options={"report": False}, stage=Stage.TRANSCRIBE)
    TranscriptPart.objects.create(
        job=job, position=0, text="Hello.", segments=[{"start": 0, "end": 9, "text": "Hello."}]
    )
    lifecycle.complete(lifecycle.claim_job(job_id=job.pk, stage=Stage.TRANSCRIBE, holder="here:1:2"))
    job.refresh_from_db()
    return job


def again(client, job):
    answer = client.post(f"/jobs/{job.pk}/report")
    job.refresh_from_db()
    return answer


def claim(job):
    return lifecycle.claim_job(job_id=job.pk, stage=Stage.REPORT, holder="here:1:2")


def charged(job):
    return sum(LedgerEntry.objects.filter(job_id=job.pk, kind="settle").values_list("ms", flat=True))


def test_only_the_report_is_written_and_nothing_is_charged(as_alice, done, alice):
    assert again(as_alice, done).status_code == 202
    assert (done.status, done.stage, done.run, done.options["report"]) == (Status.PENDING, Stage.REPORT, 2, True)
    lifecycle.complete(claim(done))
    done.refresh_from_db()
    alice.quota.refresh_from_db()
    assert (done.status, done.report_only) == (Status.DONE, False)
    assert (charged(done), alice.quota.used_ms, alice.quota.reserved_ms) == (10_000, 10_000, 0)


@pytest.mark.parametrize("status", [Status.PENDING, Status.PROCESSING, Status.FAILED, Status.CANCELLED])
def test_a_job_that_is_not_done_is_a_conflict_and_stays_as_it_is(as_alice, done, status):
    Job.objects.filter(pk=done.pk).update(status=status)
    answer = again(as_alice, done)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_done")
    assert (done.status, done.run) == (status, 1)


def test_a_job_without_a_transcript_is_a_conflict(as_alice, done):
    done.parts.all().delete()
    assert again(as_alice, done).json()["code"] == "no_transcript"
    assert (done.status, done.run) == (Status.DONE, 1)


def test_a_cancel_leaves_the_job_done(as_alice, done):
    again(as_alice, done)
    assert as_alice.post(f"/jobs/{done.pk}/cancel").status_code == 202
    done.refresh_from_db()
    assert (done.status, done.stage, charged(done)) == (Status.DONE, None, 10_000)


def test_a_cancel_while_it_is_written_leaves_the_job_done(as_alice, done):
    again(as_alice, done)
    lifecycle.cancel(claim(done))
    done.refresh_from_db()
    assert (done.status, charged(done)) == (Status.DONE, 10_000)


@pytest.mark.parametrize("first_time", [True, False])
def test_a_report_that_crashes_its_worker_costs_nobody_the_transcript(make_job, as_alice, done, first_time, alice):
    job = done
    if first_time:
        job = make_job(stage=Stage.REPORT)
    else:
        again(as_alice, job)
    for _ in range(3):
        claim(job)
        Job.objects.filter(pk=job.pk).update(lease_until=from_now(-1))
        reconciler.expire_silent_holders()
    job.refresh_from_db()
    alice.quota.refresh_from_db()
    assert (job.status, job.error_code, [warning["code"] for warning in job.warnings]) == (
        "done",
        "",
        ["report_failed"],
    )
    assert (charged(job), alice.quota.reserved_ms) == (10_000, 0)


def test_a_report_that_fails_costs_nobody_the_transcript(as_alice, done):
    again(as_alice, done)
    lifecycle.fail(claim(done), code="internal_error", message="Something went wrong.")
    done.refresh_from_db()
    assert (done.status, [warning["code"] for warning in done.warnings]) == (Status.DONE, ["report_failed"])
    assert again(as_alice, done).status_code == 202
    assert done.warnings == []


def test_another_users_report_is_out_of_reach(as_charlie, done):
    assert again(as_charlie, done).status_code == 404
    assert (done.status, done.run) == (Status.DONE, 1)
