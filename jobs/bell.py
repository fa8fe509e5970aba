"""Who is rung, and when: never more jobs at once than the live workers can soon take up, the fairest first.

Fair is by audio: whose recordings had least of the workers lately (``jobs.shares``) is next, and who has had more gives
way between two chunks.
"""

import logging
from collections.abc import Iterable, Sequence

from django.conf import settings
from django.db.models import F, Q, QuerySet, Window
from django.db.models.functions import Now, RowNumber

from accounts import quota
from jobs import pipeline
from jobs.clock import from_now
from jobs.lifecycle.claims import jobs_in_flight
from jobs.models import Chunk, Job, Stage, Status, WorkerSlot
from jobs.shares import shares_of

logger = logging.getLogger(__name__)

SLOT_ALIVE_SECONDS = 30
"""A slot that has not been seen for longer is taken for dead."""
HELP_AGAIN_SECONDS = 5
"""Helpers of one job are not called more often: the last call may still be on its way."""


def ring_waiting() -> int:
    """Ring waiting jobs until each queue's window (twice its live slots) is full, and call helpers; the number rung."""
    rung = sum(_ring_queue(queue) for queue in sorted(set(pipeline.QUEUES.values())))
    return rung + ring_helpers()


def ring_job(job_id: int) -> bool:
    """Ring one job at once if its queue's window has room; else the reconciler finds it in its turn."""
    job = Job.objects.get(pk=job_id)
    if job.stage is None or _room(pipeline.QUEUES[Stage(job.stage)]) <= 0 or not _allowed([job]):
        return False
    return _ring(job)


def ring_first(job_id: int) -> bool:
    """Ring a job before all that are rung from now on, even if it was rung already: others give way to it."""
    job = _waiting().filter(pk=job_id).first()
    if job is None:
        return False
    Job.objects.filter(pk=job_id, token=None).update(dispatched_at=Now())
    return pipeline.publish_chain(job)


def ring_helpers() -> int:
    """Call the workers that have nothing to do to jobs with free chunks; the number called."""
    held = Job.objects.filter(token__isnull=False, stage=Stage.TRANSCRIBE, cancel_requested=False)
    ready = held.filter(help_rung_at__lt=from_now(-HELP_AGAIN_SECONDS)).order_by("lease_until")
    jobs = list(ready.only("pk", "owner_id", "help_rung_at", "token"))
    idle = _idle_slots() if jobs else 0
    shares = shares_of(job.owner_id for job in jobs) if idle > 0 else {}
    called = 0
    for job in sorted(jobs, key=lambda job: (shares.get(job.owner_id, 0), job.pk)):
        if idle <= called:
            break
        free = _free_for_helpers(job)
        rung = Job.objects.filter(pk=job.pk, help_rung_at=job.help_rung_at)
        if free > 0 and rung.update(help_rung_at=Now()):
            called += sum(pipeline.publish_help(job.pk) for _ in range(min(free, idle - called)))
    return called


def _free_for_helpers(job: Job) -> int:
    """The chunks that nobody is at, but for the one that the job's holder is about to take if it has none."""
    tokens = list(Chunk.objects.filter(job_id=job.pk, finished_at=None).values_list("token", flat=True))
    return tokens.count(None) - (job.token not in tokens)


def due_before(job: Job, *, slot: str = "") -> Job | None:
    """The job that is to have this ``slot`` before ``job``, which is in recognition: of whoever had less lately."""
    waiting = _waiting().exclude(owner_id=job.owner_id)
    if not waiting.exists():
        return None
    mine = shares_of([job.owner_id])[job.owner_id]
    for other, share in _by_fairness(_first_of_each_owner(waiting.filter(stage__in=_stages_for(slot)), 1)):
        return other if share < mine else None
    return None


def is_anybody_due(*, slot: str = "") -> bool:
    """Whether any job waits that this ``slot`` could take."""
    waiting = _waiting()
    return waiting.exists() and bool(_allowed(_first_of_each_owner(waiting.filter(stage__in=_stages_for(slot)), 1)))


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
    slots = max(1, _slots(queue))
    rung = _waiting().filter(~_silent(), stage__in=_stages(queue)).count()
    return 2 * slots - rung


