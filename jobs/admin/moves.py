"""What staff may do to jobs, and how it is told: so many were done, and these were not, for this reason."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from accounts.errors import AudioLimitExceeded
from jobs import services
from jobs.errors import Refused
from jobs.models import Job, Status

Move = Callable[[Job], str]
"""Does something to a job and says what it came to. Raises ``Refused`` or ``AudioLimitExceeded``, nothing changed."""

SHOWN_IDS = 10


@dataclass(slots=True)
class Outcome:
    """Jobs by what was said of them."""

    done: dict[str, list[Job]] = field(default_factory=dict)
    refused: dict[str, list[Job]] = field(default_factory=dict)


def requeue(job: Job) -> str:
    """Run a failed or cancelled job again; ring for a waiting one."""
    if job.status in (Status.FAILED, Status.CANCELLED):
        services.retry_job(job=job)
        return _("runs again")
    if job.status == Status.DONE:
        raise Refused(_("It is done already; there is nothing to run again."), code="not_retryable")
    if job.cancel_requested:
        raise Refused(_("It is being cancelled. Requeue it when it is cancelled."), code="not_retryable")
    if job.token:
        raise Refused(_("A worker is at it now. Cancel it first, or wait for its lease to run out."), code="held")
    if services.ring_again(job=job):
        return _("was rung again")
    return _("waits already, and is rung in its turn")


def rewrite_report(job: Job) -> str:
    """Write the report of a finished job again."""
    services.rewrite_report(job=job)
    return _("its report is written again")


def cancel(job: Job) -> str:
    """Stop a job: at once when nobody works on it, else when its worker hears of it."""
    if services.cancel_job(job=job).status == Status.CANCELLED:
        return _("cancelled")
    return _("will stop within seconds, when its worker hears of it")


def move_all(jobs: Iterable[Job], move: Move) -> Outcome:
    """Apply ``move`` to each job by itself: one that refuses does not keep the others."""
    outcome = Outcome()
    for job in jobs:
        try:
            outcome.done.setdefault(move(job), []).append(job)
        except (Refused, AudioLimitExceeded) as refusal:
            outcome.refused.setdefault(refusal.message, []).append(job)
    return outcome


def listed(jobs: list[Job]) -> str:
    """``#1, #2 and 5 more``."""
    shown = ", ".join(f"#{job.pk}" for job in jobs[:SHOWN_IDS])
    more = len(jobs) - SHOWN_IDS
    return _("%(ids)s and %(more)s more") % {"ids": shown, "more": more} if more > 0 else shown
