"""Uploads and requests made to break something: refused with 4xx, at no cost, and the service goes on."""

import json
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from transcribify.tests.client import Client
from transcribify.tests.live_service import LiveService, wait_until
from transcribify.tests.peak_memory import peak_memory
from transcribify.tests.raw_http import FORM, FORM_END, FORM_START, Answer, connect, exchange, head, read_answer

MEGABYTE = 1_000_000
ROOM_BYTES = 50 * MEGABYTE


@pytest.fixture(scope="module")
def client(service: LiveService) -> Client:
    """One user for all of these: what they try costs nothing."""
    return Client(service.url, "hostile@example.org")


@pytest.fixture
def port(service: LiveService) -> int:
    return service.web_port


@pytest.fixture
def no_harm(service: LiveService, client: Client) -> Iterator[None]:
    """After the test: memory hardly grew, nothing lies where nothing belongs, nothing is reserved, all is served."""
    beside, elsewhere = listing(service.folder.parent), listing(Path(tempfile.gettempdir()))
    uploads, failed = stored_uploads(service), failures(service)
    with peak_memory(service) as peak:
        yield
    print(f"\npeak memory {(peak[-1] - peak[0]) / MEGABYTE:+.1f} MB")
    assert peak[-1] - peak[0] < ROOM_BYTES
    assert listing(service.folder.parent) == beside
    assert not [path for path in listing(Path(tempfile.gettempdir())) - elsewhere if owned(path)]
    incoming = service.folder / "incoming"
    wait_until(lambda: not list(incoming.iterdir()), seconds=3, what="the temporary file to go")
    assert all(re.fullmatch(r"[0-9a-f-]{36}/source", key) for key in stored_uploads(service) - uploads)
    assert failures(service) == failed
    assert client.usage()["reserved_seconds"] == 0
    assert client.http.get("/healthz").status_code == 200


def failures(service: LiveService) -> int:
    """Requests that the web process could not answer as it should, by its own log."""
    log = (service.folder / "web.log").read_text(errors="replace")
    return log.count("Internal Server Error") + log.count("Exception in ASGI application")


def listing(folder: Path) -> set[Path]:
    return set(folder.iterdir())


def owned(path: Path) -> bool:
    """Other programs write to the temporary folder, too: what could be the service's is a name that we sent."""
    return any(part in path.name for part in ("passwd", "x.mp3", "evil", "recording", ".upload"))


def stored_uploads(service: LiveService) -> set[str]:
    root = service.folder / "media" / "uploads"
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def form(name: bytes, content: bytes) -> bytes:
    disposition = b'--x\r\nContent-Disposition: form-data; name="file"; filename="' + name + b'"\r\n\r\n'
    return disposition + content + FORM_END


def post_form(port: int, client: Client, body: bytes, **headers: object) -> Answer:
    headers = {"content_type": FORM, "content_length": len(body), **headers}
    return exchange(port, head("POST", "/jobs", token=client.token, **headers), body)


class TestLargeBodies:
    @pytest.fixture(autouse=True)
    def _no_harm(self, no_harm: None) -> None:
        """Each of these leaves nothing."""

    def zeros(self, megabytes: int, *, chunked: bool = False) -> Iterator[bytes]:
        block = bytes(MEGABYTE)
        for _ in range(megabytes):
            yield f"{MEGABYTE:x}\r\n".encode() + block + b"\r\n" if chunked else block

    def test_a_gigabyte_that_is_announced_is_413(self, port: int, client: Client) -> None:
        started = time.monotonic()
        beginning = head("POST", "/jobs", token=client.token, content_type=FORM, content_length=1000 * MEGABYTE)
        answer = exchange(port, beginning, FORM_START, self.zeros(1000))
        print(f"\nrefused and read to its end in {time.monotonic() - started:.1f} s")
        assert (answer.status, answer.code) == (413, "upload_too_large")

    def test_a_gigabyte_in_chunks_is_413(self, port: int, client: Client) -> None:
        beginning = head("POST", "/jobs", token=client.token, content_type=FORM, transfer_encoding="chunked")
        start = f"{len(FORM_START):x}\r\n".encode() + FORM_START + b"\r\n"
        answer = exchange(port, beginning, start, self.zeros(1000, chunked=True))
        assert (answer.status, answer.code) == (413, "upload_too_large")

    def test_a_body_longer_than_it_says_is_cut_at_what_it_said(self, port: int, client: Client) -> None:
        beginning = head("POST", "/jobs", token=client.token, content_type=FORM, content_length=2000)
        answer = exchange(port, beginning, FORM_START, self.zeros(100))
        assert answer.status in {400, 415}, answer

    @pytest.mark.parametrize(
        "content_type", ["application/x-www-form-urlencoded", "application/json", "audio/mpeg", ""]
    )
    def test_a_large_body_that_is_no_form_is_415(self, port: int, client: Client, content_type: str) -> None:
        beginning = head("POST", "/jobs", token=client.token, content_type=content_type, content_length=45 * MEGABYTE)
        assert exchange(port, beginning, self.zeros(45)).status == 415

    def test_a_chunked_body_that_is_no_form_is_413(self, port: int, client: Client) -> None:
        beginning = head("POST", "/jobs", token=client.token, content_type="text/plain", transfer_encoding="chunked")
        answer = exchange(port, beginning, self.zeros(100, chunked=True))
        assert (answer.status, answer.code) == (413, "body_too_large")


