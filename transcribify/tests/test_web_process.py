"""The web process stays small: no engine is loaded, and a refused body is neither kept nor remembered."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from transcribify.tests.client import Client
from transcribify.tests.live_service import ROOT, LiveService

MEGABYTE = 1_000_000


ENGINES = ("ctranslate2", "faster_whisper", "pocketsphinx", "av", "torch", "openai")
LOAD_WEB = "import transcribify.asgi; from django.urls import get_resolver; get_resolver().url_patterns"
LOAD_WORKER = "import celery_app; celery_app.app.loader.import_default_modules()"


@pytest.mark.parametrize(
    ("load", "engines"), [(LOAD_WEB, (*ENGINES, "onnxruntime")), (LOAD_WORKER, ENGINES)], ids=["web", "worker"]
)
def test_starting_a_process_loads_no_engine(load: str, engines: tuple[str, ...]) -> None:
    """A worker's processes load what their jobs need, after the fork; a worker that starts late is late for them."""
    code = f"import sys; {load}; print([name for name in {engines} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=os.environ, capture_output=True, text=True)
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr


def send_large_post(port: int, beginning: str, megabytes: int, address: str = "/jobs") -> str:
    """POST ``beginning`` (headers, and what of the body comes before the zeros), then zeros; the status line."""
    block = bytes(MEGABYTE)
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(f"POST {address} HTTP/1.1\r\nHost: localhost\r\n{beginning}".encode())
        try:
            for _ in range(megabytes):
                connection.sendall(block)
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            answer = connection.recv(4096).decode()
        except ConnectionResetError:
            answer = ""
    return answer.partition("\r\n")[0]


def disk_use(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and path.suffix != ".log")


def test_a_large_post_without_a_token_leaves_nothing(service: LiveService) -> None:
    web = psutil.Process(service.processes["web"].pid)
    send_large_post(service.web_port, "Content-Length: 1000000\r\n\r\n", 1)
    memory, disk = web.memory_info().rss, disk_use(service.folder)
    status = send_large_post(service.web_port, "Content-Length: 1000000000\r\n\r\n", 1000)
    assert "401" in status
    grown = web.memory_info().rss - memory
    print(f"memory {grown / MEGABYTE:+.1f} MB, disk {(disk_use(service.folder) - disk) / MEGABYTE:+.2f} MB")
    assert abs(grown) < 20 * MEGABYTE
    assert disk_use(service.folder) - disk < MEGABYTE


def test_a_large_body_is_refused_where_no_recording_belongs(service: LiveService) -> None:
    web = psutil.Process(service.processes["web"].pid)
    memory = web.memory_info().rss
    for content_type in ("application/json", "multipart/form-data; boundary=x"):
        for length in ("Content-Length: 200000000", f"Transfer-Encoding: chunked\r\n\r\n{200 * MEGABYTE:x}"):
            beginning = f"Content-Type: {content_type}\r\n{length}\r\n" + "\r\n" * ("chunked" not in length)
            status = send_large_post(service.web_port, beginning, 200, address="/auth/login")
            assert status.split()[1] in {"413", "400"}
    assert web.memory_info().rss - memory < 20 * MEGABYTE


def test_an_upload_over_the_limit_is_cut_off_and_leaves_nothing(client: Client, service: LiveService) -> None:
    web = psutil.Process(service.processes["web"].pid)
    memory, disk = web.memory_info().rss, disk_use(service.folder)
    part = "--x\r\nContent-Disposition: form-data; name=file; filename=a.wav\r\n\r\n"
    headers = f"Authorization: Bearer {client.token}\r\nContent-Type: multipart/form-data; boundary=x\r\n"
    headers += f"Transfer-Encoding: chunked\r\n\r\n{len(part):x}\r\n{part}\r\n{300 * MEGABYTE:x}\r\n"
    status = send_large_post(service.web_port, headers, 300)
    assert "413" in status
    assert abs(web.memory_info().rss - memory) < 20 * MEGABYTE
    assert disk_use(service.folder) - disk < MEGABYTE
    assert client.usage()["reserved_seconds"] == 0
