"""The transcript as it grows: segments in the order of time, a few to a row."""

import json
from typing import Any

from django.db import models

from jobs.models.job import Job

PARTS_PER_CHUNK = 100_000
"""Positions of one chunk: its parts lie in order behind those of the chunk before it, whoever is faster."""


def first_position(chunk: int) -> int:
    """The position of the first part of the chunk at this position."""
    return chunk * PARTS_PER_CHUNK


def in_chunk(chunk: int) -> models.Q:
    """The parts, of one job, of the chunk at this position."""
    return models.Q(position__gte=first_position(chunk), position__lt=first_position(chunk + 1))


class PlainJSONEncoder(json.JSONEncoder):
    """Writes all letters as they are: the API sends what is stored, and people read it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "ensure_ascii": False})


class TranscriptPart(models.Model):
    """Consecutive segments that were saved together, as the JSON that the API shows.

    One row for each save keeps the cost of a save constant, however long the recording is. Positions have gaps: those
    of a chunk begin at ``first_position``.
    """

    job = models.ForeignKey(Job, models.CASCADE, related_name="parts")
    position = models.PositiveIntegerField()
    text = models.TextField()
    segments = models.JSONField(encoder=PlainJSONEncoder)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["job", "position"], name="transcript_part_order")]

    def __str__(self) -> str:
        return f"{self.job_id}/{self.position}"

    @property
    def chunk_position(self) -> int:
        """The position of the chunk that it is of."""
        return self.position // PARTS_PER_CHUNK
