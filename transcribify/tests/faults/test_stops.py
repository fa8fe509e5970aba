"""Workers are asked to stop (T12), owners cancel (T16): at once, and at nobody's cost."""

import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from transcribify.tests.faults.books import Books
from transcribify.tests.faults.chaos import submit_many
from transcribify.tests.faults.settings import full_size, sized
from transcribify.tests.live_service import wait_until

SEED = random.randrange(10_000)
WORKERS = ("worker1", "worker2")


@pytest.mark.parametrize(
    ("prompt", "meaning"),
    [pytest.param("sleep=8", "many segments", marks=full_size), ("sleep=1 do=pause once", "one long batch")],
)
def test_t12_a_worker_that_is_asked_to_stop_puts_its_job_back_and_ends(live, client, english_path, prompt, meaning):
    books = Books(live)
    job_id = client.submit(english_path, prompt=prompt).json()["id"]
    wait_until(lambda: books.transcriptions([job_id]), seconds=30, what="the job to be taken")
    time.sleep(1)
    main = int(books.value(f"SELECT holder FROM jobs_job WHERE id = {job_id}").split(":")[1])
    name = next(name for name in WORKERS if live.processes[name].pid == main)
    live.signal(name, signal.SIGTERM)
    asked = time.monotonic()
    live.processes[name].wait(timeout=20)
    seconds = time.monotonic() - asked
    assert client.wait(job_id, seconds=60)["status"] == "done"
    assert books.events([job_id], "put back") == 1
    assert books.events([job_id], "process died", "worker lost", "lease expired") == 0
    print(f"T12 {meaning}: the worker ended after {seconds:.1f} s, its job was put back once and done by the other")
    assert seconds <= 10


def test_t12_a_rolling_restart_under_load_fails_nothing(live, client, english_path):
    books, rounds = Books(live), sized(short=2, full=10)
    jobs = submit_many(client, english_path, 4 * rounds, lambda number: "sleep=1")
    slowest = 0.0
    for number in range(rounds):
        name = WORKERS[number % 2]
        live.signal(name, signal.SIGTERM)
        asked = time.monotonic()
        live.processes[name].wait(timeout=20)
        slowest = max(slowest, time.monotonic() - asked)
        live.start_worker(name)
        time.sleep(3)
    books.wait_for_rest(seconds=120)
    assert books.statuses(jobs) == {"done": len(jobs)}
    attempts = [books.transcriptions([job_id]) for job_id in jobs]
    print(
        f"T12: {rounds} restarts, {len(jobs)} of {len(jobs)} done, at most {max(attempts)} attempts, "
        f"slowest stop {slowest:.1f} s"
    )
    assert max(attempts) <= 2
    assert slowest <= 10


def test_t16_jobs_that_are_cancelled_at_a_random_moment_stop_at_once(live, client, english_path):
    books, chance = Books(live), random.Random(SEED)
    count = sized(short=12, full=100)
    jobs = submit_many(client, english_path, count, lambda number: "sleep=2")
    delays = {job_id: chance.uniform(0, 0.9 * count) for job_id in jobs}
    started = time.monotonic()

    def cancel(job_id: int) -> tuple[int, float]:
        time.sleep(max(0.0, started + delays[job_id] - time.monotonic()))
        answer = client.http.post(f"/jobs/{job_id}/cancel")
        asked = time.monotonic()
        client.wait(job_id, seconds=60)
        return answer.status_code, time.monotonic() - asked

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(cancel, sorted(jobs, key=lambda job_id: delays[job_id])))
    seconds = max(took for _, took in outcomes)
    statuses = books.statuses(jobs)
    assert {status for status, _ in outcomes} <= {202, 409}
    assert statuses["cancelled"] >= count // 3
    assert set(statuses) <= {"cancelled", "done"}
    overcharged = [job_id for job_id in jobs if charged_ms(books, job_id) != finished_ms(client.job(job_id))]
    print(
        f"T16 seed {SEED}: {statuses}, slowest stop {seconds:.1f} s, "
        f"{len(overcharged)} charged other than their finished part"
    )
    assert not overcharged
    assert seconds <= 5.1


def test_t16_a_cancel_within_a_long_batch_is_not_made_to_wait_for_it(live, client, english_path):
    books = Books(live)
    job_id = client.submit(english_path, prompt="sleep=1 do=pause").json()["id"]
    wait_until(lambda: books.transcriptions([job_id]), seconds=30, what="the job to be taken")
    time.sleep(1.5)
    assert client.http.post(f"/jobs/{job_id}/cancel").status_code == 202
    asked = time.monotonic()
    job = client.wait(job_id, seconds=20)
    seconds = time.monotonic() - asked
    assert job["status"] == "cancelled"
    assert charged_ms(books, job_id) == finished_ms(job) > 0
    print(f"T16: cancelled {seconds:.1f} s after the request, in the middle of a batch of 12 s")
    assert seconds <= 7


def charged_ms(books: Books, job_id: int) -> int:
    return sum(ms for kind, ms in books.closings([job_id]) if kind == "settle")


def finished_ms(job: dict) -> int:
    """What the owner keeps of a cancelled job; all of a done one."""
    if job["status"] == "done":
        return round(job["duration_seconds"] * 1000)
    return round(job["segments"][-1]["end"] * 1000) if job["segments"] else 0
