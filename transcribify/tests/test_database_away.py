"""A database that does not answer, or has no room, is said with 503 or 507, and nobody has to read a traceback."""

from collections.abc import Iterator

import httpx2
import pytest
from django.db import connection

from transcribify.tests.live_service import LiveService, free_port


@pytest.fixture(scope="module")
def without_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveService]:
    """A web process whose PostgreSQL is not there."""
    address = f"postgres://transcribify:canary@127.0.0.1:{free_port()}/transcribify"
    live = LiveService(tmp_path_factory.mktemp("away"), DATABASE_URL=address)
    try:
        live.start_web()
        yield live
    finally:
        live.stop()


@pytest.mark.parametrize("address", ["/auth/login", "/auth/register"])
def test_an_api_answers_503_and_says_when_to_come_back(without_database: LiveService, address: str) -> None:
    answer = httpx2.post(
        without_database.url + address, json={"email": "alice@example.org", "password": "correct horse battery"}
    )
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert "canary" not in answer.text


def test_a_page_answers_503_too(without_database: LiveService) -> None:
    answer = httpx2.get(without_database.url + "/admin/login/", cookies={"sessionid": "x" * 32})
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert httpx2.get(without_database.url + "/healthz").status_code == 200
    assert httpx2.get(without_database.url + "/readyz").status_code == 503


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite has a largest number of pages")
def test_a_sqlite_file_without_room_is_507(api) -> None:
    """SQLite's own error: the file may not grow any more, and what is sent needs more than its last page."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA page_count")
        (pages,) = cursor.fetchone()
        cursor.execute(f"PRAGMA max_page_count = {pages}")
        try:
            answers = [register(api, number) for number in range(200)]
        finally:
            cursor.execute("PRAGMA max_page_count = 1073741823")
    assert answers[-1] == (507, "storage_full")


def register(api, number: int) -> tuple[int, str]:
    email = f"{'a' * 200}{number}@example.org"
    answer = api.post("/auth/register", {"email": email, "password": "correct horse battery"})
    return answer.status_code, answer.json().get("code", "")
