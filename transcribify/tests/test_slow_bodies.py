"""Whoever sends slowly waits alone: others find a thread, a database connection and an answer."""

import asyncio
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx2
import psutil
import pytest

from transcribify.shell import Shell
from transcribify.tests.client import Client
from transcribify.tests.live_service import LiveService, wait_until
from transcribify.tests.raw_http import FORM, FORM_START, connect, exchange, head, read_answer

SLOW_LOGINS, SLOW_UPLOADS = 100, 40
MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveService]:
    """A web process that waits 1.5 s for a sender, and has two threads for recordings."""
    live = LiveService(tmp_path_factory.mktemp("impatient"), MIN_FREE_DISK_MEGABYTES="0")
    try:
        live.migrate()
        live.start_web("transcribify.tests.impatient_asgi:application")
        yield live
    finally:
        live.stop()


@pytest.fixture
def bob(impatient: LiveService, request: pytest.FixtureRequest) -> Client:
    return Client(impatient.url, f"bob-{abs(hash(request.node.name))}@example.org")


def temporary_files(live: LiveService) -> list[Path]:
    return list((live.folder / "incoming").iterdir())


def assert_nothing_is_left(live: LiveService, client: Client) -> None:
    wait_until(lambda: not temporary_files(live), seconds=5, what="the temporary file to go")
    assert client.http.get("/jobs").json()["results"] == []
    assert client.usage()["reserved_seconds"] == 0


def upload_head(client: Client, length: int) -> bytes:
    return head("POST", "/jobs", token=client.token, content_type=FORM, content_length=length)


def test_a_hundred_and_forty_slow_senders_delay_nobody(service: LiveService, client: Client, english_path: Path):
    slow = Client(service.url, "slow@example.org")
    login = head("POST", "/auth/login", content_type="application/json", content_length=1000) + b'{"email": "'
    upload = upload_head(slow, 20 * MEGABYTE) + FORM_START + bytes(600_000)
    with ExitStack() as stack:
        connections = []
        for beginning in [login] * SLOW_LOGINS + [upload] * SLOW_UPLOADS:
            connection = stack.enter_context(connect(service.web_port))
            connection.sendall(beginning)
            connections.append(connection)
        wait_until(lambda: len(temporary_files(service)) == SLOW_UPLOADS, seconds=20, what="all slow uploads to begin")
        wait_until(lambda: open_databases(service) <= 2, seconds=5, what="database connections to be given back")
        seconds = []
        for _ in range(5):
            for connection in connections:
                connection.sendall(b"a")
            seconds += [seconds_of(lambda: client.usage()), seconds_of(lambda: client.submit(english_path))]
    print(f"\n{SLOW_LOGINS} slow logins, {SLOW_UPLOADS} slow uploads: usage and upload p100 {max(seconds):.2f} s")
    assert max(seconds) < 2
    wait_until(lambda: not temporary_files(service), seconds=10, what="the files of those who hung up to go")
    assert slow.usage()["reserved_seconds"] == 0


def open_databases(live: LiveService) -> int:
    """Database connections of the web process: SQLite opens the file once for each."""
    files = psutil.Process(live.processes["web"].pid).open_files()
    return sum(file.path.endswith(".sqlite3") for file in files)


def seconds_of(act) -> float:
    started = time.monotonic()
    answer = act()
    assert not isinstance(answer, httpx2.Response) or answer.status_code == 202, answer.text
    return time.monotonic() - started


def test_a_reader_who_never_reads_holds_no_thread():
    """Straight through the shell: a real connection keeps megabytes for its reader before anybody would notice."""

    def script(environ: dict, start_response: Callable) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/javascript")])
        return [bytes(4096)] * 100

    async def get(shell: Shell, send: Callable) -> None:
        scope = {
            "type": "http",
            "method": "GET",
            "path": "/",
            "query_string": b"",
            "headers": [],
            "http_version": "1.1",
        }
        await shell(scope, asyncio.Event().wait, send)

    async def never(message: dict) -> None:
        await asyncio.Event().wait()

    async def at_once(message: dict) -> None:
        sent.append(message)

    async def three_requests() -> None:
        shell = Shell(script, threads=1)
        readers = [asyncio.create_task(get(shell, never)) for _ in range(2)]
        await asyncio.wait_for(get(shell, at_once), timeout=5)
        for reader in readers:
            reader.cancel()

    sent: list[dict] = []
    asyncio.run(three_requests())
    assert sum(len(message.get("body", b"")) for message in sent) == 409_600


