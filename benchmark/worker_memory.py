"""The most memory that a worker's processes take while a job runs: Python's, and ffmpeg's apart."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmark.measured_service import family
from transcribify.tests.live_service import LiveService

LOOK_SECONDS = 0.1
PROGRAMS = ("ffmpeg", "ffprobe", "sh", "setpriv", "unshare")


@dataclass(slots=True)
class WorkerPeaks:
    """Resident bytes, the most of each: of all Python processes, of one of them, of ffmpeg, and of everything at once.

    Of a Python process its own highest mark counts as long as it lives, so that nothing between two looks is missed.
    """

    python: int = 0
    largest_python: int = 0
    program: int = 0
    together: int = 0

    def look(self, processes: list[psutil.Process]) -> None:
        python = programs = 0
        for process in processes:
            with suppress(psutil.Error, OSError):
                now = process.memory_info().rss
                if process.name() in PROGRAMS:
                    programs += now
                    self.program = max(self.program, now)
                else:
                    highest = max(now, _high_water(process.pid))
                    python += highest
                    self.largest_python = max(self.largest_python, highest)
        self.python = max(self.python, python)
        self.together = max(self.together, python + programs)


@contextmanager
def worker_peaks(live: LiveService, name: str) -> Iterator[WorkerPeaks]:
    """What the worker ``name`` takes at most, from its start to the end of the block."""
    peaks, over = WorkerPeaks(), threading.Event()

    def watch() -> None:
        while not over.wait(LOOK_SECONDS):
            peaks.look(family(live, name))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peaks
    finally:
        over.set()
        watcher.join()


def _high_water(pid: int) -> int:
    """What the kernel remembers of peaks between two looks; 0 where it does not say."""
    with suppress(OSError, StopIteration):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024
    return 0
