"""The names of worker processes, and what is done when one of this machine has died.

A slot is called ``machine:worker's pid:its own pid``. The machine's name includes the process namespace, so that a
process number is looked up only where it means the same: two containers may share a host name.
"""

import logging
import os
import socket
from functools import cache
from pathlib import Path

from jobs import lifecycle
from jobs.models import Job

logger = logging.getLogger(__name__)


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


def free_jobs_of_the_dead() -> int:
    """Take jobs at once from processes of this machine that are dead for certain; the number freed.

    Nobody has to wait for their leases. When the whole worker is gone, too (a deployment, a reboot, a careless kill),
    the recording is not suspected: that counts as a transient failure, not as a crash.
    """
    held = Job.objects.filter(token__isnull=False, holder__startswith=f"{machine_name()}:")
    freed = 0
    for job_id, token, holder in held.values_list("pk", "token", "holder"):
        worker_pid, own_pid = (int(part) for part in holder.split(":")[-2:])
        if token and not is_alive(own_pid):
            freed += lifecycle.expire(job_id=job_id, token=token, dead=True, worker_lost=not is_alive(worker_pid))
    return freed


def is_alive(pid: int) -> bool:
    """Whether a process of this machine's namespace exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
