"""A password for programs."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

MAX_KEY_NAME_CHARACTERS = 100
PREFIX_CHARACTERS = 10
"""How much of a key is kept to be recognised by; the rest, over 200 bits of chance, by its hash alone."""


class ApiKey(models.Model):
    """A key that stands for its owner. Its text is shown once, by ``accounts.keys.create_key``, and kept nowhere.

    Rows stay when keys are revoked or expire: the ledger names them.
    """

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_keys", verbose_name=_("owner")
    )
    name = models.CharField(_("name"), max_length=MAX_KEY_NAME_CHARACTERS)
    prefix = models.CharField(_("prefix"), max_length=PREFIX_CHARACTERS)
    key_sha256 = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("created at"), db_default=Now(), editable=False)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True, help_text=_("Empty means never."))
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def is_expired_at(self, moment: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= moment
