"""Who you are and what you may spend: the user, the API keys, the quota account and its ledger."""

from accounts.models.api_key import MAX_KEY_NAME_CHARACTERS, PREFIX_CHARACTERS, ApiKey
from accounts.models.login_window import LoginWindow
from accounts.models.quota import MAX_TAG_CHARACTERS, MAX_TAGS, LedgerEntry, QuotaAccount
from accounts.models.user import User, UserManager, default_limit_ms

__all__ = [
    "MAX_KEY_NAME_CHARACTERS",
    "MAX_TAGS",
    "MAX_TAG_CHARACTERS",
    "PREFIX_CHARACTERS",
    "ApiKey",
    "LedgerEntry",
    "LoginWindow",
    "QuotaAccount",
    "User",
    "UserManager",
    "default_limit_ms",
]
