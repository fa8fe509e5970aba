"""Files that no job needs: decoded audio of finished jobs, and what a process left behind when it was killed."""

import logging
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.core.files.storage import default_storage
from django.db.models import Q
from django.utils import timezone

from jobs.files import remove_folder, remove_work_files
from jobs.models import Job

logger = logging.getLogger(__name__)

ORPHAN_AGE = timedelta(days=1)
"""A file is stored before its job's row is there, and an upload may take hours: younger files may still be wanted."""

BATCH = 200


def remove_finished_work() -> int:
    """Remove decoded audio that a finished job no longer needs; the number of jobs that were tidied up."""
    finished = Job.objects.filter(~Q(pcm_key=""), stage=None)[:BATCH]
    return sum(remove_work_files(job) for job in finished)


def remove_orphans() -> int:
    """Remove stored files older than a day that belong to no job, and uploads that were broken off; how many.

    A web process that is killed between storing a recording and committing its row leaves one, and so does a job that
    is deleted while the storage does not answer. So may a worker that comes back after the job's files were removed.
    """
    stored = _remove_orphans_in("uploads") + _remove_orphans_in("work")
    return stored + _remove_old_entries(settings.FILE_UPLOAD_TEMP_DIR) + _remove_old_entries(settings.WORK_DIR)


def _remove_orphans_in(top: str) -> int:
    removed, found = 0, list(_folders_in(top))
    for first in range(0, len(found), BATCH):
        uids = found[first : first + BATCH]
        known = set(Job.objects.filter(uid__in=uids, removed_at=None).values_list("uid", flat=True))
        for uid in uids:
            if uid not in known and _is_old(f"{top}/{uid}") and remove_folder(f"{top}/{uid}"):
                logger.warning("removed %s/%s: no job needs it", top, uid)
                removed += 1
    return removed


def _folders_in(top: str) -> Iterator[UUID]:
    try:
        folders, _ = default_storage.listdir(top)
    except FileNotFoundError:
        return
    for name in folders:
        try:
            yield UUID(name)
        except ValueError:
            continue  # not ours


def _is_old(folder: str) -> bool:
    _, names = default_storage.listdir(folder)
    # An empty folder exists on a disk only, and has an age of its own.
    keys = [f"{folder}/{name}" for name in names] or [folder]
    return all(default_storage.get_modified_time(key) < timezone.now() - ORPHAN_AGE for key in keys)


def _remove_old_entries(folder: Path) -> int:
    """What killed processes had received of uploads, or were decoding; also those of containers that are gone.

    Each machine looks at its own disk.
    """
    removed = 0
    for path in Path(folder).glob("*"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > ORPHAN_AGE.total_seconds():
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink()
                removed += 1
    return removed
