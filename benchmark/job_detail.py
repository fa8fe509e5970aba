"""How quickly ``GET /jobs/{id}`` answers at a steady rate, with the transcript of an hour in the row.

    python -m benchmark.job_detail --rate 100 --seconds 60

The load generator runs on the same machine. It is open: a request is sent at its time whether or not the ones before it
are answered, and its latency counts from that time on. Prints p50, p95 and p99 in milliseconds.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

import httpx2

from transcribify.tests.client import Client
from transcribify.tests.live_service import LiveService, running_service

CONNECTIONS = 64

MAKE_JOB = """
from accounts.models import User
from jobs.models import Job, TranscriptPart
from reports.models import Report

WORDS = "the budget for the new project is ready so please call the client tomorrow".split()
FIGURES = dict(avg_logprob=-0.2345678, no_speech_prob=0.0123456, compression_ratio=1.3456, temperature=0.0)

def word(start, index):
    return dict(start=start + index / 4, end=start + index / 4 + 0.2, word=" " + WORDS[index], probability=0.98765)

def segment(number):
    start = number * 4.0
    fields = dict(id=number, start=start, end=start + 3.8, text=" " + " ".join(WORDS), seek=number * 400)
    words = dict(words=[word(start, index) for index in range(len(WORDS))]) if {words} else {{}}
    return fields | FIGURES | dict(tokens=list(range(50300, 50318))) | words

job = Job.objects.create(
    owner=User.objects.get(email={email!r}), filename="hour.mp3", status="done", stage=None, progress=1,
    duration_ms=3_600_000, decoded=True, language="en", engine="faster-whisper", model="base",
)
for position in range(180):
    segments = [segment(number) for number in range(position * 5, position * 5 + 5)]
    text = " ".join(fields["text"].strip() for fields in segments)
    TranscriptPart.objects.create(job=job, position=position, text=text, segments=segments)
Report.objects.create(
    job=job, summary="About the budget. " * 20, key_points=["A point."] * 8, topics=["budget"], sentiment="neutral",
    writer="extractive",
)
print(job.pk)
"""


async def fetch(pool: "asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]]", request: bytes) -> int:
    """One request over a connection of the pool; the length of the answer's body."""
    reader, writer = await pool.get()
    try:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(length)
        return length
    finally:
        pool.put_nowait((reader, writer))


async def load(live: LiveService, request: bytes, *, rate: float, seconds: float) -> list[float]:
    """The latencies in milliseconds."""
    pool: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        pool.put_nowait(await asyncio.open_connection("127.0.0.1", live.web_port, limit=1 << 22))
    latencies: list[float] = []
    started = time.monotonic()

    async def one(due: float) -> None:
        await fetch(pool, request)
        latencies.append((time.monotonic() - started - due) * 1000)

    tasks = []
    for number in range(round(rate * seconds)):
        due = number / rate
        await asyncio.sleep(max(0.0, due - (time.monotonic() - started)))
        tasks.append(asyncio.create_task(one(due)))
    await asyncio.gather(*tasks)
    return sorted(latencies)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--words", action="store_true", help="with word timestamps: some four times as much")
    asked = parser.parse_args(arguments)
    with running_service(Path(tempfile.mkdtemp(prefix="transcribify-bench-")), workers={}) as live:
        client = Client(live.url, "bench@example.org")
        made = live.manage("shell", "-v0", "-c", MAKE_JOB.format(email=client.email, words=asked.words))
        path = f"/jobs/{int(made.split()[-1])}"
        kilobytes = len(httpx2.get(live.url + path, headers=client.http.headers).content) / 1000
        lines = (f"GET {path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {client.token}", "", "")
        request = "\r\n".join(lines).encode()
        asyncio.run(load(live, request, rate=20, seconds=2))  # warm
        latencies = asyncio.run(load(live, request, rate=asked.rate, seconds=asked.seconds))
    figures = {f"p{p}_ms": round(latencies[int(len(latencies) * p / 100)], 1) for p in (50, 95, 99)}
    print(json.dumps({"rate": asked.rate, "requests": len(latencies), "kilobytes": round(kilobytes), **figures}))


if __name__ == "__main__":
    main(sys.argv[1:])
