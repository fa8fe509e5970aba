"""Worker processes of this machine that have died, and what becomes of their jobs."""

from jobs import lifecycle
from jobs.models import Chunk, Job
from jobs.processes import is_alive, machine_name


def free_jobs_of_the_dead() -> int:
    """Take jobs at once from processes of this machine that are dead for certain; the number freed.

    Nobody has to wait for their leases. When the whole worker is gone, too (a deployment, a reboot, a careless kill),
    the recording is not suspected: that counts as a transient failure, not as a crash.
    """
    held = Job.objects.filter(token__isnull=False, holder__startswith=f"{machine_name()}:")
    freed = 0
    for job_id, token, holder in held.order_by("lease_until").values_list("pk", "token", "holder"):
        worker_pid, own_pid = (int(part) for part in holder.split(":")[-2:])
        if token and not is_alive(own_pid):
            freed += lifecycle.expire(job_id=job_id, token=token, dead=True, worker_lost=not is_alive(worker_pid))
    return freed + _free_chunks_of_the_dead()


def _free_chunks_of_the_dead() -> int:
    """The same for chunks of helpers."""
    held = Chunk.objects.filter(token__isnull=False, lease_until__isnull=False)
    freed = 0
    for chunk in held.filter(holder__startswith=f"{machine_name()}:").defer("speech"):
        worker_pid, own_pid = (int(part) for part in chunk.holder.split(":")[-2:])
        if not is_alive(own_pid):
            freed += lifecycle.expire_chunk(chunk=chunk, dead=True, worker_lost=not is_alive(worker_pid))
    return freed