def _slots(queue: str) -> int:
    return live_slots().filter(queues__contains=queue).count()


def _idle_slots() -> int:
    """Slots that could recognise and have neither a job, nor a chunk of another's, nor one that waits for them."""
    stages = _stages(pipeline.HELP_QUEUE)
    held = Job.objects.filter(token__isnull=False, stage__in=stages).count()
    helpers = Chunk.objects.filter(token__isnull=False, lease_until__gte=Now()).count()
    return _slots(pipeline.HELP_QUEUE) - held - helpers - _waiting().filter(stage__in=stages).count()


def _fairest(queue: str, limit: int) -> Sequence[Job]:
    """The next jobs to ring: of whoever had least lately, each job counting as one more turn of its owner."""
    waiting = _waiting().filter(stage__in=_stages(queue))
    silent = _first_of_each_owner(waiting.filter(_silent()), limit)
    if not silent:
        return []
    rung = waiting.filter(~_silent()).order_by("not_before").only("pk", "owner_id", "duration_ms")
    return [job for job, _ in _by_fairness(silent, before=rung)][:limit]


def _first_of_each_owner(waiting: QuerySet[Job], limit: int) -> list[Job]:
    turns = waiting.annotate(turn=Window(RowNumber(), partition_by=F("owner_id"), order_by=F("id").asc()))
    return list(turns.filter(turn__lte=limit))


def _by_fairness(jobs: Sequence[Job], *, before: Iterable[Job] = ()) -> list[tuple[Job, int]]:
    """``jobs`` that may be done, the fairest first, each with its owner's share by the time it is its turn."""
    allowed = _allowed(jobs)
    shares = shares_of({job.owner_id for job in allowed})
    for job in before:
        if job.owner_id in shares:
            shares[job.owner_id] += _turn_ms(job)
    ranked = []
    for job in sorted(allowed, key=lambda job: job.pk):
        ranked.append((job, shares[job.owner_id]))
        shares[job.owner_id] += _turn_ms(job)
    return sorted(ranked, key=lambda entry: (entry[1], entry[0].pk))


def _turn_ms(job: Job) -> int:
    """What a job takes of the workers until others may have their turn: a chunk, or all of it."""
    chunk_ms = round(settings.CHUNK_SECONDS * 1000)
    return min(job.duration_ms or chunk_ms, chunk_ms)


def _allowed(jobs: Sequence[Job]) -> list[Job]:
    """Those whose owners have room among their jobs in flight; what is in flight already may go on."""
    room = quota.jobs_in_flight_limits(account_ids={job.owner_id for job in jobs if _is_beginning(job)})
    if not room:
        return list(jobs)
    for owner_id in jobs_in_flight().filter(owner_id__in=room).order_by("owner_id").values_list("owner_id", flat=True):
        room[owner_id] -= 1
    return [job for job in jobs if not _is_beginning(job) or _takes_room(room, job.owner_id)]


def _is_beginning(job: Job) -> bool:
    return job.status == Status.PENDING and job.stage == Stage.PROBE


def _takes_room(room: dict[int, int], owner_id: int) -> bool:
    if owner_id not in room:
        return True
    room[owner_id] -= 1
    return room[owner_id] >= 0


def _waiting() -> QuerySet[Job]:
    # Finished jobs have no stage. To ask for the status besides makes PostgreSQL read the index of all statuses, too.
    return Job.objects.filter(token=None, stage__isnull=False, not_before__lte=Now(), cancel_requested=False)


def _silent() -> Q:
    """Never rung, or rung so long ago that the message may be lost."""
    return Q(dispatched_at=None) | Q(dispatched_at__lt=from_now(-settings.JOB_RING_AGAIN_SECONDS))


def _stages_for(slot: str) -> list[Stage]:
    """The stages of the queues that a slot reads: all of them where one worker does everything."""
    queues = WorkerSlot.objects.filter(name=slot).values_list("queues", flat=True).first() or pipeline.HELP_QUEUE
    return [stage for queue in queues.split(",") for stage in _stages(queue)]


def _stages(queue: str) -> list[Stage]:
    return [stage for stage, name in pipeline.QUEUES.items() if name == queue]
