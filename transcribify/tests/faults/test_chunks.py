"""Long recordings: shared out among workers, gone on with after a crash, and in nobody's way."""

import subprocess
import time
from pathlib import Path

import pytest

from transcribify.tests.client import Client
from transcribify.tests.conftest import ASSETS
from transcribify.tests.faults.books import Books
from transcribify.tests.faults.conftest import new_client
from transcribify.tests.live_service import LiveService, wait_until

ONE_WORKER = {"worker1": "speech,light"}

REAL = {
    "TRANSCRIPTION_ENGINE": "faster-whisper",
    "WHISPER_MODELS_DIR": str(ASSETS),
    "DEFAULT_MODEL": "whisper-micro",
    "WHISPER_CPU_THREADS": "1",
    "JOB_STALL_SECONDS": "60",
}

CHUNK_SECONDS = 12


@pytest.fixture(scope="module")
def long_path(english_path, tmp_path_factory) -> Path:
    """Two minutes and more of sentences with pauses."""
    path = tmp_path_factory.mktemp("long") / "long.flac"
    command = ["ffmpeg", "-v", "error", "-stream_loop", "9", "-i", str(english_path), str(path)]
    subprocess.run(command, check=True)
    return path


class Chunks:
    """The chunks of one job, seen from outside."""

    def __init__(self, live: LiveService, job_id: int) -> None:
        self._books, self._job_id = Books(live), job_id

    def rows(self, columns: str = "position, claims, holder") -> list[tuple]:
        return self._books.query(f"SELECT {columns} FROM jobs_chunk WHERE job_id = {self._job_id} ORDER BY position")

    def finished(self) -> list[int]:
        return [position for position, end in self.rows("position, finished_at") if end]

    def claims(self) -> dict[int, int]:
        """How often each chunk was begun."""
        return dict(self.rows("position, claims"))


def submit(client: Client, path: Path, **options: str) -> int:
    answer = client.submit(path, report="false", **options)
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def said(job: dict) -> list[tuple]:
    return [(segment["id"], segment["start"], segment["end"], segment["text"]) for segment in job["segments"]]


def assert_in_order(job: dict) -> None:
    segments = job["segments"]
    assert [segment["id"] for segment in segments] == list(range(len(segments)))
    edges = [edge for segment in segments for edge in (segment["start"], segment["end"])]
    assert edges == sorted(edges)
    assert edges[-1] <= job["duration_seconds"]


def test_an_idle_worker_helps_and_every_chunk_is_recognised_once(start_service, long_path, database):
    live = start_service(CHUNK_SECONDS=str(CHUNK_SECONDS), **database)
    client = new_client(live)
    job_id = submit(client, long_path, prompt="sleep=1")
    job = client.wait(job_id)
    chunks = Chunks(live, job_id)
    assert job["status"] == "done", job
    assert_in_order(job)
    assert len(job["segments"]) == 10 * len(chunks.rows())
    assert set(chunks.claims().values()) == {1}
    assert Books(live).events([job_id], "helped") >= len(chunks.rows()) // 4
    assert Books(live).transcriptions([job_id]) == 1


def test_chunks_change_nothing_of_the_transcript(start_service, long_path, russian_path, tmp_path):
    russian = tmp_path / "russian.flac"
    subprocess.run(["ffmpeg", "-v", "error", "-stream_loop", "5", "-i", str(russian_path), str(russian)], check=True)
    in_chunks = new_client(start_service(CHUNK_SECONDS=str(CHUNK_SECONDS), **REAL))
    whole = new_client(start_service(workers=ONE_WORKER, CHUNK_SECONDS="100000", **REAL))
    for path in (long_path, russian):
        jobs = [client.wait(submit(client, path)) for client in (in_chunks, whole)]
        assert [job["status"] for job in jobs] == ["done", "done"], jobs
        assert_in_order(jobs[0])
        assert jobs[0]["language"] == jobs[1]["language"]
        assert said(jobs[0]) == said(jobs[1])


