"""What you may spend: the quota account and its ledger."""

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

MAX_TAGS, MAX_TAG_CHARACTERS = 10, 40
"""For one job."""


class QuotaAccount(models.Model):
    """The gate in front of the ledger: what one user may spend, has spent and has in flight, in milliseconds.

    Only ``accounts.quota`` writes ``used_ms`` and ``reserved_ms``, by conditional UPDATE.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="quota")
    limit_ms = models.BigIntegerField(_("limit, ms"), null=True, blank=True, help_text=_("Empty means unlimited."))
    used_ms = models.BigIntegerField(_("used, ms"), default=0)
    reserved_ms = models.BigIntegerField(_("reserved, ms"), default=0)
    jobs_in_flight = models.PositiveIntegerField(
        _("jobs in flight at most"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Recordings of this user that workers go through at the same time. Empty: as JOBS_IN_FLIGHT says."),
    )

    class Meta:
        verbose_name = _("audio budget")
        verbose_name_plural = _("audio budgets")

    def __str__(self) -> str:
        limit = "∞" if self.limit_ms is None else f"{self.limit_ms / 1000:.0f}"
        return f"{self.used_ms / 1000:.0f} + {self.reserved_ms / 1000:.0f} / {limit} s"

    @property
    def remaining_ms(self) -> int | None:
        """What can still be reserved; None means unlimited, and a limit that was lowered below it shows 0."""
        return None if self.limit_ms is None else max(0, self.limit_ms - self.used_ms - self.reserved_ms)


class LedgerEntry(models.Model):
    """One booked movement of audio milliseconds. Append-only, and the truth where a counter differs.

    Plain ids and no foreign keys: the ledger outlives a deleted job or user.
    """

    class Kind(models.TextChoices):
        RESERVE = "reserve", _("reserved")
        TOP_UP = "top_up", _("reservation changed")
        SETTLE = "settle", _("charged")
        RELEASE = "release", _("released")
        ADJUST = "adjust", _("adjusted by staff")

    account_id = models.BigIntegerField(_("account"))
    job_id = models.BigIntegerField(_("job"), null=True)
    run = models.PositiveIntegerField(_("run"), null=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    ms = models.BigIntegerField(_("ms"))
    api_key_id = models.BigIntegerField(_("API key"), null=True)
    tags = models.JSONField(_("tags"), default=list, blank=True, help_text=_("What the job's owner files it under."))
    tag = models.CharField(_("tag"), max_length=100, blank=True, help_text=_("Why staff adjusted the budget."))
    at = models.DateTimeField(_("at"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger")
        ordering = ["-id"]
        indexes = [models.Index(fields=["account_id", "-id"], name="ledger_by_account")]
        constraints = [
            models.UniqueConstraint(fields=["job_id", "run", "kind"], name="ledger_once_per_kind"),
            models.UniqueConstraint(
                fields=["job_id", "run"],
                condition=models.Q(kind__in=["settle", "release"]),
                name="ledger_closed_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.ms} ms"
