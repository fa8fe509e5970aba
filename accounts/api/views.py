"""The doors to accounts: register, login, key against token, refresh."""

from typing import Any

from django.contrib.auth import authenticate
from django.contrib.auth.models import update_last_login
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.strict import TextField
from accounts.models import User
from accounts.services import register_user
from accounts.tokens import issue_pair, rotate_pair, trade_key

MIN_PASSWORD_LENGTH, MAX_PASSWORD_LENGTH = 8, 1024


class RegisterInput(serializers.Serializer[Any]):
    email = serializers.EmailField(max_length=254)
    password = TextField(
        min_length=MIN_PASSWORD_LENGTH,
        max_length=MAX_PASSWORD_LENGTH,
        trim_whitespace=False,
        write_only=True,
        style={"input_type": "password"},
    )


class AccountOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    email = serializers.EmailField()


class LoginInput(serializers.Serializer[Any]):
    email = TextField(max_length=254)
    password = TextField(
        max_length=MAX_PASSWORD_LENGTH, trim_whitespace=False, write_only=True, style={"input_type": "password"}
    )


class KeyTradeInput(serializers.Serializer[Any]):
    api_key = TextField(max_length=MAX_PASSWORD_LENGTH, write_only=True, style={"input_type": "password"})


class RefreshInput(serializers.Serializer[Any]):
    refresh_token = TextField(max_length=4096)


class TokenOutput(serializers.Serializer[Any]):
    access_token = serializers.CharField()
    token_type = serializers.CharField()
    refresh_token = serializers.CharField()


LOGIN_EXAMPLE = OpenApiExample(
    "Ann",
    {"email": "ann@example.org", "password": "correct horse battery"},  # nosec B105 # an example
    request_only=True,
)
REFRESH_EXAMPLE = OpenApiExample(
    "A refresh token",
    {"refresh_token": "eyJhbGciOi…"},  # nosec B105 # an example
    request_only=True,
)
TOKEN_EXAMPLE = OpenApiExample(
    "A pair",
    {"access_token": "eyJhbGciOi…", "token_type": "bearer", "refresh_token": "eyJhbGciOi…"},  # nosec B105 # an example
    response_only=True,
)


class PublicView(GenericAPIView):
    """A door for people who have no token yet; a wrong one in the header does not matter here."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


class RegisterView(PublicView):
    """Create an account with an audio budget."""

    serializer_class = RegisterInput

    @extend_schema(
        responses={201: AccountOutput},
        examples=[
            LOGIN_EXAMPLE,
            OpenApiExample("Ann's account", {"id": 7, "email": "ann@example.org"}, response_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        data = self.get_serializer(data=request.data)
        data.is_valid(raise_exception=True)
        user = register_user(**data.validated_data)
        return Response(dict(AccountOutput(user).data), status=status.HTTP_201_CREATED)


class LoginView(PublicView):
    """Trade e-mail address and password for an access token and a refresh token."""

    serializer_class = LoginInput

    @extend_schema(
        responses=TokenOutput,
        examples=[
            LOGIN_EXAMPLE,
            TOKEN_EXAMPLE,
        ],
    )
    def post(self, request: Request) -> Response:
        data = self.get_serializer(data=request.data)
        data.is_valid(raise_exception=True)
        user = authenticate(request, username=data.validated_data["email"], password=data.validated_data["password"])
        if not isinstance(user, User):
            raise AuthenticationFailed("Wrong e-mail address or password.", code="wrong_credentials")
        update_last_login(None, user)  # type: ignore[arg-type]
        return Response(dict(TokenOutput(issue_pair(user=user)).data))

    def get_authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="transcribify"'


class TokenView(PublicView):
    """Trade an API key for an access token and a refresh token, which die with the key."""

    serializer_class = KeyTradeInput

    @extend_schema(
        responses=TokenOutput,
        examples=[OpenApiExample("A key", {"api_key": "tk_Ab3x9…"}, request_only=True), TOKEN_EXAMPLE],
    )
    def post(self, request: Request) -> Response:
        data = self.get_serializer(data=request.data)
        data.is_valid(raise_exception=True)
        return Response(dict(TokenOutput(trade_key(**data.validated_data)).data))

    def get_authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="transcribify"'


class RefreshView(PublicView):
    """Trade a refresh token, once, for a new pair."""

    serializer_class = RefreshInput

    @extend_schema(
        responses=TokenOutput,
        examples=[
            REFRESH_EXAMPLE,
            TOKEN_EXAMPLE,
        ],
    )
    def post(self, request: Request) -> Response:
        data = self.get_serializer(data=request.data)
        data.is_valid(raise_exception=True)
        return Response(dict(TokenOutput(rotate_pair(**data.validated_data)).data))

    def get_authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="transcribify"'
