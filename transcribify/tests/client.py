"""A client as a user writes one: real HTTP against a live service."""

import time
import uuid
from pathlib import Path
from typing import Any

import httpx2

FINISHED = {"done", "failed", "cancelled"}


class Client:
    """One registered user of a live service."""

    def __init__(self, url: str, email: str, password: str = "correct horse battery") -> None:
        self.email, self.password = email, password
        # No connection is kept open, so that none has to be closed by each test.
        self.http = httpx2.Client(base_url=url, timeout=60, limits=httpx2.Limits(max_keepalive_connections=0))
        self.http.post("/auth/register", json={"email": email, "password": password})
        login = self.http.post("/auth/login", json={"email": email, "password": password})
        self.token = login.json()["access_token"]
        self.http.headers["Authorization"] = f"Bearer {self.token}"

    def submit(self, path: Path, *, key: str | None = None, **options: str) -> httpx2.Response:
        """Each time a job of its own, unless the ``Idempotency-Key`` is given (an empty one: none is sent)."""
        key = uuid.uuid4().hex if key is None else key
        headers = {"Idempotency-Key": key} if key else {}
        with path.open("rb") as file:
            return self.http.post("/jobs", files={"file": (path.name, file)}, data=options, headers=headers)

    def job(self, job_id: int) -> dict[str, Any]:
        return self.http.get(f"/jobs/{job_id}").json()

    def usage(self) -> dict[str, Any]:
        return self.http.get("/me/usage").json()

    def wait(self, job_id: int, *, seconds: float = 120) -> dict[str, Any]:
        """The job when it is finished."""
        deadline = time.monotonic() + seconds
        while (job := self.job(job_id))["status"] not in FINISHED:
            assert time.monotonic() < deadline, f"job {job_id} is not finished after {seconds} s: {job}"
            time.sleep(0.1)
        return job

    def transcribe(self, path: Path, **options: str) -> dict[str, Any]:
        response = self.submit(path, **options)
        assert response.status_code == 202, response.text
        return self.wait(response.json()["id"])
