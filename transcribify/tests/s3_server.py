"""An S3 server with a bucket, and a way to it that fails on request."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Literal

import boto3

from transcribify.tests.live_service import free_port, is_open, wait_until

BUCKET = "recordings"

_BROKEN = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@contextmanager
def s3_server() -> Iterator[tuple[Any, str]]:
    """A real S3 server while the block runs; (its bucket, its address)."""
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    wait_until(lambda: is_open(port), seconds=30, what="the S3 server")
    address = f"http://127.0.0.1:{port}"
    s3 = boto3.resource(
        "s3", endpoint_url=address, aws_access_key_id="a", aws_secret_access_key="b", region_name="us-east-1"
    )
    try:
        yield s3.create_bucket(Bucket=BUCKET), address
    finally:
        server.terminate()
        server.wait()


def s3_variables(address: str) -> dict[str, str]:
    """What a service needs to keep its recordings there."""
    return {
        "S3_BUCKET": BUCKET,
        "S3_ENDPOINT_URL": address,
        "S3_REGION": "us-east-1",
        "S3_ACCESS_KEY_ID": "a",
        "S3_SECRET_ACCESS_KEY": "b",
    }


class FlakyDoor:
    """A TCP door in front of a server: lets everybody in, answers 500, or takes connections and says nothing."""

    def __init__(self, address: str) -> None:
        self.mode: Literal["open", "broken", "hung"] = "open"
        self._server_port = int(address.rpartition(":")[2])
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._connections: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def turn(self, mode: Literal["open", "broken", "hung"]) -> None:
        """From now on; connections that are open are cut, so that nobody keeps an old one."""
        self.mode = mode
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self._connections.clear()

    def close(self) -> None:
        self.turn("broken")
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._connections.append(client)
                threading.Thread(target=self._attend, args=(client,), daemon=True).start()

    def _attend(self, client: socket.socket) -> None:
        with suppress(OSError):
            if self.mode == "broken":
                client.recv(65_536)
                client.sendall(_BROKEN)
                client.shutdown(socket.SHUT_RDWR)
            elif self.mode == "open":
                server = socket.create_connection(("127.0.0.1", self._server_port))
                self._connections.append(server)
                threading.Thread(target=_pump, args=(server, client), daemon=True).start()
                _pump(client, server)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
