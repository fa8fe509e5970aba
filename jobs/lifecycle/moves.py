"""Handing a job on to its next stage or back to the queue, and taking it from a holder that is gone."""

import logging
import uuid
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from jobs.clock import from_now
from jobs.lifecycle.claims import LET_GO, Claim
from jobs.lifecycle.endings import fail, give_up
from jobs.models import Chunk, Job, JobEvent, Stage
from jobs.models.job import UNFINISHED
from jobs.outages import through_outages

logger = logging.getLogger(__name__)

BACKOFF_SECONDS = (10, 60, 300)
"""Waits after the first, second and third transient failure of a stage; a fourth fails the job."""


@through_outages
def advance(claim: Claim, next_stage: Stage, **facts: Any) -> None:
    """Hand the job on to ``next_stage``; the tail of the chain is the bell, so it counts as rung now."""
    with transaction.atomic():
        claim.move(stage=next_stage, dispatched_at=Now(), crashes=0, transient_failures=0, **LET_GO, **facts)
        claim.record("advanced", next_stage)


@through_outages
def put_back(claim: Claim, *, reason: str, delay_seconds: float = 0) -> None:
    """Let go of a job that is to be done later, by whoever is free then. Counts as no crash."""
    with transaction.atomic():
        claim.move(dispatched_at=None, not_before=from_now(delay_seconds), **LET_GO)
        _free_chunks(claim.job_id, claim.token)
        claim.record("put back", reason)


@through_outages
def back_off(claim: Claim, *, code: str, message: str) -> None:
    """Try the stage again after a transient failure, later each time, and fail the job in the end."""
    failures = claim.row.values_list("transient_failures", flat=True).first()
    if failures is None:
        raise claim.lost()
    if failures >= len(BACKOFF_SECONDS):
        fail(claim, code=code, message=message)
        return
    with transaction.atomic():
        claim.move(
            dispatched_at=None,
            not_before=from_now(BACKOFF_SECONDS[failures]),
            transient_failures=F("transient_failures") + 1,
            **LET_GO,
        )
        _free_chunks(claim.job_id, claim.token)
        claim.record("will be tried again", f"{code}: {message}")


def expire(*, job_id: int, token: uuid.UUID, dead: bool = False, worker_lost: bool = False) -> bool:
    """Take a job from a holder whose lease ran out, or that is known to be ``dead``.

    After ``JOB_MAX_CRASHES`` of them in one stage, or over one chunk, the job is given up. Where the whole worker was
    lost, and not only the process at work, it is a transient failure and ends the job with the fourth.
    """
    counter = "transient_failures" if worker_lost else "crashes"
    with transaction.atomic():
        held = Job.objects.filter(pk=job_id, token=token)
        if not dead:
            held = held.filter(lease_until__lt=Now())
        if not held.update(dispatched_at=None, **{counter: F(counter) + 1}, **LET_GO):
            return False
        chunk_crashes = _free_chunks(job_id, token, suspected=not worker_lost)
        job = Job.objects.get(pk=job_id)
        kind = "worker lost" if worker_lost else "process died" if dead else "lease expired"
        JobEvent.objects.create(job_id=job_id, run=job.run, stage=job.stage or "", kind=kind)
        logger.warning("job %s: %s at stage %s (crash %s)", job_id, kind, job.stage, job.crashes)
        if max(job.crashes, chunk_crashes) >= settings.JOB_MAX_CRASHES or job.transient_failures > len(BACKOFF_SECONDS):
            give_up(job)
    return True


def expire_chunk(*, chunk: Chunk, dead: bool = False, worker_lost: bool = False) -> bool:
    """Take a chunk from a helper whose lease ran out, or that is known to be ``dead``; False when it was not to be had.

    A chunk that ended ``JOB_MAX_CRASHES`` processes has its job given up, whoever they belonged to.
    """
    with transaction.atomic():
        job = Job.objects.select_for_update().filter(pk=chunk.job_id).first()
        held = Chunk.objects.filter(pk=chunk.pk, token=chunk.token)
        if job is None or (not dead and not held.filter(lease_until__lt=Now()).exists()):
            return False
        if not held.update(crashes=F("crashes") + (0 if worker_lost else 1), **LET_GO):
            return False
        chunk.refresh_from_db(fields=["crashes"])
        logger.warning("job %s: the helper at chunk %s is gone (crash %s)", job.pk, chunk.position, chunk.crashes)
        at_work = job.status in UNFINISHED and job.stage == Stage.TRANSCRIBE
        if at_work and not worker_lost and chunk.crashes >= settings.JOB_MAX_CRASHES:
            job.crashes = chunk.crashes
            give_up(job)
    return True


def _free_chunks(job_id: int, token: uuid.UUID, *, suspected: bool = False) -> int:
    """Free the chunk that a job's holder was at; the crashes over it, this one included where it is ``suspected``."""
    held = Chunk.objects.filter(job_id=job_id, token=token, finished_at=None)
    ids = list(held.values_list("pk", flat=True))
    held.update(crashes=F("crashes") + (1 if suspected else 0), **LET_GO)
    return max(Chunk.objects.filter(pk__in=ids).values_list("crashes", flat=True), default=0)
