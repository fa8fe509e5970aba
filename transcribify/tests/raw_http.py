"""HTTP as no well-behaved client writes it: requests as bytes on a socket."""

import json
import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

FORM = "multipart/form-data; boundary=x"
FORM_START = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
FORM_END = b"\r\n--x--\r\n"


@dataclass(frozen=True)
class Answer:
    """What came back; status 0 and no headers where nothing did."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        with suppress(ValueError):
            found = json.loads(self.body)
            return str(found.get("code", "")) if isinstance(found, dict) else ""
        return ""


def connect(port: int, *, timeout_seconds: float = 20) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=timeout_seconds)


def head(method: str, address: str, *, host: str = "localhost", token: str = "", **headers: Any) -> bytes:
    """Request line and headers; ``content_type="x"`` is sent as ``Content-Type: x``."""
    lines = [f"{method} {address} HTTP/1.1", f"Host: {host}"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    lines += [f"{name.replace('_', '-').title()}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def exchange(port: int, *parts: bytes | Iterable[bytes], timeout_seconds: float = 20) -> Answer:
    """Send the parts, as far as the server takes them, and read the answer."""
    with connect(port, timeout_seconds=timeout_seconds) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):
            for part in parts:
                for block in [part] if isinstance(part, bytes) else part:
                    connection.sendall(block)
        return read_answer(connection)


def read_answer(connection: socket.socket) -> Answer:
    """The next answer on a connection, to the end of its body."""
    received = b""
    with suppress(ConnectionResetError):
        while not _is_complete(received) and (block := connection.recv(65_536)):
            received += block
    start, _, body = received.partition(b"\r\n\r\n")
    status_line, *lines = start.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Answer(int(status_line.split()[1]) if status_line else 0, headers, body)


def _is_complete(received: bytes) -> bool:
    start, found, body = received.partition(b"\r\n\r\n")
    if not found:
        return False
    for line in start.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return len(body) >= int(line.partition(b":")[2])
    return body.endswith(b"0\r\n\r\n") if b"transfer-encoding: chunked" in start.lower() else False
