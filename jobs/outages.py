"""A database that is away for a moment (a restart, a failover, a lock) costs a job a wait, not its work."""

import functools
import logging
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 1.0

P = ParamSpec("P")
R = TypeVar("R")


def through_outages(write: Callable[P, R]) -> Callable[P, R]:
    """Decorator for a fenced write of a job's holder: done again until the database answers, for as long as a lease.

    Only for what may be done twice: nobody knows whether a commit whose answer was lost took place. A move that did
    finds its token gone the second time (``LeaseLost``). Inside a transaction the first failure is the transaction's.
    """

    @functools.wraps(write)
    def patient(*args: P.args, **kwargs: P.kwargs) -> R:
        deadline = time.monotonic() + settings.JOB_LEASE_SECONDS
        while True:
            try:
                return write(*args, **kwargs)
            except (OperationalError, InterfaceError) as error:
                if connection.in_atomic_block or time.monotonic() > deadline:
                    raise
                logger.warning("the database is away, %s waits for it: %s", write.__name__, error)
                connection.close()
                time.sleep(PAUSE_SECONDS)

    return patient
