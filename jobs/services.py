"""What can be done with jobs. Each service returns the thing made and leaves money and status in step."""

from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now

from jobs import bell, files, lifecycle
from jobs.errors import Refused
from jobs.models import Job, JobEvent, Stage, Status
from jobs.models.job import NOT_REMOVED, UNFINISHED
from jobs.submission import reserve


def cancel_job(*, job: Job) -> Job:
    """Ask for a job to stop. At once when nobody works on it, else when its worker hears of it (seconds).

    Raises ``Refused`` when it is finished already.
    """
    asked = Job.objects.filter(pk=job.pk, status__in=UNFINISHED)
    if not asked.update(cancel_requested=True):
        job.refresh_from_db()
        raise Refused(f"The job is {job.status} already; there is nothing to cancel.", code="already_finished")
    is_over = lifecycle.cancel_waiting(job_id=job.pk)
    job.refresh_from_db()
    if is_over:
        files.remove_work_files(job)
    return job


def delete_job(*, job: Job) -> None:
    """Remove a job with its recording, transcript and report. A running one is cancelled first; the ledger stays."""
    with transaction.atomic():
        taken = Job.objects.filter(pk=job.pk, status__in=UNFINISHED).update(
            token=None, lease_until=None, cancel_requested=True
        )
        if taken:
            # The holder's token is gone, so its next write changes nothing and it stops.
            lifecycle.cancel_waiting(job_id=job.pk)
        found = Job.objects.filter(pk=job.pk).only("uid", "source_key", "pcm_key").first()
        Job.objects.filter(pk=job.pk).delete()
    if found:
        files.remove_work_files(found)
        if found.source_key:
            files.remove_stored(found.source_key)


def retry_job(*, job: Job) -> Job:
    """Run a failed or cancelled job again, with a reservation of its own.

    Raises ``Refused`` for any other status, for one whose recording was removed and while an identical one runs, and
    ``AudioLimitExceeded``.
    """
    try:
        return _run_again(job)
    except IntegrityError as error:
        raise Refused(
            "The same recording is being transcribed with the same options by another job of yours.",
            code="already_running",
        ) from error


def _run_again(job: Job) -> Job:
    with transaction.atomic():
        again = Job.objects.filter(NOT_REMOVED, pk=job.pk, status__in=[Status.FAILED, Status.CANCELLED])
        if not again.update(run=F("run") + 1, **_fresh_start()):
            _refuse_removed(job)
            raise Refused("Only a failed or cancelled job can be run again.", code="not_retryable")
        job.refresh_from_db()
        job.parts.all().delete()
        job.chunks.all().delete()
        reserve(job=job, duration_ms=job.duration_ms or 1)
        JobEvent.objects.create(job=job, run=job.run, kind="run again")
        transaction.on_commit(partial(bell.ring_job, job.pk), robust=True)
    return job


def rewrite_report(*, job: Job) -> Job:
    """Write the report of a done job again, from the transcript that is there. Costs nothing.

    The old report stays until the new one is there. Raises ``Refused`` for any other status and for a job without text.
    """
    if not job.parts.exists():
        _refuse_removed(job)
        raise Refused("There is no transcript to write a report from.", code="no_transcript")
    options = {**job.options, "report": True}
    warnings = [warning for warning in job.warnings if warning.get("code") != "report_failed"]
    begin = {**_fresh_start(), "stage": Stage.REPORT, "report_only": True, "options": options, "warnings": warnings}
    with transaction.atomic():
        if not Job.objects.filter(NOT_REMOVED, pk=job.pk, status=Status.DONE).update(run=F("run") + 1, **begin):
            _refuse_removed(job)
            raise Refused("Only the report of a finished job can be written again.", code="not_done")
        job.refresh_from_db()
        reserve(job=job, duration_ms=0)
        JobEvent.objects.create(job=job, run=job.run, kind="report again")
        transaction.on_commit(partial(bell.ring_job, job.pk), robust=True)
    return job


def ring_again(*, job: Job) -> bool:
    """Ring for a waiting job now, whatever was rung before; False when it is held or finished."""
    waiting = Job.objects.filter(pk=job.pk, token=None)
    waiting.update(dispatched_at=None)
    waiting.filter(not_before__gt=Now()).update(not_before=Now())
    return bell.ring_job(job.pk)


def _refuse_removed(job: Job) -> None:
    """Raise ``Refused`` if the job's removal has begun, by whatever is in its row now."""
    job.refresh_from_db()
    if job.is_removed:
        raise Refused("The recording of this job was removed. Upload it again.", code="recording_removed")


def _fresh_start() -> dict[str, Any]:
    return {
        "status": Status.PENDING,
        "stage": Stage.PROBE,
        "token": None,  # nosec B105 # a column
        "lease_until": None,
        "dispatched_at": None,
        "not_before": Now(),
        "crashes": 0,
        "transient_failures": 0,
        "cancel_requested": False,
        "cancel_at": None,
        "waited_for": False,
        "delete_at": None,
        "report_only": False,
        "progress": 0,
        "error_code": "",
        "error_message": "",
        "warnings": [],
        "started_at": None,
        "finished_at": None,
    }
