"""The database restarts in the middle of the work (T13), reconcilers die or are several (T14), clients race (T15)."""

import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from transcribify.tests.faults.books import Books
from transcribify.tests.faults.chaos import Chaos, submit_many
from transcribify.tests.faults.conftest import new_client
from transcribify.tests.faults.settings import full_size, sized
from transcribify.tests.live_service import ROOT, LiveService, wait_until

MAKE_JOBS = """
from accounts.models import User
from jobs.models import Job
owner = User.objects.create_user("alice@example.org", "a long password")
Job.objects.bulk_create(Job(owner=owner, filename="race") for _ in range({count}))
"""


@full_size
def test_t13_a_database_that_restarts_again_and_again_loses_nothing(live_on_postgres, postgres_server, english_path):
    live = live_on_postgres
    books, chaos, client = Books(live), Chaos(live, 1, postgres_server), new_client(live)
    jobs = submit_many(client, english_path, sized(short=6, full=60), lambda number: f"sleep={0.5 + number % 3}")
    seconds = chaos.storm(
        "restart_database", every_seconds=4, until=books.is_at_rest, limit_seconds=300, at_most=sized(short=2, full=100)
    )
    assert books.statuses(jobs) == {"done": len(jobs)}
    print(f"T13: {len(jobs)} jobs, {dict(chaos.inflicted)}, {len(jobs)} done, {seconds:.0f} s")


def test_t13_a_finish_that_meets_a_dead_database_waits_for_it(start_service, postgres_server, english_path):
    """The work goes on while the database is away for less than a lease, and nothing of it is done again."""
    live = start_service(DATABASE_URL=postgres_server.new_database(), JOB_LEASE_SECONDS="30")
    books, client = Books(live), new_client(live)
    job_id = client.submit(english_path, prompt="sleep=2").json()["id"]
    wait_until(lambda: books.transcriptions([job_id]), seconds=30, what="the job to be taken")
    time.sleep(0.5)
    postgres_server.halt()
    answer = client.http.get("/me/usage")
    time.sleep(2.5)
    postgres_server.start()
    books.wait_for_rest(seconds=60)
    assert books.statuses([job_id]) == {"done": 1}
    assert (books.transcriptions([job_id]), books.value(f"SELECT crashes FROM jobs_job WHERE id = {job_id}")) == (1, 0)
    assert answer.status_code == 503, answer.text
    print("T13: finished while the database was away: 1 execution, 0 crashes; the API said 503 meanwhile")


def test_t14_without_a_reconciler_work_is_delayed_and_not_lost(live, client, english_path):
    books = Books(live)
    for name in ("reconciler1", "reconciler2"):
        live.kill(name)
    jobs = submit_many(client, english_path, 8, lambda number: "sleep=0.3")
    live.redis("FLUSHALL")
    live.kill("worker1")
    time.sleep(sized(short=3, full=300))
    for name in ("reconciler1", "reconciler2"):
        live.start_reconciler(name)
    live.start_worker("worker1")
    back = time.monotonic()
    books.wait_for_rest(seconds=60)
    assert books.statuses(jobs) == {"done": 8}
    print(f"T14: 8 of 8 done {time.monotonic() - back:.0f} s after the reconcilers' return")


def test_t14_no_race_for_a_job_has_two_winners(database, tmp_path):
    """Several reconcilers ring a job several times: whoever hears it, one gets it."""
    live = LiveService(tmp_path, **database)
    live.migrate()
    races = sized(short=200, full=1000)
    live.manage("shell", "-v0", "-c", MAKE_JOBS.format(count=races))
    command = [sys.executable, "-m", "transcribify.tests.faults.claim_race"]
    racers = [
        subprocess.Popen(command, cwd=ROOT, env=live.environment, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    time.sleep(3)
    (tmp_path / "go").touch()
    won = Counter(line for racer in racers for line in racer.communicate(timeout=120)[0].split())
    assert [racer.returncode for racer in racers] == [0] * 4
    twice = sum(times > 1 for times in won.values())
    print(f"T14 {lane_of(database)}: {races} races of 4 processes, {len(won)} jobs claimed, {twice} of them twice")
    assert (len(won), twice) == (races, 0)


def test_t15_a_budget_that_many_clients_race_for_is_given_out_exactly(database, start_service, one_second_path):
    limit, clients, posts = sized(short=10, full=50), sized(short=8, full=16), sized(short=4, full=10)
    live = start_service(workers={}, reconcilers=0, AUDIO_LIMIT_SECONDS=str(limit), **database)
    books, client = Books(live), new_client(live)
    together = threading.Barrier(clients)

    def submit_some(_: int) -> list[int]:
        together.wait()
        return [client.submit(one_second_path, report="false").status_code for _ in range(posts)]

    with ThreadPoolExecutor(clients) as pool:
        answers = Counter(status for statuses in pool.map(submit_some, range(clients)) for status in statuses)
    usage = client.usage()
    print(
        f"T15 {lane_of(database)}: limit {limit} s, {clients} clients x {posts} recordings of 1 s: {dict(answers)}, "
        f"reserved {usage['reserved_seconds']:g} s"
    )
    assert answers == {202: limit, 429: clients * posts - limit}
    assert (usage["reserved_seconds"], usage["remaining_seconds"]) == (limit, 0)
    assert books.value("SELECT count(*) FROM jobs_job") == limit
    live.start_reconciler("reconciler1")
    live.start_worker("worker1")
    books.wait_for_rest(seconds=120)
    assert client.usage()["used_seconds"] == limit


def lane_of(database: dict[str, str]) -> str:
    return "postgresql" if database else "sqlite"
