"""A small OpenAI-compatible server on the loopback: it checks requests as a real one does, and obeys a script.

    with OpenAIStub() as stub:
        stub.script(RATE_LIMITED, chat_answer(GOOD_REPORT))
        ...                                   # point a real client at stub.base_url
        assert [request.path for request in stub.requests] == ["/v1/chat/completions"] * 2

Without a script (or after it) a chat is answered with ``GOOD_REPORT``, and an upload is decoded and answered with one
segment as long as the audio. A wrong key is a 401 and a missing field a 400 before the script is looked at.
"""

import io
import json
import re
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import av

from jobs.tests.stubs.openai_answers import GOOD_REPORT, INVALID_KEY, Answer, chat_answer, error_answer, verbose_answer

STUB_KEY = "sk-canary-of-the-tests-0123456789"


@dataclass(frozen=True)
class Received:
    """One request. ``fields`` are those of the form, in order, as lists; ``json`` that of a JSON request."""

    path: str
    headers: dict[str, str]
    json: dict = field(default_factory=dict)
    fields: dict[str, list[str]] = field(default_factory=dict)
    file_name: str = ""
    file: bytes = b""

    @property
    def file_seconds(self) -> float:
        """The length of the uploaded audio, decoded."""
        with av.open(io.BytesIO(self.file)) as container:
            return sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))


Script = Answer | Callable[[Received], Answer]


class OpenAIStub:
    def __init__(self, *, api_key: str = STUB_KEY) -> None:
        self.api_key = api_key
        self.requests: list[Received] = []
        self.stopping = threading.Event()
        self._script: deque[Script] = deque()
        self._always: Script | None = None
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.stub = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def script(self, *answers: Script) -> None:
        """The next answers, in order; a callable is given the request."""
        self._script.extend(answers)

    def always(self, answer: Script) -> None:
        """The answer to each request that the script does not reach."""
        self._always = answer

    def answer_to(self, request: Received) -> Answer:
        with self._lock:
            self.requests.append(request)
            chosen = self._script.popleft() if self._script else self._always
        refused = self._refuse(request)
        if refused or chosen is None:
            return refused or _good_answer(request)
        return chosen if isinstance(chosen, Answer) else chosen(request)

    def _refuse(self, request: Received) -> Answer | None:
        if request.headers.get("authorization") != f"Bearer {self.api_key}":
            return INVALID_KEY
        wanted = {
            "/v1/chat/completions": ("model", "messages"),
            "/v1/audio/transcriptions": ("model",),
            "/v1/audio/translations": ("model",),
        }
        if request.path not in wanted:
            return error_answer(404, f"Invalid URL (POST {request.path})")
        missing = [name for name in wanted[request.path] if name not in request.json and name not in request.fields]
        if "/audio/" in request.path and not request.file:
            missing.append("file")
        if missing:
            return error_answer(400, f"you must provide: {missing}")
        unknown = {"language", "timestamp_granularities[]"} & request.fields.keys()
        if request.path.endswith("translations") and unknown:
            return error_answer(400, f"Unrecognized request arguments: {sorted(unknown)}")
        return None

    def __enter__(self) -> "OpenAIStub":
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    stub: OpenAIStub


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = (
            self.rfile.read(int(self.headers["content-length"])) if "content-length" in self.headers else self._chunks()
        )
        self.close_connection = True
        # A client that has given up closes its end while the answer is on its way.
        with suppress(ConnectionError):
            self._send(self.server.stub.answer_to(self._received(body)))

    def log_message(self, *args: object) -> None:
        """Say nothing: the tests read the logs."""

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _received(self, body: bytes) -> Received:
        headers = {name.lower(): value for name, value in self.headers.items()}
        boundary = re.search(r"multipart/form-data; *boundary=\"?([^\";]+)", headers.get("content-type", ""))
        if not boundary:
            return Received(self.path, headers, json=json.loads(body or b"{}"))
        return Received(self.path, headers, **_read_form(body, boundary[1].encode()))

    def _send(self, answer: Answer) -> None:
        stopping = self.server.stub.stopping
        if answer.hang_seconds:
            stopping.wait(answer.hang_seconds)
        if answer.hang_up:
            return
        head = {"Content-Type": answer.content_type, "Content-Length": str(len(answer.body)), "Connection": "close"}
        lines = [f"HTTP/1.1 {answer.status} Stub", *(f"{k}: {v}" for k, v in (head | answer.headers).items()), "", ""]
        self._write("\r\n".join(lines).encode(), answer.drip_seconds if answer.drip_headers else 0.0)
        self._write(answer.body, answer.drip_seconds)

    def _write(self, content: bytes, drip_seconds: float) -> None:
        if not drip_seconds:
            self.wfile.write(content)
            return
        for byte in content:
            if self.server.stub.stopping.wait(drip_seconds):
                return
            self.wfile.write(bytes([byte]))


def _read_form(body: bytes, boundary: bytes) -> dict:
    form: dict = {"fields": {}}
    for part in body.split(b"--" + boundary)[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        content = content.removesuffix(b"\r\n")
        name = re.search(rb'[; ]name="([^"]*)"', head)[1].decode()
        if file_name := re.search(rb'filename="([^"]*)"', head):
            form |= {"file_name": file_name[1].decode(), "file": content}
        else:
            form["fields"].setdefault(name, []).append(content.decode())
    return form


def _good_answer(request: Received) -> Answer:
    if request.path.endswith("/chat/completions"):
        return chat_answer(GOOD_REPORT)
    return verbose_answer([{"start": 0.0, "end": request.file_seconds, "text": " Hello."}])
