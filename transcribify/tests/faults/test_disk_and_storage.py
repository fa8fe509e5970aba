"""The disk is full, the storage breaks or hangs (T19): the job waits and is done in the end, the API stays up."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from transcribify.tests.faults.books import Books
from transcribify.tests.faults.conftest import new_client
from transcribify.tests.faults.settings import full_size
from transcribify.tests.live_service import wait_until
from transcribify.tests.s3_server import FlakyDoor, s3_server, s3_variables


@pytest.fixture
def door() -> Iterator[FlakyDoor]:
    with s3_server() as (_, address):
        flaky = FlakyDoor(address)
        yield flaky
        flaky.close()


@full_size
def test_t19_a_storage_that_breaks_delays_a_job_and_refuses_uploads_clearly(start_service, door, english_path):
    live = start_service(workers={}, **s3_variables(door.address))
    books, client = Books(live), new_client(live)
    job_id = client.submit(english_path, prompt="sleep=0.1").json()["id"]
    door.turn("broken")
    live.start_worker("worker1")
    wait_until(
        lambda: books.events([job_id], "will be tried again"), seconds=60, what="the job to meet the broken storage"
    )
    answer = client.submit(english_path)
    assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
    assert client.usage()["reserved_seconds"] == pytest.approx(client.job(job_id)["duration_seconds"], abs=0.1)
    ready = client.http.get("/readyz")
    assert (ready.status_code, ready.json()["missing"]) == (503, ["storage"])
    door.turn("open")
    assert client.wait(job_id, seconds=60)["status"] == "done"
    assert books.value("SELECT count(*) FROM jobs_job") == 1
    print("T19: a broken storage: the job was tried again and is done; an upload meanwhile was 503 storage_unavailable")


@full_size
def test_t19_a_storage_that_hangs_hangs_nobody_else(start_service, door, english_path):
    timeout_seconds = 3
    variables = {"S3_TIMEOUT_SECONDS": str(timeout_seconds), **s3_variables(door.address)}
    live = start_service(workers={}, reconcilers=0, **variables)
    client = new_client(live)
    client.http.timeout = 90
    door.turn("hung")
    started = time.monotonic()
    assert client.http.get("/readyz").status_code == 503
    ready_seconds = time.monotonic() - started
    assert client.http.get("/me/usage").status_code == 200
    started = time.monotonic()
    answer = client.submit(english_path)
    assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
    seconds = time.monotonic() - started
    print(
        f"T19: a hung storage: /readyz 503 in {ready_seconds:.1f} s, "
        f"POST 503 in {seconds / timeout_seconds:.0f} time-outs of {timeout_seconds} s"
    )
    assert client.usage()["reserved_seconds"] == 0
    assert ready_seconds < 8
    assert seconds < 6 * timeout_seconds


def test_t19_a_full_disk_delays_a_job(start_service, meeting_path):
    """The worker's folder is a disk of one megabyte; the decoded meeting needs two."""
    live = start_service(workers={})
    books, client = Books(live), new_client(live)
    with small_disk(live.folder / "work") as grow:
        live.start_worker("worker1")
        job_id = client.submit(meeting_path, prompt="sleep=0.1").json()["id"]
        wait_until(
            lambda: books.events([job_id], "will be tried again"), seconds=60, what="the job to meet the full disk"
        )
        assert client.usage()["reserved_seconds"] > 0
        assert client.http.get("/healthz").status_code == 200
        assert not list((live.folder / "work").rglob("*.pcm"))
        grow()
        job = client.wait(job_id, seconds=60)
        assert (job["status"], job["warnings"]) == ("done", [])
        live.signal("worker1", 15)
        live.processes.pop("worker1").wait(timeout=20)
    print("T19: a full disk: tried again, done when there was room, nothing left behind")


@contextmanager
def small_disk(folder: Path):
    """A disk of one megabyte at ``folder``; yields what makes it large."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    folder.mkdir(exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr}")
    try:
        yield lambda: subprocess.run(["mount", "-o", "remount,size=64m", str(folder)], check=True)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
