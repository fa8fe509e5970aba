"""Redis drops connections (T2), is flushed (T3), away (T4), hangs (T5), is killed (T6): work is late, not lost."""

import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from celery import Celery

from transcribify.tests.client import Client
from transcribify.tests.faults.books import Books
from transcribify.tests.faults.chaos import Chaos, submit_many
from transcribify.tests.faults.settings import full_size, sized
from transcribify.tests.live_service import LiveService

SEED = random.randrange(10_000)


@full_size
def test_t2_dropped_connections_charge_nothing_twice(live, client, english_path):
    books, chaos = Books(live), Chaos(live, SEED)
    jobs = submit_many(client, english_path, sized(short=8, full=200), lambda number: f"sleep={0.1 + number % 10 / 10}")
    seconds = chaos.storm(
        "drop_connections", every_seconds=sized(short=2, full=5), until=books.is_at_rest, limit_seconds=600
    )
    assert books.statuses(jobs) == {"done": len(jobs)}
    assert books.charged_twice() == 0
    # That no two workers ever held one job is among what the books are checked for.
    print(f"T2: {len(jobs)} jobs, {dict(chaos.inflicted)}, {len(jobs)} done, 0 settled twice, {seconds:.0f} s")


def test_t2_doubled_and_untimely_messages_change_nothing(live, client, english_path):
    """A message may be lost, doubled or late: the row says what is to be done."""
    books, chance = Books(live), random.Random(SEED)
    jobs = submit_many(client, english_path, 8, lambda number: "sleep=0.3")
    with Celery(broker=live.environment["REDIS_URL"]) as sender:
        while not books.is_at_rest():
            for job_id in jobs:
                task, queue = chance.choice(
                    [("jobs.probe", "speech"), ("jobs.transcribe", "speech"), ("reports.build", "light")]
                )
                sender.send_task(task, args=[job_id], queue=queue)
            time.sleep(0.5)
    transcripts = [client.job(job_id)["transcript"] for job_id in jobs]
    assert books.statuses(jobs) == {"done": 8}
    assert all(transcript == transcripts[0] != "" for transcript in transcripts)
    assert (books.charged_twice(), books.transcriptions(jobs)) == (0, 8)
    print(f"T2: 8 jobs among doubled and untimely messages: 8 done, 8 transcriptions, 0 settled twice (seed {SEED})")


@full_size
def test_t3_a_flushed_redis_only_delays(live, client, english_path):
    books, chaos = Books(live), Chaos(live, SEED)
    jobs = submit_many(client, english_path, sized(short=6, full=50), lambda number: "sleep=0.5")
    flushes_end = time.monotonic() + sized(short=5, full=60)
    chaos.storm(
        "flush", every_seconds=sized(short=2, full=10), until=lambda: time.monotonic() > flushes_end, limit_seconds=90
    )
    flushed = time.monotonic()
    books.wait_for_rest(seconds=120)
    assert books.statuses(jobs) == {"done": len(jobs)}
    print(
        f"T3: {len(jobs)} jobs, {dict(chaos.inflicted)}, {len(jobs)} done "
        f"{time.monotonic() - flushed:.0f} s after the last"
    )


def test_t4_recordings_are_taken_while_redis_is_down(live, client, english_path):
    count, books = sized(short=6, full=50), Books(live)
    live.kill("redis")
    away_until = time.monotonic() + sized(short=4, full=60)
    seconds, answers = [], []
    for _ in range(count):
        answer, took = timed(lambda: client.submit(english_path, prompt="sleep=0.1"))
        answers.append(answer)
        seconds.append(took)
    time.sleep(max(0.0, away_until - time.monotonic()))
    live.start_redis()
    back = time.monotonic()
    assert [answer.status_code for answer in answers] == [202] * count
    books.wait_for_rest(seconds=90)
    assert books.statuses([answer.json()["id"] for answer in answers]) == {"done": count}
    print(
        f"T4: {count} POSTs x 202, slowest {max(seconds):.2f} s; "
        f"all done {time.monotonic() - back:.0f} s after Redis's return"
    )
    assert max(seconds) < 2


def test_t5_a_hung_redis_hangs_nobody(live, client, english_path):
    """Stopped, it takes connections and never answers."""
    credentials = {"email": client.email, "password": client.password}
    doors: dict[str, tuple[int, Callable[[], object]]] = {
        "POST /jobs": (202, lambda: client.submit(english_path, prompt="sleep=0.1")),
        "POST /auth/login": (200, lambda: client.http.post("/auth/login", json=credentials)),
        "GET /me/usage": (200, lambda: client.http.get("/me/usage")),
        "GET /healthz": (200, lambda: client.http.get("/healthz")),
        "GET /readyz": (503, lambda: client.http.get("/readyz")),
    }
    slowest = dict.fromkeys(doors, 0.0)
    with hung(live, "redis"):
        until = time.monotonic() + sized(short=5, full=30)
        while time.monotonic() < until:
            for name, (status, request) in doors.items():
                answer, took = timed(request)
                assert answer.status_code == status, f"{name}: {answer.text}"
                slowest[name] = max(slowest[name], took)
    Books(live).wait_for_rest(seconds=90)
    print("T5: " + ", ".join(f"{name} p100 {seconds:.1f} s" for name, seconds in slowest.items()))
    assert max(slowest.values()) < 8


@pytest.mark.parametrize("appendonly", [pytest.param("yes", marks=full_size), "no"])
def test_t6_a_killed_redis_loses_no_job(live, client, english_path, appendonly):
    books = Books(live)
    live.redis("CONFIG", "SET", "appendonly", appendonly)
    jobs = submit_many(client, english_path, 8, lambda number: "sleep=0.5")
    live.kill("redis")
    time.sleep(2)
    live.start_redis("--appendonly", appendonly)
    back = time.monotonic()
    books.wait_for_rest(seconds=30)
    assert books.statuses(jobs) == {"done": 8}
    print(f"T6 appendonly {appendonly}: 8 of 8 done {time.monotonic() - back:.0f} s after Redis's return")


def timed(request: Callable[[], object]) -> tuple[object, float]:
    started = time.monotonic()
    answer = request()
    return answer, time.monotonic() - started


@contextmanager
def hung(live: LiveService, name: str) -> Iterator[None]:
    live.signal(name, signal.SIGSTOP)
    try:
        yield
    finally:
        live.signal(name, signal.SIGCONT)


@full_size
def test_many_at_once_wait_no_longer_for_a_hung_redis_than_one(live, client, english_path):
    """The first finds out, the others are told."""
    slowest: list[float] = []

    def submit(one: Client) -> None:
        answer, took = timed(lambda: one.submit(english_path, prompt="sleep=0.1"))
        assert answer.status_code == 202
        slowest.append(took)

    with hung(live, "redis"):
        threads = [threading.Thread(target=submit, args=(client,)) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(slowest) == 16
    print(f"16 POSTs at once to a hung Redis: slowest {max(slowest):.1f} s")
    assert max(slowest) < 10
