"""Where calls wait for their jobs: no thread and no database connection each, one poller for all of a process.

A client that goes away leaves its job a time of grace, in which it may come back (a retry joins the job).
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.db import InterfaceError, OperationalError, connections

from transcribify.bodies import Receive
from transcribify.openai_compat.answers import (
    STREAM_HEADERS,
    final_answer,
    final_event,
    segment_events,
    stopping_answer,
    stopping_event,
)
from transcribify.openai_compat.calls import Call, Send
from transcribify.openai_compat.sightings import BEGINNING, Place, Sighting, look_at
from transcribify.threads import start_threads

logger = logging.getLogger(__name__)

T = TypeVar("T")

LOOK_SECONDS = 0.2
"""Between two looks at the database."""

REST_SECONDS = 2.0
"""After a look that failed: the database is away, and the jobs go on without it for a while."""

ALIVE_SECONDS = 15.0
"""A stream is never silent for longer, so that no proxy takes it for dead."""

CLOSE_SECONDS = 2.0
"""For the last look when the process ends: then the jobs are left."""

ANSWER_THREADS = 2
"""Answers that are put together at the same time. The poller has a thread of its own."""


@dataclass(slots=True, eq=False)
class Seat:
    """One waiting call: what was seen of its job and not sent yet, and how much of it was seen.

    ``place`` is None where nothing is streamed.
    """

    call: Call
    news: asyncio.Queue[Sighting] = field(default_factory=asyncio.Queue)
    place: Place | None = None
    segments: int = 0
    heard_seconds: float = 0.0


class WaitingRoom:
    """All calls of this process that wait."""

    def __init__(self) -> None:
        self._seats: set[Seat] = set()
        self._left: set[int] = set()
        self._poller: asyncio.Task[None] | None = None
        self._looking = ThreadPoolExecutor(1, thread_name_prefix="look")
        self._answering = ThreadPoolExecutor(ANSWER_THREADS, thread_name_prefix="answer")
        start_threads(self._looking, 1)
        start_threads(self._answering, ANSWER_THREADS)

    async def serve(self, call: Call, receive: Receive, send: Send) -> None:
        """Wait for the call's job and answer; give the job its time of grace when the client goes away before."""
        seat = Seat(call, place=BEGINNING if call.stream else None)
        self._seats.add(seat)
        logger.info("job %s: a client waits for it, one of %s here", call.job_id, len(self._seats))
        gone = asyncio.create_task(_disconnection(receive))
        try:
            self._wake_poller()
            await (self._stream if call.stream else self._answer)(seat, send, gone)
        finally:
            gone.cancel()
            if seat in self._seats:  # its job is not over
                self._seats.remove(seat)
                self._left.add(call.job_id)
                self._wake_poller()

    async def close(self) -> None:
        """The process ends, and the jobs go on: they are left to whoever sends the same request again in time."""
        if self._poller:
            await asyncio.wait({self._poller}, timeout=CLOSE_SECONDS)

    async def _answer(self, seat: Seat, send: Send, gone: "asyncio.Task[None]") -> None:
        try:
            if not await _next_or_gone(seat, gone):
                return
            answer = await self._in_thread(final_answer, seat.call)
        except asyncio.CancelledError:  # the server's last word to whom it waits for no longer
            answer = stopping_answer(seat.call)
        await _start(send, answer.status, {**answer.headers, "content-length": str(len(answer.content))})
        await _send_body(send, answer.content, more=False)

    async def _stream(self, seat: Seat, send: Send, gone: "asyncio.Task[None]") -> None:
        await _start(send, 200, {**STREAM_HEADERS, **seat.call.headers})
        try:
            if not await _send_segments(seat, send, gone):
                return
            last = await self._in_thread(final_event, seat.call)
        except asyncio.CancelledError:
            last = stopping_event()
        await _send_body(send, last + b"data: [DONE]\n\n", more=False)

    def _wake_poller(self) -> None:
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll())

    async def _poll(self) -> None:
        """Look at all jobs that are waited for, and tell each seat what is new; ends when nobody waits."""
        loop = asyncio.get_running_loop()
        while self._seats or self._left:
            watched, left = self._watched(), set(self._left)
            look = loop.run_in_executor(self._looking, lambda: look_at(watched, left=left - watched.keys()))  # noqa: B023
            try:
                sightings = await look
            except Exception as error:
                is_away = isinstance(error, OperationalError | InterfaceError)
                logger.warning(
                    "could not look after %s waiting calls, it is tried again: %s",
                    len(self._seats), error, exc_info=not is_away,
                )  # fmt: skip
                await asyncio.sleep(REST_SECONDS)
                continue
            self._left -= left
            for seat in list(self._seats):
                self._tell(seat, sightings.get(seat.call.job_id))
            await asyncio.sleep(LOOK_SECONDS)

    def _watched(self) -> dict[int, Place | None]:
        """The jobs, each with the last part that all of its seats have seen."""
        watched: dict[int, Place | None] = {}
        for seat in self._seats:
            known = watched.get(seat.call.job_id)
            places = [place for place in (known, seat.place) if place is not None]
            watched[seat.call.job_id] = min(places, default=None)
        return watched

    def _tell(self, seat: Seat, sighting: Sighting | None) -> None:
        if sighting is None:  # it sat down after the question was asked
            return
        news = [] if seat.place is None else _unseen(seat, seat.place, sighting)
        if news or sighting.is_over:
            seat.news.put_nowait(Sighting(sighting.is_over, news))
        if sighting.is_over:
            self._seats.remove(seat)

    async def _in_thread(self, work: Callable[[Call], T], call: Call) -> T:
        def run() -> T:
            try:
                return work(call)
            finally:
                connections.close_all()

        return await asyncio.get_running_loop().run_in_executor(self._answering, run)


def _unseen(seat: Seat, seen: Place, sighting: Sighting) -> list[tuple[Place, list[dict[str, Any]]]]:
    """The parts that are new to a seat, without segments that it had of a worker who did not finish them.

    They are numbered as they are sent: while others are at earlier chunks, the saved numbers are not the last ones.
    """
    news = []
    for place, segments in sighting.parts:
        if place <= seen:
            continue
        seat.place = seen = place
        unseen = [segment for segment in segments if segment["start"] >= seat.heard_seconds]
        if unseen:
            news.append((place, [fields | {"id": seat.segments + index} for index, fields in enumerate(unseen)]))
            seat.segments += len(unseen)
            seat.heard_seconds = unseen[-1]["end"]
    return news


async def _send_segments(seat: Seat, send: Send, gone: "asyncio.Task[None]") -> bool:
    """Send what is recognised, as it comes, until the job is over; False when the client is gone before."""
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
            return True


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
