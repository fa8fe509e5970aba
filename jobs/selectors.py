"""What can be asked about jobs. Everything that a user may see is filtered by its owner here."""

from itertools import chain
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from accounts.models import User
from jobs.models import Job, Status
from jobs.options import Options
from jobs.transcript import Segment, Transcript, Word

_BETWEEN_PARTS = "\x1e"
"""ASCII's record separator: JSON never holds it unescaped."""

_JOINED_PARTS = {
    # SQLite keeps the order of a sub-query for an aggregate that depends on it.
    "sqlite": """
        SELECT group_concat(nullif(text, ''), ' '), group_concat(segments, %s)
        FROM (SELECT text, segments FROM jobs_transcriptpart WHERE job_id = %s ORDER BY position)
    """,
    "postgresql": """
        SELECT string_agg(nullif(text, ''), ' ' ORDER BY position), string_agg(segments::text, %s ORDER BY position)
        FROM jobs_transcriptpart WHERE job_id = %s
    """,
}


def jobs_of(owner: User) -> QuerySet[Job]:
    """The owner's jobs, newest first."""
    return Job.objects.filter(owner=owner).order_by("-id")


def segments_of(job: Job) -> list[dict[str, Any]]:
    """The segments saved so far, as the API shows them, in the order of time."""
    return list(chain.from_iterable(job.parts.values_list("segments", flat=True)))


def text_of(job: Job) -> str:
    """The text recognised so far."""
    return " ".join(text for text in job.parts.values_list("text", flat=True) if text)


def stored_parts_of(job: Job) -> tuple[str, list[str]]:
    """The transcript so far: its text, and the segments of each part as the text of a JSON array.

    As one row of the database: a thread lets go of the interpreter for each row that SQLite gives, and with many
    threads at work each of hundreds of rows of a long transcript would cost it its turn.
    """
    with connection.cursor() as cursor:
        cursor.execute(_JOINED_PARTS[connection.vendor], [_BETWEEN_PARTS, job.pk])
        text, segments = cursor.fetchone()
    return text or "", segments.split(_BETWEEN_PARTS) if segments else []


def transcript_of(job: Job) -> Transcript:
    """The transcript as values that writers and exports take."""
    segments = tuple(_segment(fields) for fields in segments_of(job))
    return Transcript(segments, language_of(job) if segments else job.language)


def language_of(job: Job) -> str | None:
    """The language of a job's text: English where it was translated, else what was spoken."""
    return "en" if Options.of(job.options).task == "translate" else job.language


def enhanced_of(job: Job) -> Any:
    """The enhanced transcript (``text``, ``segments``, ``model``), whichever package made it, or None.

    It is reached by the name of the reverse relation. While the transcript itself is made anew there is none: what an
    earlier run left would not be this one's.
    """
    has_its_transcript = job.status == Status.DONE or job.report_only
    return getattr(job, "enhanced", None) if has_its_transcript else None


def has_whole_transcript(job: Job) -> bool:
    """Whether the transcript is all that it will be: of a done job, or the part that a cancelled one kept and paid."""
    return job.status == Status.DONE or job.report_only or (job.status == Status.CANCELLED and job.parts.exists())


def _segment(fields: dict[str, Any]) -> Segment:
    values = {name: value for name, value in fields.items() if name not in {"id", "words", "tokens", "flags"}}
    words = tuple(Word(**word) for word in fields.get("words", ()))
    tokens = tuple(fields["tokens"]) if "tokens" in fields else None
    return Segment(**values, words=words, tokens=tokens, flags=tuple(fields.get("flags", ())))
