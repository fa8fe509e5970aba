"""The worker processes that are alive, by their own word in the database."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class WorkerSlot(models.Model):
    """One process of a worker's pool, able to run one task at a time. It renews ``seen_at`` while it lives."""

    name = models.CharField(_("slot"), max_length=120, unique=True, help_text=_("host:worker pid:process pid"))
    queues = models.CharField(_("queues"), max_length=100)
    engine = models.CharField(_("engine"), max_length=40, blank=True)
    seen_at = models.DateTimeField(_("last seen"), db_default=Now())

    class Meta:
        verbose_name = _("worker slot")
        verbose_name_plural = _("worker slots")

    def __str__(self) -> str:
        return self.name
