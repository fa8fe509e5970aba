"""The chain, in plain sight: jobs.probe > jobs.transcribe > reports.build. Beside it, jobs.help.

Work is sent by task name, so whoever rings needs no engine, and ``jobs`` need not know who writes reports. Redis is
only a doorbell: the message carries the job id, the row says what is to be done.
"""

import logging
import time

from celery import chain, signature
from kombu.exceptions import OperationalError

from jobs.models import Job, Stage

logger = logging.getLogger(__name__)

BROKER_REST_SECONDS = 5.0
"""After the broker did not answer, this process does not ask it again for so long: asking one that hangs takes seconds,
and every request would wait for them. Who is not rung now is rung by the reconciler."""

_silent_until = 0.0

TASK_NAMES = {
    Stage.PROBE: "jobs.probe",
    Stage.TRANSCRIBE: "jobs.transcribe",
    Stage.REPORT: "reports.build",
}
HELP_TASK, HELP_QUEUE = "jobs.help", "speech"
"""For whoever is idle: recognise chunks of a job that another worker holds."""
QUEUES = {Stage.PROBE: "speech", Stage.TRANSCRIBE: "speech", Stage.REPORT: "light"}


def stages_of(job: Job) -> list[Stage]:
    """The stages that this job goes through, in order."""
    wanted = {Stage.REPORT: job.options.get("report", True) or job.options.get("enhance", False)}
    return [stage for stage in TASK_NAMES if wanted.get(stage, True)]


def stage_after(job: Job, stage: Stage) -> Stage | None:
    """The stage that follows, or None when ``stage`` is the last one."""
    stages = stages_of(job)
    following = stages[stages.index(stage) + 1 :]
    return following[0] if following else None


def publish_chain(job: Job) -> bool:
    """Send the rest of the job's chain, from its present stage on; False when the broker cannot be reached.

    A lost or doubled message does no harm: the reconciler rings again, and a claim is won once.
    """
    stages = stages_of(job)
    rest = stages[stages.index(Stage(str(job.stage))) :]
    return _publish(job.pk, [TASK_NAMES[stage] for stage in rest])


def publish_help(job_id: int) -> bool:
    """Call one worker to help with a job's chunks; False when the broker cannot be reached. Nobody need come."""
    return _publish(job_id, [HELP_TASK])


def _publish(job_id: int, names: list[str]) -> bool:
    global _silent_until
    if time.monotonic() < _silent_until:
        return False
    links = [signature(name, args=(job_id,), immutable=True) for name in names]
    try:
        chain(*links).apply_async(retry=False)
    except (OperationalError, OSError) as error:
        _silent_until = time.monotonic() + BROKER_REST_SECONDS
        logger.warning("job %s: the broker could not be reached, the reconciler will ring again (%s)", job_id, error)
        return False
    return True
