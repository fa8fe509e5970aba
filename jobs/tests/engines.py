"""An engine for tests of the lifecycle: it does on request what real ones do only on a bad day."""

import ctypes
import hashlib
import os
import resource
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from jobs.engines.base import Audio, EngineConfig, TranscriptionInfo, TranscriptionRequest
from jobs.transcript import Segment

STEP_SECONDS = 0.1


class FaultyEngine:
    """Says a word for each tenth of a second that the prompt asks for, and half-way does what the prompt says.

    ``sleep=1.5`` works for 1.5 s. ``sleep=1 do=crash`` also kills its process half-way; see ``FAULTS`` for the others.
    ``once`` has the fault happen in the first attempt only: ``sleep=1 do=hang once``.
    """

    name = "faulty"

    def __init__(self, config: EngineConfig) -> None:
        self.config = config

    def load(self, model: str) -> None:
        pass

    def detect_language(self, audio: Audio, request: TranscriptionRequest) -> TranscriptionInfo:
        return TranscriptionInfo(language="en")

    def transcribe(self, audio: Audio, request: TranscriptionRequest) -> tuple[TranscriptionInfo, Iterator[Segment]]:
        return self.detect_language(audio, request), self._work(len(audio) / 16_000, request.prompt)

    def _work(self, duration_seconds: float, prompt: str) -> Iterator[Segment]:
        order = dict(word.partition("=")[::2] for word in prompt.split())
        steps = max(1, round(float(order.get("sleep") or 0) / STEP_SECONDS))
        for step in range(steps):
            if step == steps // 2 and "do" in order and not ("once" in order and _happened(prompt)):
                FAULTS[order["do"]]()
            time.sleep(STEP_SECONDS)
            start, end = (duration_seconds * edge / steps for edge in (step, step + 1))
            yield Segment(start=start, end=end, text=f"word {step}.")


def _happened(prompt: str) -> bool:
    """Whether a job with this very prompt was here before; remembered on disk, as the process may not live on."""
    mark = Path(os.environ["DATA_DIR"]) / f"fault-{hashlib.sha256(prompt.encode()).hexdigest()[:16]}"
    if mark.exists():
        return True
    mark.touch()
    return False


def _crash() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _segfault() -> None:
    ctypes.string_at(0)


def _hang() -> None:
    time.sleep(100_000)


def _hang_holding_the_lock() -> None:
    """No other thread of the process runs, as in a library that never lets go of the interpreter."""
    ctypes.PyDLL(None).sleep(100_000)


def _freeze() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def _pause() -> None:
    """One batch of a large model on a slow machine."""
    time.sleep(12)


def _memory_error() -> None:
    raise MemoryError


def _allocate() -> None:
    np.zeros(10**15)


def _exhaust() -> None:
    """Really take memory until there is no more of it."""
    with _at_most_more(300_000_000):
        taken = []
        while True:
            taken.append(np.ones(10_000_000, dtype=np.uint8))


def _break_off() -> None:
    raise ValueError("an error that nobody foresaw")


def _exit() -> None:
    raise SystemExit(1)


FAULTS: dict[str, Callable[[], object]] = {
    "crash": _crash,
    "segfault": _segfault,
    "hang": _hang,
    "hang_holding_the_lock": _hang_holding_the_lock,
    "freeze": _freeze,
    "pause": _pause,
    "memory_error": _memory_error,
    "allocate": _allocate,
    "exhaust": _exhaust,
    "break_off": _break_off,
    "exit": _exit,
}


@contextmanager
def _at_most_more(extra_bytes: int) -> Iterator[None]:
    """Within the block this process may take so much memory more than it has."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + extra_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
