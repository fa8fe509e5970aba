"""What a task does around its step: the error families, the lease, the cut chain. Steps here are real functions."""

import pytest

from accounts.errors import AudioLimitExceeded
from accounts.models import LedgerEntry
from jobs import lifecycle
from jobs.errors import (
    CancelRequested,
    ConfigurationFault,
    InputFault,
    LeaseLost,
    ResourceExceeded,
    StopRequested,
    TransientFault,
)
from jobs.models import Stage, Status
from jobs.stage_task import run_stage

pytestmark = pytest.mark.django_db(transaction=True)


class Task:
    """As much of a Celery task as ``run_stage`` touches: a request with a chain."""

    def __init__(self):
        self.request = type("Request", (), {"chain": ["the tail"]})()


def run(job, step):
    """Run ``step`` as a worker runs a stage; (the job afterwards, whether the tail is sent)."""
    task = Task()
    run_stage(task, job.pk, Stage.PROBE, step)
    job.refresh_from_db()
    return job, task.request.chain is not None


def raising(error):
    def step(job, keeper):
        raise error

    return step


def test_a_step_that_moves_on_lets_the_tail_follow(make_job):
    job, follows = run(make_job(), lambda job, keeper: lifecycle.advance(keeper.claim, Stage.TRANSCRIBE))
    assert (job.stage, follows) == (Stage.TRANSCRIBE, True)


def test_a_job_that_is_not_ours_cuts_the_chain_and_runs_nothing(make_job):
    job = make_job()
    lifecycle.claim_job(job_id=job.pk, stage=Stage.PROBE, holder="elsewhere")
    ran = []
    job, follows = run(job, lambda job, keeper: ran.append(job))
    assert (ran, follows) == ([], False)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputFault("There is no sound.", code="no_audio"), "no_audio"),
        (AudioLimitExceeded("audio limit exceeded."), "audio_limit_exceeded"),
        (ConfigurationFault("No model."), "misconfigured"),
        (ResourceExceeded("Too large."), "resource_exceeded"),
        (MemoryError(), "resource_exceeded"),
    ],
)
def test_what_trying_again_cannot_mend_fails_at_once_and_is_refunded(make_job, error, code):
    job, follows = run(make_job(), raising(error))
    assert (job.status, job.error_code, follows) == (Status.FAILED, code, False)
    assert job.error_message
    assert LedgerEntry.objects.filter(job_id=job.pk, kind="release").exists()


@pytest.mark.parametrize("error", [TransientFault("The storage is away."), ValueError("a bug"), OSError("disk")])
def test_what_may_pass_is_tried_again_later(make_job, error):
    job, follows = run(make_job(), raising(error))
    assert (job.status, job.stage, job.token, follows) == (Status.PROCESSING, Stage.PROBE, None, False)
    assert (job.transient_failures, job.crashes) == (1, 0)


def test_a_cancel_ends_the_job(make_job):
    job, follows = run(make_job(), raising(CancelRequested("cancelled")))
    assert (job.status, follows) == (Status.CANCELLED, False)


def test_a_stop_puts_the_job_back(make_job):
    job, follows = run(make_job(), raising(StopRequested("stopping")))
    assert (job.status, job.token, job.crashes, follows) == (Status.PROCESSING, None, 0, False)


def test_a_lost_lease_changes_nothing(make_job):
    job, follows = run(make_job(), raising(LeaseLost("lost")))
    assert (job.status, follows) == (Status.PROCESSING, False)
    assert job.token
