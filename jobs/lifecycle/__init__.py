"""The moves of a job: each one conditional UPDATE that changes exactly one row, or the job is not ours.

    submitted ─ claim ─ (renew, write)* ─ advance ─ claim ─ … ─ complete
                             │                                  ├─ fail      release the reservation
                             └─ put_back (stop, backoff)        └─ cancel    settle the finished part

A holder proves itself by its token: once another worker has the job, every later write of the old holder changes no
row and raises ``LeaseLost``. Money moves in the same transaction as the status. A move that finds the database away
waits for it (``jobs.outages``). ``docs/lifecycle.md`` is the law.

``claims`` takes a job and keeps it, ``moves`` hands it on or back, ``endings`` closes it and its account.
"""

from jobs.lifecycle.claims import Claim, claim_job, is_cancel_requested, renew, writing
from jobs.lifecycle.endings import cancel, cancel_waiting, complete, fail
from jobs.lifecycle.moves import BACKOFF_SECONDS, advance, back_off, expire, put_back

__all__ = [
    "BACKOFF_SECONDS", "Claim", "advance", "back_off", "cancel", "cancel_waiting", "claim_job", "complete", "expire",
    "fail", "is_cancel_requested", "put_back", "renew", "writing",
]  # fmt: skip
