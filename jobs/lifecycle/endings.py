"""How a job ends: status, money and event in one transaction, once.

A job whose transcript is there does not fail over its report (decision 0007): what would fail it at that stage leaves
it done, with a warning. Where only the report was to be written again (``report_only``), a cancel does the same.
"""

from typing import Any

from django.db import transaction
from django.db.models import Case, DateTimeField, ExpressionWrapper, F, When
from django.db.models.functions import Now

from accounts import quota
from jobs.lifecycle.claims import LET_GO, Claim
from jobs.lifecycle.finished_part import finished_ms, number_segments
from jobs.models import Chunk, Job, JobEvent, Stage, Status
from jobs.models.job import UNFINISHED
from jobs.notices import notice
from jobs.outages import through_outages


@through_outages
def complete(claim: Claim, *, warnings: list[dict[str, Any]] | None = None) -> None:
    """Finish the job as done and charge the decoded seconds."""
    with transaction.atomic():
        _finish(claim, Status.DONE, **_done(warnings))
        _settle_all(job_id=claim.job_id, owner_id=claim.owner_id, run=claim.run)


@through_outages
def fail(claim: Claim, *, code: str, message: str) -> None:
    """Finish the job as failed, with a reason for its owner, and release the whole reservation."""
    if claim.stage == Stage.REPORT:
        _complete_without_report(claim, message)
        return
    with transaction.atomic():
        _finish(claim, Status.FAILED, error_code=code, error_message=message)
        quota.release(account_id=claim.owner_id, job_id=claim.job_id, run=claim.run)


@through_outages
def cancel(claim: Claim) -> None:
    """Finish a held job as cancelled: its owner keeps, and pays for, the part that is finished."""
    with transaction.atomic():
        report_only = Job.objects.values_list("report_only", flat=True).get(pk=claim.job_id)
        if report_only:
            _finish(claim, Status.DONE, **_done())
        else:
            _finish(claim, Status.CANCELLED)
        _settle_finished_part(job_id=claim.job_id, owner_id=claim.owner_id, run=claim.run)


def cancel_waiting(*, job_id: int) -> bool:
    """Finish a job that nobody holds and that is to be cancelled; False when a worker was faster."""
    with transaction.atomic():
        waiting = Job.objects.filter(pk=job_id, token=None, status__in=UNFINISHED, cancel_requested=True)
        report_only = waiting.filter(report_only=True)
        if report_only.update(status=Status.DONE, **_ended(), **_done()):
            kind = Status.DONE
        elif waiting.update(status=Status.CANCELLED, **_ended()):
            kind = Status.CANCELLED
        else:
            return False
        _dismiss(job_id)
        job = Job.objects.only("owner_id", "run").get(pk=job_id)
        JobEvent.objects.create(job_id=job_id, run=job.run, kind=kind)
        _settle_finished_part(job_id=job_id, owner_id=job.owner_id, run=job.run)
    return True


def give_up(job: Job) -> None:
    """End a job that nobody holds after too many crashes. Called within the transaction that counted the last one."""
    times = job.crashes + job.transient_failures
    if job.stage == Stage.REPORT:
        warnings = _with_failures(job, f"The worker stopped {times} times while working on it.")
        Job.objects.filter(pk=job.pk).update(status=Status.DONE, **_ended(), **_done(warnings))
        JobEvent.objects.create(job_id=job.pk, run=job.run, kind=Status.DONE, detail="crashed_repeatedly")
        _settle_all(job_id=job.pk, owner_id=job.owner_id, run=job.run)
        return
    message = (
        f"The worker stopped {times} times while working on this recording, so it was given up. You were not charged. "
        "Try a shorter piece or another file format, or ask the operator to look at the log."
    )
    Job.objects.filter(pk=job.pk).update(
        status=Status.FAILED, error_code="crashed_repeatedly", error_message=message, **_ended()
    )
    _dismiss(job.pk)
    JobEvent.objects.create(job_id=job.pk, run=job.run, kind=Status.FAILED, detail="crashed_repeatedly")
    quota.release(account_id=job.owner_id, job_id=job.pk, run=job.run)


def _complete_without_report(claim: Claim, reason: str) -> None:
    job = claim.row.first()
    if job is None:
        raise claim.lost()
    complete(claim, warnings=_with_failures(job, reason))


def _with_failures(job: Job, reason: str) -> list[dict[str, Any]]:
    """The job's warnings, and one for each thing that the last stage was to make and did not."""
    failed = []
    if job.options.get("report", True):
        failed.append("report_failed")
    # By the reverse relation's name: a report that is written again leaves the enhanced transcript as it is.
    if job.options.get("enhance", False) and getattr(job, "enhanced", None) is None:
        failed.append("enhance_failed")
    others = [warning for warning in job.warnings if warning.get("code") not in failed]
    return [*others, *(notice(code, reason) for code in failed)]


def _finish(claim: Claim, status: Status, **facts: Any) -> None:
    changes = {"status": status, **_ended(), **facts}
    if not claim.row.filter(status=Status.PROCESSING).update(**changes):
        raise claim.lost()
    _dismiss(claim.job_id)
    claim.record(status, facts.get("error_code", ""))


def _ended() -> dict[str, Any]:
    return {"stage": None, "finished_at": Now(), "report_only": False, "cancel_at": None, **_removal(), **LET_GO}


def _removal() -> dict[str, Any]:
    """From now on the time runs after which the owner wants recording and results removed."""
    due = ExpressionWrapper(Now() + F("delete_after"), output_field=DateTimeField())
    return {"delete_at": Case(When(delete_after__isnull=False, then=due))}


def _done(warnings: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    facts: dict[str, Any] = {"progress": 1.0, "error_code": "", "error_message": "", "cancel_requested": False}
    return facts if warnings is None else {**facts, "warnings": warnings}


def _settle_all(*, job_id: int, owner_id: int, run: int) -> None:
    """Charge the decoded seconds; nothing where only the report was written again, as nothing was reserved."""
    duration_ms = Job.objects.values_list("duration_ms", flat=True).get(pk=job_id)
    quota.settle(account_id=owner_id, job_id=job_id, run=run, duration_ms=duration_ms or 0)


def _settle_finished_part(*, job_id: int, owner_id: int, run: int) -> None:
    """Charge a cancelled job for what is saved of it, whichever chunks that are; release all when nothing is."""
    number_segments(job_id, unfinished=True)
    duration_ms = finished_ms(Job.objects.get(pk=job_id))
    if duration_ms is None:
        quota.release(account_id=owner_id, job_id=job_id, run=run)
    else:
        quota.settle(account_id=owner_id, job_id=job_id, run=run, duration_ms=duration_ms)


def _dismiss(job_id: int) -> None:
    """Nobody saves anything of its chunks from here on."""
    Chunk.objects.filter(job_id=job_id, token__isnull=False).update(**LET_GO)
