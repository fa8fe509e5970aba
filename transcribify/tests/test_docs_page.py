"""``/docs`` is served by ourselves, whole, and asks nobody else for anything."""

import re

import pytest
from django.test import Client

PARTS = r'(?:src|href)="([^"]+)"'


@pytest.fixture(scope="module")
def visitor() -> Client:
    return Client(SERVER_NAME="localhost")


@pytest.fixture(scope="module")
def page(visitor: Client) -> str:
    answer = visitor.get("/docs")
    assert answer.status_code == 200
    return answer.content.decode()


def test_everything_that_the_page_loads_is_here(visitor, page):
    addresses = re.findall(PARTS, page)
    assert len(addresses) == 6
    for address in addresses:
        assert address.startswith("/"), address
        assert not address.startswith("//"), address
        answer = visitor.get(address)
        assert answer.status_code == 200, address
        assert len(answer.getvalue()) > 50, address


def test_its_policy_lets_it_load_nothing_of_others(visitor):
    policy = visitor.get("/docs").headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy
    assert "unsafe" not in policy
    assert "*" not in policy


def test_nothing_on_it_is_inline(page):
    """What the policy would refuse to run."""
    assert not re.search(r"<script(?![^>]*\ssrc=)", page)
    assert "<style" not in page
    assert not re.search(r"\son[a-z]+=", page)


def test_its_script_shows_our_description_and_asks_no_validator(visitor):
    script = visitor.get("/docs?script=").content.decode()
    assert '"/schema"' in script or "'/schema'" in script
    assert '"validatorUrl": null' in script


def test_it_is_open_to_who_has_an_old_token(visitor):
    assert visitor.get("/docs", headers={"Authorization": "Bearer old"}).status_code == 200
    assert visitor.get("/schema", headers={"Authorization": "Bearer old"}).status_code == 200
