"""How the parameters of GET /jobs are described."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter

from jobs.api.filters import JobListQuery

DATE_OR_TIME = {"type": "string", "anyOf": [{"format": "date"}, {"format": "date-time"}]}
MOMENTS = [OpenApiExample("A day", value="2026-01-31"), OpenApiExample("A moment", value="2026-01-31T09:30:00Z")]


def _moment(name: str) -> OpenApiParameter:
    help_text = str(JobListQuery().fields[name].help_text)
    return OpenApiParameter(name, DATE_OR_TIME, description=help_text, examples=MOMENTS)


LIST_PARAMETERS: list[Any] = [JobListQuery, _moment("created_after"), _moment("created_before")]
