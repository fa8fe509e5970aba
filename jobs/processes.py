"""What this process and this machine are called.

A slot is called ``machine:worker's pid:its own pid``. The machine's name includes the process namespace, so that a
process number is looked up only where it means the same: two containers may share a host name.
"""

import os
import socket
from functools import cache
from pathlib import Path


def slot_name() -> str:
    """This process's name in the job row, the log and the table of slots."""
    return f"{machine_name()}:{os.getppid()}:{os.getpid()}"


@cache
def machine_name() -> str:
    """Host and process namespace; without a namespace to tell apart (macOS), the host alone."""
    try:
        namespace = Path("/proc/self/ns/pid").readlink().name
    except OSError:
        return socket.gethostname()
    return f"{socket.gethostname()}-{namespace.strip('pid:[]')}"


def is_alive(pid: int) -> bool:
    """Whether a process of this machine's namespace exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
