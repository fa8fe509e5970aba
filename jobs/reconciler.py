"""What the chain may have dropped, picked up again. Any number of reconcilers may run at once.

Each round: take jobs from holders and chunks from helpers whose lease ran out, cancel jobs whose waiting client is
gone, finish cancelled ones that nobody holds, ring what waits, remove the work files of finished jobs and whatever is
kept too long, forget dead slots, and say so when the quota counters leave the ledger.
"""

import logging
from collections.abc import Callable

from django.db.models.functions import Now

from accounts import quota
from accounts.login_limits import delete_ended_windows
from accounts.tokens import delete_expired_tokens
from jobs import bell, lifecycle
from jobs.abandonment import cancel_abandoned
from jobs.clock import from_now
from jobs.files import sweep_work_folders
from jobs.leftovers import remove_finished_work, remove_orphans
from jobs.models import Chunk, Job, WorkerSlot
from jobs.retention import remove_due
from jobs.shares import forget_old_shares
from jobs.slots import free_jobs_of_the_dead

logger = logging.getLogger(__name__)

BATCH = 500
"""Rows handled in one round at most; the next round follows within seconds. They are taken in the order of the index
that has just them: in the order of ids SQLite would read the whole table."""


def reconcile_once() -> None:
    """One round. An error in one part is logged and does not keep the others from their work."""
    _do_each(
        free_jobs_of_the_dead,
        expire_silent_holders,
        expire_silent_helpers,
        cancel_abandoned,
        finish_cancelled,
        bell.ring_waiting,
        remove_finished_work,
        sweep_work_folders,
        remove_due,
        forget_dead_slots,
    )


def tidy_up() -> None:
    """What need not be done in every round: look through the books and the storage, forget what is over."""
    _do_each(check_reservations, remove_orphans, delete_ended_windows, delete_expired_tokens, forget_old_shares)


def _do_each(*parts: Callable[[], object]) -> None:
    for part in parts:
        try:
            part()
        except Exception:
            logger.exception("reconciler: %s failed and will be tried again in the next round", part.__name__)


def expire_silent_holders() -> int:
    """Free the jobs whose holder has not renewed its lease in time; the number freed."""
    expired = Job.objects.filter(token__isnull=False, lease_until__lt=Now()).order_by("lease_until")
    found = expired.values_list("pk", "token")[:BATCH]
    return sum(lifecycle.expire(job_id=pk, token=token) for pk, token in found if token)


def expire_silent_helpers() -> int:
    """Free the chunks whose helper has not renewed its lease in time; the number freed."""
    silent = Chunk.objects.filter(token__isnull=False, lease_until__lt=Now()).defer("speech")[:BATCH]
    return sum(lifecycle.expire_chunk(chunk=chunk) for chunk in silent)


def finish_cancelled() -> int:
    """Finish jobs that were cancelled while nobody held them; the number finished."""
    waiting = Job.objects.filter(token=None, stage__isnull=False, cancel_requested=True)
    found = waiting.order_by("not_before").values_list("pk", flat=True)[:BATCH]
    return sum(lifecycle.cancel_waiting(job_id=pk) for pk in found)


def forget_dead_slots() -> int:
    """Delete the rows of worker processes that have not been seen for a long time; the number deleted."""
    return WorkerSlot.objects.filter(seen_at__lt=from_now(-10 * bell.SLOT_ALIVE_SECONDS)).delete()[0]


def check_reservations() -> list[int]:
    """The accounts whose ``reserved_ms`` is not the sum of the ledger's open reservations; each is said in the log."""
    wrong = quota.accounts_out_of_balance()
    for account in wrong:
        logger.error("account %s: reserved_ms is %s and does not match the ledger", account.pk, account.reserved_ms)
    return [account.pk for account in wrong]
