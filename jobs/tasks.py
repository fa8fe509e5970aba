"""The doors to the first two stages, and to helping. Nobody imports this module: work is sent by task name."""

from celery import Task, shared_task

from jobs import worker  # noqa: F401 - a worker that has these tasks also has slots, a stop notice and an engine
from jobs.models import Stage
from jobs.stage_task import run_help, run_stage
from jobs.steps.help import help_transcribe
from jobs.steps.probe import probe_recording
from jobs.steps.transcribe import transcribe_recording


@shared_task(name="jobs.probe", bind=True)
def probe_task(self: Task, job_id: int) -> None:
    run_stage(self, job_id, Stage.PROBE, probe_recording)


@shared_task(name="jobs.transcribe", bind=True)
def transcribe_task(self: Task, job_id: int) -> None:
    run_stage(self, job_id, Stage.TRANSCRIBE, transcribe_recording)


@shared_task(name="jobs.help")
def help_task(job_id: int) -> None:
    run_help(job_id, help_transcribe)
