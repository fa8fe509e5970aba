"""JWT pairs: issued at login, rotated at refresh. A refresh token works once; a password change revokes them all."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from rest_framework_simplejwt.exceptions import AuthenticationFailed, InvalidToken, TokenError
from rest_framework_simplejwt.tokens import RefreshToken

from accounts.authentication import BearerAuthentication
from accounts.models import User


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a client keeps: ``access_token`` for requests, ``refresh_token`` for a new pair."""

    access_token: str
    refresh_token: str
    token_type: str = "bearer"  # noqa: S105 - the scheme's name


def issue_pair(*, user: User) -> TokenPair:
    """A new pair for a user whose credentials were checked."""
    refresh = RefreshToken.for_user(user)
    return TokenPair(access_token=str(refresh.access_token), refresh_token=str(refresh))


def rotate_pair(*, refresh_token: str) -> TokenPair:
    """Trade a refresh token for a new pair. Raises ``InvalidToken`` (401) when it is wrong, used up or revoked.

    Of several requests with the same token one wins: the blacklist's unique row decides.
    """
    try:
        refresh = RefreshToken(refresh_token)  # type: ignore[arg-type]
        user: User = BearerAuthentication().get_user(refresh)
    except (TokenError, AuthenticationFailed) as error:
        raise _invalid() from error
    with transaction.atomic():
        blacklisted: Any = refresh.blacklist()
        if not blacklisted[1]:
            raise _invalid()
        return issue_pair(user=user)


def _invalid() -> InvalidToken:
    return InvalidToken("The refresh token is not valid (any more). Log in again.")
