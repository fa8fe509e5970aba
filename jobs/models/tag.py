"""The tags of jobs, as rows that lists can be filtered by; the job's own options hold the same names."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import MAX_TAG_CHARACTERS
from jobs.models.job import Job


class JobTag(models.Model):
    """One tag of one job. The owner stands here, too, so that a filter reads the owner's rows alone."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="tag_rows")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False)
    name = models.CharField(_("tag"), max_length=MAX_TAG_CHARACTERS)

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        constraints = [models.UniqueConstraint(fields=["owner", "name", "job"], name="tag_once_per_job")]

    def __str__(self) -> str:
        return self.name
