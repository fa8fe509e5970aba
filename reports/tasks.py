"""The door to the last stage. Nobody imports this module: work is sent by task name."""

from celery import Task, shared_task

from jobs.models import Stage
from jobs.stage_task import run_stage
from reports import worker  # noqa: F401 - a worker that has this task also gets its writer ready
from reports.services import build_report


@shared_task(name="reports.build", bind=True)
def build_task(self: Task, job_id: int) -> None:
    run_stage(self, job_id, Stage.REPORT, build_report)
