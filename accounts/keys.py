"""API keys: made, recognised, revoked. A key does what its owner may do, until it expires or is revoked."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from rest_framework.exceptions import AuthenticationFailed

from accounts.errors import KeyExpiryRefused, TooManyKeys
from accounts.models import PREFIX_CHARACTERS, ApiKey, User

BEGINNING = "tk_"
MAX_LIVE_KEYS = 100
"""Of one user: neither revoked nor expired."""

USE_IS_NOTED_EVERY = timedelta(minutes=1)

_RANDOM_BYTES = 32


class KeyRefused(AuthenticationFailed):
    """HTTP 401 with the code ``invalid_api_key``, ``api_key_expired``, ``api_key_revoked`` or ``user_inactive``."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key and its text, which nobody can read again."""

    key: ApiKey
    text: str


@sensitive_variables("text")
def create_key(
    *, owner: User, name: str, expires_at: datetime | None = None, created_with_key_id: int | None = None
) -> NewKey:
    """A new key; ``expires_at=None`` means never.

    ``created_with_key_id`` is the key that asks for it, if one does: it makes none that outlives itself.
    Raises ``TooManyKeys`` or ``KeyExpiryRefused``.
    """
    text = BEGINNING + secrets.token_urlsafe(_RANDOM_BYTES)
    with transaction.atomic():
        # One at a time for each owner, so that the count holds.
        if not User.objects.select_for_update(no_key=True).filter(pk=owner.pk).exists():
            raise AuthenticationFailed("User not found", code="user_not_found")
        _refuse_expiry(expires_at, owner=owner, created_with_key_id=created_with_key_id)
        if _live_keys(owner).count() >= MAX_LIVE_KEYS:
            raise TooManyKeys(f"You have {MAX_LIVE_KEYS} keys in use. Revoke one that you no longer need first.")
        key = ApiKey.objects.create(
            owner=owner, name=name, prefix=text[:PREFIX_CHARACTERS], key_sha256=_hash(text), expires_at=expires_at
        )
    key.refresh_from_db()  # for created_at, which the database writes
    return NewKey(key=key, text=text)


def revoke_key(*, key: ApiKey) -> ApiKey:
    """End a key, and every token made from it. The first time counts; the row stays, for the ledger names it."""
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now())
    key.refresh_from_db(fields=["revoked_at"])
    return key


@sensitive_variables("text")
def key_by_text(*, text: str) -> ApiKey:
    """The live key that reads ``text``, with its owner, noted as used. Raises ``KeyRefused``."""
    return _use(ApiKey.objects.select_related("owner").filter(key_sha256=_hash(text)).first())


def key_by_id(*, key_id: int, owner_id: int) -> ApiKey:
    """The live key that a token was made from, with its owner, noted as used. Raises ``KeyRefused``."""
    return _use(ApiKey.objects.select_related("owner").filter(pk=key_id, owner_id=owner_id).first())


def _use(key: ApiKey | None) -> ApiKey:
    now = timezone.now()
    if key is None:
        raise KeyRefused("There is no such API key. Check that it was copied whole.", code="invalid_api_key")
    if key.revoked_at is not None:
        raise KeyRefused("This API key was revoked. Use another one, or create one.", code="api_key_revoked")
    if key.is_expired_at(now):
        raise KeyRefused("This API key has expired. Use another one, or create one.", code="api_key_expired")
    if not key.owner.is_active:
        raise KeyRefused("The account of this API key is not active. Ask the operator.", code="user_inactive")
    _note_use(key, now)
    return key


def _note_use(key: ApiKey, now: datetime) -> None:
    """Write ``last_used_at``, at most once a minute: not every request is worth a write."""
    noted_before = now - USE_IS_NOTED_EVERY
    if key.last_used_at is None or key.last_used_at <= noted_before:
        stale = Q(last_used_at=None) | Q(last_used_at__lte=noted_before)
        ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=now)


def _refuse_expiry(expires_at: datetime | None, *, owner: User, created_with_key_id: int | None) -> None:
    if expires_at is not None and expires_at <= timezone.now():
        raise KeyExpiryRefused("The key would have expired already. Give a time to come.", code="expiry_in_past")
    if created_with_key_id is None:
        return
    end = key_by_id(key_id=created_with_key_id, owner_id=owner.pk).expires_at
    if end is not None and (expires_at is None or expires_at > end):
        raise KeyExpiryRefused(
            f"A key makes no key that outlives it: give an expires_at up to {end:%Y-%m-%dT%H:%M:%SZ}, or log in.",
            code="expiry_too_late",
        )


def _live_keys(owner: User) -> QuerySet[ApiKey]:
    unexpired = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    return ApiKey.objects.filter(unexpired, owner=owner, revoked_at=None)


def _hash(text: str) -> str:
    """Plain SHA-256: what is hashed is as random as the hash, so that neither salt nor slowness would add anything."""
    return sha256(text.encode()).hexdigest()
