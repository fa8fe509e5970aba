"""How many logins were tried."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class LoginWindow(models.Model):
    """How many logins were tried for one account, or from one address, since the window's first one.

    Only ``accounts.login_limits`` reads and writes it. No foreign key: addresses without an account are counted, too.
    """

    key = models.CharField(primary_key=True, max_length=80)
    attempts = models.PositiveIntegerField(default=0)
    ends_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("login window")
        verbose_name_plural = _("login windows")

    def __str__(self) -> str:
        return f"{self.key}: {self.attempts}"
