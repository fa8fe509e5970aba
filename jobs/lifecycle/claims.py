"""Taking a job, keeping it, and writing as its holder."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Coalesce, Now

from accounts import quota
from jobs.clock import from_now
from jobs.errors import CancelRequested, LeaseLost
from jobs.models import Job, JobEvent, Stage, Status
from jobs.models.job import UNFINISHED

LET_GO: dict[str, Any] = {"token": None, "lease_until": None, "holder": ""}  # nosec B105 # a column
"""The columns of a job, or of a chunk, that nobody holds."""


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

    def move(self, **changes: Any) -> None:
        """Change the job's row as its holder. Raises ``LeaseLost``."""
        if not self.row.update(**changes):
            raise self.lost()

    def record(self, kind: str, detail: str = "") -> None:
        """Write down in the job's course what happened."""
        JobEvent.objects.create(job_id=self.job_id, run=self.run, stage=self.stage, kind=kind, detail=detail[:500])

    def lost(self) -> LeaseLost:
        return LeaseLost(f"job {self.job_id} is no longer held by this worker")


def claim_job(*, job_id: int, stage: Stage, holder: str) -> Claim | None:
    """Take the job for ``stage``; None when there is nothing to do (not its turn, held, finished, cancelled).

    None also where its owner has as many jobs in flight as are allowed; it is to be rung when there are fewer.
    """
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
        claim.record("claimed", holder)
        may_begin = stage != Stage.PROBE or not _are_others_enough(owner_id, job_id)
        transaction.set_rollback(not may_begin)
    if not may_begin:
        # Its bell is forgotten, so that it does not stand in the way of those that may be rung.
        Job.objects.filter(pk=job_id, token=None).update(dispatched_at=None)
        return None
    return claim


def _are_others_enough(owner_id: int, job_id: int) -> bool:
    """Whether the owner's other jobs in flight are as many as are allowed.

    Behind the lock of the owner's account, where there is a limit: of two claims at once, one counts the other.
    """
    limit = quota.jobs_in_flight_limits(account_ids=[owner_id], lock=True).get(owner_id)
    return limit is not None and jobs_in_flight().filter(owner_id=owner_id).exclude(pk=job_id).count() >= limit


def jobs_in_flight() -> QuerySet[Job]:
    """Jobs whose recognition was begun and is not over, whether or not somebody is at work on them now."""
    begun = Job.objects.filter(stage__isnull=False, stage__in=[Stage.PROBE, Stage.TRANSCRIBE])
    return begun.exclude(status=Status.PENDING)


def renew(claim: Claim, *, progress: float | None = None) -> bool:
    """Prolong the lease; True when the owner asked to cancel. Raises ``LeaseLost``."""
    changes: dict[str, Any] = {"lease_until": from_now(settings.JOB_LEASE_SECONDS)}
    if progress is not None:
        changes["progress"] = progress
    claim.move(**changes)
    return is_cancel_requested(claim)


def is_cancel_requested(claim: Claim) -> bool:
    """Whether the owner asked to cancel; only a look, nothing is written. Raises ``LeaseLost``."""
    requested = claim.row.values_list("cancel_requested", flat=True).first()
    if requested is None:
        raise claim.lost()
    return requested


@contextmanager
def writing(claim: Claim, *, progress: float | None = None) -> Iterator[None]:
    """A transaction in which a holder may save results. Raises ``LeaseLost`` or ``CancelRequested`` first."""
    with transaction.atomic():
        if renew(claim, progress=progress):
            raise CancelRequested(f"job {claim.job_id} was cancelled by its owner")
        yield
