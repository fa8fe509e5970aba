"""People and recordings that tests of all packages share."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from transcribify.tests.live_service import LiveService

pytest_plugins = ["jobs.tests.stubs.fixtures"]

PASSWORD = "correct horse battery"  # noqa: S105


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """For a run in two processes: the tests that share a running service keep together."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group_of(item.path.relative_to(Path(__file__).parent))))


def _group_of(path: Path) -> str:
    if path.parts[0] != "transcribify":
        return "packages"
    if "faults" in path.parts:
        return "faults"
    return "openai" if path.name.startswith("test_openai_") else "live"


@pytest.fixture
def alice(db: None) -> User:
    """The owner."""
    return User.objects.create_user("alice@example.org", PASSWORD)


@pytest.fixture
def charlie(db: None) -> User:
    """Somebody who has no business here."""
    return User.objects.create_user("charlie@example.org", PASSWORD)


@pytest.fixture
def api() -> APIClient:
    """A client that is nobody yet."""
    return APIClient()


@pytest.fixture
def as_alice(alice: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(alice)
    return client


@pytest.fixture
def as_charlie(charlie: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(charlie)
    return client


@pytest.fixture
def staff(db: None) -> Callable[..., Client]:
    """Makes a client of somebody on the staff who has these permissions and no others."""

    def make(*codenames: str) -> Client:
        person = User.objects.create_user(f"staff{User.objects.count()}@example.org", "x", is_staff=True)
        permissions = Permission.objects.filter(codename__in=codenames)
        assert len(permissions) == len(codenames)
        person.user_permissions.set(permissions)
        client = Client()
        client.force_login(person)
        return client

    return make


@pytest.fixture(scope="session")
def meeting_path() -> Path:
    """The sample meeting: a minute of English."""
    return Path(__file__).parent / "samples" / "meeting.flac"


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis of the tests' own; its address."""
    live = LiveService(tmp_path_factory.mktemp("redis"))
    live.start_redis()
    yield live.environment["REDIS_URL"]
    live.stop()
