"""How GET /jobs is described: its parameters, and an answer with one job."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter

from jobs.api.filters import JobListQuery
from jobs.options import Options

DATE_OR_TIME = {"type": "string", "anyOf": [{"format": "date"}, {"format": "date-time"}]}
MOMENTS = [OpenApiExample("A day", value="2026-01-31"), OpenApiExample("A moment", value="2026-01-31T09:30:00Z")]


def _moment(name: str) -> OpenApiParameter:
    help_text = str(JobListQuery().fields[name].help_text)
    return OpenApiParameter(name, DATE_OR_TIME, description=help_text, examples=MOMENTS)


LIST_PARAMETERS: list[Any] = [JobListQuery, _moment("created_after"), _moment("created_before")]

LIST_EXAMPLE = OpenApiExample(
    "The newest job",
    response_only=True,
    value={
        "id": 7,
        "uid": "0c5f1c5e-6a0d-4b8e-9d53-6f0a4c8f5a11",
        "status": "done",
        "stage": None,
        "progress": 1.0,
        "filename": "team-meeting.mp3",
        "duration_seconds": 61.4,
        "language": "en",
        "engine": "faster-whisper",
        "model": "base",
        "options": Options.of({"model": "base", "tags": ["team"]}).as_json(),
        "warnings": [],
        "error": None,
        "created_at": "2026-01-31T09:30:00.125000Z",
        "started_at": "2026-01-31T09:30:00.250000Z",
        "finished_at": "2026-01-31T09:30:21.500000Z",
        "delete_at": None,
        "removed_at": None,
        "receipt": None,
    },
)
