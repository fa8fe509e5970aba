"""What one model makes of recordings: text, times and memory, measured in a process of its own."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from deploy.parent import end_with_parent

ROOT = Path(__file__).resolve().parents[2]
FASTER_WHISPER, POCKETSPHINX = "faster-whisper", "pocketsphinx"
STDERR = 2
"""Standard output is for the table."""
KILLED = -9


@dataclass(frozen=True, slots=True)
class Order:
    """What a process is to do. ``batch_size``: None for the engine's own; ``pipe``: where the answers go."""

    engine: str
    model: str
    recordings: Sequence[tuple[str, str]]
    """Names and absolute paths."""
    language: str | None = None
    beam_size: int = 5
    batched: bool = False
    batch_size: int | None = None
    pipe: int = -1


@dataclass(frozen=True, slots=True)
class Measured:
    """What became of one recording. ``error`` says why there is no text, and what to do.

    ``recognition_seconds`` is the model's own work; ``decode_seconds`` and ``speech_seconds`` (finding where somebody
    speaks) come before it, whatever the model. ``doubtful_segments`` are those with ``flags``.
    """

    name: str
    text: str = ""
    language: str | None = None
    audio_seconds: float = 0.0
    decode_seconds: float = 0.0
    speech_seconds: float = 0.0
    recognition_seconds: float = 0.0
    segments: int = 0
    doubtful_segments: int = 0
    is_damaged: bool = False
    error: str = ""

    @property
    def processing_seconds(self) -> float:
        return self.decode_seconds + self.speech_seconds + self.recognition_seconds


@dataclass(slots=True)
class ModelRun:
    """What became of one model. ``error`` says why it did not come to its end.

    ``peak_memory_bytes`` is the most that its process had; ``device`` where Whisper computed, and in which numbers.
    """

    load_seconds: float | None = None
    peak_memory_bytes: int | None = None
    device: str = ""
    measured: list[Measured] = field(default_factory=list)
    error: str = ""


def measure(order: Order, run: ModelRun) -> Iterator[Measured]:
    """Carry out ``order`` in a new process, fill ``run``, and yield each recording as it is done.

    All recordings come back: with an error those that the process did not come to.
    """
    reader, writer = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmark.accuracy.worker"],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=STDERR, pass_fds=(writer,), preexec_fn=end_with_parent,
    )  # fmt: skip
    os.close(writer)
    try:
        with os.fdopen(reader) as answers:
            _hand_over(process, replace(order, pipe=writer))
            yield from _read(answers, run)
        code = process.wait()
    finally:
        process.kill()
        process.wait()
    run.error = run.error or (_reason(code) if code else "")
    for name, _ in order.recordings[len(run.measured) :]:
        run.measured.append(Measured(name, error=run.error))
        yield run.measured[-1]


def _hand_over(process: "subprocess.Popen[bytes]", order: Order) -> None:
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError), process.stdin as order_pipe:  # its exit code says more
        order_pipe.write(json.dumps(asdict(order)).encode())


def _read(answers: Iterable[str], run: ModelRun) -> Iterator[Measured]:
    for line in answers:
        if not line.endswith("\n"):
            return  # it died over this one
        answer = json.loads(line)
        measured = answer.pop("measured", None)
        for name, value in answer.items():
            setattr(run, name, value)
        if measured:
            run.measured.append(Measured(**measured))
            yield run.measured[-1]


def _reason(code: int) -> str:
    if code == KILLED:
        return "Its process was killed, most likely for want of memory. Choose a smaller model or a smaller batch size."
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    return f"Its process died ({how}). What it had to say is above."
