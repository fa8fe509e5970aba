"""The doors to API keys: create, list, revoke."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.validators import RegexValidator
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers, status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.pagination import NewestFirst
from accounts.api.strict import StrictSerializer, TextField
from accounts.authentication import key_id_of
from accounts.keys import create_key, revoke_key
from accounts.models import MAX_KEY_NAME_CHARACTERS, ApiKey

MAX_DAYS = 3650

EXAMPLE = {
    "id": 12,
    "name": "backup server",
    "prefix": "tk_Ab3x9Qw",
    "created_at": "2026-11-21T10:00:00Z",
    "expires_at": "2027-02-19T10:00:00Z",
    "last_used_at": None,
    "revoked_at": None,
}


A_KEYS_ID = OpenApiExample("A key's id", 12, parameter_only=("key_id", "path"))


class KeyInput(StrictSerializer):
    """A key to be created."""

    name = TextField(
        max_length=MAX_KEY_NAME_CHARACTERS,
        validators=[RegexValidator(r"^[^\x00-\x1f\x7f]*\Z", "Use one line of text.")],
        help_text="What you will know it by: the program or machine that uses it.",
    )
    expires_at = serializers.DateTimeField(
        required=False,
        allow_null=True,
        default_timezone=UTC,
        help_text="Without a time zone it is UTC. Without this and expires_in_days, the key does not expire.",
    )
    expires_in_days = serializers.IntegerField(required=False, min_value=1, max_value=MAX_DAYS)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("expires_at") and "expires_in_days" in attrs:
            raise serializers.ValidationError("Give expires_at or expires_in_days, not both.", code="given_twice")
        return attrs

    def expiry(self) -> datetime | None:
        """When the key is to end, once the input is found valid; None means never."""
        if days := self.validated_data.get("expires_in_days"):
            return timezone.now() + timedelta(days=days)
        return self.validated_data.get("expires_at")


class KeyOutput(serializers.Serializer[Any]):
    """A key without its text, which nobody can see again."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    prefix = serializers.CharField(help_text="How the key begins.")
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True, help_text="To the minute.")
    revoked_at = serializers.DateTimeField(allow_null=True)


class NewKeyOutput(KeyOutput):
    """The only answer that shows the key's text."""

    key = serializers.CharField(help_text="For the header 'Authorization: Bearer tk_…'. Keep it: it is shown once.")


class KeysView(GenericAPIView):
    """Your API keys: list them, newest first, with those that expired or were revoked, or create another one."""

    serializer_class = KeyInput
    pagination_class = NewestFirst

    def get_queryset(self) -> QuerySet[ApiKey]:
        return keys_of(self.request)

    @extend_schema(responses=KeyOutput(many=True), examples=[OpenApiExample("A key", EXAMPLE, response_only=True)])
    def get(self, request: Request) -> Response:
        """List your API keys, newest first, with those that expired or were revoked."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(KeyOutput(page, many=True).data)

    @extend_schema(
        responses={201: NewKeyOutput},
        examples=[
            OpenApiExample("For 90 days", {"name": "backup server", "expires_in_days": 90}, request_only=True),
            OpenApiExample("The new key", {**EXAMPLE, "key": "tk_Ab3x9Qw…"}, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request) -> Response:
        """Create an API key. This answer alone shows its text."""
        data = KeyInput(data=request.data)
        data.is_valid(raise_exception=True)
        new = create_key(
            owner=request.user,  # type: ignore[arg-type]
            name=data.validated_data["name"],
            expires_at=data.expiry(),
            created_with_key_id=key_id_of(request),
        )
        content = {**KeyOutput(new.key).data, "key": new.text}
        return Response(content, status=status.HTTP_201_CREATED, headers={"Cache-Control": "no-store"})


class KeyView(GenericAPIView):
    """One API key. DELETE revokes it, at once and for good; what it was used for stays in your usage."""

    serializer_class = KeyOutput

    @extend_schema(responses={204: None}, examples=[A_KEYS_ID])
    def delete(self, request: Request, key_id: int) -> Response:
        """Revoke an API key, at once and for good. What it was used for stays in your usage."""
        revoke_key(key=get_object_or_404(keys_of(request), pk=key_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


def keys_of(request: Request) -> QuerySet[ApiKey]:
    """The caller's own keys; another's are as unknown as ones that never were."""
    return ApiKey.objects.filter(owner=request.user)  # type: ignore[misc]
