"""Flower shows the chain's tasks with the job id, to those who know the password."""

from pathlib import Path

import httpx2
import pytest

from transcribify.tests.client import Client
from transcribify.tests.live_service import LiveService, wait_until

PASSWORD = "only-for-this-test"


@pytest.fixture
def flower(service: LiveService) -> str:
    return service.start_flower(PASSWORD)


def tasks_of(flower: str, job_id: int) -> dict[str, str]:
    """Name and state of each task that had this job."""
    answer = httpx2.get(f"{flower}/api/tasks", auth=("admin", PASSWORD))
    found = [task for task in answer.json().values() if task["args"].strip("(,)[]") == str(job_id)]
    return {task["name"]: task["state"] for task in found}


def test_flower_shows_the_chain_with_the_job_id(flower: str, client: Client, english_path: Path) -> None:
    wait_until(lambda: httpx2.get(f"{flower}/workers", auth=("admin", PASSWORD)).is_success, seconds=30, what="Flower")
    job = client.transcribe(english_path)
    chain = {"jobs.probe": "SUCCESS", "jobs.transcribe": "SUCCESS", "reports.build": "SUCCESS"}
    wait_until(lambda: tasks_of(flower, job["id"]) == chain, seconds=20, what="three tasks with SUCCESS")
    assert httpx2.get(f"{flower}/api/tasks").status_code == 401
    assert httpx2.get(f"{flower}/tasks", auth=("admin", "wrong")).status_code == 401
