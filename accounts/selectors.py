"""What can be asked about accounts."""

from dataclasses import dataclass

from accounts.models import QuotaAccount, User


@dataclass(frozen=True, slots=True)
class Usage:
    """A user's audio budget in seconds; ``limit_seconds`` and ``remaining_seconds`` are None when unlimited."""

    used_seconds: float
    reserved_seconds: float
    limit_seconds: float | None
    remaining_seconds: float | None

    @property
    def used_minutes(self) -> float:
        return round(self.used_seconds / 60, 2)

    @property
    def limit_minutes(self) -> float | None:
        return None if self.limit_seconds is None else round(self.limit_seconds / 60, 2)


def usage_of(user: User) -> Usage:
    """The user's budget now. Seconds granted beyond what was used show as a higher limit, not as negative use."""
    account = QuotaAccount.objects.get(pk=user.pk)
    granted_ms = max(0, -account.used_ms)
    return Usage(
        used_seconds=max(0, account.used_ms) / 1000,
        reserved_seconds=account.reserved_ms / 1000,
        limit_seconds=None if account.limit_ms is None else (account.limit_ms + granted_ms) / 1000,
        remaining_seconds=None if account.remaining_ms is None else account.remaining_ms / 1000,
    )
