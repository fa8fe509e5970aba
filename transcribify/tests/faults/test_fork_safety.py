"""A real model in a pool of two processes, forked and spawned (T7): nothing that was loaded before a fork hangs."""

import statistics
from datetime import datetime

import pytest

from transcribify.tests.conftest import ASSETS
from transcribify.tests.faults.books import Books
from transcribify.tests.faults.chaos import submit_many
from transcribify.tests.faults.conftest import new_client
from transcribify.tests.faults.settings import full_size


@full_size
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_t7_a_real_model_works_in_every_pool_process(start_service, english_path, method):
    live = start_service(
        workers={},
        TRANSCRIPTION_ENGINE="faster-whisper",
        WHISPER_MODELS_DIR=str(ASSETS),
        DEFAULT_MODEL="whisper-micro",
        WORKER_START_METHOD=method,
        JOB_STALL_SECONDS="60",
    )
    client = new_client(live)
    live.start_worker("worker1", concurrency=2)
    jobs = submit_many(client, english_path, 10, lambda number: "")
    Books(live).wait_for_rest(seconds=120)
    seconds = [duration_of(client.job(job_id)) for job_id in jobs]
    print(f"T7 {method}: {len(jobs)} jobs, median {statistics.median(seconds):.1f} s, longest {max(seconds):.1f} s")
    assert Books(live).statuses(jobs) == {"done": len(jobs)}
    assert max(seconds) <= 5 * statistics.median(seconds)


def duration_of(job: dict) -> float:
    started, finished = (datetime.fromisoformat(job[name]) for name in ("started_at", "finished_at"))
    return (finished - started).total_seconds()
