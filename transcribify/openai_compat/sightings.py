"""What the poller asks the database about all jobs that are waited for: two questions, however many they are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Any

from django.db import connections
from django.db.models import Q

from jobs.abandonment import wait_again
from jobs.models import Job, Stage, TranscriptPart
from jobs.models.job import UNFINISHED

NOT_STREAMED = -1


@dataclass(slots=True)
class Sighting:
    """How far a job is: ``parts`` are those of its transcript that came since the last look, by position."""

    is_over: bool = False
    parts: list[tuple[int, list[dict[str, Any]]]] = field(default_factory=list)


def look_at(watched: Mapping[int, int]) -> dict[int, Sighting]:
    """The jobs by id, each with the first part of its transcript that is still wanted, or ``NOT_STREAMED``."""
    try:
        return _look_at(watched)
    finally:
        connections.close_all()


def _look_at(watched: Mapping[int, int]) -> dict[int, Sighting]:
    rows = Job.objects.filter(pk__in=watched).values_list("pk", "status", "stage", "cancel_at")
    found = {pk: (status, stage, cancel_at) for pk, status, stage, cancel_at in rows}
    left_alone = [pk for pk, (_, _, cancel_at) in found.items() if cancel_at]
    if left_alone:
        # Another client of the same job went away, of this process or of another one; ours is still here.
        wait_again(job_ids=left_alone)
    sightings = {pk: Sighting(is_over=_is_over(found.get(pk))) for pk in watched}
    for pk, position, segments in _new_parts(watched):
        sightings[pk].parts.append((position, segments))
    return sightings


def _is_over(row: tuple[str, str | None, Any] | None) -> bool:
    """Finished, gone, or with nothing left but its report, which no answer holds."""
    return row is None or row[0] not in UNFINISHED or row[1] == Stage.REPORT


def _new_parts(watched: Mapping[int, int]) -> Iterable[tuple[int, int, list[dict[str, Any]]]]:
    streamed = {pk: position for pk, position in watched.items() if position != NOT_STREAMED}
    if not streamed:
        return []
    wanted = reduce(or_, (Q(job_id=pk, position__gte=position) for pk, position in streamed.items()))
    parts = TranscriptPart.objects.filter(wanted).order_by("position")
    return parts.values_list("job_id", "position", "segments")
