"""Many calls that wait at once cost neither threads nor database connections, and outlive restarts and outages."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from transcribify.tests.conftest import new_caller
from transcribify.tests.faults.books import Books
from transcribify.tests.live_service import DATABASE, GRACEFUL_SECONDS, LiveService, running_service, wait_until
from transcribify.tests.openai_caller import OBEDIENT, Caller, Recording, Speech, in_background, seconds_of
from transcribify.tests.postgres import PostgresServer

FEW, MANY = 5, 50


@contextmanager
def service_without_workers(folder: Path, **variables: str) -> Iterator[tuple[LiveService, Caller]]:
    """Whoever calls waits, until a worker is started."""
    settings = {**OBEDIENT, "ABANDONED_JOB_SECONDS": "60", **variables}
    with running_service(folder, workers={}, **settings) as live, new_caller(live) as caller:
        caller.openai.models.list()
        yield live, caller


def wait_together(caller: Caller, recordings: list[Recording]) -> Future[Any]:
    """A call for each recording, by the asynchronous SDK: their texts and errors when all are answered."""

    async def call_all() -> list[str]:
        async with caller.async_sdk() as client:
            create = client.audio.transcriptions.create
            calls = (create(file=recording, model="whisper-1") for recording in recordings)
            answers = await asyncio.gather(*calls, return_exceptions=True)
            return [getattr(answer, "text", None) or getattr(answer, "code", None) or str(answer) for answer in answers]

    return in_background(asyncio.run, call_all())


class Costs:
    """What the web process takes, at its most within a second."""

    def __init__(self, live: LiveService) -> None:
        web = psutil.Process(live.processes["web"].pid)
        self.threads = self.connections = 0
        before, started = sum(web.cpu_times()[:2]), time.monotonic()
        while time.monotonic() < started + 1:
            self.threads = max(self.threads, web.num_threads())
            self.connections = max(self.connections, connections_of(live, web))
            time.sleep(0.05)
        self.cpu = (sum(web.cpu_times()[:2]) - before) / (time.monotonic() - started)

    def __str__(self) -> str:
        return f"{self.threads} threads, {self.connections} database connections, {self.cpu:.0%} of a core"


def connections_of(live: LiveService, web: psutil.Process) -> int:
    if "DATABASE_URL" in live.environment:
        # Nobody else has any but the reconciler and whoever asks.
        others = {connection.laddr.port for connection in web.net_connections() if connection.laddr}
        ports = Books(live).query("SELECT client_port FROM pg_stat_activity WHERE datname = current_database()")
        return sum(1 for (port,) in ports if port in others)
    return sum(1 for file in web.open_files() if file.path.endswith(DATABASE))


def assert_costs_do_not_grow(live: LiveService, caller: Caller, speech: Speech) -> list[Future[Any]]:
    """Few wait, then many, then as many more for one and the same job; the calls."""
    costs = {0: Costs(live)}
    recordings = [speech.wav() for _ in range(MANY)]
    crowds = [recordings[:FEW], recordings[FEW:], recordings[-1:] * MANY]
    calls, waiting = [], 0
    for crowd in crowds:
        calls.append(wait_together(caller, crowd))
        waiting += len(crowd)
        # Until then some views are at work, with a connection each.
        wait_until(lambda: waiting_calls(live) == waiting, seconds=60, what=f"{waiting} calls to wait")  # noqa: B023
        costs[waiting] = Costs(live)
    print("\n" + "\n".join(f"{number:3} calls wait: {cost}" for number, cost in costs.items()))
    assert Books(live).value("SELECT count(*) FROM jobs_job") == MANY
    assert not any(call.done() for call in calls)
    assert len({cost.threads for cost in costs.values()}) == 1
    assert max(cost.connections for cost in costs.values()) <= 1, "more than the poller's own"
    assert seconds_of(lambda: caller.http.get("/healthz")) < 1
    assert seconds_of(lambda: caller.http.get("/jobs")) < 1
    return calls


def waiting_calls(live: LiveService) -> int:
    """How many the web process says that it has taken to its waiting room, once their views had ended."""
    return (live.folder / "web.log").read_text().count("a client waits for it")


def delete_most(caller: Caller) -> None:
    """But for a few: recognising them all would prove nothing more, and take long."""
    jobs = caller.http.get("/jobs?page_size=200").json()["results"]
    shared = max((job["filename"] for job in jobs), key=lambda name: int(name[len("speech") : -len(".wav")]))
    wanted = [job["id"] for job in jobs if job["filename"] != shared]
    for job_id in wanted[FEW - 1 :]:
        assert caller.http.delete(f"/jobs/{job_id}").status_code == 204


def assert_all_are_answered(live: LiveService, calls: list[Future[Any]]) -> None:
    """Right, and once each in the books."""
    live.start_worker("worker", concurrency=2)
    answers = Counter(answer for call in calls for answer in call.result(timeout=90))
    assert answers == {"word 0.": FEW + MANY, "job_deleted": MANY - FEW}
    books = Books(live)
    assert books.query("SELECT status, count(*) FROM jobs_job GROUP BY status") == [("done", FEW)]
    assert books.value("SELECT sum(ms) FROM accounts_ledgerentry WHERE kind = 'settle'") == FEW * 3000


def test_calls_wait_without_threads_and_survive_a_restart_of_the_web_process(tmp_path: Path, speech: Speech):
    with service_without_workers(tmp_path) as (live, caller):
        calls = assert_costs_do_not_grow(live, caller, speech)
        delete_most(caller)
        live.signal("web", 15)
        took = seconds_of(live.processes["web"].wait)
        print(f"told to stop with {FEW + MANY} calls waiting, the web process ended after {took:.1f} s")
        assert took < GRACEFUL_SECONDS + 15  # and not the minutes that the jobs take
        left = "SELECT count(*) FROM jobs_job WHERE status = 'pending' AND cancel_at IS NOT NULL"
        assert Books(live).value(left) == FEW
        live.start_web()
        assert_all_are_answered(live, calls)
        assert "Traceback" not in (live.folder / "web.log").read_text()


def test_calls_wait_without_connections_and_survive_a_database_that_is_away(
    tmp_path: Path, speech: Speech, postgres_server: PostgresServer
):
    with service_without_workers(tmp_path, DATABASE_URL=postgres_server.new_database()) as (live, caller):
        calls = assert_costs_do_not_grow(live, caller, speech)
        delete_most(caller)
        postgres_server.halt()
        time.sleep(3)
        assert not calls[-1].done()
        postgres_server.start()
        assert_all_are_answered(live, calls)
        assert "it is tried again" in (live.folder / "web.log").read_text()
