"""Who you are and what you may spend: the user, the quota account and its ledger."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class UserManager(BaseUserManager["User"]):
    """Creates users together with their quota account, so that no user exists without one."""

    use_in_migrations = True

    @transaction.atomic
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        QuotaAccount.objects.create(user=user, limit_ms=default_limit_ms())
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        """Whole address in lower case: nobody means two accounts by ``Ann@x.org`` and ``ann@x.org``."""
        return (email or "").strip().lower()

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=self.normalize_email(username))


class User(AbstractBaseUser, PermissionsMixin):
    """A person or a program with an e-mail address, a password and an audio budget."""

    email = models.EmailField(_("e-mail address"), unique=True)
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("staff"), default=False, help_text=_("May use the admin site."))
    created_at = models.DateTimeField(_("created at"), db_default=Now(), editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.email


def default_limit_ms() -> int | None:
    """The limit of a new account; ``AUDIO_LIMIT_SECONDS=0`` means unlimited."""
    return settings.AUDIO_LIMIT_SECONDS * 1000 or None


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


class QuotaAccount(models.Model):
    """The gate in front of the ledger: what one user may spend, has spent and has in flight, in milliseconds.

    Only ``accounts.quota`` writes ``used_ms`` and ``reserved_ms``, by conditional UPDATE.
    """

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="quota")
    limit_ms = models.BigIntegerField(_("limit, ms"), null=True, blank=True, help_text=_("Empty means unlimited."))
    used_ms = models.BigIntegerField(_("used, ms"), default=0)
    reserved_ms = models.BigIntegerField(_("reserved, ms"), default=0)

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
    tag = models.CharField(_("tag"), max_length=100, blank=True)
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
