"""The timeline of a job: one row for each move, written in the move's own transaction."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from jobs.models.job import Job


class JobEvent(models.Model):
    """Something that happened to a job; ``detail`` is for people and carries no transcript text."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="events")
    at = models.DateTimeField(_("at"), db_default=Now(), editable=False)
    run = models.PositiveIntegerField(_("run"), default=1)
    stage = models.CharField(_("stage"), max_length=10, blank=True)
    kind = models.CharField(_("event"), max_length=40)
    detail = models.CharField(_("detail"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("timeline")
        ordering = ["id"]

    def __str__(self) -> str:
        return self.kind
