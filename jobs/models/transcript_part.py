"""The transcript as it grows: segments in the order of time, a few to a row."""

import json
from typing import Any

from django.db import models

from jobs.models.job import Job


class PlainJSONEncoder(json.JSONEncoder):
    """Writes all letters as they are: the API sends what is stored, and people read it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "ensure_ascii": False})


class TranscriptPart(models.Model):
    """Consecutive segments that were saved together, as the JSON that the API shows.

    One row for each save keeps the cost of a save constant, however long the recording is.
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