def test_two_hundred_bodies_that_wait_for_their_last_byte_are_not_held_in_memory(
    port: int, service: LiveService
) -> None:
    beginning = head("POST", "/auth/login", content_type="application/json", content_length=MEGABYTE)
    with ExitStack() as stack, peak_memory(service) as peak:
        connections = [stack.enter_context(connect(port)) for _ in range(200)]
        for connection in connections:
            connection.sendall(beginning + b" " * (MEGABYTE - 1))
        for connection in connections[:20]:
            connection.sendall(b" ")
        assert {read_answer(connection).status for connection in connections[:20]} == {400}
    print(f"\npeak memory {(peak[-1] - peak[0]) / MEGABYTE:+.1f} MB for 200 MB")
    assert peak[-1] - peak[0] < 120 * MEGABYTE


class TestForms:
    @pytest.fixture(autouse=True)
    def _no_harm(self, no_harm: None) -> None:
        """Each of these leaves nothing."""

    def test_a_hundred_and_one_files_are_400(self, port: int, client: Client) -> None:
        assert post_form(port, client, FORM_START + (b"a\r\n" + FORM_START) * 100 + FORM_END).status == 400

    def test_ten_thousand_fields_are_400(self, port: int, client: Client) -> None:
        field = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
        assert post_form(port, client, field * 10_000 + FORM_END).status == 400

    def test_a_field_of_ten_megabytes_is_413(self, port: int, client: Client) -> None:
        field = b'--x\r\nContent-Disposition: form-data; name="prompt"\r\n\r\n'
        assert post_form(port, client, field + b"a" * 10 * MEGABYTE + FORM_END).status == 413

    @pytest.mark.parametrize(
        "content_type",
        [
            "multipart/form-data",
            "multipart/form-data; boundary=",
            f"multipart/form-data; boundary={'x' * 5000}",
            "multipart/form-data; boundary=\xff\xfe",
            "multipart/form-data; boundary=other",
            "multipart/form-data; boundary=x; charset=none",
            "Multipart/Form-Data; charset=utf-16; boundary=x",
            "application/json",
            "audio/wav",
            "",
            "/",
            ";;;",
        ],
    )
    @pytest.mark.parametrize("size", [10, 2 * MEGABYTE], ids=["small", "large"])
    def test_an_odd_content_type_is_4xx(self, port: int, client: Client, content_type: str, size: int) -> None:
        answer = post_form(port, client, form(b"a.wav", bytes(size)), content_type=content_type)
        assert answer.status in {400, 413, 415}, answer
        assert answer.code

    @pytest.mark.parametrize("part", [b"", b"Content-Disposition: x", b"\xff: \xff", b"A" * 20_000, b"a: b\r\n" * 5000])
    def test_odd_headers_of_a_part_are_4xx(self, port: int, client: Client, part: bytes) -> None:
        assert post_form(port, client, b"--x\r\n" + part + b"\r\n\r\nabc" + FORM_END).status in {400, 413, 415}

    def test_a_part_in_broken_base64_is_4xx(self, port: int, client: Client) -> None:
        body = FORM_START.replace(b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n") + b"*" * 999 + FORM_END
        assert post_form(port, client, body).status in {400, 415}


NAMES = {
    "NUL": b"a\x00b.mp3",
    "up": b"../../etc/x.mp3",
    "up with backslashes": b"..\\..\\x.mp3",
    "up, encoded": b"%2e%2e%2fevil.mp3",
    "option": b"-rf.mp3",
    "long": b"e" * 300 + b".mp3",
    "right to left": "evil‮3pm.mp3".encode(),
    "new line": b"evil\nSet-Cookie: a=b.mp3",
    "absolute": b"/etc/passwd",
    "not UTF-8": b"evil\xff\xfe.mp3",
    "dots": b"..",
    "quoted": b'a\\".mp3',
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_hostile_name_reaches_no_path(
    port: int, client: Client, no_harm: None, name: bytes, english_path: Path, service: LiveService
) -> None:
    answer = post_form(port, client, form(name, english_path.read_bytes()))
    assert answer.status in {202, 400}, answer
    if answer.status == 202:
        job = json.loads(answer.body)
        assert not set(job["filename"]) & set("/\\\0\n‮")
        assert len(job["filename"]) <= 255
        assert (service.folder / "media" / "uploads" / job["uid"] / "source").is_file()
        client.http.delete(f"/jobs/{job['id']}")


ODD_REQUESTS = {
    "two lengths": (head("POST", "/auth/login", content_length="5\r\nContent-Length: 6") + b"abcdef", {400}),
    "length and chunks": (
        head("POST", "/auth/login", content_length=5, transfer_encoding="chunked") + b"0\r\n\r\n", {400}),
    "chunks and length": (
        head("POST", "/auth/login", transfer_encoding="chunked", content_length=5) + b"0\r\n\r\n", {400}),
    "odd transfer encoding": (head("POST", "/auth/login", transfer_encoding="xchunked") + b"0\r\n\r\n", {400}),
    "negative length": (head("POST", "/auth/login", content_length=-1), {400}),
    "length with words": (head("POST", "/auth/login", content_length="5 apples") + b"abcde", {400}),
    "length beyond numbers": (head("POST", "/auth/login", content_length="9" * 30), {400}),
    "bare line feed in a header": (head("GET", "/me/usage", x="a\nX-Evil: b"), {400, 401}),
    "bare carriage return in a header": (head("GET", "/me/usage", x="a\rX-Evil: b"), {400, 401}),
    "header of 100 kB": (head("GET", "/me/usage", x="a" * 100_000), {400, 401, 431}),
    "token of 100 kB": (head("GET", "/me/usage", token="a" * 100_000), {400, 401, 431}),
    "ten thousand headers": (head("GET", "/me/usage", **{f"x{n}": "a" for n in range(10_000)}), {400, 401, 431}),
    "unknown host": (head("GET", "/me/usage", host="evil.example.org"), {400}),
    "host with a path": (head("GET", "/me/usage", host="localhost/../evil"), {400}),
    "no host": (b"GET /me/usage HTTP/1.1\r\n\r\n", {400, 401}),
    "two hosts": (head("GET", "/me/usage", host="localhost\r\nHost: evil.example.org"), {400}),
    "forwarded host": (head("GET", "/me/usage", x_forwarded_host="evil.example.org"), {401}),
    "method override": (head("GET", "/jobs", x_http_method_override="DELETE", x_method_override="DELETE"), {401}),
    "unknown method": (b"EVIL /jobs HTTP/1.1\r\nHost: localhost\r\n\r\n", {400, 405}),
    "TRACE": (head("TRACE", "/jobs"), {401, 405}),
    "query that is not ASCII": (b"GET /jobs?a=\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n", {400, 401}),
    "path that is not ASCII": (b"GET /jobs/\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n", {400, 404}),
    "path that is not UTF-8": (head("GET", "/jobs/%ff%fe%00"), {404}),
    "path upwards": (head("GET", "/static/../../../etc/passwd"), {400, 404}),
    "path upwards, encoded": (head("GET", "/static/%2e%2e/%2e%2e/%2e%2e/etc/passwd"), {400, 404}),
    "address of another site": (head("GET", "http://evil.example.org/me/usage"), {400, 401}),
    "page size": (head("GET", "/jobs?page_size=99999999999999999999&cursor=%00"), {401}),
    "not HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200) + b"\r\n\r\n", {400}),
    "a web socket": (
        head("GET", "/jobs", connection="Upgrade", upgrade="websocket", sec_websocket_key="dGhlIHNhbXBsZSBub25jZQ==",
             sec_websocket_version=13), {400, 401, 403, 404}),
}  # fmt: skip


@pytest.mark.parametrize(("request_bytes", "expected"), ODD_REQUESTS.values(), ids=ODD_REQUESTS)
def test_an_odd_request_is_4xx_and_never_sniffed(
    port: int, no_harm: None, request_bytes: bytes, expected: set[int]
) -> None:
    answer = exchange(port, request_bytes)
    assert answer.status in expected, answer
    assert "x-evil" not in answer.headers
    # What is no HTTP is answered by the server itself, in plain text of its own.
    is_the_servers = answer.body in {b"Invalid HTTP request received.", b""}
    assert is_the_servers or answer.headers.get("x-content-type-options") == "nosniff", answer


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"email": NaN, "password": NaN}',
        b'{"email": Infinity, "password": 1e999}',
        b'{"email": "a\\u0000b@example.org", "password": "\\ud800"}',
        b'{"email": ' + b"9" * 10_000 + b', "password": 1}',
        b"\xff\xfe\x00",
        b"null",
        b"[]",
        b'"text"',
    ],
    ids=lambda body: body[:20].decode("latin-1"),
)
@pytest.mark.parametrize("address", ["/auth/login", "/auth/register", "/auth/refresh"])
def test_odd_json_is_400(port: int, no_harm: None, address: str, body: bytes) -> None:
    beginning = head("POST", address, content_type="application/json", content_length=len(body))
    assert exchange(port, beginning, body).status in {400, 401}


def test_the_temporary_folder_is_watched() -> None:
    """The listing that the other tests compare does see a file that a client's name made."""
    with tempfile.NamedTemporaryFile(prefix="evil"):
        assert any(owned(path) for path in listing(Path(tempfile.gettempdir())))
    assert os.access(tempfile.gettempdir(), os.W_OK)
