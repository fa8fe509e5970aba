"""What can be done with jobs. Each service returns the thing made and leaves money and status in step."""

import logging
import uuid
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from accounts import quota
from accounts.models import User
from jobs import bell, files, lifecycle
from jobs.audio.probe import Header
from jobs.errors import Refused, TransientFault
from jobs.models import Job, JobEvent, Stage, Status
from jobs.models.job import UNFINISHED

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Upload:
    """A recording that lies on the web process's disk, with its header already read."""

    content: File
    filename: str
    size_bytes: int
    header: Header


def submit_job(*, owner: User, upload: Upload, options: dict[str, Any]) -> Job:
    """Accept a recording: store it, reserve its seconds, and ring.

    One transaction makes the row and the reservation; the bell rings after the commit and may fail without harm.
    Raises ``AudioLimitExceeded`` with nothing changed.
    """
    reservation_ms = reservation_for(owner=owner, header=upload.header)
    uid = uuid.uuid4()
    key = _store(upload, files.source_key(uid))
    try:
        with transaction.atomic():
            job = _create_job(uid=uid, owner=owner, upload=upload, options=options, key=key)
            quota.reserve(account_id=owner.pk, job_id=job.pk, run=job.run, duration_ms=reservation_ms)
            transaction.on_commit(partial(bell.ring_job, job.pk), robust=True)
    except BaseException:
        files.remove_stored(key)
        raise
    job.refresh_from_db()
    return job


def reservation_for(*, owner: User, header: Header) -> int:
    """Milliseconds to set aside for an upload, before it is decoded. Raises ``AudioLimitExceeded`` early.

    A header without a length reserves the longest recording allowed, or all that is left of the budget.
    """
    remaining_ms = quota.remaining_ms(account_id=owner.pk)
    longest_ms = settings.MAX_AUDIO_SECONDS * 1000
    if header.duration_seconds is not None:
        wanted_ms = max(1, round(header.duration_seconds * 1000))
    else:
        wanted_ms = max(1, min(longest_ms, longest_ms if remaining_ms is None else remaining_ms))
    if remaining_ms is not None and wanted_ms > remaining_ms:
        raise quota.limit_exceeded(account_id=owner.pk, duration_ms=wanted_ms)
    return wanted_ms


def refuse_spent_budget(*, owner: User) -> None:
    """Raise ``AudioLimitExceeded`` where no recording fits, however short: before it is sent."""
    if quota.remaining_ms(account_id=owner.pk) == 0:
        raise quota.limit_exceeded(account_id=owner.pk, duration_ms=1)


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

    Raises ``Refused`` for any other status and ``AudioLimitExceeded``.
    """
    with transaction.atomic():
        again = Job.objects.filter(pk=job.pk, status__in=[Status.FAILED, Status.CANCELLED])
        if not again.update(run=F("run") + 1, **_fresh_start()):
            raise Refused("Only a failed or cancelled job can be run again.", code="not_retryable")
        job.refresh_from_db()
        job.parts.all().delete()
        quota.reserve(account_id=job.owner_id, job_id=job.pk, run=job.run, duration_ms=job.duration_ms or 1)
        JobEvent.objects.create(job=job, run=job.run, kind="run again")
        transaction.on_commit(partial(bell.ring_job, job.pk), robust=True)
    return job


def rewrite_report(*, job: Job) -> Job:
    """Write the report of a done job again, from the transcript that is there. Costs nothing.

    The old report stays until the new one is there. Raises ``Refused`` for any other status and for a job without text.
    """
    if not job.parts.exists():
        raise Refused("There is no transcript to write a report from.", code="no_transcript")
    options = {**job.options, "report": True}
    warnings = [warning for warning in job.warnings if warning.get("code") != "report_failed"]
    begin = {**_fresh_start(), "stage": Stage.REPORT, "report_only": True, "options": options, "warnings": warnings}
    with transaction.atomic():
        if not Job.objects.filter(pk=job.pk, status=Status.DONE).update(run=F("run") + 1, **begin):
            raise Refused("Only the report of a finished job can be written again.", code="not_done")
        job.refresh_from_db()
        quota.reserve(account_id=job.owner_id, job_id=job.pk, run=job.run, duration_ms=0)
        JobEvent.objects.create(job=job, run=job.run, kind="report again")
        transaction.on_commit(partial(bell.ring_job, job.pk), robust=True)
    return job


def ring_again(*, job: Job) -> bool:
    """Ring for a waiting job now, whatever was rung before; False when it is held or finished."""
    waiting = Job.objects.filter(pk=job.pk, token=None)
    waiting.update(dispatched_at=None)
    waiting.filter(not_before__gt=Now()).update(not_before=Now())
    return bell.ring_job(job.pk)


def stored_name(name: str) -> str:
    """A client's file name as it is shown: its last part, without control characters, at most 255 long."""
    last = Path(name.replace("\\", "/")).name
    printable = "".join(character for character in last if character.isprintable()).strip()
    return printable[-255:] or "recording"


def _store(upload: Upload, key: str) -> str:
    """Put the recording into the storage; its key. One that does not fit leaves no beginning of it behind."""
    try:
        with files.storage_faults():
            return default_storage.save(key, upload.content)
    except TransientFault:
        files.remove_stored(key)
        raise


def _create_job(*, uid: uuid.UUID, owner: User, upload: Upload, options: dict[str, Any], key: str) -> Job:
    seconds = upload.header.duration_seconds
    job = Job.objects.create(
        uid=uid,
        owner=owner,
        filename=stored_name(upload.filename),
        size_bytes=upload.size_bytes,
        source_key=key,
        duration_ms=None if seconds is None else round(seconds * 1000),
        options=options,
        model=options.get("model", ""),
    )
    JobEvent.objects.create(job=job, kind="submitted")
    return job


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
        "report_only": False,
        "progress": 0,
        "error_code": "",
        "error_message": "",
        "warnings": [],
        "started_at": None,
        "finished_at": None,
    }
