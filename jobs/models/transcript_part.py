"""The transcript as it grows: segments in the order of time, a few to a row."""

from django.db import models

from jobs.models.job import Job


class TranscriptPart(models.Model):
    """Consecutive segments that were saved together, as the JSON that the API shows.

    One row for each save keeps the cost of a save constant, however long the recording is.
    """

    job = models.ForeignKey(Job, models.CASCADE, related_name="parts")
    position = models.PositiveIntegerField()
    text = models.TextField()
    segments = models.JSONField()

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["job", "position"], name="transcript_part_order")]

    def __str__(self) -> str:
        return f"{self.job_id}/{self.position}"
