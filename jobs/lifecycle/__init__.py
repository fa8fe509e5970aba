"""The moves of a job: each one conditional UPDATE that changes exactly one row, or the job is not ours.

    submitted ─ claim ─ (renew, write)* ─ advance ─ claim ─ … ─ complete
                             │                                  ├─ fail      release the reservation
                             └─ put_back (stop, backoff)        └─ cancel    settle the finished part

A holder proves itself by its token: once another worker has the job, every later write of the old holder changes no
row and raises ``LeaseLost``. Money moves in the same transaction as the status. A move that finds the database away
waits for it (``jobs.outages``). ``docs/lifecycle.md`` is the law.

``claims`` takes a job and keeps it, ``moves`` hands it on or back, ``endings`` closes it and its account, ``chunks``
shares its recognition among workers.
"""

from jobs.lifecycle.chunks import (
    PROGRESS_FROM,
    PROGRESS_TO,
    ChunkClaim,
    are_chunks_left,
    begin_chunks_again,
    claim_chunk,
    claim_chunk_to_help,
    finish_chunk,
    is_chunk_free,
    is_chunk_unwanted,
    release_chunk,
    renew_chunk,
    saving_chunk,
)
from jobs.lifecycle.claims import Claim, claim_job, is_cancel_requested, renew, writing
from jobs.lifecycle.endings import cancel, cancel_waiting, complete, fail
from jobs.lifecycle.moves import BACKOFF_SECONDS, advance, back_off, expire, expire_chunk, put_back

__all__ = [
    "BACKOFF_SECONDS", "PROGRESS_FROM", "PROGRESS_TO", "ChunkClaim", "Claim", "advance", "are_chunks_left", "back_off",
    "begin_chunks_again", "cancel", "cancel_waiting", "claim_chunk", "claim_chunk_to_help", "claim_job", "complete",
    "expire", "expire_chunk", "fail", "finish_chunk", "is_cancel_requested", "is_chunk_free", "is_chunk_unwanted",
    "put_back", "release_chunk", "renew", "renew_chunk", "saving_chunk", "writing",
]  # fmt: skip
