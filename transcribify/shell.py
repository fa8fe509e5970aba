"""The asynchronous shell around Django: reads small bodies, and hands recordings to threads of their own.

A thread of Django costs memory and, while it works, a database connection; one that waits for a slow sender is lost to
everybody else. So ordinary requests get a thread once their body is there, and recordings are read and sent in other
threads.
"""

import json
import re
from contextlib import closing
from typing import Any
from urllib.parse import quote_from_bytes

from a2wsgi import WSGIMiddleware
from django.conf import settings

from accounts.errors import TranscribifyError
from jobs.files import is_disk_full, storage_full
from transcribify.api_errors import shaped, status_of
from transcribify.bodies import BodyCutOff, Message, MovingBody, Patience, Receive, read_small, replay
from transcribify.body_limits import has_body, is_form, is_large, with_length, with_longest_length
from transcribify.openai_compat.calls import SLOT, Scope, Send
from transcribify.openai_compat.errors import is_openai
from transcribify.openai_compat.naming import with_request_id
from transcribify.openai_compat.waiting_room import WaitingRoom
from transcribify.threads import start_threads

THREADS = 32
"""Requests that Django works on at the same time; each may hold one database connection."""

UPLOAD_THREADS = 64
"""Recordings that are read at the same time. None holds a database connection meanwhile."""

DOWNLOAD_THREADS = 64
"""Recordings that are sent at the same time, without a database connection; a slow reader keeps its thread waiting."""

RETRY_UPLOAD_SECONDS = 30

ANSWER_PARTS = 1024
"""Parts of an answer (of 4 kB where it is a file) that wait for a slow reader without a thread that waits with them."""

_DOWNLOAD = re.compile("/jobs/[0-9]+/audio")


class Shell:
    """An ASGI application; see ``asgi.py`` for why it exists."""

    def __init__(
        self,
        django_application: Any,
        *,
        threads: int = THREADS,
        upload_threads: int = UPLOAD_THREADS,
        download_threads: int = DOWNLOAD_THREADS,
        patience: Patience | None = None,
    ) -> None:
        self._requests: Any = WSGIMiddleware(django_application, workers=threads, send_queue_size=ANSWER_PARTS)
        self._uploads: Any = WSGIMiddleware(django_application, workers=upload_threads, send_queue_size=ANSWER_PARTS)
        self._downloads: Any = WSGIMiddleware(
            django_application, workers=download_threads, send_queue_size=ANSWER_PARTS
        )
        self._patience = patience or Patience()
        self._upload_threads = upload_threads
        self._uploads_at_work = 0
        self._waiting_room = WaitingRoom()
        start_threads(self._requests.executor, threads)
        start_threads(self._uploads.executor, upload_threads)
        start_threads(self._downloads.executor, download_threads)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        if scope["type"] != "http":
            await self._requests(scope, receive, send)
            return
        if is_openai(scope["path"]):
            send = with_request_id(scope, send)
        take = self._take_upload if is_large(scope) else self._take_request
        await take(_tidy(scope), receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        """From the process's start to its end."""
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._waiting_room.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _take_request(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not has_body(scope):
            pool = self._downloads if _DOWNLOAD.fullmatch(scope["path"]) else self._requests
            await pool(scope, receive, send)
            return
        body = MovingBody(receive, self._patience)
        # A short recording over a thin line may take longer, as long as it moves.
        seconds = None if is_form(scope) else self._patience.small_body_seconds
        try:
            content = await read_small(
                body,
                max_bytes=settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
                seconds=seconds,
                folder=str(settings.FILE_UPLOAD_TEMP_DIR),
            )
        except BodyCutOff:
            return
        except (TranscribifyError, OSError) as error:
            await _refuse(send, _as_refusal(error), body, scope["path"])
            return
        with closing(content):
            length = content.seek(0, 2)
            content.seek(0)
            asked = with_length(scope, length)
            await self._requests(asked, replay(content), _Withheld(asked, send).send)
        await self._wait(asked, receive, send)

    async def _take_upload(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = MovingBody(receive, self._patience)
        if self._uploads_at_work >= self._upload_threads:
            await _refuse(send, _too_many_uploads(), body, scope["path"])
            return
        answer = _Answer(send, body)
        asked = with_longest_length(scope)
        self._uploads_at_work += 1
        try:
            await self._uploads(asked, body.receive, _Withheld(asked, answer.send).send)
        finally:
            self._uploads_at_work -= 1
        await body.drain()
        await answer.finish()
        await self._wait(asked, receive, send)

    async def _wait(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a call whose view left it here, once its job is done; no thread waits with it."""
        if call := scope.get(SLOT):
            await self._waiting_room.serve(call, receive, send)


class _Withheld:
    """Sends a response, but not that of a view which left a call to be waited for: its answer is yet to come."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send

    async def send(self, message: Message) -> None:
        if SLOT not in self._scope:
            await self._send(message)


class _Answer:
    """Sends a response at once but for the message that ends it: the server closes the stream after that one."""

    def __init__(self, send: Send, body: MovingBody) -> None:
        self._send = send
        self._body = body
        self._last: Message | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self._last = message
            return
        if message["type"] == "http.response.start" and not self._body.is_over:
            # Nobody will look for a next request behind a body that was not read to its end.
            message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
        await self._send(message)

    async def finish(self) -> None:
        if self._last is not None:
            await self._send(self._last)


async def _refuse(send: Send, error: TranscribifyError, body: MovingBody, path: str) -> None:
    """Answer without Django, in the shape of ``api_errors``, and close the connection."""
    extra = dict(error.extra)
    retry_seconds = extra.pop("retry_after_seconds", None)
    status, shape, more = shaped(path, status_of(error), {"detail": error.message, "code": error.code, **extra})
    content = json.dumps(shape).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(content)).encode()),
        (b"x-content-type-options", b"nosniff"),
        *((name.encode(), value.encode()) for name, value in more.items()),
    ]
    if retry_seconds is not None:
        headers.append((b"retry-after", str(retry_seconds).encode()))
    answer = _Answer(send, body)
    await answer.send({"type": "http.response.start", "status": status, "headers": headers})
    await answer.send({"type": "http.response.body", "body": content, "more_body": True})
    await body.drain()
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _as_refusal(error: TranscribifyError | OSError) -> TranscribifyError:
    if isinstance(error, TranscribifyError):
        return error
    if not is_disk_full(error):
        raise error
    return storage_full()


def _too_many_uploads() -> TranscribifyError:
    return TranscribifyError(
        "Too many recordings are being uploaded at this moment. Try again in half a minute.",
        code="too_many_uploads",
        retry_after_seconds=RETRY_UPLOAD_SECONDS,
    )


def _tidy(scope: Scope) -> Scope:
    """Without what WSGI cannot tell apart or cannot hold: ``X_Forwarded_For`` would pass for ``X-Forwarded-For``."""
    headers = [(name, value) for name, value in scope["headers"] if b"_" not in name]
    query = quote_from_bytes(scope["query_string"], safe="%!$&'()*+,/:;=?@[]~\"<>\\^`{|}#")
    return {**scope, "headers": headers, "query_string": query.encode()}
