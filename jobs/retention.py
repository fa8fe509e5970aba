"""What is kept too long is removed: recording, transcript and all that was made of it (docs/decisions/0012).

A storage takes part in no transaction, so a removal has two halves. The first is one transaction: it writes the
receipt, which keeps the job from ever running again, and deletes what the database holds; a retry that is faster wins,
and keeps everything. Then the files go, and only when they are gone does ``removed_at`` say so. A process that is
killed in between leaves a job that is due still: the next round finishes it.
"""

import logging
import time
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from jobs import files
from jobs.clock import from_now
from jobs.models import Job, JobEvent
from jobs.models.job import NOT_REMOVED, UNFINISHED
from jobs.selectors import text_of

logger = logging.getLogger(__name__)

BATCH = 200

ROUND_SECONDS = 5.0
"""No job is begun after this time: a storage that hangs must not keep the reconciler from its other work for long."""

TRY_AGAIN_SECONDS = 60.0
"""A job whose files cannot be removed goes to the end of the queue for this time, and the others have their turn."""

WHAT_WAS_SAID = ("prompt", "hotwords")
"""Options that may hold names and phrases of the recording."""


def remove_due() -> int:
    """Remove recording and results of finished jobs whose time is over, the longest due first; the number removed."""
    stop_at = time.monotonic() + ROUND_SECONDS
    removed = 0
    for job, reason in _due():
        if time.monotonic() > stop_at:
            break
        removed += _remove(job, reason)
    return removed


def _due() -> Iterator[tuple[Job, str]]:
    """Jobs whose owner wants them removed by now, then those that have been here longer than anything may be."""
    kept = Job.objects.filter(removed_at=None)
    for job in kept.filter(delete_at__lte=Now()).order_by("delete_at")[:BATCH]:
        yield job, "delete_after_seconds"
    if settings.RETENTION_DAYS:
        too_old = kept.filter(NOT_REMOVED, finished_at__lte=from_now(-86_400 * settings.RETENTION_DAYS))
        for job in too_old.order_by("finished_at")[:BATCH]:
            yield job, "retention"


def _remove(job: Job, reason: str) -> bool:
    """Whether this call was the one that removed the job's last file. An error is logged and is this job's alone."""
    try:
        receipt = job.receipt or _begin(job, reason)
        if receipt is None:
            return False
        if _remove_files(job):
            return _finish(job, receipt["reason"])
    except Exception:
        logger.exception("job %s: its removal failed and will be tried again", job.pk)
    Job.objects.filter(pk=job.pk, run=job.run, removed_at=None).update(delete_at=from_now(TRY_AGAIN_SECONDS))
    return False


def _begin(job: Job, reason: str) -> dict[str, Any] | None:
    """Delete what the database holds, and leave the receipt; None when the job runs again, is gone or was begun."""
    receipt = _receipt_for(job, reason)
    # The run that was seen to be finished: its parts and its report have not changed since.
    still_due = Job.objects.filter(NOT_REMOVED, pk=job.pk, run=job.run).exclude(status__in=UNFINISHED)
    changes: dict[str, Any] = {"receipt": receipt, "options": _without_what_was_said(job.options)}
    if reason == "retention":
        # Should the setting change before the files are gone, the job is due all the same.
        changes["delete_at"] = Now()
    with transaction.atomic():
        if not still_due.update(**changes):
            return None
        job.parts.all().delete()
        job.chunks.all().delete()
        for rows in _made_of(job).values():
            rows.delete()
    return receipt


def _remove_files(job: Job) -> bool:
    """Remove whatever the storage has of the job, also what a killed worker left; False when it did not answer."""
    if job.source_key and not files.remove_stored(job.source_key):
        return False
    return files.remove_folder(f"uploads/{job.uid}") and files.remove_folder(f"work/{job.uid}")


def _finish(job: Job, reason: str) -> bool:
    """Say that it is done; False when another reconciler said so, or the job was deleted meanwhile."""
    with transaction.atomic():
        begun = Job.objects.filter(pk=job.pk, removed_at=None, receipt__isnull=False)
        if not begun.update(removed_at=Now(), source_key="", pcm_key=""):
            return False
        JobEvent.objects.create(job_id=job.pk, run=job.run, kind="removed", detail=reason)
    return True


def _receipt_for(job: Job, reason: str) -> dict[str, Any]:
    segments = job.parts.values_list("segments", flat=True).iterator(chunk_size=20)
    return {
        "reason": reason,
        "recording": {"bytes": job.size_bytes, "sha256": job.audio_sha256 or None},
        "segments": sum(map(len, segments)),
        "characters": len(text_of(job)),
        **{name: rows.exists() for name, rows in _made_of(job).items()},
    }


def _made_of(job: Job) -> dict[str, QuerySet[Any]]:
    """What other packages made of the transcript, by its name in the job, such as ``report``.

    This package may not import them. It goes by a rule: what is one-to-one with a job is a result of it.
    """
    results = (relation for relation in Job._meta.related_objects if relation.one_to_one)
    return {
        relation.name: relation.related_model._base_manager.filter(**{relation.field.name: job.pk})
        for relation in results
    }


def _without_what_was_said(options: dict[str, Any]) -> dict[str, Any]:
    return {name: "" if name in WHAT_WAS_SAID else value for name, value in options.items()}
