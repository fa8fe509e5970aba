"""What a job that is cancelled has to show: how much of its audio is done, and its segments in one row of numbers."""

from typing import Any

from jobs.engines.base import SAMPLE_RATE
from jobs.models import Chunk, Job, TranscriptPart
from jobs.models.transcript_part import PARTS_PER_CHUNK, in_chunk
from jobs.options import Options


def finished_ms(job: Job) -> int | None:
    """The audio whose text is saved, in the recording's own milliseconds; None where nothing is.

    Each chunk answers for the audio from the end of the one before it up to its own end. One that is not finished
    counts up to the end of its last saved segment.
    """
    options = Options.of(job.options)
    chunks = list(job.chunks.defer("speech").order_by("position"))
    parts = _last_parts(job)
    if not parts and not any(chunk.finished_at for chunk in chunks):
        return None
    total_ms, begin_ms = 0, 0
    for chunk in chunks or [Chunk(job=job, position=0, end_sample=0)]:
        end_ms = round(chunk.end_sample * options.speed * 1000 / SAMPLE_RATE)
        if chunk.finished_at:
            total_ms += (job.duration_ms or 0 if chunk is chunks[-1] else end_ms) - begin_ms
        elif part := parts.get(chunk.position):
            # Segments have the times of the whole recording; what was skipped at its beginning costs nothing.
            total_ms += max(0, round((part.segments[-1]["end"] - options.trim_start) * 1000) - begin_ms)
        begin_ms = end_ms
    return total_ms


def _last_parts(job: Job) -> dict[int, TranscriptPart]:
    """The last saved part of each chunk that has any, by the chunk's position."""
    newest: dict[int, int] = {}
    for position in job.parts.order_by("position").values_list("position", flat=True):
        newest[position // PARTS_PER_CHUNK] = position
    return {part.chunk_position: part for part in job.parts.filter(position__in=newest.values())}


def number_segments(job_id: int, *, unfinished: bool) -> None:
    """Give the segments of all chunks ids in one row, from 0 on, where they were saved before those in front of them.

    Up to the first chunk that is not finished, or with ``unfinished`` whatever was saved.
    """
    next_id = 0
    for chunk in Chunk.objects.filter(job_id=job_id).defer("speech").order_by("position"):
        if not chunk.finished_at and not unfinished:
            return
        if chunk.finished_at and chunk.first_id == next_id:
            next_id += chunk.segments
            continue
        first_id = next_id
        for part in TranscriptPart.objects.filter(in_chunk(chunk.position), job_id=job_id).order_by("position"):
            if part.segments and part.segments[0].get("id") != next_id:
                part.segments = _numbered(part.segments, next_id)
                part.save(update_fields=["segments"])
            next_id += len(part.segments)
        Chunk.objects.filter(pk=chunk.pk).update(first_id=first_id)


def _numbered(segments: list[dict[str, Any]], first_id: int) -> list[dict[str, Any]]:
    return [segment | {"id": first_id + index} for index, segment in enumerate(segments)]
