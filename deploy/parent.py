"""A process that ends when the one that started it is gone, so that even ``kill -9`` leaves nothing running."""

import ctypes
import signal
import sys

PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Call in a new process: the kernel sends it SIGTERM when its parent dies. Does nothing where that is not Linux."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
