"""The README's curl sequence runs as it stands there."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from transcribify.tests.live_service import ROOT, LiveService, running_service


@pytest.fixture
def fresh_service(tmp_path: Path):
    """What ``AUDIO_LIMIT_SECONDS=90 ./run serve`` starts, with the built-in recogniser."""
    with running_service(tmp_path, AUDIO_LIMIT_SECONDS="90", TRANSCRIPTION_ENGINE="pocketsphinx") as live:
        yield live


def curl_sequence() -> str:
    (block,) = re.findall(r"```bash\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    return block


def test_the_readmes_curl_sequence_runs_verbatim(fresh_service: LiveService) -> None:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", curl_sequence()],
        cwd=ROOT,
        env=os.environ | {"SERVER": fresh_service.url},
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr + fresh_service.log[-3000:]
    assert '"email":"ann@example.org"' in done.stdout
    assert '"status": "done"' in done.stdout
    assert '"engine": "pocketsphinx"' in done.stdout
    assert re.search(r'"used_seconds":(5|6)\d\.\d+,"reserved_seconds":0\.0,"limit_seconds":90\.0', done.stdout)
    refusal = re.search(r'{"detail":"audio limit exceeded\. you have (\d+)s remaining out of 90s total"', done.stdout)
    assert refusal
    assert f"you have {refusal[1]}s remaining" in (ROOT / "README.md").read_text()
    assert '"code":"audio_limit_exceeded"' in done.stdout
