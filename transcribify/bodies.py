"""Request bodies as they arrive: small ones are read before a thread is taken, recordings must keep moving."""

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from accounts.errors import TranscribifyError

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

MEMORY_BYTES = 16 * 1024
"""What is kept in memory of a small body; the rest waits on disk, so that a thousand senders cost no memory."""

DRAIN_SECONDS = 10.0
"""How long the rest of a refused body is read and thrown away, so that its sender gets to read the refusal."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a sender is waited for. A small body that is no recording must be there after ``small_body_seconds``.

    Any body fails when nothing comes for ``idle_seconds``, or when after these it has come at less than
    ``min_bytes_per_second`` on average. Only time spent waiting for the sender counts.
    """

    small_body_seconds: float = 30.0
    idle_seconds: float = 30.0
    min_bytes_per_second: float = 4_000.0


class BodyTooSlow(TranscribifyError):
    """The body did not come in time."""

    code = "body_too_slow"


class BodyTooLarge(TranscribifyError):
    """A body without an announced length turned out to be too long for its address."""

    code = "body_too_large"


class BodyCutOff(TranscribifyError):
    """The sender hung up before the end of the body: what came is no recording, only its beginning."""

    code = "body_cut_off"


class MovingBody:
    """The body of a recording, handed on as it comes; see ``Patience`` for when it fails."""

    def __init__(self, receive: Receive, patience: Patience) -> None:
        self._receive = receive
        self._patience = patience
        self._waited_seconds = 0.0
        self._received_bytes = 0
        self.is_over = False
        self.is_too_slow = False

    async def receive(self) -> Message:
        """The next part. Raises ``BodyTooSlow`` and ``BodyCutOff``, in the thread that reads the request."""
        if self.is_too_slow:
            raise _too_slow()
        started = time.monotonic()
        try:
            message = await asyncio.wait_for(self._receive(), timeout=self._seconds_left())
        except TimeoutError:
            self.is_too_slow = True
            raise _too_slow() from None
        self._waited_seconds += time.monotonic() - started
        self._received_bytes += len(message.get("body", b""))
        self.is_over = message["type"] == "http.disconnect" or not message.get("more_body", False)
        if message["type"] == "http.disconnect":
            raise BodyCutOff("The connection was closed before the end of the request. Send it again.")
        return message

    async def drain(self) -> None:
        """Read what the application did not, for a while; not from a sender that was given up."""
        with suppress(TimeoutError, TranscribifyError):
            async with asyncio.timeout(DRAIN_SECONDS):
                while not self.is_over and not self.is_too_slow:
                    await self.receive()

    def _seconds_left(self) -> float:
        """Until nothing came for too long, or what came is too little for the time it took."""
        patience = self._patience
        enough_until = max(patience.idle_seconds, self._received_bytes / patience.min_bytes_per_second)
        return max(0.0, min(patience.idle_seconds, enough_until - self._waited_seconds))


async def read_small(body: MovingBody, *, max_bytes: int, seconds: float | None, folder: str) -> IO[bytes]:
    """The whole body as a file at its beginning; what exceeds ``MEMORY_BYTES`` lies in ``folder``.

    Raises ``BodyTooSlow``, ``BodyTooLarge``, ``BodyCutOff`` and ``OSError`` (the disk is full).
    """
    content: IO[bytes] = SpooledTemporaryFile(max_size=MEMORY_BYTES, dir=folder)  # noqa: SIM115 - handed on
    try:
        async with asyncio.timeout(seconds):
            await _copy(body, content, max_bytes)
    except TimeoutError:
        content.close()
        body.is_too_slow = True
        raise _too_slow() from None
    except BaseException:
        content.close()
        raise
    content.seek(0)
    return content


async def _copy(body: MovingBody, content: IO[bytes], max_bytes: int) -> None:
    while not body.is_over:
        content.write((await body.receive()).get("body", b""))
        if content.tell() > max_bytes:
            raise BodyTooLarge(f"At most {max_bytes} bytes can be sent to this address.")


def replay(content: IO[bytes]) -> Receive:
    """A ``receive`` that hands out a body that is there already."""

    async def receive() -> Message:
        block = content.read(MEMORY_BYTES)
        return {"type": "http.request", "body": block, "more_body": len(block) == MEMORY_BYTES}

    return receive


def _too_slow() -> BodyTooSlow:
    return BodyTooSlow("The request came too slowly and was given up. Check your connection and send it again.")
