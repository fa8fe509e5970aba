"""What docs/ tells people to do works as it stands there."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from transcribify.tests.client import Client
from transcribify.tests.live_service import ROOT, LiveService
from transcribify.tests.test_schema import SCHEMA

WORKFLOW = ROOT / "docs" / "n8n-workflow.json"


def code(page: str, language: str) -> str:
    """All blocks of a page, one after the other."""
    blocks = re.findall(rf"```{language}\n(.*?)```", (ROOT / "docs" / page).read_text(), flags=re.DOTALL)
    assert len(blocks) >= 5
    return "\n".join(blocks)


def run(command: list[str], service: LiveService, *, folder: Path = ROOT, **variables: str) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"SERVER": service.url, **variables},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr + service.log[-3000:]
    return done.stdout


def test_the_tour_of_the_rest_api_runs_from_top_to_bottom(service: LiveService) -> None:
    told = run(["bash", "-euo", "pipefail", "-c", code("rest.md", "bash")], service)
    assert '"charged_seconds":30.0' in told
    assert "done\n" in told
    assert "idempotent-replayed: true" in told.lower()
    assert re.search(r"^00:00:\d\d,\d{3} --> 00:00:\d\d,\d{3}$", told, flags=re.MULTILINE)
    assert "WEBVTT" in told
    assert re.search(r"^\{'start': .*'word': ", told, flags=re.MULTILINE)
    assert '"key_points":' in told
    assert re.search(r"\}\s*100\n", told)  # bytes of the recording, after the report
    assert "\nmeeting.flac\n" in told
    assert "\n204\n" in told
    assert "tag,charged_seconds,jobs\nsales,30.0,1\nweekly,30.0,1\n" in told


def test_the_python_for_openais_sdk_runs_from_top_to_bottom(
    service: LiveService, client: Client, english_path: Path, tmp_path: Path
) -> None:
    """With a shorter meeting: it is transcribed five times."""
    (tmp_path / "samples").mkdir()
    shutil.copy(english_path, tmp_path / "samples" / "meeting.flac")
    key = client.http.post("/me/keys", json={"name": "sdk"}).json()["key"]
    told = run(
        [sys.executable, "-W", "error", "-c", code("openai-sdk.md", "python")],
        service,
        folder=tmp_path,
        TRANSCRIBIFY_KEY=key,
    )
    assert re.search(r"^00:00:\d\d,\d{3} --> ", told, flags=re.MULTILINE)
    (job_id, seconds), *_ = re.findall(r"^job (\d+) (\d+)(?:\.0)? seconds charged$", told, flags=re.MULTILINE)
    job = client.job(int(job_id))
    assert int(seconds) == 10 == job["duration_seconds"]
    assert (job["status"], job["options"]["tags"]) == ("done", ["sdk"])


def test_n8ns_workflow_is_whole_and_asks_for_addresses_that_there_are() -> None:
    workflow = json.loads(WORKFLOW.read_text())
    names = [node["name"] for node in workflow["nodes"]]
    assert len(names) == len(set(names))
    for start, outputs in workflow["connections"].items():
        assert start in names
        assert {link["node"] for links in outputs["main"] for link in links} <= set(names)
    asked = [node["parameters"] for node in workflow["nodes"] if node["type"] == "n8n-nodes-base.httpRequest"]
    found = {(node.get("method", "GET"), re.sub(r"\{\{.*?\}\}", "{}", node["url"])) for node in asked}
    expected = {("POST", "={}/jobs"), ("GET", "={}/jobs/{}"), ("GET", "={}/jobs/{}/transcript?format=srt")}
    assert found == expected
    described = {
        (method.upper(), re.sub(r"\{.*?\}", "{}", path))
        for path, methods in SCHEMA["paths"].items()
        for method in methods
    }
    assert {(method, url.removeprefix("={}").partition("?")[0]) for method, url in found} <= described
    page = (ROOT / "docs" / "n8n.md").read_text()
    assert all(f"*{name}*" in page for name in names)


@pytest.mark.parametrize("page", ["rest.md", "openai-sdk.md", "n8n.md"])
def test_the_readme_leads_to_the_page(page: str) -> None:
    assert f"(docs/{page})" in (ROOT / "README.md").read_text()
