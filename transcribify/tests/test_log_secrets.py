"""No log of any process tells a secret: canaries are planted everywhere, at LOG_LEVEL=DEBUG, and looked for."""

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import httpx2
import pytest

from jobs.tests.stubs import openai_answers as answers
from jobs.tests.stubs.openai_server import OpenAIStub
from transcribify.redaction import RedactingFormatter, RedactingJsonFormatter, redact
from transcribify.tests.client import Client
from transcribify.tests.live_service import ROOT, LiveService, free_port, is_open, wait_until

PLANTED = {
    "the password": "Canary-password-5512",
    "a wrong password": "Canary-wrong-5513",
    "a password in a form": "Canary-form-5514",
    "the provider's key": "sk-canary-provider-5515",
    "Redis's password": "canary-redis-5517",
    "the secret key": "canary-secret-key-5518-k9v2Qm7xLp4zRt8wYs1bDn6cFg3hJk5m",
    "the database's password": "canary-database-5519",
    "S3's secret": "canary-s3-secret-5520",
    "a signature in an address": "canaryc0ffee5521",
    "the transcript": "canary transcript 5522",
    "the prompt": "canary prompt 5523",
    "a bad token": "canarybadtoken5524",
    "Flower's password": "canary-flower-5525",
    "the report": "canary report 5526",
}


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """The address of an S3 server with a bucket ``recordings``."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: is_open(port), seconds=30, what="the S3 server")
    try:
        address = f"http://127.0.0.1:{port}"
        keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-east-1"}
        boto3.client("s3", endpoint_url=address, **keys).create_bucket(Bucket="recordings")
        yield address
    finally:
        server.terminate()
        server.wait()


def talkative(folder: Path, bucket: str, stub: OpenAIStub, log_format: str) -> LiveService:
    live = LiveService(
        folder,
        LOG_LEVEL="DEBUG",
        LOG_FORMAT=log_format,
        LOG_FILE=str(folder / "file.log"),
        SECRET_KEY=PLANTED["the secret key"],
        OPENAI_API_KEY=PLANTED["the provider's key"],
        OPENAI_BASE_URL=stub.base_url,
        REPORT_API_KEY=PLANTED["the provider's key"],
        REPORT_BASE_URL=stub.base_url,
        S3_BUCKET="recordings",
        S3_ENDPOINT_URL=bucket,
        S3_REGION="us-east-1",
        S3_ACCESS_KEY_ID="canary-id",
        S3_SECRET_ACCESS_KEY=PLANTED["S3's secret"],
    )
    password = PLANTED["Redis's password"]
    live.environment["REDIS_URL"] = f"redis://:{password}@127.0.0.1:{live.redis_port}/0"
    return live


def answer_with_canaries(request):
    if request.path.endswith("/chat/completions"):
        return answers.chat_answer({**answers.GOOD_REPORT, "summary": PLANTED["the report"]})
    return answers.verbose_answer([{"start": 0.0, "end": 2.0, "text": f" {PLANTED['the transcript']}."}])


def use_everything(live: LiveService, stub: OpenAIStub, path: Path) -> set[str]:
    """Do what touches each secret; the tokens and the API key that were issued."""
    user = Client(live.url, "alice@example.org", PLANTED["the password"])
    login = user.http.post("/auth/login", json={"email": "alice@example.org", "password": PLANTED["the password"]})
    user.http.post("/auth/login", json={"email": "alice@example.org", "password": PLANTED["a wrong password"]})
    user.http.post("/auth/login", data={"email": "alice@example.org", "password": PLANTED["a password in a form"]})
    user.http.post("/auth/login", content=f'{{"password": "{PLANTED["a wrong password"]}"')
    refreshed = user.http.post("/auth/refresh", json={"refresh_token": login.json()["refresh_token"]}).json()
    user.http.post("/auth/refresh", json={"refresh_token": login.json()["refresh_token"]})
    for address in ("/me/usage", f"/jobs?X-Amz-Signature={PLANTED['a signature in an address']}&token={user.token}"):
        user.http.get(address, headers={"Authorization": f"Bearer {PLANTED['a bad token']}"})
    key = user.http.post("/me/keys", json={"name": "canary"}).json()["key"]
    for text in (key, key[:-1]):
        user.http.get(f"/me/usage?mistaken={text}", headers={"Authorization": f"Bearer {text}"})
        user.http.post("/auth/token", json={"api_key": text})
    job = user.transcribe(path, prompt=PLANTED["the prompt"])
    assert (job["status"], job["report"]["summary"]) == ("done", PLANTED["the report"]), job
    stub.script(answers.INVALID_KEY)
    assert user.transcribe(path, prompt=PLANTED["the prompt"])["status"] == "failed"
    user.http.delete(f"/jobs/{job['id']}")
    issued = {*login.json().values(), *refreshed.values(), user.token, key[:-1]}
    return {token for token in issued if len(token) > 40}


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_log_tells_a_secret(log_format: str, tmp_path: Path, bucket: str, english_path: Path) -> None:
    with OpenAIStub(api_key=PLANTED["the provider's key"]) as stub:
        stub.always(answer_with_canaries)
        live = talkative(tmp_path, bucket, stub, log_format)
        try:
            live.start_redis("--requirepass", PLANTED["Redis's password"])
            live.migrate()
            live.start_reconciler()
            live.start_worker("worker")
            live.start_web()
            flower = live.start_flower(PLANTED["Flower's password"])
            tokens = use_everything(live, stub, english_path)
            assert httpx2.get(f"{flower}/api/tasks", auth=("admin", PLANTED["Flower's password"])).is_success
        finally:
            live.stop()
        assert any("canary" in str(request.headers) for request in stub.requests)
    leaks = {
        f"{what} in {path.name}: {line[:300]}"
        for path in live.folder.glob("*.log")
        for line in path.read_text(errors="replace").splitlines()
        for what, secret in {**PLANTED, **{f"token {n}": token for n, token in enumerate(tokens)}}.items()
        if secret in line
    }
    print(f"\n{len(live.log) // 1000} kB of logs at DEBUG, {len(PLANTED) + len(tokens)} secrets, {len(leaks)} leaks")
    assert not leaks, "\n".join(sorted(leaks))


def test_an_address_of_a_database_that_is_not_there_keeps_its_password(tmp_path: Path) -> None:
    password = PLANTED["the database's password"]
    for address in (f"postgres://me:{password}@127.0.0.1:{free_port()}/x", f"postgres://me:{password}@127.0.0.1:x/x"):
        live = LiveService(tmp_path, LOG_LEVEL="DEBUG", DATABASE_URL=address)
        command = [sys.executable, "manage.py", "migrate"]
        done = subprocess.run(command, cwd=ROOT, env=live.environment, capture_output=True, text=True, check=False)
        assert done.returncode != 0
        assert password not in done.stdout + done.stderr
        assert "127.0.0.1" in done.stderr or "port" in done.stderr.lower()


LINES = [
    "GET /jobs?a=1&X-Amz-Signature=canary-0123&token=canary-0123",
    "{'Authorization': 'Bearer canary-0123456789'}",
    "{'Authorization': b'Basic Y2FuYXJ5-canary='}",
    "authorization: canary-0123",
    '{"email": "a@example.org", "password": "canary-0123"}',
    "password='canary-0123' host=here",
    "refresh_token=canary-0123&a=1",
    "redis://:canary-0123@localhost:6379/0 does not answer",
    "postgres://me:canary-0123@db.example.org/x",
    "Incorrect API key provided: sk-canary-0123456789",
    "no such key: tk_canary-0123456789",
    "the keys are:\ntk_canary-0123456789",
    "token eyJjYW5hcnk.canary-0123456789.canary-0123456789",
]


@pytest.mark.parametrize("formatter", [RedactingFormatter(), RedactingJsonFormatter()], ids=["text", "json"])
@pytest.mark.parametrize("line", LINES)
def test_a_secret_is_masked_by_its_shape_in_messages_and_tracebacks(formatter: logging.Formatter, line: str) -> None:
    try:
        raise ValueError(line)
    except ValueError:
        record = logging.LogRecord("jobs", logging.ERROR, "x.py", 1, "seen: %s", (line,), sys.exc_info())
    written = formatter.format(record)
    assert "canary-" not in written
    assert written.count("***") >= 2
    assert "Traceback" in written


def test_a_configured_secret_is_masked_wherever_it_stands(tmp_path: Path) -> None:
    code = "import django; django.setup(); import logging; logging.getLogger('jobs').error('so %s it is', {!r})"
    live = LiveService(tmp_path, S3_SECRET_ACCESS_KEY="plain words of a canary", LOG_LEVEL="DEBUG")
    command = [sys.executable, "-c", code.format("plain words of a canary")]
    done = subprocess.run(command, cwd=ROOT, env=live.environment, capture_output=True, text=True, check=True)
    assert done.stdout.endswith("so *** it is\n")


@pytest.mark.parametrize(
    "line",
    [
        "GET /jobs?page_size=5 200",
        "job 5: no token, stage=probe",
        "Basic checks passed: the password is wrong",
        "http://127.0.0.1:8000/jobs",
        "the key is set",
        "the key tk_Ab3-x_9 was revoked",
    ],
)
def test_what_is_no_secret_stays_readable(line: str) -> None:
    assert redact(line) == line
