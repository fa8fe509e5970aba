"""Where calls wait for their jobs: no thread and no database connection each, one poller for all of a process.

A client that goes away leaves its job a time of grace, in which it may come back (a retry joins the job).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from django.db import connections

from jobs.abandonment import abandon_job
from transcribify.openai_compat.answers import STREAM_HEADERS, final_answer, final_event, segment_events
from transcribify.openai_compat.calls import Call
from transcribify.openai_compat.sightings import NOT_STREAMED, Sighting, look_at

logger = logging.getLogger(__name__)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

LOOK_SECONDS = 0.2
"""Between two looks at the database."""

REST_SECONDS = 2.0
"""After a look that failed: the database is away, and the jobs go on without it for a while."""

ALIVE_SECONDS = 15.0
"""A stream is never silent for longer, so that no proxy takes it for dead."""

ANSWER_THREADS = 2
"""Answers that are put together at the same time. The poller has a thread of its own."""


@dataclass(slots=True, eq=False)
class Seat:
    """One waiting call: what was seen of its job and not sent yet."""

    call: Call
    news: asyncio.Queue[Sighting] = field(default_factory=asyncio.Queue)
    position: int = NOT_STREAMED


class WaitingRoom:
    """All calls of this process that wait."""

    def __init__(self) -> None:
        self._seats: list[Seat] = []
        self._poller: asyncio.Task[None] | None = None
        self._looking = ThreadPoolExecutor(1, thread_name_prefix="look")
        self._answering = ThreadPoolExecutor(ANSWER_THREADS, thread_name_prefix="answer")

    async def serve(self, call: Call, receive: Receive, send: Send) -> None:
        """Wait for the call's job and answer; give the job its time of grace when the client goes away before."""
        seat = Seat(call, position=0 if call.stream else NOT_STREAMED)
        self._seats.append(seat)
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll())
        gone = asyncio.create_task(_disconnection(receive))
        try:
            answered = await (self._stream if call.stream else self._answer)(seat, send, gone)
        finally:
            gone.cancel()
            self._seats.remove(seat)
        if not answered:
            await self._in_thread(abandon_job, job_id=call.job_id)

    async def _answer(self, seat: Seat, send: Send, gone: "asyncio.Task[None]") -> bool:
        if not await _next_or_gone(seat, gone):
            return False
        answer = await self._in_thread(final_answer, seat.call)
        await _start(send, answer.status, {**answer.headers, "content-length": str(len(answer.content))})
        await _send_body(send, answer.content, more=False)
        return True

    async def _stream(self, seat: Seat, send: Send, gone: "asyncio.Task[None]") -> bool:
        await _start(send, 200, {**STREAM_HEADERS, **seat.call.headers})
        is_begun = False
        while True:
            try:
                sighting = await _next_or_gone(seat, gone, seconds=ALIVE_SECONDS)
            except TimeoutError:
                await _send_body(send, b": still at work\n\n")
                continue
            if sighting is None:
                return False
            for _, segments in sighting.parts:
                if events := segment_events(seat.call, segments, is_begun=is_begun):
                    await _send_body(send, events)
                    is_begun = True
            if sighting.is_over:
                last = await self._in_thread(final_event, seat.call)
                await _send_body(send, last.content + b"data: [DONE]\n\n", more=False)
                return True

    async def _poll(self) -> None:
        """Look at all jobs that are waited for, and tell each seat what is new; ends when nobody waits."""
        loop = asyncio.get_running_loop()
        while self._seats:
            try:
                sightings = await loop.run_in_executor(self._looking, look_at, self._watched())
            except Exception as error:
                logger.warning("could not look after %s waiting calls, it is tried again: %s", len(self._seats), error)
                await asyncio.sleep(REST_SECONDS)
                continue
            for seat in self._seats:
                _tell(seat, sightings.get(seat.call.job_id))
            await asyncio.sleep(LOOK_SECONDS)

    def _watched(self) -> dict[int, int]:
        """The jobs, each with the first part that one of its seats has not seen."""
        watched: dict[int, int] = {}
        for seat in self._seats:
            known = watched.get(seat.call.job_id, NOT_STREAMED)
            positions = [position for position in (known, seat.position) if position != NOT_STREAMED]
            watched[seat.call.job_id] = min(positions, default=NOT_STREAMED)
        return watched

    async def _in_thread(self, work: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        def run() -> Any:
            try:
                return work(*arguments, **named)
            finally:
                connections.close_all()

        return await asyncio.get_running_loop().run_in_executor(self._answering, run)


def _tell(seat: Seat, sighting: Sighting | None) -> None:
    if sighting is None:  # it sat down after the question was asked
        return
    news = [part for part in sighting.parts if seat.position != NOT_STREAMED and part[0] >= seat.position]
    if news:
        seat.position = news[-1][0] + 1
    if news or sighting.is_over:
        seat.news.put_nowait(Sighting(sighting.is_over, news))


async def _next_or_gone(seat: Seat, gone: "asyncio.Task[None]", *, seconds: float | None = None) -> Sighting | None:
    """What is next to be sent; None when the client is gone. Raises ``TimeoutError``."""
    news = asyncio.create_task(seat.news.get())
    try:
        await asyncio.wait({news, gone}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if news.done():
            return news.result()
        if gone.done():
            return None
        raise TimeoutError
    finally:
        news.cancel()


async def _disconnection(receive: Receive) -> None:
    with suppress(Exception):  # a connection that broke is gone, too
        while (await receive())["type"] != "http.disconnect":
            pass


async def _start(send: Send, status: int, headers: dict[str, str]) -> None:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    nosniff = (b"x-content-type-options", b"nosniff")
    await send({"type": "http.response.start", "status": status, "headers": [*raw, nosniff]})


async def _send_body(send: Send, content: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": content, "more_body": more})
