"""How a worker's main process learns that one of its pool processes is frozen, and ends it.

A hung engine is ended by the lease's thread (``jobs.lease``). That thread runs in the same process, so it cannot help
where nothing in the process runs: it was stopped, or a library holds the interpreter's lock for ever. Each process at
work therefore shows a pulse, a file that its thread touches; the main process, which has nothing else to do, looks at
the files and kills what has had no pulse for longer than its stage's stall budget. The pool starts another process.
"""

import logging
import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from jobs.processes import machine_name

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
MARGIN_SECONDS = 3.0
"""Longer than the budget, so that the process gets to end itself and to say why."""


class Pulse:
    """In a pool process: the sign of life of one job's lease thread."""

    def __init__(self) -> None:
        mark = f"{machine_name()}.{os.getpid()}-pulse-{os.getppid()}"
        self._path = Path(settings.WORK_DIR) / mark
        self._file: BinaryIO | None = None

    def beat(self, *, stall_seconds: float) -> None:
        """Say that this process runs, and how long it may go without saying so."""
        try:
            if self._file is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self._path.open("wb", buffering=0)
            # Over the beat before and in one piece: the file is never empty, in whatever moment the process freezes.
            os.pwrite(self._file.fileno(), f"{time.monotonic():20.3f} {stall_seconds:20.3f}".encode(), 0)
        except OSError as error:
            # An old beat would have a healthy process killed; without one it is only not watched.
            logger.warning("this process cannot show that it runs: %s", error)
            self.end()

    def end(self) -> None:
        with suppress(OSError):
            if self._file is not None:
                self._file.close()
                self._file = None
            self._path.unlink(missing_ok=True)


class FrozenWatch:
    """In a worker's main process: which of its pool processes are at work and show no pulse.

    Time is counted in looks of its own: if this process, too, was stopped for a while, nobody is blamed for it.
    """

    def __init__(self) -> None:
        self._seen: dict[Path, tuple[str, int]] = {}

    def start(self) -> None:
        threading.Thread(target=self._watch, name="frozen-watch", daemon=True).start()

    def kill_frozen(self) -> list[int]:
        """One look at all pulses; the processes that were killed."""
        pulses = {path: text for path in self._paths() if (text := _read(path))}
        looks = {path: self._looks(path, text) for path, text in pulses.items()}
        self._seen = {path: (text, looks[path]) for path, text in pulses.items()}
        return [_kill(path, pulses[path]) for path in pulses if self._is_frozen(pulses[path], looks[path])]

    def _watch(self) -> None:
        while True:
            time.sleep(LOOK_SECONDS)
            try:
                self.kill_frozen()
            except Exception:
                logger.exception("the pool's processes could not be looked at; it is tried again")

    def _paths(self) -> list[Path]:
        return list(Path(settings.WORK_DIR).glob(f"{machine_name()}.*-pulse-{os.getpid()}"))

    def _looks(self, path: Path, text: str) -> int:
        """How many looks in a row have found this very beat."""
        before, looks = self._seen.get(path, ("", 0))
        return looks + 1 if before == text else 0

    def _is_frozen(self, text: str, looks: int) -> bool:
        stall_seconds = float(text.split()[1])
        return looks * LOOK_SECONDS > stall_seconds + MARGIN_SECONDS


def _read(path: Path) -> str:
    """The last beat; empty while it is being written, or when the job is over."""
    with suppress(OSError):
        text = path.read_text()
        return text if len(text.split()) == 2 else ""
    return ""


def _kill(path: Path, text: str) -> int:
    pid = int(path.name.removeprefix(f"{machine_name()}.").split("-")[0])
    stall_seconds = float(text.split()[1])
    logger.critical(
        "process %s has shown no sign of life for %.0f s and is killed; its job is tried again", pid, stall_seconds
    )
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    path.unlink(missing_ok=True)
    return pid
