"""JWT pairs: issued at login, rotated at refresh. A refresh token works once; a password change revokes them all."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone
from rest_framework_simplejwt.exceptions import AuthenticationFailed, InvalidToken, TokenError
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken
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
    # Its text is not kept: who reads the database is not to be logged in as its users.
    OutstandingToken.objects.filter(jti=refresh["jti"]).update(token="")  # nosec B106 # an empty one
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
        # In a row with the deletion of the user.
        if not User.objects.select_for_update(no_key=True).filter(pk=user.pk).exists():
            raise _invalid()
        blacklisted: Any = refresh.blacklist()
        if not blacklisted[1]:
            raise _invalid()
        return issue_pair(user=user)


def delete_expired_tokens() -> int:
    """Forget refresh tokens that nobody could use any more, with what was said of them; how many rows it were."""
    return OutstandingToken.objects.filter(expires_at__lte=timezone.now()).delete()[0]


def _invalid() -> InvalidToken:
    return InvalidToken("The refresh token is not valid (any more). Log in again.")
