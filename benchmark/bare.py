"""faster-whisper with nothing around it, its model loaded, in a process of its own: what the service is held against.

Every figure is the child's own: wall and processor seconds of one transcription, and the most memory it ever had.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
STATUS = Path("/proc/self/status")

Cut = tuple[float, float]
"""Beginning and end of what is recognised in one window, in seconds."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How speech is recognised. ``batch_size`` 0: one window after the other, the library's other way."""

    model: str
    cpu_threads: int
    batch_size: int
    beam_size: int = 5
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """What one transcription took."""

    wall_seconds: float
    cpu_seconds: float
    peak_rss_bytes: int
    segments: int


@contextmanager
def bare_process(settings: Settings) -> Iterator["BareProcess"]:
    """A child with the model loaded and one short transcription behind it."""
    process = BareProcess(settings)
    try:
        process.transcribe(ROOT / "jobs" / "tests" / "assets" / "english.flac")
        yield process
    finally:
        process.end()


class BareProcess:
    """``ask`` and ``answer`` apart, so that two processes can work at the same time."""

    def __init__(self, settings: Settings) -> None:
        command = [sys.executable, "-c", "from benchmark import bare; bare.main()", json.dumps(asdict(settings))]
        environment = os.environ | thread_variables(settings.cpu_threads)
        self._child = subprocess.Popen(
            command, cwd=ROOT, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def transcribe(self, path: Path, cuts: Sequence[Cut] = ()) -> Figures:
        self.ask(path, cuts)
        return self.answer()

    def ask(self, path: Path, cuts: Sequence[Cut] = ()) -> None:
        """Begin. With ``cuts``, neither decoding nor finding the speech counts; without, both do."""
        assert self._child.stdin is not None
        self._child.stdin.write(json.dumps({"path": str(path), "cuts": list(cuts)}) + "\n")
        self._child.stdin.flush()

    def answer(self) -> Figures:
        assert self._child.stdout is not None
        return Figures(**json.loads(self._child.stdout.readline()))

    def end(self) -> None:
        assert self._child.stdin is not None
        self._child.stdin.close()
        self._child.wait()


def thread_variables(threads: int) -> dict[str, str]:
    """What keeps OpenMP and the libraries beside CTranslate2 to so many threads."""
    return {name: str(threads) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}


def peak_rss_bytes() -> int:
    """The most resident memory this process ever had."""
    if STATUS.exists():
        # Not getrusage: there a child starts with what its parent had.
        line = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def serve(settings: Settings) -> None:
    """In the child: a line with a request in, a line with its figures out, until there are no more."""
    from faster_whisper import WhisperModel

    model = WhisperModel(
        settings.model, device="cpu", compute_type="int8", cpu_threads=settings.cpu_threads, local_files_only=True
    )
    for line in sys.stdin:
        print(json.dumps(asdict(measure(model, settings, json.loads(line)))), flush=True)


def measure(model: Any, settings: Settings, request: dict[str, Any]) -> Figures:
    from faster_whisper.audio import decode_audio

    audio = decode_audio(request["path"]) if request["cuts"] else request["path"]
    wall, cpu = time.monotonic(), time.process_time()
    segments = sum(1 for _ in transcribe(model, settings, audio, request["cuts"]))
    return Figures(time.monotonic() - wall, time.process_time() - cpu, peak_rss_bytes(), segments)


def transcribe(model: Any, settings: Settings, audio: Any, cuts: Sequence[Cut]) -> Iterator[Any]:
    """The library's segments. Without ``cuts`` it finds the speech itself, as it does by default."""
    from faster_whisper import BatchedInferencePipeline

    options: dict[str, Any] = {"beam_size": settings.beam_size, "language": settings.language, "temperature": 0.0}
    options |= {"without_timestamps": False, "condition_on_previous_text": False, "vad_filter": not cuts}
    if settings.batch_size:
        clips = [{"start": start, "end": end} for start, end in cuts] or None
        pipeline = BatchedInferencePipeline(model)
        segments, _ = pipeline.transcribe(audio, batch_size=settings.batch_size, clip_timestamps=clips, **options)
    else:
        flat = [time for cut in cuts for time in cut] or "0"
        segments, _ = model.transcribe(audio, clip_timestamps=flat, **options)
    yield from segments


def main() -> None:
    """The child's: its settings are the only argument."""
    serve(Settings(**json.loads(sys.argv[1])))
