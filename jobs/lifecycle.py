"""The moves of a job: each one conditional UPDATE that changes exactly one row, or the job is not ours.

    submitted ─ claim ─ (renew, write)* ─ advance ─ claim ─ … ─ complete
                             │                                  ├─ fail      release the reservation
                             └─ put_back (stop, backoff)        └─ cancel    settle the finished part

A holder proves itself by its token: once another worker has the job, every later write of the old holder changes no
row and raises ``LeaseLost``. Money moves in the same transaction as the status. ``docs/lifecycle.md`` is the law.
"""

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce, Now

from accounts import quota
from jobs.clock import from_now
from jobs.errors import CancelRequested, LeaseLost
from jobs.models import Job, JobEvent, Stage, Status
from jobs.models.job import UNFINISHED

logger = logging.getLogger(__name__)

BACKOFF_SECONDS = (10, 60, 300)
"""Waits after the first, second and third transient failure of a stage; a fourth fails the job."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on one stage of one job, for as long as the lease is renewed."""

    job_id: int
    owner_id: int
    stage: Stage
    run: int
    token: uuid.UUID

    @property
    def row(self) -> QuerySet[Job]:
        return Job.objects.filter(pk=self.job_id, token=self.token)


def claim_job(*, job_id: int, stage: Stage, holder: str) -> Claim | None:
    """Take the job for ``stage``; None when there is nothing to do (not its turn, held, finished, cancelled)."""
    token = uuid.uuid4()
    with transaction.atomic():
        taken = Job.objects.filter(
            pk=job_id, stage=stage, token=None, status__in=UNFINISHED, not_before__lte=Now(), cancel_requested=False
        ).update(
            token=token,
            holder=holder[:120],
            lease_until=from_now(settings.JOB_LEASE_SECONDS),
            status=Status.PROCESSING,
            started_at=Coalesce("started_at", Now()),
        )
        if not taken:
            return None
        owner_id, run = Job.objects.values_list("owner_id", "run").get(pk=job_id)
        claim = Claim(job_id=job_id, owner_id=owner_id, stage=stage, run=run, token=token)
        _record(claim, "claimed", holder)
    return claim


def renew(claim: Claim, *, progress: float | None = None) -> bool:
    """Prolong the lease; True when the owner asked to cancel. Raises ``LeaseLost``."""
    changes: dict[str, Any] = {"lease_until": from_now(settings.JOB_LEASE_SECONDS)}
    if progress is not None:
        changes["progress"] = progress
    _move(claim, **changes)
    return bool(claim.row.filter(cancel_requested=True).exists())


@contextmanager
def writing(claim: Claim, *, progress: float | None = None) -> Iterator[None]:
    """A transaction in which a holder may save results. Raises ``LeaseLost`` or ``CancelRequested`` first."""
    with transaction.atomic():
        if renew(claim, progress=progress):
            raise CancelRequested(f"job {claim.job_id} was cancelled by its owner")
        yield


def advance(claim: Claim, next_stage: Stage, **facts: Any) -> None:
    """Hand the job on to ``next_stage``; the tail of the chain is the bell, so it counts as rung now."""
    with transaction.atomic():
        _move(
            claim,
            stage=next_stage,
            dispatched_at=Now(),
            crashes=0,
            transient_failures=0,
            **_let_go(),
            **facts,
        )
        _record(claim, "advanced", next_stage)


def put_back(claim: Claim, *, reason: str, delay_seconds: float = 0) -> None:
    """Let go of a job that is to be done later, by whoever is free then. Counts as no crash."""
    with transaction.atomic():
        _move(claim, dispatched_at=None, not_before=from_now(delay_seconds), **_let_go())
        _record(claim, "put back", reason)


def back_off(claim: Claim, *, code: str, message: str) -> None:
    """Try the stage again after a transient failure, later each time, and fail the job in the end."""
    failures = claim.row.values_list("transient_failures", flat=True).first()
    if failures is None:
        raise LeaseLost(f"job {claim.job_id} is no longer held by this worker")
    if failures >= len(BACKOFF_SECONDS):
        fail(claim, code=code, message=message)
        return
    with transaction.atomic():
        _move(
            claim,
            dispatched_at=None,
            not_before=from_now(BACKOFF_SECONDS[failures]),
            transient_failures=F("transient_failures") + 1,
            **_let_go(),
        )
        _record(claim, "will be tried again", f"{code}: {message}")


def complete(claim: Claim, *, warnings: list[str] | None = None) -> None:
    """Finish the job as done and charge the decoded seconds."""
    with transaction.atomic():
        facts: dict[str, Any] = {"progress": 1.0, "error_code": "", "error_message": ""}
        if warnings is not None:
            facts["warnings"] = warnings
        _finish(claim, Status.DONE, **facts)
        duration_ms = Job.objects.values_list("duration_ms", flat=True).get(pk=claim.job_id)
        quota.settle(account_id=claim.owner_id, job_id=claim.job_id, run=claim.run, duration_ms=duration_ms or 0)


