"""The door to usage: what is left of the budget, and what was charged for what."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, PolymorphicProxySerializer, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.negotiation import Download, DownloadNegotiation, chosen_download
from accounts.models import User
from accounts.selectors import usage_of
from accounts.spreadsheets import csv_text
from accounts.usage import COLUMNS, GROUPINGS, Period


class UsageQuery(serializers.Serializer[Any]):
    group_by = serializers.ChoiceField(
        choices=list(GROUPINGS),
        required=False,
        help_text="Show what was charged, by UTC day, by API key or by tag. A job with two tags counts under both.",
    )
    since = serializers.DateField(required=False, help_text="The first UTC day to count.")
    until = serializers.DateField(required=False, help_text="The last UTC day to count.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs and "group_by" not in attrs:
            raise serializers.ValidationError(
                {"group_by": ["since and until are for usage in groups: give group_by, too."]}, code="required"
            )
        if "since" in attrs and "until" in attrs and attrs["since"] > attrs["until"]:
            raise serializers.ValidationError({"since": ["since is later than until."]}, code="after_until")
        return attrs


class UsageOutput(serializers.Serializer[Any]):
    used_seconds = serializers.FloatField()
    reserved_seconds = serializers.FloatField()
    limit_seconds = serializers.FloatField(allow_null=True)
    remaining_seconds = serializers.FloatField(allow_null=True)
    used_minutes = serializers.FloatField()
    limit_minutes = serializers.FloatField(allow_null=True)


class UsageGroupOutput(serializers.Serializer[Any]):
    """One group; what it is grouped by depends on ``group_by``."""

    day = serializers.DateField(required=False, help_text="By day: the UTC date of the charge.")
    key_id = serializers.IntegerField(
        required=False, allow_null=True, help_text="By key: null for requests without an API key."
    )
    key_name = serializers.CharField(required=False, allow_null=True)
    key_prefix = serializers.CharField(required=False, allow_null=True)
    tag = serializers.CharField(
        required=False,
        allow_null=True,
        help_text="By tag: null for jobs without one. A job with two tags counts under both.",
    )
    charged_seconds = serializers.FloatField()
    jobs = serializers.IntegerField(help_text="How many jobs were charged.")


class GroupedUsageOutput(serializers.Serializer[Any]):
    group_by = serializers.CharField()
    since = serializers.DateField(allow_null=True)
    until = serializers.DateField(allow_null=True)
    groups = UsageGroupOutput(many=True)


BUDGET_EXAMPLE = OpenApiExample(
    "The budget",
    {
        "used_seconds": 60.0,
        "reserved_seconds": 30.0,
        "limit_seconds": 1800.0,
        "remaining_seconds": 1710.0,
        "used_minutes": 1.0,
        "limit_minutes": 30.0,
    },
    response_only=True,
    media_type="application/json",
)
GROUPS_EXAMPLE = OpenApiExample(
    "group_by=key",
    {
        "group_by": "key",
        "since": "2026-11-01",
        "until": None,
        "groups": [
            {
                "key_id": 12,
                "key_name": "backup server",
                "key_prefix": "tk_Ab3x9Qw",
                "charged_seconds": 59.8,
                "jobs": 1,
            },
            {"key_id": None, "key_name": None, "key_prefix": None, "charged_seconds": 0.2, "jobs": 1},
        ],
    },
    response_only=True,
    media_type="application/json",
)
CSV_EXAMPLE = OpenApiExample(
    "group_by=day",
    "day,charged_seconds,jobs\r\n2026-11-21,60.0,2\r\n",
    response_only=True,
    media_type="text/csv",
)


class UsageView(GenericAPIView):
    """Your audio budget: used, reserved by running jobs, limit, remaining. With ``group_by``, what was charged.

    As a table with ``format=csv``. What staff adjusted is part of the budget, but is no charge.
    """

    serializer_class = UsageOutput
    content_negotiation_class = DownloadNegotiation
    downloads = (Download("csv", "text/csv"),)

    @extend_schema(
        parameters=[
            UsageQuery,
            OpenApiParameter("format", str, enum=["json", "csv"], description="Goes before the header Accept."),
        ],
        responses={
            (200, "application/json"): PolymorphicProxySerializer(
                "AnyUsage", [UsageOutput, GroupedUsageOutput], resource_type_field_name=None
            ),
            (200, "text/csv"): OpenApiTypes.STR,
        },
        examples=[BUDGET_EXAMPLE, GROUPS_EXAMPLE, CSV_EXAMPLE],
    )
    def get(self, request: Request) -> Response | HttpResponse:
        asked = UsageQuery(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        period = {"since": None, "until": None, **asked.validated_data}
        group_by = period.pop("group_by", None)
        assert isinstance(request.user, User)  # nosec B101 # for the type checker
        if group_by is None:
            answer = dict(UsageOutput(usage_of(request.user)).data)
            columns, rows = tuple(answer), [answer]
        else:
            columns, rows = COLUMNS[group_by], GROUPINGS[group_by](account_id=request.user.pk, period=Period(**period))
            answer = {"group_by": group_by, **period, "groups": rows}
        if chosen_download(request) == "csv":
            return _attachment(csv_text(columns=columns, rows=rows), f"usage-by-{group_by}" if group_by else "usage")
        return Response(answer)


def _attachment(text: str, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"', "X-Content-Type-Options": "nosniff"}
    return HttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)
