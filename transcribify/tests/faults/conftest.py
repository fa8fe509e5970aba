"""Services that faults are inflicted on: what each test shares, and what is checked when it has ended."""

import math
import signal
import struct
import wave
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

import psutil
import pytest

from transcribify.tests.client import Client
from transcribify.tests.faults.books import Books
from transcribify.tests.faults.chaos import Chaos
from transcribify.tests.faults.settings import QUICK, TWO_WORKERS
from transcribify.tests.live_service import LiveService, running_service
from transcribify.tests.postgres import PostgresServer

_numbers = count(1)

StartService = Callable[..., LiveService]


@pytest.fixture(scope="session")
def shared_services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., LiveService]]:
    """One service per database with two workers and two reconcilers, started when it is first asked for."""
    with ExitStack() as stack:
        started: dict[str, LiveService] = {}

        def find(lane: str, **variables: str) -> LiveService:
            if lane not in started:
                folder = tmp_path_factory.mktemp(lane)
                service = running_service(folder, workers=TWO_WORKERS, reconcilers=2, **{**QUICK, **variables})
                started[lane] = stack.enter_context(service)
            return started[lane]

        yield find


@pytest.fixture
def live(shared_services: Callable[..., LiveService]) -> Iterator[LiveService]:
    """The shared service on SQLite. After the test it is whole again, and its books are right."""
    service = shared_services("sqlite")
    yield service
    bring_to_rest(service)


@pytest.fixture
def live_on_postgres(
    shared_services: Callable[..., LiveService], postgres_server: PostgresServer
) -> Iterator[LiveService]:
    """The same on PostgreSQL."""
    service = shared_services("postgresql", DATABASE_URL=postgres_server.new_database())
    yield service
    bring_to_rest(service)


@pytest.fixture
def client(live: LiveService) -> Client:
    """A new user of the shared service on SQLite."""
    return new_client(live)


@pytest.fixture
def start_service(tmp_path: Path) -> Iterator[StartService]:
    """Starts services with settings of their own. After the test their books are right and no process is left."""
    with ExitStack() as stack:
        started: list[LiveService] = []

        def start(*, workers: Mapping[str, str] = TWO_WORKERS, reconcilers: int = 1, **variables: str) -> LiveService:
            folder = tmp_path / f"service{len(started)}"
            folder.mkdir()
            service = running_service(folder, workers=workers, reconcilers=reconcilers, **{**QUICK, **variables})
            started.append(stack.enter_context(service))
            return started[-1]

        yield start
        for service in started:
            bring_to_rest(service)
    for service in started:
        assert not left_running(service), f"processes are left: {left_running(service)}"


@pytest.fixture(scope="session")
def one_second_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One second of a tone, to the sample."""
    path = tmp_path_factory.mktemp("audio") / "second.wav"
    with wave.open(str(path), "wb") as sound:
        sound.setparams((1, 2, 16_000, 16_000, "NONE", ""))
        sound.writeframes(b"".join(struct.pack("<h", round(8000 * math.sin(i / 6))) for i in range(16_000)))
    return path


def new_client(live: LiveService) -> Client:
    return Client(live.url, f"user{next(_numbers)}@example.org")


def bring_to_rest(live: LiveService) -> None:
    """Start what a test has ended, wait for the jobs, and look through the books."""
    Chaos(live, seed=0).revive()
    books = Books(live)
    books.wait_for_rest(seconds=60)
    books.check()


@contextmanager
def a_single_worker(live: LiveService) -> Iterator[None]:
    """Within the block nobody else can take what the worker ``worker1`` has let go of."""
    live.signal("worker2", signal.SIGTERM)
    live.processes["worker2"].wait(timeout=20)
    try:
        yield
    finally:
        live.start_worker("worker2")


def left_running(live: LiveService) -> list[str]:
    """Processes that still work in a stopped service's folder."""
    found = []
    for process in psutil.process_iter(["pid", "name", "environ"]):
        if (process.info["environ"] or {}).get("DATA_DIR") == str(live.folder):
            found.append(f"{process.info['pid']} {process.info['name']}")
    return found
