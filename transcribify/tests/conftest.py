"""A live service that the end-to-end tests of this folder share: every process is real."""

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from transcribify.tests.call_counter import CallCounter
from transcribify.tests.client import Client
from transcribify.tests.hostile_media import HostileFile, Lures, make_pack
from transcribify.tests.live_service import ROOT, LiveService, running_service
from transcribify.tests.openai_caller import OBEDIENT, Caller, Speech
from transcribify.tests.postgres import PostgresServer, may_run

ASSETS = ROOT / "jobs" / "tests" / "assets"

_numbers = count(1)


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveService]:
    """Redis, web, a speech worker with the test model, a light worker and a reconciler."""
    with running_service(
        tmp_path_factory.mktemp("service"),
        workers={"speech": "speech", "light": "light"},
        TRANSCRIPTION_ENGINE="faster-whisper",
        WHISPER_MODELS_DIR=str(ASSETS),
        DEFAULT_MODEL="whisper-micro",
        AUDIO_LIMIT_SECONDS="1800",
        MAX_UPLOAD_MEGABYTES="50",
    ) as live:
        yield live


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    if not may_run():
        assert not os.environ.get("REQUIRE_POSTGRES"), "PostgreSQL is not installed: apt-get install postgresql"
        pytest.skip("NOT TESTED ON POSTGRESQL: it is not installed (apt-get install postgresql)")
    server = PostgresServer()
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> dict[str, str]:
    """Both lanes: the variables that choose the database."""
    if request.param == "sqlite":
        return {}
    return {"DATABASE_URL": request.getfixturevalue("postgres_server").new_database()}


@pytest.fixture
def client(service: LiveService) -> Client:
    """A new user with a full budget."""
    return Client(service.url, f"user{next(_numbers)}@example.org")


@pytest.fixture(scope="session")
def english_path() -> Path:
    return ASSETS / "english.flac"


@pytest.fixture(scope="session")
def russian_path() -> Path:
    return ASSETS / "russian.flac"


@pytest.fixture(scope="session")
def call_counter() -> Iterator[CallCounter]:
    """The ports that hostile files would call."""
    with CallCounter() as counter:
        yield counter


@pytest.fixture(scope="session")
def hostile_pack(
    tmp_path_factory: pytest.TempPathFactory, call_counter: CallCounter
) -> tuple[Lures, list[HostileFile]]:
    """Every hostile file, and what they point at."""
    folder = tmp_path_factory.mktemp("hostile")
    return make_pack(folder, tcp_port=call_counter.tcp_port, udp_port=call_counter.udp_port)


@pytest.fixture(scope="session")
def obedient_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveService]:
    """Four slots whose engine takes as long, and breaks down, as the prompt says (``jobs.tests.engines``)."""
    with running_service(tmp_path_factory.mktemp("obedient"), workers={}, **OBEDIENT) as live:
        live.start_worker("worker", concurrency=4)
        live.wait_for_worker("worker")
        yield live


@pytest.fixture
def caller(obedient_service: LiveService) -> Iterator[Caller]:
    """A new user of ``obedient_service`` with OpenAI's SDK."""
    with new_caller(obedient_service) as caller:
        yield caller


def new_caller(live: LiveService) -> Caller:
    return Caller(live.url, f"caller{next(_numbers)}@example.org")


@pytest.fixture(scope="session")
def speech() -> Speech:
    """As many short recordings of speech as are wanted, all of them different."""
    return Speech(ASSETS / "english.flac")
