"""Beside the chain: a worker with nothing else to do recognises chunks of a job that another one holds."""

import logging
from dataclasses import replace

from jobs import bell, lifecycle
from jobs.errors import Interrupted, LeaseLost, TranscribifyError
from jobs.lease import HELP, LeaseKeeper
from jobs.lifecycle import ChunkClaim
from jobs.models import Job, Stage
from jobs.processes import slot_name
from jobs.stall import stall_seconds
from jobs.steps.chunk import load_model, open_recogniser, recognise_chunk

logger = logging.getLogger(__name__)


def help_transcribe(job_id: int) -> int:
    """Recognise chunks of the job for as long as there are any and nobody waits for this worker; how many.

    A helper changes nothing but its chunks. What it cannot do it leaves to the job's holder, who will meet the same
    fault and say so.
    """
    done = 0
    while not bell.is_anybody_due(slot=slot_name()):
        claim = lifecycle.claim_chunk_to_help(job_id=job_id, holder=slot_name())
        if claim is None or not _help(claim):
            break
        done += 1
    return done


def _help(claim: ChunkClaim) -> bool:
    """Whether the chunk was finished, and another one may follow."""
    with LeaseKeeper(claim, stall_seconds=stall_seconds(Stage.TRANSCRIBE), tenure=HELP) as keeper:
        try:
            return _recognise(claim, keeper)
        except LeaseLost:
            return False
        except (Interrupted, TranscribifyError, MemoryError) as error:
            logger.info("job %s: a helper leaves its chunk to others: %s", claim.job_id, error)
        except Exception:
            logger.exception("job %s: unexpected error of a helper, its chunk is left to others", claim.job_id)
        try:
            lifecycle.release_chunk(claim)
        except LeaseLost:
            logger.info("job %s: the chunk was taken from its helper already", claim.job_id)
    return False


def _recognise(claim: ChunkClaim, keeper: LeaseKeeper) -> bool:
    job = Job.objects.get(pk=claim.job_id)
    recogniser = open_recogniser(job)
    if recogniser.engine.name != job.engine:
        logger.info("job %s: recognised by %s, which this worker does not use", job.pk, job.engine)
        lifecycle.release_chunk(claim)
        return False
    recogniser = replace(recogniser, request=replace(recogniser.request, model=job.model))
    load_model(recogniser, keeper)
    recognise_chunk(job, claim, recogniser, keeper)
    return True
