"""The lifecycle under fire: jobs on two workers while processes are killed, connections dropped or Redis flushed.

    ./run bench kill_loop --jobs 100 --fault kill --seed 1

Real chain, real Redis, real lease and crash settings (change them with the environment, and say so). Prints done, lost,
double-settled, reserved at rest and the number of executions; exit code 1 when a job was lost or billed wrongly. For
every kind of fault at once: ``./run soak``.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from transcribify.tests.client import Client
from transcribify.tests.faults.books import Books
from transcribify.tests.faults.chaos import Chaos, submit_many
from transcribify.tests.faults.settings import TWO_WORKERS
from transcribify.tests.live_service import running_service

FAULT_EVERY_SECONDS = 3.0
FAULTS = {"none": (), "kill": ("kill_process",), "drop": ("drop_connections",), "flush": ("flush",)}
SETTINGS = ("JOB_LEASE_SECONDS", "JOB_MAX_CRASHES", "JOB_RING_AGAIN_SECONDS", "RECONCILE_EVERY_SECONDS")


def main() -> int:
    options = parse_options()
    variables = {name: os.environ[name] for name in SETTINGS if name in os.environ}
    if options.database:
        variables["DATABASE_URL"] = options.database
    with running_service(
        Path(tempfile.mkdtemp(prefix="transcribify-kill-loop-")),
        workers=TWO_WORKERS,
        TRANSCRIPTION_ENGINE="jobs.tests.engines.FaultyEngine",
        AUDIO_LIMIT_SECONDS="0",
        **variables,
    ) as live:
        chaos, books, chance = Chaos(live, options.seed), Books(live), random.Random(options.seed)
        excerpt = live.folder / "excerpt.flac"
        cut = ["ffmpeg", "-v", "error", "-y", "-t", "3", "-i", str(options.audio), str(excerpt)]
        subprocess.run(cut, check=True)
        client = Client(live.url, "alice@example.org")
        jobs = submit_many(client, excerpt, options.jobs, lambda number: f"sleep={chance.uniform(0.1, 1):.2f}")
        faults = FAULTS[options.fault]
        seconds = chaos.storm(
            *faults,
            every_seconds=FAULT_EVERY_SECONDS,
            until=books.is_at_rest,
            limit_seconds=options.limit_seconds,
            at_most=10_000 if faults else 0,
        )
        return report(options, books, chaos, jobs, seconds)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=100)
    parser.add_argument("--fault", choices=list(FAULTS), default="kill")
    parser.add_argument("--seed", type=int, default=random.randrange(10_000))
    parser.add_argument("--limit-seconds", type=float, default=1200)
    parser.add_argument("--database", default="", help="DATABASE_URL; default: a SQLite file")
    parser.add_argument("--audio", type=Path, default=Path("samples/meeting.flac"))
    return parser.parse_args()


def report(options: argparse.Namespace, books: Books, chaos: Chaos, jobs: list[int], seconds: float) -> int:
    try:
        books.check()
        wrong = ""
    except AssertionError as error:
        wrong = str(error)
    statuses = books.statuses(jobs)
    figures = {
        "seed": options.seed,
        "fault": options.fault,
        "faults": dict(chaos.inflicted),
        "seconds": round(seconds, 1),
        "jobs": len(jobs),
        **statuses,
        "lost": len(jobs) - sum(statuses.get(status, 0) for status in ("done", "failed", "cancelled")),
        "double_settled": books.charged_twice(),
        "reserved_ms_at_rest": int(books.value("SELECT sum(reserved_ms) FROM accounts_quotaaccount")),
        "transcribe_executions": books.transcriptions(jobs),
        "leases_expired": books.events(jobs, "lease expired"),
        "wrong": wrong,
    }
    print(json.dumps(figures))
    return 1 if wrong or figures["lost"] else 0


if __name__ == "__main__":
    sys.exit(main())
