"""What is answered whoever asks, under whatever name: health, and headers that go with every answer."""

import pytest

from transcribify.tests.client import Client
from transcribify.tests.live_service import LiveService, wait_until
from transcribify.tests.raw_http import exchange, head


@pytest.fixture
def ready(service: LiveService) -> LiveService:
    """The workers need some seconds to start, longer than the web process."""
    probe = head("GET", "/readyz")
    wait_until(lambda: exchange(service.web_port, probe).status == 200, seconds=60, what="a worker")
    return service


@pytest.mark.parametrize("address", ["/healthz", "/readyz"])
@pytest.mark.parametrize("host", ["10.0.0.7", "evil.example.org", "a_b", ""])
def test_health_is_told_under_any_name_and_nothing_else_is(
    ready: LiveService, client: Client, address: str, host: str
) -> None:
    assert exchange(ready.web_port, head("GET", address, host=host)).status == 200
    assert exchange(ready.web_port, head("GET", "/me/usage", host=host, token=client.token)).status == 400
    assert exchange(ready.web_port, head("GET", f"{address}/", host=host)).status in {400, 404}


def test_every_kind_of_answer_is_never_sniffed(service: LiveService, client: Client) -> None:
    for address in ("/healthz", "/jobs", "/me/usage", "/nothing", "/admin/", "/schema", "/jobs/999"):
        for token in ("", client.token):
            answer = exchange(service.web_port, head("GET", address, token=token))
            assert answer.headers["x-content-type-options"] == "nosniff", (address, answer)


def test_an_underscore_does_not_pass_for_a_hyphen(service: LiveService) -> None:
    spoofed = b"GET /me/usage HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nX_Forwarded_Proto: https\r\n"
    assert exchange(service.web_port, spoofed + b"Content_Length: 5\r\n\r\n").status == 401
