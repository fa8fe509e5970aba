"""Workers die: killed from outside (T1), by the recording at hand (T8), or nearly, for want of memory (T9)."""

import random

import psutil
import pytest

from transcribify.tests.faults.books import Books
from transcribify.tests.faults.chaos import Chaos, submit_many
from transcribify.tests.faults.conftest import new_client
from transcribify.tests.faults.settings import FULL, sized

SEED = random.randrange(10_000)
FAULTS = ["kill_process"] if FULL else ["kill_process", "drop_connections", "flush"]


def test_t1_killed_workers_lose_no_job_and_charge_none_twice(start_service, english_path, database):
    """In the short run connections are dropped and Redis is flushed, too (T2, T3).

    Eight crashes are allowed and not three: with a kill every 3 s, about as long as a process takes to come back, one
    innocent job in a few hundred is hit three times.
    """
    if database and not FULL:
        pytest.skip("at full size only: ./run faults")
    live = start_service(JOB_MAX_CRASHES="8", **database)
    books, chaos, client = Books(live), Chaos(live, SEED), new_client(live)
    jobs = submit_many(
        client, english_path, sized(short=16, full=200), lambda number: f"sleep={0.1 + number % 10 / 10}"
    )
    seconds = chaos.storm(
        *FAULTS,
        every_seconds=sized(short=2, full=3),
        until=books.is_at_rest,
        limit_seconds=180,
        at_most=sized(short=4, full=1000),
    )
    print(
        f"T1 {'postgresql' if database else 'sqlite'} seed {SEED}: {len(jobs)} jobs, {dict(chaos.inflicted)}, "
        f"{books.statuses(jobs)}, "
        f"{books.charged_twice()} charged twice, {books.transcriptions(jobs)} transcriptions begun, {seconds:.0f} s"
    )
    assert books.statuses(jobs) == {"done": len(jobs)}
    assert books.charged_twice() == 0


def test_t8_a_poison_recording_ends_after_three_crashes_beside_good_ones(live, client, english_path):
    books = Books(live)
    poison = client.submit(english_path, prompt="sleep=0.4 do=crash").json()["id"]
    good = submit_many(client, english_path, 20, lambda number: "sleep=0.2")
    books.wait_for_rest(seconds=90)
    job = client.job(poison)
    assert (job["status"], job["error"]["code"]) == ("failed", "crashed_repeatedly")
    assert books.statuses(good) == {"done": 20}
    assert books.events([poison], "process died", "lease expired") == books.transcriptions([poison]) == 3
    assert [kind for kind, _ in books.closings([poison])] == ["release"]
    print("T8: the poison failed after 3 attempts and was refunded, 20 of 20 others are done")


@pytest.mark.parametrize("fault", ["memory_error", "allocate", "exhaust"])
def test_t9_want_of_memory_fails_the_job_and_leaves_the_worker_up(live, client, english_path, fault):
    mains = [live.processes[name].pid for name in ("worker1", "worker2")]
    job = client.transcribe(english_path, prompt=f"sleep=0.4 do={fault}")
    assert (job["status"], job["error"]["code"]) == ("failed", "resource_exceeded")
    assert "memory" in job["error"]["message"]
    assert client.usage()["used_seconds"] == 0
    assert client.transcribe(english_path, prompt="sleep=0.1")["status"] == "done"
    assert [psutil.Process(pid).status() for pid in mains].count(psutil.STATUS_ZOMBIE) == 0
    assert live.is_running("worker1")
    assert live.is_running("worker2")
    print(f"T9 {fault}: failed as resource_exceeded, the workers' main processes live on, the next job is done")


@pytest.mark.parametrize("fault", ["segfault", "exit"])
def test_an_engine_that_ends_its_process_once_costs_a_second_attempt(live, client, english_path, fault):
    job = client.transcribe(english_path, prompt=f"sleep=0.4 do={fault} once")
    assert job["status"] == "done"
    assert Books(live).transcriptions([job["id"]]) == 2
