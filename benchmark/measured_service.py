"""The running service with a load model, as a client sees it, and what all of its processes cost."""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
import psutil

from benchmark.bare import thread_variables
from transcribify.tests.client import FINISHED, Client
from transcribify.tests.live_service import LiveService, running_service, wait_until

POLL_SECONDS = 1.0
"""As README's client: who asks ten times a second would measure the asking."""
LIMIT_SECONDS = 24 * 3600
UPLOAD_SECONDS = 600


@dataclass(frozen=True, slots=True)
class JobFigures:
    """What a job took: seconds from the beginning of its POST to its end, and processor seconds of all processes."""

    wall_seconds: float
    cpu_seconds: float
    job: dict[str, Any]


@contextmanager
def measured_service(
    model: Path, *, speech_workers: int = 1, threads: int = 0, **variables: str
) -> Iterator["MeasuredService"]:
    """Speech workers, each with the model loaded, a light worker, a reconciler and the web process.

    ``threads`` of each speech worker; 0: as the service decides by itself.
    """
    names = [f"speech{number + 1}" for number in range(speech_workers)]
    settings = {
        "TRANSCRIPTION_ENGINE": "faster-whisper",
        "WHISPER_MODELS_DIR": str(model.parent),
        "DEFAULT_MODEL": model.name,
        "PRELOAD_MODELS": model.name,
        "WHISPER_CPU_THREADS": str(threads),
        "AUDIO_LIMIT_SECONDS": "0",
        **(thread_variables(threads) if threads else {}),
        **variables,
    }
    workers = dict.fromkeys(names, "speech") | {"light": "light"}
    with (
        TemporaryDirectory(prefix="transcribify-bench-", ignore_cleanup_errors=True) as folder,
        running_service(Path(folder), workers=workers, **settings) as live,
    ):
        for name in workers:
            live.wait_for_worker(name)
        yield MeasuredService(live, names)


class MeasuredService:
    """One client of a service that serves nobody else."""

    def __init__(self, live: LiveService, speech_workers: list[str]) -> None:
        self.live = live
        self.speech_workers = speech_workers
        self.client = Client(live.url, "bench@example.org")
        self.client.http.timeout = httpx2.Timeout(UPLOAD_SECONDS)
        if speech_workers:
            wait_until(lambda: self.client.http.get("/readyz").status_code == 200, seconds=60, what="a ready service")

    def transcribe(self, recording: Path, **options: str) -> JobFigures:
        """One job from POST to done. Raises ``AssertionError`` when it is refused or fails."""
        cpu, started = self.cpu_seconds(), time.time()
        job = self.wait(self.submit(recording, **options))
        assert job["status"] == "done", job
        # The row says when it was done, by the same clock: to the millisecond, however rarely it is looked at.
        finished = datetime.fromisoformat(job["finished_at"]).timestamp()
        return JobFigures(finished - started, self.cpu_seconds() - cpu, job)

    def submit(self, recording: Path, **options: str) -> int:
        """The job's id."""
        answer = self.client.submit(recording, key=uuid.uuid4().hex, **({"report": "false"} | options))
        assert answer.status_code == 202, answer.text
        job_id: int = answer.json()["id"]
        return job_id

    def wait(self, job_id: int) -> dict[str, Any]:
        """The job when it is finished."""
        deadline = time.monotonic() + LIMIT_SECONDS
        while (job := self.client.job(job_id))["status"] not in FINISHED:
            assert time.monotonic() < deadline, job
            time.sleep(POLL_SECONDS)
        return job

    def cpu_seconds(self) -> float:
        """Of all processes so far, with those that they started and that have ended since (ffmpeg)."""
        total = 0.0
        for name in self.live.processes:
            for process in family(self.live, name):
                with suppress(psutil.NoSuchProcess):
                    times = process.cpu_times()
                    total += times.user + times.system + times.children_user + times.children_system
        return total


def family(live: LiveService, name: str) -> list[psutil.Process]:
    """A process of the service and all below it."""
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(live.processes[name].pid)
        return [process, *process.children(recursive=True)]
    return []
