"""What every stage's Celery task does around its step: claim, keep the lease, map errors, cut the chain.

A task body returns True when its tail may follow. In every other case the tail is dropped here, because an ordinary
return would have Celery send it: the job is not ours, finished, or to be rung again later.
"""

import logging
from collections.abc import Callable

from celery import Task
from django.db import close_old_connections

from accounts.errors import AudioLimitExceeded
from jobs import bell, lifecycle
from jobs.errors import (
    CancelRequested,
    ConfigurationFault,
    InputFault,
    LeaseLost,
    ResourceExceeded,
    StopRequested,
    TransientFault,
    TurnOver,
)
from jobs.lease import LeaseKeeper
from jobs.models import Job, Stage
from jobs.processes import slot_name
from jobs.stall import stall_seconds

logger = logging.getLogger(__name__)

Step = Callable[[Job, LeaseKeeper], None]
"""Does the work of one stage and ends with a move of ``jobs.lifecycle`` (advance or complete)."""


def run_stage(task: Task, job_id: int, stage: Stage, step: Step) -> None:
    """Run ``step`` if the job is waiting for ``stage``; drop the chain's tail unless the job moved on."""
    close_old_connections()
    try:
        moved_on = _claim_and_run(job_id, stage, step)
        if not moved_on:
            task.request.chain = None
        bell.ring_waiting()
    finally:
        close_old_connections()


def run_help(job_id: int, work: Callable[[int], int]) -> None:
    """Run ``work``, which claims what it does by itself, then ring whoever waits."""
    close_old_connections()
    try:
        work(job_id)
        bell.ring_waiting()
    finally:
        close_old_connections()


def _claim_and_run(job_id: int, stage: Stage, step: Step) -> bool:
    claim = lifecycle.claim_job(job_id=job_id, stage=stage, holder=slot_name())
    if claim is None:
        logger.info("job %s: nothing to do at stage %s", job_id, stage)
        return False
    job = Job.objects.get(pk=job_id)
    with LeaseKeeper(claim, stall_seconds=stall_seconds(stage)) as keeper:
        try:
            return _run_step(job, keeper, step)
        except LeaseLost:
            logger.warning("job %s: lost at stage %s, another worker has it or it is gone", job_id, stage)
            return False


def _run_step(job: Job, keeper: LeaseKeeper, step: Step) -> bool:
    claim = keeper.claim
    try:
        step(job, keeper)
        return True
    except LeaseLost:
        raise
    except CancelRequested:
        lifecycle.cancel(claim)
    except StopRequested:
        lifecycle.put_back(claim, reason="the worker was asked to stop")
    except TurnOver as turn:
        lifecycle.put_back(claim, reason=turn.message)
        bell.ring_first(turn.due_job_id)
    except (InputFault, AudioLimitExceeded, ConfigurationFault, ResourceExceeded) as error:
        lifecycle.fail(claim, code=error.code, message=error.message)
    except TransientFault as error:
        lifecycle.back_off(claim, code=error.code, message=error.message)
    except MemoryError:
        # Celery ends the whole worker on a MemoryError, and the next one would meet the same recording again.
        lifecycle.fail(
            claim,
            code=ResourceExceeded.code,
            message="The recording needs more memory than a worker has. Split it and upload the parts.",
        )
    except Exception as error:
        logger.exception("job %s: unexpected error at stage %s", claim.job_id, claim.stage)
        lifecycle.back_off(
            claim,
            code="internal_error",
            message=f"Something went wrong on the server ({type(error).__name__}). You were not charged.",
        )
    return False
