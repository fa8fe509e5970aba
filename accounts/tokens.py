"""JWT pairs: issued at login or for an API key, rotated at refresh.

A refresh token works once. A password change revokes all tokens; those made from an API key die with the key, too.
"""

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from rest_framework_simplejwt.exceptions import AuthenticationFailed, InvalidToken, TokenError
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken
from rest_framework_simplejwt.tokens import RefreshToken

from accounts.authentication import KEY_CLAIM, BearerAuthentication
from accounts.keys import KeyRefused, key_by_text
from accounts.models import User


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a client keeps: ``access_token`` for requests, ``refresh_token`` for a new pair."""

    access_token: str
    refresh_token: str
    token_type: str = "bearer"  # noqa: S105 - the scheme's name


def issue_pair(*, user: User, api_key_id: int | None = None) -> TokenPair:
    """A new pair for a user whose credentials were checked; ``api_key_id`` names the key that was, if it was one."""
    refresh = RefreshToken.for_user(user)
    if api_key_id is not None:
        refresh[KEY_CLAIM] = api_key_id
    # Its text is not kept: who reads the database is not to be logged in as its users.
    OutstandingToken.objects.filter(jti=refresh["jti"]).update(token="")  # nosec B106 # an empty one
    return TokenPair(access_token=str(refresh.access_token), refresh_token=str(refresh))


@sensitive_variables("api_key")
def trade_key(*, api_key: str) -> TokenPair:
    """Trade the text of a live API key for a pair. Raises ``KeyRefused`` (401)."""
    key = key_by_text(text=api_key)
    return issue_pair(user=key.owner, api_key_id=key.pk)


def rotate_pair(*, refresh_token: str) -> TokenPair:
    """Trade a refresh token for a new pair. Raises ``InvalidToken`` (401) when it is wrong, used up or revoked.

    One that was made from an API key gives another such pair, and raises ``KeyRefused`` when the key is dead.
    Of several requests with the same token one wins: the blacklist's unique row decides.
    """
    try:
        refresh = RefreshToken(refresh_token)  # type: ignore[arg-type]
        user: User = BearerAuthentication().get_user(refresh)
    except KeyRefused:
        raise
    except (TokenError, AuthenticationFailed) as error:
        raise _invalid() from error
    with transaction.atomic():
        # In a row with the deletion of the user.
        if not User.objects.select_for_update(no_key=True).filter(pk=user.pk).exists():
            raise _invalid()
        blacklisted: Any = refresh.blacklist()
        if not blacklisted[1]:
            raise _invalid()
        return issue_pair(user=user, api_key_id=refresh.get(KEY_CLAIM))


def delete_expired_tokens() -> int:
    """Forget refresh tokens that nobody could use any more, with what was said of them; how many rows it were."""
    return OutstandingToken.objects.filter(expires_at__lte=timezone.now()).delete()[0]


def _invalid() -> InvalidToken:
    return InvalidToken("The refresh token is not valid (any more). Log in again.")
