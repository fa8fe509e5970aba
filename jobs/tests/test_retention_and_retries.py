"""A job that runs again and a job that is removed: one of the two happens."""

import threading
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import connection

from jobs import files, lifecycle, retention, services
from jobs.errors import Refused
from jobs.models import Job, Stage, Status
from jobs.tests.finished_jobs import END, HOUR, SECRET, Report, assert_removed, due, finished, own_storage, path_of  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db


class TestAJobThatRunsAgain:
    def test_a_retry_that_is_faster_keeps_everything(self, finished):
        job = finished(Status.FAILED, due_since=1)
        seen = list(retention._due())
        services.retry_job(job=job)
        assert retention._remove(*seen[0]) is False
        job.refresh_from_db()
        assert (job.status, job.receipt, job.options["prompt"]) == (Status.PENDING, None, SECRET)
        assert path_of(job).read_bytes() == b"sound"
        assert retention.remove_due() == 0

    def test_one_that_ended_once_more_has_its_whole_time(self, finished):
        job = finished(Status.FAILED, due_since=1)
        seen = list(retention._due())
        services.retry_job(job=job)
        END[Status.FAILED](lifecycle.claim_job(job_id=job.pk, stage=Stage.PROBE, holder="here:1:2"))
        assert retention._remove(*seen[0]) is False
        job.refresh_from_db()
        assert job.receipt is None
        assert path_of(job).exists()
        assert job.delete_at > job.finished_at + HOUR - timedelta(seconds=1)

    def test_a_report_that_is_written_again_keeps_the_transcript(self, due):
        seen = list(retention._due())
        services.rewrite_report(job=due)
        assert retention._remove(*seen[0]) is False
        assert (due.parts.count(), Report.objects.filter(job=due).count()) == (2, 1)

    def test_a_retry_that_comes_too_late_is_refused(self, finished, as_alice):
        job = finished(Status.FAILED, due_since=1)
        retention.remove_due()
        answer = as_alice.post(f"/jobs/{job.pk}/retry")
        assert (answer.status_code, answer.json()["code"]) == (409, "recording_removed")
        assert_removed(job)
        assert (job.status, job.run) == (Status.FAILED, 1)

    def test_a_retry_that_looked_at_the_row_before_is_refused_as_well(self, finished):
        job = finished(Status.FAILED, due_since=1)
        retention.remove_due()
        with pytest.raises(Refused, match="removed") as refusal:
            services.retry_job(job=job)
        assert refusal.value.code == "recording_removed"
        assert_removed(job)
        assert (job.status, job.run) == (Status.FAILED, 1)

    def test_a_retry_is_refused_while_the_file_is_still_being_removed(self, finished, monkeypatch):
        job = finished(Status.FAILED, due_since=1)
        monkeypatch.setattr(files, "remove_stored", lambda key: False)
        retention.remove_due()
        with pytest.raises(Refused) as refusal:
            services.retry_job(job=job)
        assert refusal.value.code == "recording_removed"
        assert (job.status, job.run) == (Status.FAILED, 1)

    def test_a_report_is_refused_when_the_removal_begins_at_that_very_moment(self, due):
        Job.objects.filter(pk=due.pk).update(receipt={"reason": "retention"})  # its parts are there a moment longer
        with pytest.raises(Refused) as refusal:
            services.rewrite_report(job=due)
        assert refusal.value.code == "recording_removed"
        assert (due.status, due.run) == (Status.DONE, 1)

    def test_no_report_is_written_of_what_was_removed(self, due, as_alice):
        retention.remove_due()
        answer = as_alice.post(f"/jobs/{due.pk}/report")
        assert (answer.status_code, answer.json()["code"]) == (409, "recording_removed")
        assert_removed(due)
        assert (due.status, due.run) == (Status.DONE, 1)


@pytest.mark.django_db(transaction=True)
def test_retries_and_reconcilers_that_race_leave_whole_jobs_or_receipts(finished):
    jobs = [finished(Status.FAILED, due_since=1, reserved_ms=1000) for _ in range(12)]
    barrier = threading.Barrier(3)
    unexpected = []

    def run(work):
        barrier.wait()
        try:
            work()
        except Exception as error:
            unexpected.append(error)
        finally:
            connection.close()

    def retry_all():
        for job in reversed(jobs):
            with suppress(Refused):
                services.retry_job(job=job)

    threads = [
        threading.Thread(target=run, args=(work,)) for work in (retry_all, retention.remove_due, retention.remove_due)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert unexpected == []
    for job in jobs:
        job.refresh_from_db()
        if job.status == Status.FAILED:
            assert_removed(job)
        else:
            assert (job.status, job.run, job.receipt) == (Status.PENDING, 2, None)
            assert path_of(job).read_bytes() == b"sound"
    print(f"{sum(job.removed_at is not None for job in jobs)} removed, the others run again")
