"""Where a job's files lie in the storage, and how they travel between the storage and a worker's disk.

Keys are made of the job's ``uid`` and the holder's token, never of a client's file name; a holder that lost its lease
cannot overwrite what its successor writes.
"""

import errno
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage

from jobs.errors import InputFault, TransientFault
from jobs.models import Job
from jobs.processes import is_alive, machine_name

logger = logging.getLogger(__name__)

COPY_BYTES = 1 << 20


def source_key(uid: UUID) -> str:
    return f"uploads/{uid}/source"


def pcm_key(uid: UUID, token: UUID) -> str:
    """What the keys of a job's decoded chunks begin with."""
    return f"work/{uid}/{token}"


def chunk_key(pcm_key: str, position: int) -> str:
    return f"{pcm_key}-{position:05d}.pcm"


@contextmanager
def work_folder() -> Iterator[Path]:
    """A folder on the local disk that is gone when the block ends, however it ends."""
    root = Path(settings.WORK_DIR)
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{_process_mark()}-", dir=root) as folder:
        yield Path(folder)


@contextmanager
def local_copy(key: str, folder: Path) -> Iterator[Path]:
    """The stored file as a path that a program can read: itself on local storage, else a copy in ``folder``."""
    try:
        yield Path(default_storage.path(key))
        return
    except NotImplementedError:
        pass
    target = folder / "fetched"
    with storage_faults(), default_storage.open(key) as stored, target.open("wb") as copy:
        shutil.copyfileobj(stored, copy, COPY_BYTES)
    yield target


def store_file(path: Path, key: str) -> str:
    """Put a local file into the storage, streamed; the key it got."""
    with storage_faults(), path.open("rb") as content:
        return default_storage.save(key, File(content))


def store_range(path: Path, key: str, *, first_byte: int, end_byte: int) -> str:
    """Put a part of a local file into the storage as a file of its own, streamed; the key it got."""
    part = path.with_name("part")
    with path.open("rb") as whole, part.open("wb") as target:
        whole.seek(first_byte)
        while data := whole.read(min(COPY_BYTES, end_byte - whole.tell())):
            target.write(data)
    stored = store_file(part, key)
    part.unlink()
    return stored


def remove_stored(key: str) -> bool:
    """Delete a stored file if it is there; False (and a line in the log) when the storage did not answer."""
    try:
        default_storage.delete(key)
    except Exception as error:
        logger.warning("could not remove %s, it will be tried again: %s", key, error)
        return False
    return True


def remove_work_files(job: Job) -> bool:
    """Remove the decoded audio of a job that needs it no more, also what a killed holder had stored of it."""
    if not job.pcm_key:
        return False
    if not remove_folder(f"work/{job.uid}"):
        return False
    Job.objects.filter(pk=job.pk, pcm_key=job.pcm_key).update(pcm_key="")
    return True


def remove_folder(folder: str) -> bool:
    """Delete all files of a stored folder; False (and a line in the log) when the storage did not answer."""
    try:
        _, names = default_storage.listdir(folder)
    except FileNotFoundError:
        names = []
    except Exception as error:
        logger.warning("could not look into %s, it will be tried again: %s", folder, error)
        return False
    # The folder last: it exists on a disk only, where it must be empty by then.
    removed = [remove_stored(key) for key in (*(f"{folder}/{name}" for name in names), folder)]
    return all(removed)


@contextmanager
def storage_faults() -> Iterator[None]:
    """Turn what a storage backend raises (each has errors of its own) into the job's error families."""
    try:
        yield
    except FileNotFoundError as error:
        raise InputFault(
            "The recording is no longer in the storage. Upload it again.", code="source_missing"
        ) from error
    except MemoryError:
        raise
    except Exception as error:
        if is_disk_full(error):
            raise storage_full() from error
        raise TransientFault(
            f"The storage did not answer as it should ({type(error).__name__}). The job is tried again by itself.",
            code="storage_unavailable",
        ) from error


def is_disk_full(error: BaseException) -> bool:
    """Whether the system refused a write for want of space, of the disk or of our share of it."""
    return isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}


def storage_full() -> TransientFault:
    return TransientFault(
        "The server has no room for more recordings at this moment. Try again later, or tell its operator.",
        code="storage_full",
    )


def sweep_work_folders() -> int:
    """Remove what killed processes of this machine left in the work folder; the number of entries removed."""
    root = Path(settings.WORK_DIR)
    removed = 0
    for left in root.glob(f"{machine_name()}.*-*"):
        pid = left.name.removeprefix(f"{machine_name()}.").split("-")[0]
        if pid.isdigit() and not is_alive(int(pid)):
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)
            removed += 1
    return removed


def _process_mark() -> str:
    return f"{machine_name()}.{os.getpid()}"
