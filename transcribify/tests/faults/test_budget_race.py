"""The last seconds of a budget, asked for by many at once."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jobs.tests.conftest import run_ffmpeg
from transcribify.tests.client import Client
from transcribify.tests.conftest import ASSETS
from transcribify.tests.faults.books import Books
from transcribify.tests.faults.conftest import new_client
from transcribify.tests.live_service import LiveService

BUDGET_MS = 20_000
SECONDS = 3
"""Six recordings fit; a seventh would need one second more than is left."""


@pytest.fixture(params=["live", "live_on_postgres"])
def service(request: pytest.FixtureRequest) -> LiveService:
    return request.getfixturevalue(request.param)


def recording(folder: Path, number: int) -> Path:
    """Three seconds of speech that no other file has byte for byte."""
    path = folder / f"{number}.wav"
    run_ffmpeg("-i", str(ASSETS / "english.flac"), "-t", str(SECONDS), "-af", f"volume={1 - number / 50}", str(path))
    return path


def leave(live: LiveService, client: Client, ms: int) -> None:
    limits = f"QuotaAccount.objects.filter(user__email={client.email!r}).update(limit_ms={ms})"
    live.manage("shell", "-c", f"from accounts.models import QuotaAccount; {limits}")


def test_ten_identical_and_ten_different_uploads_are_charged_what_fits(service, tmp_path):
    client = new_client(service)
    leave(service, client, BUDGET_MS)
    same = recording(tmp_path, 0)
    others = [recording(tmp_path, number) for number in range(1, 11)]
    uploads = [path for pair in zip([same] * 10, others, strict=True) for path in pair]
    with ThreadPoolExecutor(len(uploads)) as pool:
        answers = list(pool.map(lambda path: client.submit(path, key="", prompt="sleep=3"), uploads))

    codes = Counter(answer.status_code for answer in answers)
    assert set(codes) <= {202, 429}, [answer.text for answer in answers]
    accepted = {answer.json()["id"] for answer in answers if answer.status_code == 202}
    assert len(accepted) == BUDGET_MS // (SECONDS * 1000), codes
    of_the_same = {answer.json().get("id") for answer in answers[::2] if answer.status_code == 202}
    assert len(of_the_same) <= 1
    for job_id in accepted:
        assert client.wait(job_id)["status"] == "done"
    usage = client.usage()
    print(f"\n{codes[202]} accepted as {len(accepted)} jobs, {codes[429]} refused; {usage['used_seconds']} s charged")
    assert (usage["used_seconds"], usage["reserved_seconds"]) == (18.0, 0.0)
    Books(service).check()
