"""JWT pairs: issued at login, rotated at refresh. A refresh token works once; a password change revokes them all.

The refresh tokens that follow from one login are a family: their ids begin with the first one's.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from rest_framework_simplejwt.exceptions import AuthenticationFailed, InvalidToken, TokenError
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import RefreshToken

from accounts.authentication import BearerAuthentication
from accounts.models import User

logger = logging.getLogger(__name__)

REUSE_LEEWAY = timedelta(seconds=10)
"""A token that comes again so soon is held to be a client's own second request, not a thief's."""


class OnceToken(RefreshToken):
    """A refresh token whose use is decided by ``rotate_pair``, which has to know a used one from a wrong one."""

    def check_blacklist(self) -> None:
        """Used or revoked ones pass here."""


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a client keeps: ``access_token`` for requests, ``refresh_token`` for a new pair."""

    access_token: str
    refresh_token: str
    token_type: str = "bearer"  # noqa: S105 - the scheme's name


def issue_pair(*, user: User, family: str = "") -> TokenPair:
    """A new pair for a user whose credentials were checked; ``family`` is that of the refresh token traded for it."""
    refresh = RefreshToken.for_user(user)
    first = str(refresh["jti"])
    if family:
        refresh["jti"] = f"{family}.{first}"
    # Its text is not kept: who reads the database is not to be logged in as its users.
    OutstandingToken.objects.filter(jti=first).update(jti=refresh["jti"], token="")
    return TokenPair(access_token=str(refresh.access_token), refresh_token=str(refresh))


def rotate_pair(*, refresh_token: str) -> TokenPair:
    """Trade a refresh token for a new pair. Raises ``InvalidToken`` (401) when it is wrong, used up or revoked.

    Of several requests with the same token one wins: the blacklist's unique row decides. A token that comes again
    later was in two hands: then all that followed from the same login is revoked.
    """
    try:
        refresh = OnceToken(refresh_token)  # type: ignore[arg-type]
        user: User = BearerAuthentication().get_user(refresh)
    except (TokenError, AuthenticationFailed) as error:
        raise _invalid() from error
    family = str(refresh["jti"]).partition(".")[0]
    with transaction.atomic():
        # In a row with a revocation of the family, and with the deletion of the user.
        if not User.objects.select_for_update(no_key=True).filter(pk=user.pk).exists():
            raise _invalid()
        blacklisted: Any = refresh.blacklist()
        row, is_first_use = blacklisted
        if is_first_use:
            return issue_pair(user=user, family=family)
        if timezone.now() - row.blacklisted_at > REUSE_LEEWAY:
            _revoke_family(family, user)
    raise _invalid()


def _revoke_family(family: str, user: User) -> None:
    mine = OutstandingToken.objects.filter(Q(jti=family) | Q(jti__startswith=f"{family}."), user=user)
    unused = [BlacklistedToken(token=token) for token in mine.filter(blacklistedtoken=None)]
    BlacklistedToken.objects.bulk_create(unused, ignore_conflicts=True)
    if unused:
        logger.warning("user %s: a used refresh token came again, what followed from it is revoked", user.pk)


def _invalid() -> InvalidToken:
    return InvalidToken("The refresh token is not valid (any more). Log in again.")
