"""An engine hangs (T10), a worker is frozen (T11): it is fenced off, and its slot works on."""

import signal
import time

import pytest

from transcribify.tests.faults.books import Books
from transcribify.tests.faults.conftest import a_single_worker, new_client
from transcribify.tests.faults.settings import QUICK, full_size, sized
from transcribify.tests.live_service import wait_until

STALL_SECONDS = float(QUICK["JOB_STALL_SECONDS"])


@pytest.mark.parametrize(
    "fault", [pytest.param("hang", marks=full_size), pytest.param("hang_holding_the_lock", marks=full_size), "freeze"]
)
def test_t10_a_hung_job_runs_once_more_and_the_only_slot_takes_the_next(live, client, english_path, fault):
    books = Books(live)
    with a_single_worker(live):
        stuck = client.submit(english_path, prompt=f"sleep=0.4 do={fault} once").json()["id"]
        wait_until(lambda: books.transcriptions([stuck]), seconds=30, what="the job to hang")
        hung_at = time.monotonic()
        following = client.submit(english_path, prompt="sleep=0.1").json()["id"]
        taken = f"SELECT 1 FROM jobs_job WHERE id = {following} AND started_at IS NOT NULL"
        wait_until(lambda: books.query(taken), seconds=STALL_SECONDS + 10, what="the next job to be taken")
        seconds = time.monotonic() - hung_at
        books.wait_for_rest(seconds=60)
    assert books.statuses([stuck, following]) == {"done": 2}
    assert books.transcriptions([stuck]) == 2
    assert seconds < STALL_SECONDS + 10
    print(
        f"T10 {fault}, one worker: run once more; the next job was taken after {seconds:.1f} s "
        f"(stall budget {STALL_SECONDS:g} s)"
    )


def test_t11_a_frozen_workers_late_write_changes_nothing(start_service, english_path):
    """The stall budget is long here, so that only the lease can find the frozen worker out."""
    live = start_service(JOB_STALL_SECONDS="600")
    books, client = Books(live), new_client(live)
    job_id = client.submit(english_path, prompt="sleep=3").json()["id"]
    wait_until(lambda: books.query("SELECT 1 FROM jobs_transcriptpart"), seconds=30, what="the first segments")
    holder = holder_of(books, job_id)
    frozen = next(name for name, process in live.processes.items() if process.pid == int(holder.split(":")[1]))
    live.signal(frozen, signal.SIGSTOP)
    thaw_at = time.monotonic() + sized(short=12, full=90)
    job = client.wait(job_id, seconds=60)
    before = books.query(f"SELECT * FROM jobs_job WHERE id = {job_id}"), client.job(job_id)
    time.sleep(max(0.0, thaw_at - time.monotonic()))
    live.signal(frozen, signal.SIGCONT)
    wait_until(
        lambda: f"job {job_id}: lost at stage transcribe" in live.log, seconds=30, what="the late worker to notice"
    )
    assert (books.query(f"SELECT * FROM jobs_job WHERE id = {job_id}"), client.job(job_id)) == before
    assert job["status"] == "done"
    assert books.transcriptions([job_id]) == 2
    assert [kind for kind, _ in books.closings([job_id])] == ["settle"]
    print("T11: the frozen worker's job was done by the other; its late write changed 0 rows; 1 settle")


def holder_of(books: Books, job_id: int) -> str:
    return str(books.value(f"SELECT holder FROM jobs_job WHERE id = {job_id}"))
