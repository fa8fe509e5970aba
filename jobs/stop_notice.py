"""How the processes of a worker's pool learn that the worker is asked to stop.

Celery tells the main process only (``worker_shutting_down``). The notice is a file that the main process touches: its
name travels in the environment, which forked and spawned pool processes inherit alike, and looking for it needs no
connection to anything.
"""

import os
from pathlib import Path

from django.conf import settings

from jobs.processes import machine_name

_VARIABLE = "TRANSCRIBIFY_STOP_NOTICE"


def prepare_stop_notice() -> None:
    """In the worker's main process, before the pool starts: agree on the file's name."""
    # Among our own files: in the system's temporary folder anyone could lay something under a name so easily guessed.
    folder = Path(settings.WORK_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{machine_name()}.{os.getpid()}-stop"
    path.unlink(missing_ok=True)
    os.environ[_VARIABLE] = str(path)


def give_stop_notice() -> None:
    """In the main process, when it is asked to stop."""
    if path := os.environ.get(_VARIABLE):
        Path(path).touch()


def withdraw_stop_notice() -> None:
    """In the main process, when it ends."""
    if path := os.environ.get(_VARIABLE):
        Path(path).unlink(missing_ok=True)


def stop_is_requested() -> bool:
    """In a pool process: is the worker shutting down?"""
    path = os.environ.get(_VARIABLE)
    return path is not None and os.path.exists(path)
