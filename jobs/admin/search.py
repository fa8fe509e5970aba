"""What the search box of the job list understands, so that the cheap questions stay cheap.

An id and a uid are read from an index. An address is looked up among the users first. Anything else is looked for in
file names, which reads rows from the newest on until a page is full. Transcripts are searched on request only
(``text:``) and in the newest jobs only: there is no index over their words.
"""

from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import User
from jobs.models import Job, TranscriptPart

TEXT_PREFIX = "text:"
NEWEST_SEARCHED = 10_000
"""In how many of the newest jobs ``text:`` looks."""


def search_jobs(queryset: QuerySet[Job], term: str) -> QuerySet[Job]:
    """The jobs of ``queryset`` that ``term`` asks for."""
    term = term.strip()
    if term.lower().startswith(TEXT_PREFIX):
        return _by_text(queryset, term[len(TEXT_PREFIX) :].strip())
    number = term.removeprefix("#")
    if number.isascii() and number.isdigit():
        return queryset.filter(pk=number)
    if uid := _as_uid(term):
        return queryset.filter(uid=uid)
    if "@" in term:
        return queryset.filter(owner__in=User.objects.filter(email__icontains=term).values("pk"))
    return queryset.filter(filename__icontains=term) if term else queryset


def _by_text(queryset: QuerySet[Job], words: str) -> QuerySet[Job]:
    newest = Job.objects.order_by("-pk").values_list("pk", flat=True).first()
    if newest is None or not words:
        return queryset.none()
    said = TranscriptPart.objects.filter(job_id=OuterRef("pk"), text__icontains=words)
    return queryset.filter(Exists(said), pk__gt=newest - NEWEST_SEARCHED)


def _as_uid(term: str) -> UUID | None:
    try:
        return UUID(term)
    except ValueError:
        return None
