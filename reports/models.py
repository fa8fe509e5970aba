"""What belongs to a job whose transcript is there: the report, and the enhanced transcript."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from jobs.models import Job


class Report(models.Model):
    """What a writer made of a job's transcript, in the transcript's language."""

    job = models.OneToOneField(Job, models.CASCADE, primary_key=True, related_name="report")
    summary = models.TextField(_("summary"))
    key_points = models.JSONField(_("key points"), default=list)
    topics = models.JSONField(_("topics"), default=list)
    sentiment = models.CharField(_("sentiment"), max_length=10)
    writer = models.CharField(_("writer"), max_length=40)
    created_at = models.DateTimeField(_("created at"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("report")
        verbose_name_plural = _("reports")

    def __str__(self) -> str:
        return self.summary[:80]


class EnhancedTranscript(models.Model):
    """A job's transcript as a language model corrected it: beside the original, never in its place.

    ``segments`` are ``{id, start, end, text}`` with exactly the ids and times of the original's.
    """

    job = models.OneToOneField(Job, models.CASCADE, primary_key=True, related_name="enhanced")
    text = models.TextField(_("text"))
    segments = models.JSONField(_("segments"))
    model = models.CharField(_("model"), max_length=200)
    created_at = models.DateTimeField(_("created at"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("enhanced transcript")
        verbose_name_plural = _("enhanced transcripts")

    def __str__(self) -> str:
        return self.text[:80]
