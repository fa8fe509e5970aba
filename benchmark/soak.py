"""A long bad day: a thousand jobs on a service whose every part is killed, frozen, cut off or restarted in turn.

    ./run soak                             1,000 jobs, 20 minutes, PostgreSQL (SQLite where it is missing)
    ./run soak --jobs 60 --minutes 2 --seed 7 --database sqlite

One random fault every few seconds: ``kill -9`` of a worker's main process or of one of its pool, SIGTERM, a frozen
worker, dropped connections to Redis, FLUSHALL, ``kill -9`` of Redis, of a reconciler, restarts of PostgreSQL. Leases
are short (see ``QUICK``), crash settings are the real ones. Some owners cancel, some recordings are poison. At the end
the books are looked through; exit code 1, and the service's folder is kept, when they are wrong.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from transcribify.tests.client import Client
from transcribify.tests.faults.books import Books
from transcribify.tests.faults.chaos import Chaos
from transcribify.tests.faults.settings import QUICK, TWO_WORKERS
from transcribify.tests.live_service import LiveService, running_service
from transcribify.tests.postgres import PostgresServer, may_run

FAULTS = (
    "kill_process", "kill_process", "stop_worker", "freeze_worker", "drop_connections", "flush", "kill_redis",
    "kill_reconciler", "restart_database",
)  # fmt: skip
FAULT_EVERY_SECONDS = 4.0
REST_SECONDS = 300.0


def main() -> int:
    options = parse_options()
    print(f"seed {options.seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="transcribify-soak-"))
    postgres = PostgresServer() if options.database == "postgresql" else None
    variables = {"DATABASE_URL": postgres.new_database()} if postgres else {}
    try:
        with running_service(folder, workers=TWO_WORKERS, reconcilers=2, **{**QUICK, **variables}) as live:
            return soak(live, postgres, options)
    finally:
        if postgres:
            postgres.stop()


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    default = "postgresql" if may_run() else "sqlite"
    parser.add_argument("--database", choices=["postgresql", "sqlite"], default=default)
    parser.add_argument("--audio", type=Path, default=Path("jobs/tests/assets/english.flac"))
    return parser.parse_args()


def soak(live: LiveService, postgres: PostgresServer | None, options: argparse.Namespace) -> int:
    chaos, books = Chaos(live, options.seed, postgres), Books(live)
    users = Users(live, options)
    users.start()
    started = time.monotonic()
    try:
        chaos.storm(
            *FAULTS,
            every_seconds=FAULT_EVERY_SECONDS,
            until=lambda: not users.is_alive(),
            limit_seconds=options.minutes * 120 + 120,
        )
        books.wait_for_rest(seconds=REST_SECONDS)
        books.check()
    except AssertionError as error:
        kept = keep_evidence(live)
        print(json.dumps(figures(books, chaos, users, started, options)))
        print(f"FAILED with seed {options.seed}: {error}\nthe database and the logs are in {kept}", file=sys.stderr)
        return 1
    print(json.dumps(figures(books, chaos, users, started, options)))
    shutil.rmtree(live.folder, ignore_errors=True)
    return 0


class Users(threading.Thread):
    """Hand recordings in for as long as the soak lasts, evenly; a few are poison, a few are cancelled."""

    def __init__(self, live: LiveService, options: argparse.Namespace) -> None:
        super().__init__(name="users", daemon=True)
        self.accepted: list[int] = []
        self.answers: Counter[str] = Counter()
        self._options = options
        self._random = random.Random(options.seed)
        self._clients = [Client(live.url, f"user{number}@example.org") for number in range(5)]

    def run(self) -> None:
        pause = self._options.minutes * 60 / self._options.jobs
        started = time.monotonic()
        for number in range(self._options.jobs):
            self._hand_in(self._random.choice(self._clients), self._prompt())
            time.sleep(max(0.0, started + number * pause - time.monotonic()))

    def _prompt(self) -> str:
        order = f"sleep={self._random.uniform(0.1, 1):.2f}"
        return f"{order} do=crash" if self._random.random() < 0.01 else order

    def _hand_in(self, client: Client, prompt: str) -> None:
        """As a user does: what was not accepted (the database restarts) is sent again."""
        while True:
            answer = client.submit(self._options.audio, prompt=prompt)
            self.answers[str(answer.status_code)] += 1
            if answer.status_code == 202:
                break
            time.sleep(0.5)
        self.accepted.append(answer.json()["id"])
        if self._random.random() < 0.03:
            self.answers["cancels"] += 1
            client.http.post(f"/jobs/{answer.json()['id']}/cancel")


def figures(books: Books, chaos: Chaos, users: Users, started: float, options: argparse.Namespace) -> dict[str, object]:
    ids = users.accepted
    statuses = books.statuses(ids)
    return {
        "seed": options.seed,
        "database": options.database,
        "minutes": round((time.monotonic() - started) / 60, 1),
        "faults": dict(chaos.inflicted),
        "answers": dict(users.answers),
        "jobs": len(ids),
        **statuses,
        "lost": len(ids) - sum(statuses.get(status, 0) for status in ("done", "failed", "cancelled")),
        "charged_twice": books.charged_twice(),
        "transcriptions_begun": books.transcriptions(ids),
        "failures": dict(books.query("SELECT error_code, count(*) FROM jobs_job WHERE status = 'failed' GROUP BY 1")),
    }


def keep_evidence(live: LiveService) -> Path:
    """The logs and, of PostgreSQL, a dump beside them."""
    url = live.environment.get("DATABASE_URL", "")
    if url:
        with (live.folder / "database.sql").open("wb") as dump:
            subprocess.run(["pg_dump", url], stdout=dump, check=False)
    return live.folder


if __name__ == "__main__":
    sys.exit(main())
