"""Who is asking: a bearer token or an API key in the Authorization header."""

from typing import Any

from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import AuthenticationFailed, InvalidToken
from rest_framework_simplejwt.tokens import Token

from accounts.keys import BEGINNING, key_by_id, key_by_text
from accounts.models import ApiKey

HOW_TO_AUTHENTICATE = (
    "Send the header 'Authorization: Bearer …' with an API key, or with an access token from POST /auth/login."
)

KEY_CLAIM = "api_key_id"
"""In a token that was made from an API key: the key's id."""


def key_id_of(request: Any) -> int | None:
    """The id of the API key that sent ``request``, itself or by a token made from it; None when none did."""
    auth = getattr(request, "auth", None)
    if isinstance(auth, ApiKey):
        return auth.pk
    return auth.get(KEY_CLAIM) if isinstance(auth, Token) else None


class BearerAuthentication(JWTAuthentication):
    """simplejwt's authentication, which also takes API keys and any spelling of ``Bearer``.

    ``request.auth`` is the ``ApiKey`` or the access token; ``key_id_of`` reads either. A refusal says what to do.
    """

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        header = self.get_header(request)
        raw_token = None if header is None else self.get_raw_token(header)
        if raw_token is None:
            return None
        if raw_token.startswith(BEGINNING.encode()):
            key = key_by_text(text=raw_token.decode("latin-1"))
            return key.owner, key
        token = self.get_validated_token(raw_token)
        return self.get_user(token), token

    def get_raw_token(self, header: bytes) -> bytes | None:
        scheme, _, rest = header.partition(b" ")
        try:
            return super().get_raw_token(b"Bearer " + rest if scheme.lower() == b"bearer" else header)
        except AuthenticationFailed as error:
            raise InvalidToken(HOW_TO_AUTHENTICATE) from error

    def get_validated_token(self, raw_token: bytes) -> Any:
        try:
            return super().get_validated_token(raw_token)
        except InvalidToken as error:
            raise InvalidToken("The access token is not valid or has expired. Log in again or refresh it.") from error

    def get_user(self, validated_token: Any) -> Any:
        """The token's user. Raises ``AuthenticationFailed``, too, when what it names can be no user's id.

        A token that was made from an API key is refused when the key would be: ``KeyRefused``.
        """
        try:
            user = super().get_user(validated_token)
        except (TypeError, ValueError, OverflowError) as error:
            raise AuthenticationFailed("User not found", code="user_not_found") from error
        if KEY_CLAIM in validated_token:
            key_by_id(key_id=validated_token[KEY_CLAIM], owner_id=user.pk)
        return user

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="transcribify"'
