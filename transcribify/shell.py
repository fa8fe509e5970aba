"""The asynchronous shell around Django: hands requests over, and sees off bodies that nobody wants to read."""

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

from a2wsgi import WSGIMiddleware

from transcribify.body_limits import with_length

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

THREADS = 32
"""Requests that Django works on at the same time; each may hold one database connection."""

DRAIN_SECONDS = 10.0
"""How long the rest of a refused body is read and thrown away, so that its sender gets to read the refusal."""


class Shell:
    """An ASGI application; see ``asgi.py`` for why it exists."""

    def __init__(self, django_application: Any) -> None:
        self._django = WSGIMiddleware(django_application, workers=THREADS)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._django(scope, receive, send)  # type: ignore[arg-type]
            return
        body = _WatchedBody(receive)
        ending = _HeldEnding(send)
        await self._django(with_length(without_look_alikes(scope)), body.receive, ending.send)  # type: ignore[arg-type]
        await body.drain()
        await ending.finish()


def without_look_alikes(scope: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Without headers whose names have an underscore: WSGI takes ``X_Forwarded_For`` for ``X-Forwarded-For``.

    A proxy writes the one and lets a client's own other one pass; Django's development server drops them as well.
    """
    return {**scope, "headers": [(name, value) for name, value in scope["headers"] if b"_" not in name]}


class _WatchedBody:
    """Knows whether the request's body was read to its end."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._is_over = False

    async def receive(self) -> Message:
        message = await self._receive()
        self._is_over = message["type"] == "http.disconnect" or not message.get("more_body", False)
        return message

    async def drain(self) -> None:
        deadline = time.monotonic() + DRAIN_SECONDS
        with suppress(TimeoutError):
            while not self._is_over:
                await asyncio.wait_for(self.receive(), timeout=deadline - time.monotonic())


class _HeldEnding:
    """Sends a response at once but for the message that ends it: the server closes the stream after that one."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._last: Message | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self._last = message
            return
        await self._send(message)

    async def finish(self) -> None:
        if self._last is not None:
            await self._send(self._last)
