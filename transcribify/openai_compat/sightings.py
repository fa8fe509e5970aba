"""What the poller asks the database about all jobs that are waited for: few questions, however many jobs they are."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Any

from django.db import connections
from django.db.models import Min, Q

from jobs.abandonment import abandon_jobs, wait_again
from jobs.models import Chunk, Job, Stage, TranscriptPart
from jobs.models.job import UNFINISHED
from jobs.models.transcript_part import PARTS_PER_CHUNK, first_position, in_chunk

STREAMS_PER_QUESTION = 100
"""SQLite takes no condition of a thousand parts."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A part of a transcript, to read on behind it: all of the chunks before its own were read to their ends.

    Its id and not its position: a chunk that another worker takes over is written anew, from its first position on but
    with higher ids.
    """

    chunk: int
    part_id: int


BEGINNING = Place(0, 0)


@dataclass(slots=True)
class Sighting:
    """How far a job is: the parts of its transcript behind the last look's, in order, without gaps between them."""

    is_over: bool = False
    parts: list[tuple[Place, list[dict[str, Any]]]] = field(default_factory=list)


def look_at(watched: Mapping[int, Place | None], *, left: Collection[int] = ()) -> dict[int, Sighting]:
    """The ``watched`` jobs by id; each is given with the last part that was seen of it, None where nobody reads along.

    Those that were ``left`` by their clients get their time of grace. No connection stays open: as long as one of a
    process does, SQLite keeps the files of all that were closed meanwhile.
    """
    try:
        abandon_jobs(job_ids=left)
        return _look_at(watched)
    finally:
        connections.close_all()


def _look_at(watched: Mapping[int, Place | None]) -> dict[int, Sighting]:
    rows = Job.objects.filter(pk__in=list(watched)).values_list("pk", "status", "stage", "cancel_at")
    found = {pk: (status, stage, cancel_at) for pk, status, stage, cancel_at in rows}
    left_alone = [pk for pk, (_, _, cancel_at) in found.items() if cancel_at]
    if left_alone:
        # Another client of the same job went away, of this process or of another one; ours is still here.
        wait_again(job_ids=left_alone)
    sightings = {pk: Sighting(is_over=_is_over(found.get(pk))) for pk in watched}
    for pk, place, segments in _new_parts(watched):
        sightings[pk].parts.append((place, segments))
    return sightings


def _is_over(row: tuple[str, str | None, Any] | None) -> bool:
    """Finished, gone, or with nothing left but its report, which no answer holds."""
    return row is None or row[0] not in UNFINISHED or row[1] == Stage.REPORT


def _new_parts(watched: Mapping[int, Place | None]) -> Iterator[tuple[int, Place, list[dict[str, Any]]]]:
    streamed = [(pk, place) for pk, place in watched.items() if place is not None]
    for first in range(0, len(streamed), STREAMS_PER_QUESTION):
        some = streamed[first : first + STREAMS_PER_QUESTION]
        # Chunks are done in any order, and read in theirs: up to the first that is still at work.
        at_work = _first_unfinished([pk for pk, _ in some])
        wanted = reduce(or_, (_behind(pk, place, at_work.get(pk)) for pk, place in some))
        parts = TranscriptPart.objects.filter(wanted).order_by("job_id", "position")
        for pk, part_id, position, segments in parts.values_list("job_id", "pk", "position", "segments"):
            yield pk, Place(position // PARTS_PER_CHUNK, part_id), segments


def _first_unfinished(job_ids: Collection[int]) -> dict[int, int]:
    unfinished = Chunk.objects.filter(job_id__in=job_ids, finished_at=None).order_by()
    return dict(unfinished.values_list("job_id").annotate(first=Min("position")))


def _behind(job_id: int, place: Place, last_chunk: int | None) -> Q:
    same = in_chunk(place.chunk) & Q(pk__gt=place.part_id)
    later = Q(position__gte=first_position(place.chunk + 1))
    if last_chunk is not None:
        later &= Q(position__lt=first_position(last_chunk + 1))
    return Q(job_id=job_id) & (same | later)