def test_a_killed_worker_costs_the_chunk_it_was_at(start_service, long_path):
    live = start_service(workers=ONE_WORKER, CHUNK_SECONDS=str(CHUNK_SECONDS))
    client = new_client(live)
    undisturbed = client.wait(submit(client, long_path, prompt="sleep=0.5"))
    job_id = submit(client, long_path, prompt="sleep=0.5")
    chunks = Chunks(live, job_id)
    wait_until(lambda: client.job(job_id)["progress"] > 0.67, seconds=60, what="two thirds of the job")
    live.kill("worker1")
    done = chunks.finished()
    live.start_worker("worker1")
    job = client.wait(job_id)
    claims = chunks.claims()
    assert len(done) >= len(claims) // 2
    assert {claims.pop(position) for position in done} == {1}
    assert sorted(claims.values())[:-1] == [1] * (len(claims) - 1)
    assert said(job) == said(undisturbed)


def test_a_killed_helper_costs_the_chunk_it_was_at(start_service, long_path):
    live = start_service(CHUNK_SECONDS=str(CHUNK_SECONDS))
    client, books = new_client(live), Books(live)
    job_id = submit(client, long_path, prompt="sleep=1")
    wait_until(lambda: books.events([job_id], "helped"), seconds=30, what="a helper")
    holder = books.value(f"SELECT holder FROM jobs_job WHERE id = {job_id}")
    helper = next(name for name in ("worker1", "worker2") if str(live.processes[name].pid) != holder.split(":")[1])
    live.kill(helper)
    live.start_worker(helper)
    job = client.wait(job_id)
    assert job["status"] == "done", job
    assert_in_order(job)
    assert sum(Chunks(live, job_id).claims().values()) <= len(Chunks(live, job_id).rows()) + 1
    assert books.transcriptions([job_id]) == 1


def test_a_poison_chunk_ends_the_job_though_others_help(start_service, long_path):
    live = start_service(CHUNK_SECONDS=str(CHUNK_SECONDS))
    client = new_client(live)
    job = client.wait(submit(client, long_path, prompt="sleep=0.4 do=crash"))
    assert (job["status"], job["error"]["code"]) == ("failed", "crashed_repeatedly")
    assert client.usage()["used_seconds"] == 0


def test_another_user_waits_no_longer_than_one_chunk(start_service, long_path, english_path):
    live = start_service(workers=ONE_WORKER, CHUNK_SECONDS=str(CHUNK_SECONDS))
    long, short = new_client(live), new_client(live)
    long_id = submit(long, long_path, prompt="sleep=2")
    wait_until(lambda: Chunks(live, long_id).finished(), seconds=60, what="the first chunk")
    started = time.monotonic()
    job = short.wait(submit(short, english_path, prompt="sleep=0.2"))
    waited = time.monotonic() - started
    assert job["status"] == "done"
    assert not Books(live).is_at_rest()
    assert waited < 2 + 5 + 2  # one chunk's work, what the issue of turns may cost, and its own
    done = long.wait(long_id)
    assert_in_order(done)
    assert set(Chunks(live, long_id).claims().values()) == {1}
    assert Books(live).events([long_id], "process died", "lease expired") == 0


def test_a_cancel_charges_what_was_saved_by_all(start_service, long_path):
    live = start_service(CHUNK_SECONDS=str(CHUNK_SECONDS))
    client = new_client(live)
    job_id = submit(client, long_path, prompt="sleep=1")
    wait_until(lambda: len(Chunks(live, job_id).finished()) >= 4, seconds=60, what="four chunks")
    client.http.post(f"/jobs/{job_id}/cancel")
    job = client.wait(job_id)
    assert job["status"] == "cancelled"
    assert_in_order(job)
    used = client.usage()["used_seconds"]
    spoken = sum(segment["end"] - segment["start"] for segment in job["segments"])
    assert spoken - 0.1 <= used <= job["duration_seconds"]
    assert used < spoken + 0.25 * job["duration_seconds"]


def test_a_partial_transcript_has_what_was_done_out_of_order(start_service, long_path):
    live = start_service(CHUNK_SECONDS=str(CHUNK_SECONDS))
    client = new_client(live)
    job_id = submit(client, long_path, prompt="sleep=1")
    wait_until(lambda: len(Chunks(live, job_id).finished()) >= 3, seconds=60, what="three chunks")
    job = client.job(job_id)
    starts = [segment["start"] for segment in job["segments"]]
    assert starts == sorted(starts)
    assert len(starts) >= 30
    assert 0.1 < job["progress"] < 0.95
    assert 0 < job["remaining_seconds"] < 60
    assert client.wait(job_id)["remaining_seconds"] is None
