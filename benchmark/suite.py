"""The four benchmarks of long recordings, and the page about them. Without a name, ``./run bench`` runs this.

    ./run bench                                    all of it: about an hour on two idle cores
    ./run bench suite --quick                      small: to see that everything works
    ./run bench suite --only pipeline_cost rows    the other figures stay as they were

Figures go to var/benchmarks/figures.json, and from there to docs/benchmarks.md. The quick ones stay in
var/benchmarks/quick.json: they say nothing.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmark.machine import describe
from benchmark.page import render

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"
FIGURES = ROOT / "var" / "benchmarks"

LONG_RECORDINGS = ("pipeline_cost", "speedup", "memory")
FOUR = (*LONG_RECORDINGS, "rows")
ALL = (*FOUR, "ceilings")

QUICK = {
    "pipeline_cost": ["--size", "tiny", "--seconds", "60", "--rounds", "2"],
    "speedup": ["--size", "tiny", "--seconds", "120"],
    "memory": ["--short-seconds", "60", "--long-seconds", "120", "--upload-megabytes", "50"],
    "rows": ["--database", "sqlite", "--jobs", "2000", "--times", "5"],
    "ceilings": ["--size", "tiny", "--seconds", "60", "--rounds", "1"],
}


def main() -> None:
    asked = parse_options()
    path = FIGURES / ("quick.json" if asked.quick else "figures.json")
    figures = json.loads(path.read_text()) if path.is_file() else {}
    for name in asked.only:
        figures[name] = measure(name, asked) | describe()
        FIGURES.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(figures, indent=1) + "\n")
    if not asked.quick:
        PAGE.write_text(render(figures), encoding="utf-8")
    print(json.dumps(figures))


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", nargs="+", choices=ALL, default=FOUR)
    parser.add_argument("--option", action="append", default=[], help="of the jobs: batched=true")
    parser.add_argument("--setting", action="append", default=[], help="of the service: NAME=value")
    return parser.parse_args()


def measure(name: str, asked: argparse.Namespace) -> dict[str, Any]:
    """The figures that a script prints as its last line, and what it was ``given`` beyond the defaults."""
    command = [sys.executable, "-m", f"benchmark.{name}", *(QUICK[name] if asked.quick else [])]
    given = []
    if name in LONG_RECORDINGS:
        given = [*asked.option, *asked.setting]
        command += [word for option in asked.option for word in ("--option", option)]
        command += [word for setting in asked.setting for word in ("--setting", setting)]
    print(f"bench: {' '.join(command[2:])}", file=sys.stderr, flush=True)
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return {"figures": json.loads(done.stdout.splitlines()[-1]), "given": given}


if __name__ == "__main__":
    main()
