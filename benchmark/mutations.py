"""Do the tests of the promises fail when the promise is broken? One safeguard at a time is taken out, and they must.

    ./run bench mutations            all of them (about 15 minutes)
    ./run bench mutations token      those whose name holds this word

Works on a copy of the checkout. Prints, for each safeguard, which test was run and whether it turned red; exit code 1
when one stayed green, or when a safeguard is no longer where it is looked for.
"""

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FAULTS = "transcribify/tests/faults"


@dataclass(frozen=True, slots=True)
class Mutation:
    """A safeguard: where it is written, what stands there without it, and the tests that must notice."""

    name: str
    edits: tuple[tuple[str, str, str], ...]
    tests: tuple[str, ...]


MUTATIONS = (
    Mutation(
        "token clause of every write",
        (("jobs/lifecycle/claims.py", "filter(pk=self.job_id, token=self.token)", "filter(pk=self.job_id)"),),
        (f"{FAULTS}/test_hung_workers.py::test_t11_a_frozen_workers_late_write_changes_nothing",),
    ),
    Mutation(
        "token clause of what is saved of a chunk",
        (("jobs/lifecycle/chunks.py", "filter(pk=self.chunk_id, token=self.token)", "filter(pk=self.chunk_id)"),),
        ("jobs/tests/test_chunks.py",),
    ),
    Mutation(
        "a finished chunk is nobody's to take",
        (
            (
                "jobs/lifecycle/chunks.py",
                "chunks = Chunk.objects.filter(job_id=job_id, finished_at=None)",
                "chunks = Chunk.objects.filter(job_id=job_id)",
            ),
        ),
        ("jobs/tests/test_chunks.py",),
    ),
    Mutation(
        "stage=:mine in the claim",
        (("jobs/lifecycle/claims.py", "pk=job_id, stage=stage, token=None", "pk=job_id, token=None"),),
        (f"{FAULTS}/test_broker.py::test_t2_doubled_and_untimely_messages_change_nothing",),
    ),
    Mutation(
        "unique index of the ledger: one row of a kind for each run",
        (
            (
                "accounts/migrations/0001_initial.py",
                "models.UniqueConstraint(fields=('job_id', 'run', 'kind'), name='ledger_once_per_kind'), ",
                "",
            ),
        ),
        ("accounts/tests/test_quota.py",),
    ),
    Mutation(
        "unique index of the ledger: one closing row for each run",
        (
            (
                "accounts/migrations/0001_initial.py",
                ", models.UniqueConstraint(condition=models.Q(('kind__in', ['settle', 'release'])), "
                "fields=('job_id', 'run'), name='ledger_closed_once')",
                "",
            ),
        ),
        ("accounts/tests/test_quota.py",),
    ),
    Mutation(
        "reconciler",
        (
            (
                "jobs/reconciler.py",
                "    _do_each(\n        free_jobs_of_the_dead,",
                "    return\n    _do_each(\n        free_jobs_of_the_dead,",
            ),
        ),
        (f"{FAULTS}/test_broker.py::test_t6_a_killed_redis_loses_no_job",),
    ),
    Mutation(
        "format whitelist",
        (
            ("jobs/audio/ffmpeg.py", ', "-format_whitelist", FORMATS', ""),
            ("jobs/audio/ffmpeg.py", ", format_whitelist=FORMATS", ""),
        ),
        ("transcribify/tests/test_hostile_decode.py",),
    ),
    Mutation(
        "condition of the budget's gate",
        (("accounts/quota.py", "    if duration_ms > 0:\n        accounts = accounts.filter(fits)\n", ""),),
        ("accounts/tests/test_quota.py",),
    ),
    Mutation(
        "patience with a database that is away",
        (("jobs/outages.py", "if connection.in_atomic_block or", "if True or"),),
        (f"{FAULTS}/test_database.py::test_t13_a_finish_that_meets_a_dead_database_waits_for_it",),
    ),
    Mutation(
        "watch over frozen processes",
        (("jobs/worker.py", "    FrozenWatch().start()", "    pass"),),
        (
            f"{FAULTS}/test_hung_workers.py::test_t10_a_hung_job_runs_once_more_and_the_only_slot_takes_the_next[freeze]",
        ),
    ),
    Mutation(
        "MemoryError turned into a failure",
        (("jobs/stage_task.py", "    except MemoryError:", "    except ZeroDivisionError:"),),
        (
            f"{FAULTS}/test_killed_workers.py::test_t9_want_of_memory_fails_the_job_and_leaves_the_worker_up[memory_error]",
        ),
    ),
    Mutation(
        "limit of crashes",
        (("jobs/lifecycle/moves.py", "max(job.crashes, chunk_crashes) >= settings.JOB_MAX_CRASHES or ", ""),),
        (f"{FAULTS}/test_killed_workers.py::test_t8_a_poison_recording_ends_after_three_crashes_beside_good_ones",),
    ),
    Mutation(
        "count of guesses before the password is looked at",
        (("accounts/backends.py", "        count_attempt(email=email, address=address)\n", ""),),
        ("transcribify/tests/test_identity.py::test_of_two_hundred_logins_from_everywhere_ten_are_evaluated",),
    ),
)


def main(words: list[str]) -> int:
    chosen = [mutation for mutation in MUTATIONS if all(word in mutation.name for word in words)]
    green = [mutation.name for mutation in chosen if not turns_red(mutation)]
    print(f"{len(chosen) - len(green)} of {len(chosen)} turned red" + (f"; green: {', '.join(green)}" if green else ""))
    return 1 if green else 0


def turns_red(mutation: Mutation) -> bool:
    """Take the safeguard out of a copy and run its tests there."""
    with tempfile.TemporaryDirectory(prefix="transcribify-mutation-") as folder:
        copy_checkout(Path(folder))
        for file, before, after in mutation.edits:
            path = Path(folder) / file
            text = path.read_text()
            if before not in text:
                sys.exit(f"{mutation.name}: {file} has no {before!r} (any more)")
            path.write_text(text.replace(before, after))
        command = [sys.executable, "-m", "pytest", "-q", "-x", "--durations=0", *mutation.tests]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    verdict = "red" if done.returncode == 1 else "GREEN" if done.returncode == 0 else f"not run ({done.returncode})"
    print(f"{mutation.name}: {verdict}" + "".join(f"\n    {line}" for line in lines[:3]), flush=True)
    return done.returncode == 1


def copy_checkout(folder: Path) -> None:
    """What git tracks, as it is now."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