def drip(connection: socket.socket, block: bytes, *, every_seconds: float, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    try:
        while time.monotonic() < deadline:
            connection.sendall(block)
            time.sleep(every_seconds)
    except (BrokenPipeError, ConnectionResetError):
        pass


@pytest.mark.parametrize("length", [{"content_length": 1000}, {"transfer_encoding": "chunked"}], ids=str)
def test_a_small_body_that_drips_is_408_and_the_connection_is_closed(impatient: LiveService, length: dict):
    block = b"a" if "content_length" in length else b"1\r\na\r\n"
    with connect(impatient.web_port) as connection:
        started = time.monotonic()
        connection.sendall(head("POST", "/auth/login", content_type="application/json", **length))
        drip(connection, block, every_seconds=0.2, seconds=1.6)
        answer = read_answer(connection)
        waited = time.monotonic() - started
        assert (answer.status, answer.code, answer.headers["connection"]) == (408, "body_too_slow", "close")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert connection.recv(1) == b""
    assert 1.4 < waited < 4


def test_a_recording_that_stops_coming_is_408_and_leaves_nothing(impatient: LiveService, bob: Client):
    with connect(impatient.web_port) as connection:
        connection.sendall(upload_head(bob, 5 * MEGABYTE) + FORM_START + bytes(2 * MEGABYTE))
        wait_until(lambda: temporary_files(impatient), seconds=5, what="the upload to begin")
        answer = read_answer(connection)
        assert (answer.status, answer.code, answer.headers["connection"]) == (408, "body_too_slow", "close")
        assert connection.recv(1) == b""
    assert_nothing_is_left(impatient, bob)


def test_a_recording_that_drips_is_408_although_it_never_stops(impatient: LiveService, bob: Client):
    with connect(impatient.web_port) as connection:
        started = time.monotonic()
        connection.sendall(upload_head(bob, 5 * MEGABYTE) + FORM_START)
        drip(connection, bytes(200), every_seconds=0.1, seconds=2)
        assert read_answer(connection).code == "body_too_slow"
        assert time.monotonic() - started < 4
    assert_nothing_is_left(impatient, bob)


def test_a_recording_that_is_slow_but_moves_is_taken(impatient: LiveService, bob: Client, english_path: Path):
    content = FORM_START.replace(b"a.wav", b"a.flac") + english_path.read_bytes() + b"\r\n--x--\r\n"
    filler = b'--x\r\nContent-Disposition: form-data; name="prompt"\r\n\r\nhello\r\n'
    blocks = [content[start : start + 12_000] for start in range(0, 84_000, 12_000)] + [content[84_000:]]

    def slowly() -> Iterator[bytes]:
        for block in [filler, *blocks]:
            yield f"{len(block):x}\r\n".encode() + block + b"\r\n"
            time.sleep(0.4)
        yield b"0\r\n\r\n"

    start = head("POST", "/jobs", token=bob.token, content_type=FORM, transfer_encoding="chunked")
    answer = exchange(impatient.web_port, start, slowly())
    assert answer.status == 202, answer.body


def test_a_short_recording_that_is_slow_but_moves_is_taken(impatient: LiveService, bob: Client, english_path: Path):
    content = FORM_START.replace(b"a.wav", b"a.flac") + english_path.read_bytes() + b"\r\n--x--\r\n"
    assert len(content) < MEGABYTE

    def slowly() -> Iterator[bytes]:
        for start in range(0, 60_000, 12_000):
            yield content[start : start + 12_000]
            time.sleep(0.4)
        yield content[60_000:]

    assert exchange(impatient.web_port, upload_head(bob, len(content)), slowly()).status == 202


def test_a_recording_whose_sender_hangs_up_makes_no_job(impatient: LiveService, bob: Client, english_path: Path):
    with connect(impatient.web_port) as connection:
        connection.sendall(upload_head(bob, 5 * MEGABYTE) + FORM_START + english_path.read_bytes() + bytes(MEGABYTE))
        wait_until(lambda: temporary_files(impatient), seconds=5, what="the upload to begin")
    assert_nothing_is_left(impatient, bob)


def test_uploads_beyond_the_threads_for_them_are_503_at_once_and_all_else_goes_on(impatient: LiveService, bob: Client):
    beginning = upload_head(bob, 5 * MEGABYTE) + FORM_START + bytes(600_000)
    with connect(impatient.web_port) as first, connect(impatient.web_port) as second:
        first.sendall(beginning)
        second.sendall(beginning)
        wait_until(lambda: len(temporary_files(impatient)) == 2, seconds=5, what="two uploads to begin")
        started = time.monotonic()
        with connect(impatient.web_port) as third:
            third.sendall(upload_head(bob, 5 * MEGABYTE))
            answer = read_answer(third)
        assert (answer.status, answer.code) == (503, "too_many_uploads")
        assert int(answer.headers["retry-after"]) > 0
        assert bob.usage()["reserved_seconds"] == 0
        print(f"\nrefused and served after {time.monotonic() - started:.2f} s")
        assert time.monotonic() - started < 1
    assert_nothing_is_left(impatient, bob)
    assert exchange(impatient.web_port, upload_head(bob, 2 * MEGABYTE), bytes(2 * MEGABYTE)).status == 400


def test_who_has_no_budget_left_is_told_before_the_recording_is_sent(impatient: LiveService, bob: Client):
    impatient.manage("shell", "-c", "from accounts.models import QuotaAccount as Q; Q.objects.update(limit_ms=0)")
    with connect(impatient.web_port) as connection:
        connection.sendall(upload_head(bob, 5 * MEGABYTE))
        answer = read_answer(connection)
    assert (answer.status, answer.code) == (429, "audio_limit_exceeded")
    assert {"remaining_seconds": 0.0, "limit_seconds": 0.0}.items() <= json.loads(answer.body).items()
    assert_nothing_is_left(impatient, bob)
