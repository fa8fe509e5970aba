"""Recordings and results are removed on time, whatever became of the job, and leave a receipt."""

import os
import threading
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.db.models.functions import Now

from accounts.models import LedgerEntry
from jobs import files, leftovers, lifecycle, reconciler, retention, services
from jobs.clock import from_now
from jobs.errors import Refused
from jobs.models import Job, JobEvent, JobTag, Stage, Status, TranscriptPart

pytestmark = pytest.mark.django_db

Report = apps.get_model("reports.Report")  # by name: nothing in jobs imports reports

HOUR = timedelta(hours=1)
SECRET = "Vlasov"
OPTIONS = {"model": "base", "language": "en", "prompt": SECRET, "hotwords": SECRET, "report": True, "tags": ["sales"]}
END = {
    Status.DONE: lambda claim: lifecycle.complete(claim),
    Status.FAILED: lambda claim: lifecycle.fail(claim, code="undecodable", message="Send audio."),
    Status.CANCELLED: lambda claim: lifecycle.cancel(claim),
}


@pytest.fixture(autouse=True)
def own_storage(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def finished(make_job):
    """Makes a finished job with all that a job can have. ``since`` and ``due_since``: seconds ago."""

    def make(status=Status.DONE, delete_after=HOUR, since=0, due_since=None, **fields):
        job = make_job(
            stage=Stage.TRANSCRIBE, delete_after=delete_after, options=OPTIONS, speech=[[0, 9]],
            size_bytes=5, audio_sha256="ab" * 32, **fields,
        )  # fmt: skip
        source = default_storage.save(files.source_key(job.uid), ContentFile(b"sound"))
        default_storage.save(files.pcm_key(job.uid, job.uid), ContentFile(b"samples"))
        Job.objects.filter(pk=job.pk).update(source_key=source)
        segments = [{"start": start, "end": start + 4, "text": f"{SECRET} speaks."} for start in (0, 5)]
        TranscriptPart.objects.create(job=job, position=0, text=f"{SECRET} speaks. {SECRET} speaks.", segments=segments)
        TranscriptPart.objects.create(
            job=job, position=1, text="Bye.", segments=[{"start": 9, "end": 10, "text": "Bye."}]
        )
        Report.objects.create(job=job, summary=f"{SECRET} spoke.", sentiment="neutral", writer="extractive")
        JobTag.objects.create(job=job, owner=job.owner, name="sales")
        END[status](lifecycle.claim_job(job_id=job.pk, stage=Stage.TRANSCRIBE, holder="here:1:2"))
        Job.objects.filter(pk=job.pk).update(finished_at=from_now(-since))
        if due_since is not None:
            Job.objects.filter(pk=job.pk).update(delete_at=from_now(-due_since))
        job.refresh_from_db()
        return job

    return make


@pytest.fixture
def due(finished):
    return finished(due_since=1)


def path_of(job) -> Path:
    return Path(default_storage.path(files.source_key(job.uid)))


def assert_untouched(job):
    before = (job.status, job.run, job.options, job.speech, job.delete_at)
    job.refresh_from_db()
    assert (job.status, job.run, job.options, job.speech, job.delete_at) == before
    assert (job.removed_at, job.receipt) == (None, None)
    assert path_of(job).read_bytes() == b"sound"
    assert job.parts.count() == 2
    assert job.report.summary
    assert not job.events.filter(kind="removed").exists()


def assert_removed(job):
    job.refresh_from_db()
    assert job.removed_at
    assert not path_of(job).parent.exists()
    assert not default_storage.exists(f"work/{job.uid}")
    assert (job.source_key, job.pcm_key, job.speech) == ("", "", [])
    assert not job.parts.exists()
    assert not Report.objects.filter(job_id=job.pk).exists()
    assert job.events.filter(kind="removed").count() == 1


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
    """Whoever adds one decides: one-to-one relations are removed as results, parts by name, and these stay."""
    names = {relation.name for relation in Job._meta.related_objects if not relation.one_to_one}
    assert names == {"parts", "events", "tag_rows"}


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


class TestAStorageThatFails:
    """A folder in the recording's place: the disk refuses to delete it as long as something lies in it."""

    @pytest.fixture
    def stuck(self, due):
        path_of(due).unlink()
        (path_of(due) / "inside").mkdir(parents=True)
        return due

    def release(self, job):
        (path_of(job) / "inside").rmdir()

    def test_the_row_does_not_say_that_a_file_is_gone_which_is_there(self, stuck, as_alice):
        assert retention.remove_due() == 0
        stuck.refresh_from_db()
        assert (stuck.removed_at, stuck.is_removed) == (None, True)
        assert path_of(stuck).exists()
        assert not stuck.events.filter(kind="removed").exists()
        answer = as_alice.get(f"/jobs/{stuck.pk}").json()
        assert (answer["removed_at"], answer["receipt"], answer["transcript"]) == (None, None, "")

    def test_a_later_round_finishes_it_with_the_same_receipt(self, stuck):
        retention.remove_due()
        self.release(stuck)
        Job.objects.update(delete_at=Now())
        assert retention.remove_due() == 1
        assert_removed(stuck)
        assert (stuck.receipt["segments"], stuck.receipt["report"]) == (3, True)

    def test_it_does_not_keep_the_others_waiting(self, stuck, finished, monkeypatch):
        monkeypatch.setattr(retention, "BATCH", 1)
        other = finished(due_since=0)
        assert retention.remove_due() == 0
        assert retention.remove_due() == 1
        assert_removed(other)

    def test_a_storage_that_is_slow_ends_the_round(self, due, monkeypatch):
        monkeypatch.setattr(retention, "ROUND_SECONDS", -1.0)
        assert retention.remove_due() == 0
        assert_untouched(due)

    def test_an_error_is_one_jobs_alone(self, due, finished, monkeypatch, caplog):
        other = finished(due_since=0)
        Job.objects.filter(pk=due.pk).update(options=[])
        assert retention.remove_due() == 1
        assert_removed(other)
        assert f"job {due.pk}: its removal failed" in caplog.text


class TestAKilledReconciler:
    """It had written the receipt, and had not come to the files."""

    @pytest.fixture
    def kill(self, monkeypatch):
        def killed(job):
            raise KeyboardInterrupt

        def kill_within_a_removal():
            with monkeypatch.context() as patch:
                patch.setattr(retention, "_remove_files", killed)
                with pytest.raises(KeyboardInterrupt):
                    retention.remove_due()

        return kill_within_a_removal

    def test_leaves_a_job_that_the_next_one_finishes(self, due, kill):
        kill()
        due.refresh_from_db()
        assert due.removed_at is None
        assert retention.remove_due() == 1
        assert_removed(due)

    def test_leaves_no_half_a_job_when_the_retention_is_taken_back_meanwhile(self, finished, settings, kill):
        job = finished(delete_after=None, since=2 * 86_400)
        settings.RETENTION_DAYS = 1.0
        kill()
        settings.RETENTION_DAYS = 0.0
        assert retention.remove_due() == 1
        assert_removed(job)
        assert job.receipt["reason"] == "retention"

    def test_two_that_finish_its_work_leave_one_event(self, due, kill):
        kill()
        seen_by_both = list(retention._due())
        assert [retention._remove(*seen_by_both[0]), retention._remove(*seen_by_both[0])] == [True, False]
        assert_removed(due)


def test_two_reconcilers_at_the_same_job_leave_one_event(due):
    seen_by_both = list(retention._due())
    assert [retention._remove(*seen_by_both[0]), retention._remove(*seen_by_both[0])] == [True, False]
    assert_removed(due)


@pytest.mark.parametrize("status", [Status.PENDING, Status.PROCESSING])
def test_an_unfinished_job_is_left_alone_whatever_its_dates_say(due, status):
    Job.objects.filter(pk=due.pk).update(status=status)
    due.refresh_from_db()
    retention.remove_due()
    assert_untouched(due)


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
