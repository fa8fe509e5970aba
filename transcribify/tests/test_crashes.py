"""Workers are killed, Redis is flushed: every job ends and is charged once. Leases are short here, to be quick."""

import os
import random
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from transcribify.tests.client import Client
from transcribify.tests.live_service import LiveService, running_service, wait_until

JOBS = 20


@pytest.fixture
def two_workers(tmp_path: Path) -> Iterator[LiveService]:
    with running_service(
        tmp_path,
        workers={"worker1": "speech,light", "worker2": "speech,light"},
        reconcilers=2,
        TRANSCRIPTION_ENGINE="jobs.tests.engines.FaultyEngine",
        JOB_LEASE_SECONDS="4",
        JOB_MAX_CRASHES="10",
        JOB_RING_AGAIN_SECONDS="4",
        RECONCILE_EVERY_SECONDS="1",
    ) as live:
        yield live


def query(live: LiveService, sql: str) -> list[tuple]:
    with sqlite3.connect(live.folder / "transcribify.sqlite3", timeout=30) as database:
        return database.execute(sql).fetchall()


def all_finished(live: LiveService) -> bool:
    return query(live, "SELECT count(*) FROM jobs_job WHERE status IN ('pending', 'processing')") == [(0,)]


def submit(live: LiveService, path: Path, count: int, seconds: float) -> Client:
    client = Client(live.url, "alice@example.org")
    for _ in range(count):
        assert client.submit(path, prompt=f"sleep={seconds}").status_code == 202
    return client


def assert_charged_once(live: LiveService, client: Client, jobs: int) -> None:
    assert query(live, "SELECT status, count(*) FROM jobs_job GROUP BY status") == [("done", jobs)]
    assert query(live, "SELECT kind, count(*) FROM accounts_ledgerentry WHERE kind != 'top_up' GROUP BY kind") == [
        ("reserve", jobs),
        ("settle", jobs),
    ]
    usage = client.usage()
    assert usage["reserved_seconds"] == 0
    settled = query(live, "SELECT sum(ms) FROM accounts_ledgerentry WHERE kind = 'settle'")[0][0]
    assert usage["used_seconds"] == settled / 1000


def test_killed_workers_lose_no_job_and_charge_none_twice(two_workers: LiveService, english_path: Path) -> None:
    random.seed(seed := random.randrange(10_000))
    print(f"seed {seed}")
    client = submit(two_workers, english_path, JOBS, seconds=0.5)
    deadline, kills = time.monotonic() + 240, 0
    while not all_finished(two_workers):
        assert time.monotonic() < deadline, two_workers.log[-3000:]
        name = random.choice(["worker1", "worker2"])
        if kills < 6:
            kills += 1
            children = two_workers.children_of(name)
            victim = random.choice([*children, psutil.Process(two_workers.processes[name].pid)])
            with suppress(psutil.NoSuchProcess):
                victim.kill()
        time.sleep(3)
        for worker in ("worker1", "worker2"):
            if two_workers.processes[worker].poll() is not None:
                two_workers.start_worker(worker)
    assert_charged_once(two_workers, client, JOBS)
    executions = query(two_workers, "SELECT count(*) FROM jobs_jobevent WHERE kind='claimed' AND stage='transcribe'")
    print(f"{JOBS} of {JOBS} done, {kills} kills, {executions[0][0]} transcriptions begun, 0 charged twice")


def test_a_flushed_redis_only_delays(two_workers: LiveService, english_path: Path) -> None:
    client = submit(two_workers, english_path, 6, seconds=0.3)
    for _ in range(3):
        flush = ["redis-cli", "-p", str(two_workers.redis_port), "FLUSHALL"]
        subprocess.run(flush, check=True, capture_output=True)
        time.sleep(1)
    wait_until(lambda: all_finished(two_workers), seconds=90, what="all jobs to finish")
    assert_charged_once(two_workers, client, 6)


def test_a_worker_that_is_asked_to_stop_puts_its_job_back(two_workers: LiveService, english_path: Path) -> None:
    client = submit(two_workers, english_path, 1, seconds=8)
    wait_until(lambda: query(two_workers, "SELECT 1 FROM jobs_transcriptpart"), seconds=30, what="the first segments")
    ((holder,),) = query(two_workers, "SELECT holder FROM jobs_job")
    main = int(holder.split(":")[1])
    os.kill(main, signal.SIGTERM)
    (name,) = [name for name, process in two_workers.processes.items() if process.pid == main]
    assert two_workers.processes[name].wait(timeout=10) == 0
    wait_until(lambda: all_finished(two_workers), seconds=60, what="the other worker to finish the job")
    assert_charged_once(two_workers, client, 1)
    assert query(two_workers, "SELECT crashes FROM jobs_job") == [(0,)]
    assert query(two_workers, "SELECT count(*) FROM jobs_jobevent WHERE kind = 'put back'") == [(1,)]


def test_cancelling_a_running_job_stops_it_and_charges_the_finished_part(
    two_workers: LiveService, english_path: Path
) -> None:
    client = submit(two_workers, english_path, 1, seconds=20)
    wait_until(lambda: query(two_workers, "SELECT 1 FROM jobs_transcriptpart"), seconds=30, what="the first segments")
    job_id = query(two_workers, "SELECT id FROM jobs_job")[0][0]
    assert client.http.post(f"/jobs/{job_id}/cancel").status_code == 202
    job = client.wait(job_id, seconds=10)
    assert job["status"] == "cancelled"
    assert 0 < len(job["segments"]) < 200
    usage = client.usage()
    assert usage["reserved_seconds"] == 0
    assert usage["used_seconds"] == pytest.approx(job["segments"][-1]["end"], abs=0.01)
    assert 0 < usage["used_seconds"] < job["duration_seconds"]
