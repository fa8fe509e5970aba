"""Who is rung, and when: never more jobs at once than the live workers can soon take up, the fairest first."""

import logging
from collections.abc import Sequence

from django.conf import settings
from django.db.models import Count, F, Q, QuerySet, Window
from django.db.models.functions import Now, RowNumber

from jobs import pipeline
from jobs.clock import from_now
from jobs.models import Job, Stage, WorkerSlot
from jobs.models.job import UNFINISHED

logger = logging.getLogger(__name__)

SLOT_ALIVE_SECONDS = 30
"""A slot that has not been seen for longer is taken for dead."""


def ring_waiting() -> int:
    """Ring waiting jobs until each queue's window (twice its live slots) is full; the number rung."""
    return sum(_ring_queue(queue) for queue in sorted(set(pipeline.QUEUES.values())))


def ring_job(job_id: int) -> bool:
    """Ring one job at once if its queue's window has room; else the reconciler finds it in its turn."""
    job = Job.objects.get(pk=job_id)
    if job.stage is None or _room(pipeline.QUEUES[Stage(job.stage)]) <= 0:
        return False
    return _ring(job)


def live_slots() -> QuerySet[WorkerSlot]:
    """The worker processes that were seen lately."""
    return WorkerSlot.objects.filter(seen_at__gte=from_now(-SLOT_ALIVE_SECONDS))


def _ring_queue(queue: str) -> int:
    room = _room(queue)
    return sum(_ring(job) for job in _fairest(queue, room)) if room > 0 else 0


def _ring(job: Job) -> bool:
    """Mark the job as rung, then ring: two bells in the same instant would send two messages."""
    marked = _waiting().filter(_silent(), pk=job.pk, stage=job.stage).update(dispatched_at=Now())
    if not marked:
        return False
    if pipeline.publish_chain(job):
        return True
    Job.objects.filter(pk=job.pk, token=None, stage=job.stage).update(dispatched_at=None)
    return False


def _room(queue: str) -> int:
    """How many more jobs may be rung on ``queue`` now. One slot is assumed where none is known yet."""
    slots = max(1, live_slots().filter(queues__contains=queue).count())
    rung = _waiting().filter(~_silent(), stage__in=_stages(queue)).count()
    return 2 * slots - rung


def _fairest(queue: str, limit: int) -> Sequence[Job]:
    """The next jobs to ring: owners take turns, and who has work in progress waits behind who has none."""
    busy = dict(Job.objects.filter(token__isnull=False).values_list("owner_id").annotate(jobs=Count("pk")).order_by())
    candidates = (
        _waiting()
        .filter(_silent(), stage__in=_stages(queue))
        .annotate(turn=Window(RowNumber(), partition_by=F("owner_id"), order_by=F("id").asc()))
        .filter(turn__lte=limit)
    )
    return sorted(candidates, key=lambda job: (job.turn + busy.get(job.owner_id, 0), job.pk))[:limit]


def _waiting() -> QuerySet[Job]:
    return Job.objects.filter(
        token=None, status__in=UNFINISHED, not_before__lte=Now(), cancel_requested=False, stage__isnull=False
    )


def _silent() -> Q:
    """Never rung, or rung so long ago that the message may be lost."""
    return Q(dispatched_at=None) | Q(dispatched_at__lt=from_now(-settings.JOB_RING_AGAIN_SECONDS))


def _stages(queue: str) -> list[Stage]:
    return [stage for stage, name in pipeline.QUEUES.items() if name == queue]
