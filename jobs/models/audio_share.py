"""Whose audio was recognised lately: what fair turns go by."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class AudioShare(models.Model):
    """Audio of one owner that workers went through within one slice of time. Rows of old slices are forgotten.

    A counter of its own: jobs and their chunks may be deleted, and with them would go what their owner has had.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False)
    slice_number = models.BigIntegerField(_("slice"), help_text=_("Ten minutes each, counted from 1970."))
    audio_ms = models.BigIntegerField(_("audio, ms"), default=0)

    class Meta:
        verbose_name = _("audio share")
        verbose_name_plural = _("audio shares")
        constraints = [models.UniqueConstraint(fields=["owner", "slice_number"], name="share_once_per_slice")]
        indexes = [models.Index(fields=["slice_number"], name="share_by_slice")]

    def __str__(self) -> str:
        return f"{self.owner_id}: {self.audio_ms} ms"
