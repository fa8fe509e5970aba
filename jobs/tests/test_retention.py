"""Recordings and results are removed on time, whatever became of the job, and leave a receipt."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from accounts.models import LedgerEntry
from jobs import files, leftovers, reconciler, retention
from jobs.models import Job, JobEvent, Status
from jobs.tests.finished_jobs import (  # noqa: F401 - fixtures
    END,
    HOUR,
    OPTIONS,
    SECRET,
    assert_removed,
    assert_untouched,
    due,
    finished,
    own_storage,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("status", END)
def test_a_job_whose_time_is_over_loses_recording_and_results_however_it_ended(finished, status):
    job = finished(status, due_since=1)
    ledger = list(LedgerEntry.objects.filter(job_id=job.pk).values())
    error = (job.error_code, job.error_message)
    assert retention.remove_due() == 1
    assert_removed(job)
    assert job.receipt == {
        "reason": "delete_after_seconds",
        "recording": {"bytes": 5, "sha256": "ab" * 32},
        "segments": 3,
        "characters": len(f"{SECRET} speaks. {SECRET} speaks. Bye."),
        "report": True,
        "enhanced": False,
    }
    assert (job.status, job.language, job.filename, (job.error_code, job.error_message)) == (
        status, None, "talk.mp3", error,
    )  # fmt: skip
    assert list(LedgerEntry.objects.filter(job_id=job.pk).values()) == ledger
    assert list(job.tag_rows.values_list("name", flat=True)) == ["sales"]


def test_nothing_that_was_said_is_left_in_the_row(due):
    retention.remove_due()
    row = Job.objects.filter(pk=due.pk).values().get()
    assert SECRET not in str(row)
    assert SECRET not in str(list(due.events.values()))
    assert row["options"] == {**OPTIONS, "prompt": "", "hotwords": ""}


def test_every_relation_of_a_job_is_a_result_or_known_to_stay():
    """Whoever adds one decides: one-to-one relations are removed as results, parts and chunks by name; these stay."""
    names = {relation.name for relation in Job._meta.related_objects if not relation.one_to_one}
    assert names == {"parts", "chunks", "events", "tag_rows"}


def test_the_time_runs_from_the_end_of_the_job(finished):
    job = finished()
    due_in = job.delete_at - job.finished_at
    assert abs(due_in - HOUR) < timedelta(seconds=1)
    assert retention.remove_due() == 0
    assert_untouched(job)


def test_a_job_is_kept_for_ever_unless_somebody_said_otherwise(finished):
    job = finished(delete_after=None, since=10_000 * 86_400)
    assert retention.remove_due() == 0
    assert_untouched(job)


def test_a_reconcilers_round_removes_what_is_due(due):
    reconciler.reconcile_once()
    assert_removed(due)


@pytest.mark.parametrize("status", END)
def test_a_retention_that_is_set_later_counts_for_jobs_that_ended_before(finished, settings, status):
    old, young = (finished(status, delete_after=None, since=days * 86_400) for days in (8, 6))
    assert retention.remove_due() == 0
    settings.RETENTION_DAYS = 7.0
    assert retention.remove_due() == 1
    assert_removed(old)
    assert (old.receipt["reason"], old.events.get(kind="removed").detail) == ("retention", "retention")
    assert_untouched(young)


def test_the_retention_is_an_upper_bound_for_what_a_request_asked(finished, settings):
    settings.RETENTION_DAYS = 1.0
    longer = finished(delete_after=timedelta(days=30), since=2 * 86_400)
    shorter = finished(delete_after=HOUR, due_since=1)
    assert retention.remove_due() == 2
    assert_removed(longer)
    assert_removed(shorter)
    assert (longer.receipt["reason"], shorter.receipt["reason"]) == ("retention", "delete_after_seconds")


def test_nothing_else_of_the_owner_is_touched(finished, make_job, due):
    others = [finished(), finished(Status.FAILED, delete_after=None)]
    waiting = make_job()
    retention.remove_due()
    assert_removed(due)
    for job in others:
        assert_untouched(job)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.removed_at) == (Status.PENDING, None)


def test_a_second_round_changes_nothing(due):
    retention.remove_due()
    row = Job.objects.filter(pk=due.pk).values().get()
    assert retention.remove_due() == 0
    assert Job.objects.filter(pk=due.pk).values().get() == row
    assert due.events.filter(kind="removed").count() == 1


def test_the_owner_sees_the_receipt_and_nothing_else(due, as_alice):
    retention.remove_due()
    answer = as_alice.get(f"/jobs/{due.pk}").json()
    due.refresh_from_db()
    assert (answer["status"], answer["transcript"], answer["segments"], answer["report"]) == ("done", "", [], None)
    assert answer["removed_at"]
    assert answer["receipt"] == due.receipt
    assert SECRET not in str(answer)


def test_a_removed_job_can_be_deleted_altogether(due, as_alice):
    retention.remove_due()
    assert as_alice.delete(f"/jobs/{due.pk}").status_code == 204
    assert not Job.objects.exists()
    assert not JobEvent.objects.exists()


def test_what_a_late_worker_stored_of_a_removed_job_is_swept_up(due):
    retention.remove_due()
    late = Path(default_storage.path(default_storage.save(files.pcm_key(due.uid, due.uid), ContentFile(b"samples"))))
    long_ago = late.stat().st_mtime - (leftovers.ORPHAN_AGE + HOUR).total_seconds()
    os.utime(late, (long_ago, long_ago))
    assert leftovers.remove_orphans() == 1
    assert not late.exists()
