"""The thread that keeps a lease while the work loop is busy in a library, and ends the process when it hangs.

A batch of a large model, a download or an LLM call can last minutes without coming back to Python code of ours, so the
loop cannot renew by itself. The thread renews every quarter of the lease while the loop's last sign of progress is
younger than the stage's stall budget. Past it the engine is taken for hung: the process ends itself, the pool starts
another, and the lease runs out.
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from django.conf import settings
from django.db import connections

from jobs import lifecycle
from jobs.errors import CancelRequested, LeaseLost, StopRequested
from jobs.lifecycle import Claim
from jobs.stop_notice import stop_is_requested

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
"""How often the thread looks at the stall budget and at the worker's stop notice."""


class LeaseKeeper:
    """Keeps one claim alive: ``with LeaseKeeper(claim, stall_seconds=…) as keeper: … keeper.beat()``."""

    def __init__(self, claim: Claim, *, stall_seconds: float) -> None:
        self.claim = claim
        self.lost = False
        self.cancelled = False
        self._stall_seconds = stall_seconds
        self._last_beat = time.monotonic()
        self._last_renewal = time.monotonic()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=f"lease-{claim.job_id}", daemon=True)

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
            raise LeaseLost(f"job {self.claim.job_id} is no longer held by this worker")
        if self.cancelled:
            raise CancelRequested(f"job {self.claim.job_id} was cancelled by its owner")
        if stop_is_requested():
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
        quarter = settings.JOB_LEASE_SECONDS / 4
        try:
            while not self._ended.wait(min(LOOK_SECONDS, quarter / 2)):
                now = time.monotonic()
                if now - self._last_beat > self._stall_seconds:
                    self._end_process(now - self._last_beat)
                if now - self._last_renewal >= quarter:
                    self._renew(now)
        finally:
            connections.close_all()

    def _renew(self, now: float) -> None:
        try:
            self.cancelled = lifecycle.renew(self.claim) or self.cancelled
            self._last_renewal = now
        except LeaseLost:
            self.lost = True
        except Exception as error:
            logger.warning("job %s: the lease could not be renewed: %s", self.claim.job_id, error)
            connections.close_all()
            self.lost = now - self._last_renewal > settings.JOB_LEASE_SECONDS

    def _end_process(self, silent_seconds: float) -> None:
        logger.critical(
            "job %s: no progress at stage %s for %.0f s; this process ends itself and the job is tried again",
            self.claim.job_id,
            self.claim.stage,
            silent_seconds,
        )
        logging.shutdown()
        os.kill(os.getpid(), signal.SIGKILL)
