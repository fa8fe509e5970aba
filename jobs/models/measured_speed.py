"""How fast this installation recognises, for the estimates that are given before a recording is handed in."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class MeasuredSpeed(models.Model):
    """Audio and working time of the last recordings of one model; older ones count less and less."""

    engine = models.CharField(_("engine"), max_length=40)
    model = models.CharField(_("model"), max_length=200)
    audio_ms = models.FloatField(_("audio, ms"), default=0)
    work_ms = models.FloatField(_("work, ms"), default=0)

    class Meta:
        verbose_name = _("measured speed")
        verbose_name_plural = _("measured speeds")
        constraints = [models.UniqueConstraint(fields=["engine", "model"], name="speed_once_per_model")]

    def __str__(self) -> str:
        return f"{self.engine} {self.model}"
