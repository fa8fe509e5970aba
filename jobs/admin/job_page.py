"""What the page of one job shows beside its columns: timeline, transcript, report and ledger rows, all capped."""

from dataclasses import dataclass
from typing import Any

from accounts.admin import ledger_rows
from accounts.durations import clock_time
from accounts.models import LedgerEntry
from jobs.models import Job, JobEvent
from jobs.selectors import enhanced_of

MAX_SEGMENTS = 2_000
MAX_EVENTS = 500
MAX_LEDGER_ROWS = 100


@dataclass(frozen=True, slots=True)
class Line:
    """A segment as it is shown; times as ``h:mm:ss.mmm``."""

    start: str
    end: str
    text: str


def page_of(job: Job, *, with_ledger: bool) -> dict[str, Any]:
    """The template's context; ``lines_cut`` and ``events_cut`` say that there is more than is shown."""
    lines, lines_cut = transcript_lines(job)
    enhanced = enhanced_of(job)
    events = list(JobEvent.objects.filter(job_id=job.pk).order_by("-id")[: MAX_EVENTS + 1])
    return {
        "job": job,
        "duration": clock_time(job.duration_ms),
        "chunks": chunks_of(job),
        "percent": round(job.progress * 100),
        "options": sorted(job.options.items()),
        "events": events[:MAX_EVENTS][::-1],
        "events_cut": len(events) > MAX_EVENTS,
        "lines": lines,
        "lines_cut": lines_cut,
        "enhanced": enhanced,
        "enhanced_lines": [_line(segment) for segment in enhanced.segments[:MAX_SEGMENTS]] if enhanced else [],
        # By the reverse relation's name: who writes reports is not known here.
        "report": getattr(job, "report", None),
        "ledger": _booked(job) if with_ledger else None,
    }


def chunks_of(job: Job) -> dict[str, Any]:
    """How many chunks there are, how many are finished, and who is at which of the others (``at_work``)."""
    chunks = list(job.chunks.defer("speech"))
    return {
        "all": len(chunks),
        "finished": sum(chunk.finished_at is not None for chunk in chunks),
        "at_work": [chunk for chunk in chunks if chunk.token],
    }


def transcript_lines(job: Job) -> tuple[list[Line], bool]:
    """The first segments, and whether there are more: a day of speech would make a page no browser likes."""
    lines: list[Line] = []
    for segments in job.parts.values_list("segments", flat=True).iterator(chunk_size=20):
        for segment in segments:
            if len(lines) == MAX_SEGMENTS:
                return lines, True
            lines.append(_line(segment))
    return lines, False


def _line(segment: dict[str, Any]) -> Line:
    start, end = (clock_time(round(segment[edge] * 1000), with_ms=True) for edge in ("start", "end"))
    return Line(start, end, segment["text"].strip())


def _booked(job: Job) -> list[LedgerEntry]:
    return list(ledger_rows(job_id=job.pk)[:MAX_LEDGER_ROWS])[::-1]
