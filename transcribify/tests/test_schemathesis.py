"""Schemathesis asks the live API whatever its description allows and what it does not.

Every answer has to be one that is described: no 5xx, no other status, body, type or header, nothing accepted that the
description refuses. ``SCHEMATHESIS_EXAMPLES=200 SCHEMATHESIS_SEED=7 ./run test transcribify -k schemathesis -s`` asks
longer.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from transcribify.tests.client import Client
from transcribify.tests.live_service import ROOT, LiveService, running_service

EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "5")
"""Requests made up for each operation, beside those that its description alone gives rise to."""

SEED = os.environ.get("SCHEMATHESIS_SEED", "1")

PROMPTS = {"done": "", "failed": "do=memory_error", "cancelled": "sleep=5", "processing": "sleep=600"}

REACHED = [
    *("POST /jobs", "POST /jobs/estimate", "GET /jobs", "GET /jobs/[0-9]+", "GET /jobs/[0-9]+/transcript"),
    *("GET /jobs/[0-9]+/audio", "POST /me/keys", "POST /auth/login", "POST /v1/audio/transcriptions"),
]
"""What has to have gone well at least once: else nothing but refusals was looked at."""


@pytest.fixture(scope="module")
def quick_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveService]:
    """Two workers whose engine takes a tenth of a second for each recording, and nothing that is limited."""
    with running_service(
        tmp_path_factory.mktemp("schemathesis"),
        workers={"one": "speech,light", "two": "speech,light"},
        TRANSCRIPTION_ENGINE="jobs.tests.engines.FaultyEngine",
        AUDIO_LIMIT_SECONDS="0",
        LOGIN_ATTEMPTS_PER_ACCOUNT="0",
        LOGIN_ATTEMPTS_PER_ADDRESS="0",
    ) as live:
        yield live


@pytest.fixture
def caller(quick_service: LiveService) -> Client:
    return Client(quick_service.url, "alice@example.org")


@pytest.fixture
def job_ids(caller: Client, english_path: Path) -> dict[str, int]:
    """A job in each state, by its state."""
    ids = {}
    for status, prompt in PROMPTS.items():
        ids[status] = caller.submit(english_path, prompt=prompt, vad_filter="false").json()["id"]
        if status == "cancelled":
            caller.http.post(f"/jobs/{ids[status]}/cancel")
        if status != "processing":
            assert caller.wait(ids[status])["status"] == status
    return ids


def test_the_api_is_what_its_description_says(
    quick_service: LiveService, caller: Client, job_ids: dict[str, int], tmp_path: Path
) -> None:
    command = [
        *(sys.executable, "-m", "schemathesis.cli"),
        *("--config-file", str(ROOT / "transcribify" / "tests" / "schemathesis.toml")),
        *("run", f"{quick_service.url}/schema", "--url", quick_service.url, "--no-color"),
        *("--header", f"Authorization: Bearer {caller.token}"),
        *("--max-examples", EXAMPLES, "--seed", SEED),
    ]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=os.environ
        | {"PYTHONPATH": str(ROOT), "SCHEMATHESIS_JOB_IDS": " ".join(str(number) for number in job_ids.values())},
        capture_output=True,
        text=True,
    )
    print(done.stdout[done.stdout.find("SUMMARY") :])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Tested: 24" in done.stdout
    assert int(re.findall(r"(\d+) generated", done.stdout)[0]) > 500
    log = (quick_service.folder / "web.log").read_text()
    assert "Traceback" not in log
    assert [request for request in REACHED if not re.search(rf'"{request}(\?\S*)? HTTP/1.1" 20[0-9]', log)] == []
