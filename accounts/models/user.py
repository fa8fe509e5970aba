"""Who you are."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models.quota import QuotaAccount


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
