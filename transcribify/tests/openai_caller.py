"""OpenAI's own SDK against a live service, and recordings to send with it."""

import io
import ssl
import subprocess
import time
import wave
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import httpx2
from openai import AsyncOpenAI, OpenAI

from transcribify.tests.client import Client
from transcribify.tests.live_service import wait_until
from transcribify.tests.raw_http import connect

_TLS = ssl.create_default_context()  # made once: it takes long, and nothing here uses it
RATE_HZ = 16_000

OBEDIENT = {
    "TRANSCRIPTION_ENGINE": "jobs.tests.engines.FaultyEngine",
    "DEFAULT_MODEL": "base",
    "AUDIO_LIMIT_SECONDS": "1800",
    "ABANDONED_JOB_SECONDS": "2",
    "RECONCILE_EVERY_SECONDS": "0.5",
    "MAX_UPLOAD_MEGABYTES": "5",
    "JOB_MAX_CRASHES": "1",
    "JOB_RING_AGAIN_SECONDS": "4",
}

Recording = tuple[str, bytes]
"""A file name and what is in the file."""


class Speech:
    """Recordings of a few seconds of somebody speaking; each number gives another one."""

    def __init__(self, path: Path) -> None:
        command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), "-f", "s16le", "-ar", str(RATE_HZ), "-"]
        self._samples = subprocess.run(command, capture_output=True, check=True).stdout
        self._given = 0

    def wav(self, seconds: float = 3.0) -> Recording:
        """A recording that nobody was given before."""
        self._given += 1
        start = 2 * self._given
        content = io.BytesIO()
        with wave.open(content, "wb") as sound:
            sound.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
            sound.writeframes(self._samples[start : start + 2 * round(seconds * RATE_HZ)])
        return f"speech{self._given}.wav", content.getvalue()

    def encoded(self, folder: Path, extension: str) -> Recording:
        """The same as ffmpeg writes it into such a file."""
        name, content = self.wav()
        source, target = folder / name, folder / f"speech.{extension}"
        source.write_bytes(content)
        subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", str(source), str(target)], check=True)
        return target.name, target.read_bytes()


def silence(seconds: float = 2.0) -> Recording:
    content = io.BytesIO()
    with wave.open(content, "wb") as sound:
        sound.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        sound.writeframes(bytes(2 * round(seconds * RATE_HZ)))
    return "silence.wav", content.getvalue()


class Caller(Client):
    """A user who has OpenAI's SDK as well. Sends are counted by the SDK's own hook, retries included."""

    def __init__(self, url: str, email: str) -> None:
        super().__init__(url, email)
        self.url = url
        self.sent: list[httpx2.Request] = []
        self._stack = ExitStack()
        self.openai = self.sdk()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()
        self.http.close()

    def sdk(self, *, key: str | None = None, **options: Any) -> OpenAI:
        """OpenAI's client, by default as it comes: two retries, and all the time in the world."""
        http = httpx2.Client(timeout=600, verify=_TLS, event_hooks={"request": [self.sent.append]})
        made = OpenAI(
            api_key=self.token if key is None else key, base_url=f"{self.url}/v1", http_client=http, **options
        )
        return self._stack.enter_context(made)

    def async_sdk(self, **options: Any) -> AsyncOpenAI:
        """The same for ``async with``."""
        return AsyncOpenAI(api_key=self.token, base_url=f"{self.url}/v1", **options)

    def ask(self, recording: Recording, **options: Any) -> Any:
        """The answer to a transcription, as the SDK makes it of it."""
        return self.openai.audio.transcriptions.create(file=recording, **{"model": "whisper-1", **options})

    def raw(self, recording: Recording, **options: Any) -> Any:
        """The same with its headers; ``.parse()`` gives the answer."""
        create = self.openai.audio.transcriptions.with_raw_response.create
        return create(file=recording, **{"model": "whisper-1", **options})

    def job_of(self, recording: Recording, **options: Any) -> dict[str, Any]:
        """The job that a transcription was."""
        return self.job(int(self.raw(recording, **options).headers["x-transcribify-job-id"]))

    def jobs(self) -> list[dict[str, Any]]:
        """All of the user's jobs, newest first."""
        return self.http.get("/jobs").json()["results"]

    def running_job(self) -> dict[str, Any]:
        """The user's newest job, once a worker has taken it."""
        wait_until(lambda: self.jobs() and self.jobs()[0]["status"] != "pending", seconds=20, what="a job at work")
        return self.jobs()[0]

    def hang_up(self, recording: Recording, *, after_seconds: float = 0.3, **fields: str) -> None:
        """A client that goes away so long after its recording has become a job."""
        body, content_type = as_form(recording, **fields)
        with connect(int(self.url.rpartition(":")[2])) as connection:
            connection.sendall(head(self.token, content_type, len(body)) + body)
            wait_until(self.jobs, seconds=20, what="a job")
            time.sleep(after_seconds)

    def post(self, address: str = "/v1/audio/transcriptions", *, files: Any = None, **data: Any) -> httpx2.Response:
        """A request that the SDK would not write."""
        return self.http.post(address, files=files, data=data)


def as_form(recording: tuple[str, bytes], **fields: str) -> tuple[bytes, str]:
    """The body of a request, and what its content type is."""
    parts = [
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    ]
    parts.append('--x\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n')
    start = f'--x\r\nContent-Disposition: form-data; name="file"; filename="{recording[0]}"\r\n\r\n'
    return ("".join(parts) + start).encode() + recording[1] + b"\r\n--x--\r\n", "multipart/form-data; boundary=x"


def head(token: str, content_type: str, length: int) -> bytes:
    lines = [
        "POST /v1/audio/transcriptions HTTP/1.1", "Host: localhost", f"Authorization: Bearer {token}",
        f"Content-Type: {content_type}", f"Content-Length: {length}", "", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode()


def in_background(work: Callable[..., Any], *arguments: Any, **options: Any) -> Future[Any]:
    """Start it in a thread of its own; ``result(timeout=…)`` gives what it returned or raised."""
    pool = ThreadPoolExecutor(1)
    future = pool.submit(work, *arguments, **options)
    pool.shutdown(wait=False)
    return future


def seconds_of(work: Callable[[], object]) -> float:
    """How long it took."""
    started = time.monotonic()
    work()
    return time.monotonic() - started
