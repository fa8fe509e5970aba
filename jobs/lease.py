"""The thread that keeps a lease while the work loop is busy in a library, and ends the process when it hangs.

A batch of a large model, a download or an LLM call can last minutes without coming back to Python code of ours, so the
loop cannot renew by itself. The thread renews every quarter of the lease while the loop's last sign of progress is
younger than the stage's stall budget. Past it the engine is taken for hung: the process ends itself, the pool starts
another, and the lease runs out.

The thread also hears of a cancel, of a lost lease and of the worker's end within seconds, and tells the loop. A loop
that does not come back in time is not waited for: the job is finished or put back without it.
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any

from django.conf import settings
from django.db import connections

from jobs import lifecycle
from jobs.errors import CancelRequested, LeaseLost, StopRequested
from jobs.lifecycle import ChunkClaim, Claim
from jobs.pulse import Pulse
from jobs.stop_notice import stop_is_requested

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
"""How often the thread looks at the stall budget and at the worker's stop notice."""

ASK_SECONDS = 2.0
"""How often it asks the database whether the job is still wanted, and still ours."""

PATIENCE_SECONDS = 3.0
"""How long the loop may take to hear that it must stop, before the thread acts in its place."""

STOP_GRACE_SECONDS = 2.0
"""How long a job goes on when its worker is asked to stop: what can be finished in that time need not be done twice."""


@dataclass(frozen=True, slots=True)
class Tenure:
    """How a kind of claim is kept and given up; the first two say whether the owner asked to cancel."""

    renew: Callable[[Any], bool]
    ask: Callable[[Any], bool]
    cancel: Callable[[Any], None]
    put_back: Callable[[Any], None]


HOLD = Tenure(
    lifecycle.renew,
    lifecycle.is_cancel_requested,
    lifecycle.cancel,
    partial(lifecycle.put_back, reason="the worker was asked to stop"),
)
"""Of a job, for one stage."""
HELP = Tenure(lifecycle.renew_chunk, lifecycle.is_chunk_unwanted, lifecycle.release_chunk, lifecycle.release_chunk)
"""Of one chunk, by a helper: whatever becomes of the job is not the helper's business."""


class LeaseKeeper:
    """Keeps one claim alive: ``with LeaseKeeper(claim, stall_seconds=…) as keeper: … keeper.beat()``."""

    def __init__(self, claim: Claim | ChunkClaim, *, stall_seconds: float, tenure: Tenure = HOLD) -> None:
        self._claim = claim
        self._tenure = tenure
        self.lost = False
        self.cancelled = False
        self._stall_seconds = stall_seconds
        now = time.monotonic()
        self._last_beat = self._last_renewal = self._last_question = now
        self._cancelled_at: float | None = None
        self._stop_at: float | None = None
        self._pulse = Pulse()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=f"lease-{claim.job_id}", daemon=True)

    @property
    def claim(self) -> Claim:
        """Of the job, where it is that which is kept."""
        assert isinstance(self._claim, Claim)  # nosec B101 # for the type checker
        return self._claim

    def __enter__(self) -> "LeaseKeeper":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._ended.set()
        self._thread.join()

    def beat(self) -> None:
        """A sign of progress from the work loop, and the place where it learns that it must stop.

        Raises ``LeaseLost``, ``CancelRequested`` or ``StopRequested``.
        """
        self._last_beat = time.monotonic()
        if self.lost:
            raise LeaseLost(f"job {self._claim.job_id} is no longer held by this worker")
        if self.cancelled:
            raise CancelRequested(f"job {self._claim.job_id} was cancelled by its owner")
        if self._seconds_since_stop(self._last_beat) >= STOP_GRACE_SECONDS:
            raise StopRequested("this worker is shutting down")

    def expect_progress_within(self, seconds: float) -> None:
        """From now on the stall budget is ``seconds``."""
        self._stall_seconds = seconds

    @contextmanager
    def allowing(self, seconds: float) -> Iterator[None]:
        """Within the block the stall budget is ``seconds``: for what is known to take long, such as a download."""
        usual, self._stall_seconds = self._stall_seconds, seconds
        self._last_beat = time.monotonic()
        try:
            yield
        finally:
            self._last_beat = time.monotonic()
            self._stall_seconds = usual

    def _keep(self) -> None:
        try:
            self._pulse.beat(stall_seconds=self._stall_seconds)
            while not self._ended.wait(min(LOOK_SECONDS, settings.JOB_LEASE_SECONDS / 8)):
                self._pulse.beat(stall_seconds=self._stall_seconds)
                self._look(time.monotonic())
        finally:
            self._pulse.end()
            connections.close_all()

    def _look(self, now: float) -> None:
        if now - self._last_beat > self._stall_seconds:
            logger.critical(
                "job %s: no progress at stage %s for %.0f s; this process ends itself and the job is tried again",
                self._claim.job_id,
                self._claim.stage,
                now - self._last_beat,
            )
            _end_process()
        if not self.lost:
            if now - self._last_renewal >= settings.JOB_LEASE_SECONDS / 4:
                self._ask(now, self._tenure.renew)
            elif now - self._last_question >= min(ASK_SECONDS, settings.JOB_LEASE_SECONDS / 4):
                self._ask(now, self._tenure.ask)
        self._act_in_place_of_the_loop(now)

    def _ask(self, now: float, question: Callable[[Any], bool]) -> None:
        try:
            self.cancelled = question(self._claim) or self.cancelled
            self._last_question = now
            if question is self._tenure.renew:
                self._last_renewal = now
        except LeaseLost:
            self.lost = True
        except Exception as error:
            logger.warning("job %s: the lease could not be renewed: %s", self._claim.job_id, error)
            connections.close_all()
            self.lost = now - self._last_renewal > settings.JOB_LEASE_SECONDS

    def _seconds_since_stop(self, now: float) -> float:
        """How long ago this process heard that its worker is to stop; less than 0 when it did not."""
        if self._stop_at is None and stop_is_requested():
            self._stop_at = now
        return -1.0 if self._stop_at is None else now - self._stop_at

    def _act_in_place_of_the_loop(self, now: float) -> None:
        """Its next segment may be a minute away; the owner, or whoever waits for the worker's end, is not to wait."""
        stopping = self._seconds_since_stop(now) >= STOP_GRACE_SECONDS + PATIENCE_SECONDS
        if self.cancelled and self._cancelled_at is None:
            self._cancelled_at = now
        cancelling = self._cancelled_at is not None and now - self._cancelled_at >= PATIENCE_SECONDS
        if not self.lost and (stopping or cancelling):
            self._let_go()
        if self.lost and stopping:
            logger.warning("job %s: this process does not wait for the engine, it ends itself", self._claim.job_id)
            _end_process()

    def _let_go(self) -> None:
        try:
            if self.cancelled:
                self._tenure.cancel(self._claim)
            else:
                self._tenure.put_back(self._claim)
        except LeaseLost:
            logger.info("job %s: the loop was faster", self._claim.job_id)
        except Exception as error:
            logger.warning("job %s: it could not be let go, that is tried again: %s", self._claim.job_id, error)
            return
        self.lost = True


def _end_process() -> None:
    logging.shutdown()
    os.kill(os.getpid(), signal.SIGKILL)
