"""The pieces of a recording that workers recognise, each by itself, side by side."""

from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from jobs.models.job import Job


class Chunk(models.Model):
    """A stretch of a job's decoded samples, cut in silence, with its own claim, lease and result.

    Samples are those that the engine hears (16 kHz, trimmed, at the speed asked for), counted from the stretch's
    beginning. The result is in the transcript's parts, at the chunk's positions (``jobs.models.transcript_part``).
    """

    job = models.ForeignKey(Job, models.CASCADE, related_name="chunks", db_index=False)
    position = models.PositiveIntegerField(_("position"))
    start_sample = models.BigIntegerField(_("first sample"))
    end_sample = models.BigIntegerField(_("sample after the last"))
    speech = models.JSONField(
        default=list, help_text=_("[start, end] of each stretch of speech, seconds of the chunk.")
    )

    token = models.UUIDField(null=True, editable=False)
    holder = models.CharField(_("held by"), max_length=120, blank=True)
    lease_until = models.DateTimeField(
        null=True,
        help_text=_("Of a helper. Empty while the job's own holder has it: then the job's lease is this one's."),
    )
    claims = models.PositiveIntegerField(_("begun"), default=0, help_text=_("How often a worker has begun it."))
    crashes = models.PositiveIntegerField(_("crashes"), default=0)

    done_samples = models.BigIntegerField(_("samples done"), default=0)
    work_ms = models.BigIntegerField(_("work, ms"), default=0)
    first_id = models.PositiveBigIntegerField(default=0, help_text=_("The id of its first segment."))
    segments = models.PositiveIntegerField(_("segments"), default=0)
    finished_at = models.DateTimeField(_("finished at"), null=True)

    class Meta:
        verbose_name = _("chunk")
        verbose_name_plural = _("chunks")
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["job", "position"], name="chunk_order")]
        indexes = [
            # Who is at work: a few rows, however many chunks were ever cut.
            models.Index(fields=["job"], condition=models.Q(token__isnull=False), name="chunk_held"),
        ]

    def __str__(self) -> str:
        return f"{self.job_id}/{self.position}"

    @property
    def samples(self) -> int:
        return self.end_sample - self.start_sample


SAMPLES = F("end_sample") - F("start_sample")
"""The length of a chunk, in SQL."""
