"""Filling a database with jobs: a block of them made here, and copies of it that the database makes by itself.

So a database with many jobs is one with few, many times over: the same owners have the same share of it, and the same
part of the jobs failed, has a transcript, a tag or a report. A copy is younger than its job by the block's length.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection, models

from accounts.models import LedgerEntry, QuotaAccount, User
from jobs.models import Job, JobEvent, JobTag, Status, TranscriptPart
from jobs.options import Options
from reports.models import Report

BLOCK = 1_000
"""Jobs made by Python; the others are copies. They come in at one a minute."""

OWNERS = 50
"""The first of them owns every second job."""

COMMON_TAG, SELDOM_TAG = "team", "week 7"
"""On a fifth and on a hundredth of the jobs."""

WORDS = [
    "budget", "project", "turnip", "client", "window", "morning", "report", "garden", "engine", "winter", "letter",
    "summer", "paper", "market",
]  # fmt: skip


def fill(rows: int) -> list[User]:
    """Make tables with ``rows`` finished jobs, numbered from 1; ``rows`` is a multiple of ``BLOCK``. The owners."""
    call_command("migrate", verbosity=0)
    owners = [User.objects.create_user(f"owner{number}@example.org") for number in range(OWNERS)]
    QuotaAccount.objects.update(limit_ms=None)
    _make_block(owners, datetime.now(UTC) - timedelta(minutes=rows))
    _skip_checks(True)
    with connection.cursor() as cursor:
        for distance in range(BLOCK, rows, BLOCK):
            for model in (Job, JobEvent, JobTag, TranscriptPart, Report, LedgerEntry):
                cursor.execute(_copy_of_block(model, distance))
        for sql in connection.ops.sequence_reset_sql(no_style(), [Job]):
            cursor.execute(sql)
    _skip_checks(False)
    return owners


def _skip_checks(skip: bool) -> None:
    """The copies are right: each foreign key would be looked up for nothing."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET session_replication_role = {'replica' if skip else 'origin'}")


def gather_statistics() -> None:
    """What PostgreSQL's autovacuum does in its time."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def _make_block(owners: list[User], begin: datetime) -> None:
    jobs = [_job(number, owners, begin + timedelta(minutes=number)) for number in range(1, BLOCK + 1)]
    Job.objects.bulk_create(jobs)
    JobEvent.objects.bulk_create(event for job in jobs for event in _events(job))
    JobTag.objects.bulk_create(
        JobTag(job=job, owner_id=job.owner_id, name=name) for job in jobs for name in job.options["tags"]
    )
    said = [job for job in jobs if job.status == Status.DONE and job.pk % 4 < 2]
    TranscriptPart.objects.bulk_create(_part(job) for job in said)
    Report.objects.bulk_create(
        Report(job=job, summary="About the budget. " * 5, key_points=["A point."] * 3, sentiment="neutral", writer="-")
        for job in said
    )
    LedgerEntry.objects.bulk_create(entry for job in jobs for entry in _booked(job))


def _job(number: int, owners: list[User], at: datetime) -> Job:
    turn = number // 2  # of the first owner, or of the others
    status = Status.FAILED if turn % 25 == 7 else Status.CANCELLED if turn % 50 == 11 else Status.DONE
    tags = ([COMMON_TAG] if turn % 5 == 1 else []) + ([SELDOM_TAG] if turn % 100 == 3 else [])
    return Job(
        pk=number,
        owner=owners[turn % (OWNERS - 1) + 1 if number % 2 else 0],
        status=status,
        stage=None,
        progress=1.0 if status == Status.DONE else 0.4,
        error_code="audio_damaged" if status == Status.FAILED else "",
        error_message="The file cannot be decoded." if status == Status.FAILED else "",
        created_at=at,
        not_before=at,
        started_at=at + timedelta(seconds=2),
        finished_at=at + timedelta(seconds=30 + number % 60),
        delete_at=at + timedelta(days=20_000) if turn % 20 == 4 else None,
        filename=f"talk {number}.mp3",
        size_bytes=1_000_000 + number,
        source_key=f"uploads/{number}/source",
        duration_ms=60_000 + number * 7_919 % 600_000,
        decoded=True,
        options=Options(tags=tuple(tags)).as_json(),
        engine="" if status == Status.FAILED else "faster-whisper",
        model="" if status == Status.FAILED else "base",
        language="ru" if turn % 100 == 5 else "en",
        audio_sha256=f"{number:064x}",
        fingerprint=f"{number:064x}",
        idempotency_key=f"key-{number}" if turn % 10 == 8 else "",
    )


def _events(job: Job) -> list[JobEvent]:
    kinds = [
        ("submitted", ""),
        ("claimed", "probe"),
        ("advanced", "probe"),
        ("claimed", "transcribe"),
        (job.status, ""),
    ]
    return [
        JobEvent(job=job, kind=kind, stage=stage, at=job.created_at + timedelta(seconds=number))
        for number, (kind, stage) in enumerate(kinds)
    ]


def _part(job: Job) -> TranscriptPart:
    words = [WORDS[(job.pk * step) % len(WORDS)] for step in range(1, 41)] + [f"word{job.pk}"]
    segments = [
        {"id": number, "start": number * 4.0, "end": number * 4.0 + 3.5, "text": " ".join(words[number * 8 :][:8])}
        for number in range(5)
    ]
    return TranscriptPart(job=job, position=0, text=" ".join(words), segments=segments)


def _booked(job: Job) -> list[LedgerEntry]:
    closing = LedgerEntry.Kind.SETTLE if job.status == Status.DONE else LedgerEntry.Kind.RELEASE
    return [
        LedgerEntry(
            account_id=job.owner_id, job_id=job.pk, run=1, kind=kind, ms=job.duration_ms, tags=job.options["tags"],
            at=job.created_at,
        )
        for kind in (LedgerEntry.Kind.RESERVE, closing)
    ]  # fmt: skip


def _copy_of_block(model: type[models.Model], distance: int) -> str:
    """SQL that copies the block's rows of a table for the jobs ``distance`` ids later, whatever columns it has."""
    by_job = "id" if model is Job else "job_id"
    columns = {
        field.column: _copied(model, field, distance)
        for field in model._meta.concrete_fields
        if model is Job or field.column != "id"
    }
    names, values = ", ".join(columns), ", ".join(columns.values())
    table = model._meta.db_table
    return f"INSERT INTO {table} ({names}) SELECT {values} FROM {table} WHERE {by_job} <= {BLOCK} ORDER BY {by_job}"


def _copied(model: type[models.Model], field: Any, distance: int) -> str:
    column = field.column
    special = {
        "uid": "gen_random_uuid()" if connection.vendor == "postgresql" else "lower(hex(randomblob(16)))",
        "filename": f"'talk ' || (id + {distance}) || '.mp3'",
        "idempotency_key": f"CASE idempotency_key WHEN '' THEN '' ELSE 'key-' || (id + {distance}) END",
        "job_id": f"job_id + {distance}",
        "id": f"id + {distance}",
    }
    if column in special:
        return special[column]
    if isinstance(field, models.DateTimeField):
        if connection.vendor == "postgresql":
            return f"{column} + interval '{distance} minutes'"
        return f"strftime('%Y-%m-%d %H:%M:%f', {column}, '+{distance} minutes')"
    return column
