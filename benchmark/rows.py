"""Whether an answer takes longer when the tables hold many jobs: 1 million on PostgreSQL, 100,000 on SQLite.

    ./run bench rows                                       both databases, some ten minutes
    ./run bench rows --database sqlite --jobs 20000 --times 30
    ./run bench rows --check                               exit code 1 where an answer takes over 1.5 times as long

Each question is put to a database with 1,000 jobs and to one with many by turns, so that whatever else the machine does
disturbs both; the figures are medians in milliseconds, and of those the part that was spent in the database. PostgreSQL
does not wait for the disk at a commit: that takes equally long with any number of rows, and would hide what does not.
The last line is JSON: ``{"postgresql": {"list": {"ms_few": …, "ms_many": …, "ratio": …}, …}, "sqlite": …}``.
"""

import argparse
import gc
import json
import logging
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from transcribify.tests.postgres import PostgresServer, may_run

FEW = 1_000
MANY = {"postgresql": 1_000_000, "sqlite": 100_000}
MOST = 1.5
"""How many times as long an answer may take with many rows."""

SLOW_SECONDS = 0.5
"""A question that takes longer is asked less often."""

Figures = dict[str, dict[str, Any]]


def main() -> int:
    asked = parse_options()
    if asked.database != "both":
        figures = {asked.database: measure(asked.database, asked)}
    else:
        figures = {}
        for database in MANY:
            command = [sys.executable, "-m", "benchmark.rows", *sys.argv[1:], "--database", database]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
            *table, last = done.stdout.rstrip().split("\n")
            print("\n".join(table), flush=True)
            figures |= json.loads(last)
    print(json.dumps(figures))
    grown = [
        name for lane in figures.values() for name, each in lane.items() if each["required"] and each["ratio"] > MOST
    ]
    return 1 if asked.check and grown else 0


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--database", choices=["both", *MANY], default="both" if may_run() else "sqlite")
    parser.add_argument("--jobs", type=int, help="in the database with many, a multiple of 1,000")
    parser.add_argument("--times", type=int, default=200, help="each question is asked")
    parser.add_argument("--only", default="", help="the questions in whose names this occurs")
    parser.add_argument("--analyze", action="store_true", help="gather statistics in SQLite, too")
    parser.add_argument("--check", action="store_true", help="exit with 1 where one takes too long")
    return parser.parse_args()


def measure(database: str, asked: argparse.Namespace) -> Figures:
    """In databases of its own, which are gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="transcribify-rows-"))
    server = PostgresServer() if database == "postgresql" else None
    try:
        addresses = [server.new_database() if server else f"sqlite:///{folder / name}" for name in ("few", "many")]
        set_up_django(folder, addresses[0])
        from benchmark.many_rows.lane import Lane

        # PostgreSQL gathers statistics by itself; SQLite does when somebody asks it to, and nobody does.
        analyze = bool(server) or asked.analyze
        lanes = [
            Lane(addresses[0], FEW, analyze=analyze),
            Lane(addresses[1], asked.jobs or MANY[database], analyze=analyze),
        ]
        return compare(lanes, asked)
    finally:
        if server:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def set_up_django(folder: Path, database_url: str) -> None:
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "transcribify.settings.test",
        "DATABASE_URL": database_url,
        "DATA_DIR": str(folder),
        "ENV_FILE": os.devnull,
        "REDIS_URL": "memory://localhost",
        "RETENTION_DAYS": "10000",
    }
    import django

    django.setup()
    import celery_app  # noqa: F401 - the application whose broker is rung

    logging.getLogger("jobs").setLevel(logging.ERROR)


def compare(lanes: list[Any], asked: argparse.Namespace) -> Figures:
    figures: Figures = {}
    from benchmark.many_rows.questions import REQUIRED

    for name in [name for name in lanes[0].questions if asked.only in name]:
        few, many = ask_by_turns([lane.asker(name) for lane in lanes], asked.times)
        figures[name] = {
            "ms_few": few[0],
            "ms_many": many[0],
            "ratio": round(many[0] / few[0], 2),
            "database_ms_few": few[1],
            "database_ms_many": many[1],
            "required": name in REQUIRED,
        }
        mark = "" if figures[name]["ratio"] <= MOST else "  <-- grows" if name in REQUIRED else "  grows"
        shown = "{ms_few:9.2f} {ms_many:9.2f} {ratio:7.2f}   {database_ms_few:9.2f} {database_ms_many:9.2f}"
        print(f"{name:32} {shown.format(**figures[name])}{mark}", flush=True)
    return figures


def ask_by_turns(askers: list[Callable[[], tuple[float, float]]], times: int) -> list[tuple[float, float]]:
    """For each of them the medians of all, and of the database's, milliseconds."""
    taken: list[list[tuple[float, float]]] = [[] for _ in askers]
    for asker in askers:
        asker()
    gc.disable()
    begun = time.monotonic()
    for number in range(times):
        for turn in (0, 1) if number % 2 else (1, 0):
            taken[turn].append(askers[turn]())
        if number >= 4 and time.monotonic() - begun > SLOW_SECONDS * times / 10:
            break
    gc.enable()
    return [tuple(round(statistics.median(column), 3) for column in zip(*each, strict=True)) for each in taken]  # type: ignore[misc]


if __name__ == "__main__":
    sys.exit(main())