def fail(claim: Claim, *, code: str, message: str) -> None:
    """Finish the job as failed, with a reason for its owner, and release the whole reservation."""
    with transaction.atomic():
        _finish(claim, Status.FAILED, error_code=code, error_message=message)
        quota.release(account_id=claim.owner_id, job_id=claim.job_id, run=claim.run)


def cancel(claim: Claim) -> None:
    """Finish a held job as cancelled: its owner keeps, and pays for, the part that is finished."""
    with transaction.atomic():
        _finish(claim, Status.CANCELLED)
        settle_finished_part(job_id=claim.job_id, owner_id=claim.owner_id, run=claim.run)


def cancel_waiting(*, job_id: int) -> bool:
    """Finish a job that nobody holds and that is to be cancelled; False when a worker was faster."""
    with transaction.atomic():
        waiting = Job.objects.filter(pk=job_id, token=None, status__in=UNFINISHED, cancel_requested=True)
        if not waiting.update(status=Status.CANCELLED, stage=None, finished_at=Now()):
            return False
        job = Job.objects.only("owner_id", "run").get(pk=job_id)
        JobEvent.objects.create(job_id=job_id, run=job.run, kind=Status.CANCELLED)
        settle_finished_part(job_id=job_id, owner_id=job.owner_id, run=job.run)
    return True


def expire(*, job_id: int, token: uuid.UUID, dead: bool = False, worker_lost: bool = False) -> bool:
    """Take a job from a holder whose lease ran out, or that is known to be ``dead``.

    After ``JOB_MAX_CRASHES`` of them in one stage the job fails. Where the whole worker was lost, and not only the
    process at work, it is a transient failure and fails the job with the fourth.
    """
    counter = "transient_failures" if worker_lost else "crashes"
    with transaction.atomic():
        held = Job.objects.filter(pk=job_id, token=token)
        if not dead:
            held = held.filter(lease_until__lt=Now())
        if not held.update(dispatched_at=None, **{counter: F(counter) + 1}, **_let_go()):
            return False
        job = Job.objects.only("owner_id", "run", "stage", "crashes", "transient_failures").get(pk=job_id)
        kind = "worker lost" if worker_lost else "process died" if dead else "lease expired"
        JobEvent.objects.create(job_id=job_id, run=job.run, stage=job.stage or "", kind=kind)
        logger.warning("job %s: %s at stage %s (crash %s)", job_id, kind, job.stage, job.crashes)
        if job.crashes >= settings.JOB_MAX_CRASHES or job.transient_failures > len(BACKOFF_SECONDS):
            _quarantine(job)
    return True


def settle_finished_part(*, job_id: int, owner_id: int, run: int) -> None:
    """Charge a cancelled job up to the end of its last saved segment; release all when there is none."""
    last = Job.objects.get(pk=job_id).parts.order_by("-position").first()
    if last is None:
        quota.release(account_id=owner_id, job_id=job_id, run=run)
        return
    finished_ms = round(last.segments[-1]["end"] * 1000)
    quota.settle(account_id=owner_id, job_id=job_id, run=run, duration_ms=finished_ms)


def _quarantine(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(
        status=Status.FAILED,
        stage=None,
        finished_at=Now(),
        error_code="crashed_repeatedly",
        error_message=(
            f"The worker stopped {job.crashes + job.transient_failures} times while working on this recording, so it "
            "was given up. You were not charged. Try a shorter piece or another file format, or ask the operator to "
            "look at the log."
        ),
    )
    JobEvent.objects.create(job_id=job.pk, run=job.run, kind=Status.FAILED, detail="crashed_repeatedly")
    quota.release(account_id=job.owner_id, job_id=job.pk, run=job.run)


def _finish(claim: Claim, status: Status, **facts: Any) -> None:
    claimed = Q(status=Status.PROCESSING)
    changes = {"status": status, "stage": None, "finished_at": Now(), **_let_go(), **facts}
    if not claim.row.filter(claimed).update(**changes):
        raise LeaseLost(f"job {claim.job_id} is no longer held by this worker")
    _record(claim, status, facts.get("error_code", ""))


def _move(claim: Claim, **changes: Any) -> None:
    if not claim.row.update(**changes):
        raise LeaseLost(f"job {claim.job_id} is no longer held by this worker")


def _let_go() -> dict[str, Any]:
    return {"token": None, "lease_until": None, "holder": ""}  # nosec B105 # a column


def _record(claim: Claim, kind: str, detail: str = "") -> None:
    JobEvent.objects.create(job_id=claim.job_id, run=claim.run, stage=claim.stage, kind=kind, detail=detail[:500])
