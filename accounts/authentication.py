"""Who is asking: a bearer token in the Authorization header."""

from typing import Any

from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import AuthenticationFailed, InvalidToken


class BearerAuthentication(JWTAuthentication):
    """simplejwt's authentication, with a refusal that says what to do, and any spelling of ``Bearer``."""

    def get_raw_token(self, header: bytes) -> bytes | None:
        scheme, _, rest = header.partition(b" ")
        return super().get_raw_token(b"Bearer " + rest if scheme.lower() == b"bearer" else header)

    def get_validated_token(self, raw_token: bytes) -> Any:
        try:
            return super().get_validated_token(raw_token)
        except InvalidToken as error:
            raise InvalidToken("The access token is not valid or has expired. Log in again or refresh it.") from error

    def get_user(self, validated_token: Any) -> Any:
        """The token's user. Raises ``AuthenticationFailed``, too, when what it names can be no user's id."""
        try:
            return super().get_user(validated_token)
        except (TypeError, ValueError, OverflowError) as error:
            raise AuthenticationFailed("User not found", code="user_not_found") from error

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="transcribify"'
