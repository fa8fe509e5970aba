"""A client of Transcribify from login to report, with nothing but the standard library and jiwer.

    python samples/demo.py http://127.0.0.1:8000

Registers a user, sends ``meeting.flac``, shows how the job gets on, prints the transcript with its word error rate
against ``meeting.txt``, the report, and what was charged.
"""

import json
import re
import secrets
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RECORDING = HERE / "meeting.flac"
REFERENCE = HERE / "meeting.txt"

LOOK_SECONDS = 0.25
PATIENCE_SECONDS = 600


class Client:
    """Talks to one installation as one user."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._token = ""

    def log_in(self, email: str, password: str) -> None:
        account = {"email": email, "password": password}
        self.request("POST", "/auth/register", account)
        self._token = self.request("POST", "/auth/login", account)["access_token"]

    def send(self, recording: Path, **options: str) -> dict[str, Any]:
        body, kind = multipart(recording, options)
        answer: dict[str, Any] = self.request("POST", "/jobs", body, kind)
        return answer

    def request(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> Any:
        """The decoded answer. Exits with the service's own message when it refuses."""
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        headers = {"Accept": "application/json", "Content-Type": kind}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            sys.exit(f"{method} {path}: {error.code} {error.read().decode(errors='replace')}")
        except urllib.error.URLError as error:
            sys.exit(f"{self.url} does not answer: {error.reason}")


def multipart(recording: Path, fields: dict[str, str]) -> tuple[bytes, str]:
    """A form with ``recording`` as its field ``file``, and its content type."""
    boundary = secrets.token_hex(16)
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    opening = "".join(parts) + (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{recording.name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    body = opening.encode() + recording.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
    return body, f"multipart/form-data; boundary={boundary}"


def follow(client: Client, job_id: int) -> dict[str, Any]:
    """Show the job's stages and progress until it is finished; the finished job."""
    started, shown = time.monotonic(), ""
    while time.monotonic() - started < PATIENCE_SECONDS:
        job: dict[str, Any] = client.request("GET", f"/jobs/{job_id}")
        line = f"{job['status']:<10} {job['stage'] or '':<10} {job['progress']:>4.0%}"
        if line != shown:
            print(f"  {time.monotonic() - started:5.1f} s  {line}", flush=True)
            shown = line
        if job["finished_at"]:
            return job
        time.sleep(LOOK_SECONDS)
    sys.exit(f"job {job_id} is not finished after {PATIENCE_SECONDS} s")


def print_transcript(job: dict[str, Any]) -> None:
    print(f"\nTranscript ({job['engine']}, model {job['model']}, language {job['language']})")
    for segment in job["segments"]:
        print(f"  {clock(segment['start'])} - {clock(segment['end'])}  {segment['text'].strip()}")
    print(f"  word error rate against {REFERENCE.name}: {word_error_rate(job['transcript']):.1%}")
    for warning in job["warnings"]:
        print(f"  note: {warning['message']}")


def print_report(report: dict[str, Any]) -> None:
    print(f"\nReport ({report['writer']})")
    print(f"  summary: {report['summary']}")
    for point in report["key_points"]:
        print(f"  - {point}")
    print(f"  topics: {', '.join(report['topics'])}")
    print(f"  sentiment: {report['sentiment']}")


def print_usage(usage: dict[str, Any]) -> None:
    limit = "unlimited" if usage["limit_seconds"] is None else f"{usage['limit_seconds']:.0f} s"
    print(f"\nUsage\n  {usage['used_seconds']:.1f} s of audio used, budget {limit}")


def word_error_rate(transcript: str) -> float:
    """Substituted, missing and added words per word of the reference; case and punctuation aside."""
    import jiwer  # noqa: PLC0415 - loaded while the service works, not before it starts

    return float(jiwer.wer(plain_words(REFERENCE.read_text()), plain_words(transcript)))


def plain_words(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9']+", text.lower()))


def clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes):02d}:{rest:05.2f}"


def main(url: str) -> int:
    """0 when the recording became a transcript with a report."""
    client = Client(url)
    client.log_in(f"demo-{secrets.token_hex(4)}@example.org", secrets.token_urlsafe(16))
    job = client.send(RECORDING, language="en")
    print(f"sent {RECORDING.name} ({RECORDING.stat().st_size / 1e6:.1f} MB): job {job['id']}")
    job = follow(client, job["id"])
    if job["status"] != "done" or not job["report"]:
        print(f"the job is {job['status']}: {job['error'] or job['warnings']}", file=sys.stderr)
        return 1
    print_transcript(job)
    print_report(job["report"])
    print_usage(client.request("GET", "/me/usage"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000"))
