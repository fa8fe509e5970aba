"""What a recording would cost, and when it would be done: said before it is handed in, and nothing is reserved."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, F, Q, Sum
from django.utils import timezone

from accounts import quota
from accounts.models import User
from jobs import pipeline, recognition
from jobs.bell import live_slots
from jobs.engines.base import SAMPLE_RATE
from jobs.models import Job, Stage, Status
from jobs.models.chunk import SAMPLES
from jobs.models.job import UNFINISHED
from jobs.options import Options
from jobs.speeds import speed_of
from jobs.submission import expected_ms

QUEUE = "speech"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Seconds of audio, and the finish by this installation's measured speed; None is what nobody can say."""

    duration_seconds: float | None
    charged_seconds: float | None
    remaining_seconds: float | None
    remaining_seconds_after: float | None
    fits: bool
    queue_position: int
    workers: int
    model: str
    speed_factor: float | None
    expected_seconds: float | None
    expected_finish_at: datetime | None


@dataclass(frozen=True, slots=True)
class Line:
    """What is ahead of a new job: how many waiting jobs, and how much audio, that of running jobs included."""

    jobs: int
    audio_seconds: float


def estimate_job(*, owner: User, duration_seconds: float | None, options: Options) -> Estimate:
    """Charge, budget, place and finish of a recording of this length (None: unknown). Raises ``InputFault``."""
    charged_ms = expected_ms(duration_seconds, options)
    remaining_ms = quota.remaining_ms(account_id=owner.pk)
    engine = recognition.announced_engine()
    model = recognition.resolve_model(options.model, engine=engine)
    speed_factor = speed_of(engine=engine, model=model)
    workers = live_slots().filter(queues__contains=QUEUE).count()
    line = line_ahead(owner=owner)
    seconds = None
    if charged_ms is not None and speed_factor and workers:
        own_seconds = charged_ms / 1000 / options.speed
        seconds = round((line.audio_seconds / workers + own_seconds) / speed_factor, 1)
    left_ms = None if remaining_ms is None or charged_ms is None else remaining_ms - charged_ms
    return Estimate(
        duration_seconds=duration_seconds,
        charged_seconds=None if charged_ms is None else charged_ms / 1000,
        remaining_seconds=None if remaining_ms is None else remaining_ms / 1000,
        remaining_seconds_after=None if left_ms is None else max(0, left_ms) / 1000,
        fits=remaining_ms is None or (remaining_ms > 0 if left_ms is None else left_ms >= 0),
        queue_position=line.jobs + 1,
        workers=workers,
        model=model,
        speed_factor=None if speed_factor is None else round(speed_factor, 2),
        expected_seconds=seconds,
        expected_finish_at=None if seconds is None else timezone.now() + timedelta(seconds=seconds),
    )


def remaining_seconds(job: Job) -> float | None:
    """How long the recognition of a running job will take, by its own pace and the workers that are at it.

    Before its first chunk is done the pace is what this installation's others had. None where nobody can say.
    """
    if job.status != Status.PROCESSING or job.stage not in (Stage.PROBE, Stage.TRANSCRIBE):
        return None
    is_done = Q(finished_at__isnull=False)
    sums = job.chunks.order_by().aggregate(
        all=Sum(SAMPLES),
        done=Sum("done_samples"),
        finished=Sum("done_samples", filter=is_done),
        work_ms=Sum("work_ms", filter=is_done),
        workers=Count("pk", filter=Q(token__isnull=False)),
    )
    if sums["work_ms"]:
        speed_factor = sums["finished"] / SAMPLE_RATE / (sums["work_ms"] / 1000)
    else:
        speed_factor = speed_of(engine=job.engine or None, model=job.model) or 0.0
    if not sums["all"] or not speed_factor:
        return None
    left_seconds = (sums["all"] - sums["done"]) / SAMPLE_RATE
    return round(left_seconds / speed_factor / max(1, sums["workers"]), 1)


def line_ahead(*, owner: User) -> Line:
    """The jobs that would be rung before a new one of ``owner``, by the rule of ``bell``: owners take turns."""
    stages = [stage for stage, queue in pipeline.QUEUES.items() if queue == QUEUE]
    unfinished = Job.objects.filter(status__in=UNFINISHED, stage__in=stages, cancel_requested=False).order_by()
    running_ms = unfinished.filter(token__isnull=False).aggregate(ms=Sum(F("duration_ms") * (1 - F("progress"))))["ms"]
    owners = {
        row["owner_id"]: row
        for row in unfinished.values("owner_id").annotate(
            waiting=Count("pk", filter=Q(token=None)),
            running=Count("pk", filter=Q(token__isnull=False)),
            waiting_ms=Sum("duration_ms", filter=Q(token=None)),
        )
    }
    mine = owners.get(owner.pk, {"waiting": 0, "running": 0})
    turn = mine["waiting"] + mine["running"] + 1
    jobs, audio_ms = 0, running_ms or 0
    for row in owners.values():
        ahead = min(row["waiting"], max(0, turn - row["running"]))
        jobs += ahead
        audio_ms += (row["waiting_ms"] or 0) * ahead / max(1, row["waiting"])
    return Line(jobs, audio_ms / 1000)
