"""Jobs that somebody waits for on an open connection, and what becomes of them when that client is gone.

Their results are worth nothing to anybody else, so they are cancelled, but not at once: the client may have lost its
connection only, and send the same request again. That joins the job (``jobs.submission``) and lifts the cancel.
"""

from collections.abc import Iterable

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from jobs import lifecycle
from jobs.clock import from_now
from jobs.models import Job, JobEvent
from jobs.models.job import UNFINISHED

BATCH = 500


def abandon_jobs(*, job_ids: Iterable[int], grace_seconds: float | None = None) -> int:
    """Nobody waits for these jobs any more: cancel them after ``grace_seconds``, by default ``ABANDONED_JOB_SECONDS``.

    The number of jobs to which that will happen: not to those that are finished or were handed in to be fetched later.
    Whoever leaves last starts the grace again; who still waits says so by ``wait_again``.
    """
    ids = list(job_ids)
    if not ids:
        return 0
    grace_seconds = settings.ABANDONED_JOB_SECONDS if grace_seconds is None else grace_seconds
    waited_for = Job.objects.filter(pk__in=ids, waited_for=True, status__in=UNFINISHED)
    return waited_for.update(cancel_at=from_now(grace_seconds))


def wait_again(*, job_ids: Iterable[int]) -> int:
    """Somebody waits for these jobs: they are not cancelled for want of a client; the number that would have been."""
    return Job.objects.filter(pk__in=list(job_ids), cancel_at__isnull=False).update(cancel_at=None)


def cancel_abandoned() -> int:
    """Cancel the jobs whose grace is over: at once, or when their workers hear of it; the number cancelled."""
    over = Job.objects.filter(cancel_at__lte=Now(), status__in=UNFINISHED, cancel_requested=False)
    return sum(_cancel(job_id) for job_id in over.order_by("cancel_at").values_list("pk", flat=True)[:BATCH])


def _cancel(job_id: int) -> bool:
    with transaction.atomic():
        # All of it once more, in the statement that cancels: a client may come back at this very moment.
        abandoned = Job.objects.filter(
            pk=job_id, cancel_at__lte=Now(), waited_for=True, status__in=UNFINISHED, cancel_requested=False
        )
        if not abandoned.update(cancel_requested=True, cancel_at=None):
            return False
        run = Job.objects.values_list("run", flat=True).get(pk=job_id)
        JobEvent.objects.create(job_id=job_id, run=run, kind="abandoned", detail="its client went away")
    lifecycle.cancel_waiting(job_id=job_id)
    return True
