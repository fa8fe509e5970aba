"""The invariants of the service, checked from outside: plain SQL and the disk, none of the application's own code.

At rest: every job is done, failed or cancelled; each of its runs was reserved once and closed once; no account has
anything reserved; what is used is the sum of what was settled and adjusted; no work file is left.
"""

import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from transcribify.tests.live_service import DATABASE, LiveService, wait_until

PARTS_PER_CHUNK = 100_000

WRONG = {
    "jobs that are not finished": "SELECT id, status FROM jobs_job WHERE status NOT IN ('done', 'failed', 'cancelled')",
    "finished jobs with a stage, a holder or no end": (
        "SELECT id FROM jobs_job WHERE stage IS NOT NULL OR token IS NOT NULL OR finished_at IS NULL"
    ),
    "runs that were not reserved once": (
        "SELECT job_id, run, count(*) FROM accounts_ledgerentry WHERE job_id IS NOT NULL GROUP BY job_id, run "
        "HAVING sum(CASE WHEN kind = 'reserve' THEN 1 ELSE 0 END) != 1"
    ),
    "runs that were not closed once": (
        "SELECT job_id, run, count(*) FROM accounts_ledgerentry WHERE job_id IS NOT NULL GROUP BY job_id, run "
        "HAVING sum(CASE WHEN kind IN ('settle', 'release') THEN 1 ELSE 0 END) != 1"
    ),
    "runs charged beyond their reservation": (
        "SELECT job_id, run FROM accounts_ledgerentry WHERE job_id IS NOT NULL GROUP BY job_id, run "
        "HAVING sum(CASE WHEN kind = 'settle' THEN ms ELSE 0 END) "
        "> sum(CASE WHEN kind IN ('reserve', 'top_up') THEN ms ELSE 0 END)"
    ),
    "jobs without a run in the ledger": (
        "SELECT id, run FROM jobs_job WHERE NOT EXISTS (SELECT 1 FROM accounts_ledgerentry AS entry "
        "WHERE entry.job_id = jobs_job.id AND entry.run = jobs_job.run)"
    ),
    "done jobs that were not charged their length": (
        "SELECT id FROM jobs_job WHERE status = 'done' AND duration_ms != (SELECT coalesce(sum(ms), 0) "
        "FROM accounts_ledgerentry AS entry WHERE entry.job_id = jobs_job.id AND kind = 'settle')"
    ),
    "failed jobs that were charged": (
        "SELECT id FROM jobs_job WHERE status = 'failed' AND EXISTS (SELECT 1 FROM accounts_ledgerentry AS entry "
        "WHERE entry.job_id = jobs_job.id AND entry.run = jobs_job.run AND kind = 'settle')"
    ),
    "done jobs with a chunk that is not, and chunks that are held at rest": (
        "SELECT chunk.id FROM jobs_chunk AS chunk JOIN jobs_job AS job ON job.id = chunk.job_id "
        "WHERE chunk.token IS NOT NULL OR (job.status = 'done' AND chunk.finished_at IS NULL)"
    ),
    "accounts with something reserved at rest": (
        "SELECT user_id, reserved_ms FROM accounts_quotaaccount WHERE reserved_ms != 0"
    ),
    "accounts whose use is not what was settled and adjusted": (
        "SELECT user_id, used_ms FROM accounts_quotaaccount WHERE used_ms != (SELECT coalesce(sum(ms), 0) "
        "FROM accounts_ledgerentry AS entry WHERE entry.account_id = user_id AND kind IN ('settle', 'adjust'))"
    ),
    "jobs that two workers held at once": (
        "SELECT job_id, id FROM (SELECT job_id, id, kind, lag(kind) OVER (PARTITION BY job_id ORDER BY id) AS before "
        "FROM jobs_jobevent) AS course WHERE kind = 'claimed' AND before = 'claimed'"
    ),
    "transcripts with a gap or a doubled part": (
        f"SELECT job_id FROM jobs_transcriptpart GROUP BY job_id, position / {PARTS_PER_CHUNK} "
        f"HAVING count(*) != max(position % {PARTS_PER_CHUNK}) + 1"
    ),
}
"""What must not exist when all is at rest."""


@dataclass(frozen=True, slots=True)
class Books:
    """The database and the files of one service, seen from outside."""

    live: LiveService

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of one statement, by a connection of its own."""
        url = self.live.environment.get("DATABASE_URL", "")
        if url.startswith("postgres://"):
            with psycopg.connect(url) as postgres:
                return postgres.execute(sql).fetchall()  # type: ignore[call-overload]
        database = sqlite3.connect(self.live.folder / DATABASE, timeout=30)
        try:
            return database.execute(sql).fetchall()
        finally:
            database.close()

    def value(self, sql: str) -> Any:
        """The only value of a statement's only row."""
        ((value,),) = self.query(sql)
        return value

    def statuses(self, ids: Sequence[int]) -> dict[str, int]:
        """How many of these jobs have which status."""
        return dict(self.query(f"SELECT status, count(*) FROM jobs_job WHERE id IN ({_list(ids)}) GROUP BY status"))

    def events(self, ids: Sequence[int], *kinds: str, stage: str = "") -> int:
        """How often something happened to these jobs: ``claimed``, ``lease expired``, ``put back`` …"""
        wanted = ", ".join(f"'{kind}'" for kind in kinds)
        where = f"job_id IN ({_list(ids)}) AND kind IN ({wanted})" + (f" AND stage = '{stage}'" if stage else "")
        return int(self.value(f"SELECT count(*) FROM jobs_jobevent WHERE {where}"))

    def transcriptions(self, ids: Sequence[int]) -> int:
        """How often recognition of these jobs was begun."""
        return self.events(ids, "claimed", stage="transcribe")

    def closings(self, ids: Sequence[int]) -> list[tuple[str, int]]:
        """The rows of the ledger that closed these jobs' runs, in order."""
        where = f"job_id IN ({_list(ids)}) AND kind IN ('settle', 'release')"
        return [
            (kind, ms)
            for kind, ms in self.query(f"SELECT kind, ms FROM accounts_ledgerentry WHERE {where} ORDER BY id")
        ]

    def is_at_rest(self) -> bool:
        return not self.query("SELECT 1 FROM jobs_job WHERE status IN ('pending', 'processing') LIMIT 1")

    def wait_for_rest(self, *, seconds: float) -> None:
        wait_until(self.is_at_rest, seconds=seconds, what="all jobs to finish")

    def check(self) -> None:
        """Raise an ``AssertionError`` that names what is wrong."""
        wrong = {what: rows[:5] for what, sql in WRONG.items() if (rows := self.query(sql))}
        assert not wrong, f"the books are wrong: {wrong}"
        wait_until(lambda: not self.work_files(), seconds=15, what="work files to be removed")

    def work_files(self) -> list[str]:
        """Decoded audio and folders of work that are still there; a live worker's own marks are none."""
        folders = (self.live.folder / "work", self.live.folder / "media" / "work")
        files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
        return [str(path) for path in files if not path.name.endswith("-stop")]

    def charged_twice(self) -> int:
        """Runs with more than one closing row."""
        closed = Counter(self.query("SELECT job_id, run FROM accounts_ledgerentry WHERE kind IN ('settle', 'release')"))
        return sum(1 for times in closed.values() if times > 1)


def _list(ids: Sequence[int]) -> str:
    return ", ".join(str(number) for number in ids) or "0"
