"""What the poller asks the database about all jobs that are waited for: few questions, however many jobs they are."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Any

from django.db import connections
from django.db.models import Q

from jobs.abandonment import abandon_jobs, wait_again
from jobs.models import Job, Stage, TranscriptPart
from jobs.models.job import UNFINISHED

NOT_STREAMED = -1

STREAMS_PER_QUESTION = 100
"""SQLite takes no condition of a thousand parts."""


@dataclass(slots=True)
class Sighting:
    """How far a job is: ``parts`` of its transcript that came since the last look, by their ids, in order.

    Ids and not positions: a job that another worker takes over is written anew, from position 0 but with higher ids.
    """

    is_over: bool = False
    parts: list[tuple[int, list[dict[str, Any]]]] = field(default_factory=list)


def look_at(watched: Mapping[int, int], *, left: Collection[int] = ()) -> dict[int, Sighting]:
    """The ``watched`` jobs by id; each is given with the last part that was seen of it, or ``NOT_STREAMED``.

    Those that were ``left`` by their clients get their time of grace. No connection stays open: as long as one of a
    process does, SQLite keeps the files of all that were closed meanwhile.
    """
    try:
        abandon_jobs(job_ids=left)
        return _look_at(watched)
    finally:
        connections.close_all()


def _look_at(watched: Mapping[int, int]) -> dict[int, Sighting]:
    rows = Job.objects.filter(pk__in=list(watched)).values_list("pk", "status", "stage", "cancel_at")
    found = {pk: (status, stage, cancel_at) for pk, status, stage, cancel_at in rows}
    left_alone = [pk for pk, (_, _, cancel_at) in found.items() if cancel_at]
    if left_alone:
        # Another client of the same job went away, of this process or of another one; ours is still here.
        wait_again(job_ids=left_alone)
    sightings = {pk: Sighting(is_over=_is_over(found.get(pk))) for pk in watched}
    for pk, part_id, segments in _new_parts(watched):
        sightings[pk].parts.append((part_id, segments))
    return sightings


def _is_over(row: tuple[str, str | None, Any] | None) -> bool:
    """Finished, gone, or with nothing left but its report, which no answer holds."""
    return row is None or row[0] not in UNFINISHED or row[1] == Stage.REPORT


def _new_parts(watched: Mapping[int, int]) -> Iterator[tuple[int, int, list[dict[str, Any]]]]:
    streamed = [(pk, part_id) for pk, part_id in watched.items() if part_id != NOT_STREAMED]
    for first in range(0, len(streamed), STREAMS_PER_QUESTION):
        some = streamed[first : first + STREAMS_PER_QUESTION]
        wanted = reduce(or_, (Q(job_id=pk, pk__gt=part_id) for pk, part_id in some))
        yield from TranscriptPart.objects.filter(wanted).order_by("pk").values_list("job_id", "pk", "segments")
