"""The door to transcripts in all formats."""

from hashlib import sha256
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.exceptions import NotAcceptable
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request

from jobs.api.downloads import PRIVATE, ErrorsAsJSON, attachment, unless_kept
from jobs.api.examples import A_JOBS_ID
from jobs.api.views import find_job, not_finished
from jobs.errors import InputFault, Removed
from jobs.models import Job
from jobs.selectors import has_whole_transcript, transcript_of
from jobs.transcript import Transcript
from reports.api.serializers import ExportInAnyFormatInput, ExportInput, TranscriptOutput
from reports.formats.base import Format, Layout
from reports.formats.registry import EDITION, FORMATS
from reports.selectors import enhanced_transcript_of

RESPONSES: dict[Any, Any] = {
    (200, "application/json"): TranscriptOutput,
    **{(200, known.media_type): OpenApiTypes.STR for known in FORMATS.values() if known.name != "json"},
    304: None,
}
FORMAT = OpenApiParameter("format", str, enum=list(FORMATS), description="Goes before the header Accept.")
EXAMPLES = [
    A_JOBS_ID,
    OpenApiExample(
        "JSON",
        {"text": "Hello.", "language": "en", "segments": [{"id": 0, "start": 0.0, "end": 1.5, "text": " Hello."}]},
        response_only=True,
        media_type="application/json",
    ),
    OpenApiExample(
        "SRT",
        "1\n00:00:00,000 --> 00:00:01,500\nHello.\n",
        response_only=True,
        media_type="application/x-subrip",
    ),
    OpenApiExample("Text", "Hello.\n", response_only=True, media_type="text/plain"),
    OpenApiExample(
        "TSV",
        "start\tend\ttext\n0\t1500\tHello.\n",
        response_only=True,
        media_type="text/tab-separated-values",
    ),
    OpenApiExample(
        "WebVTT",
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nHello.\n",
        response_only=True,
        media_type="text/vtt",
    ),
]


class TranscriptView(GenericAPIView):
    """The transcript of a finished job, in the format that ``format`` or the header ``Accept`` names."""

    serializer_class: type[ExportInput] = ExportInAnyFormatInput
    content_negotiation_class = ErrorsAsJSON

    @extend_schema(parameters=[ExportInAnyFormatInput, FORMAT], responses=RESPONSES, examples=EXAMPLES)
    def get(self, request: Request, job_id: int) -> HttpResponseBase:
        job = find_job(request, job_id)
        data = self._read(request)
        wanted = data.validated_data.get("format")
        found = FORMATS.get(wanted) if wanted is not None else accepted_format(request)
        return export(request, job, found or refuse_format(), data)

    def _read(self, request: Request) -> Any:
        data: Any = self.get_serializer(data=request.query_params)
        data.is_valid(raise_exception=True)
        return data


class TranscriptFileView(TranscriptView):
    """The transcript of a finished job as a file: ``transcript.txt``, ``.srt``, ``.vtt``, ``.tsv`` or ``.json``."""

    serializer_class = ExportInput

    @extend_schema(
        operation_id="jobs_transcript_file_retrieve",
        parameters=[ExportInput, OpenApiParameter("format_name", str, OpenApiParameter.PATH, enum=list(FORMATS))],
        responses=RESPONSES,
        examples=EXAMPLES,
    )
    def get(self, request: Request, job_id: int, format_name: str) -> HttpResponseBase:  # type: ignore[override]
        job = find_job(request, job_id)
        data = self._read(request)
        return export(request, job, FORMATS.get(format_name) or refuse_format(), data)


def accepted_format(request: Request) -> Format | None:
    """The format that the client likes best, JSON where it likes all the same; None when it likes none."""
    by_type = {known.media_type: known for known in FORMATS.values()}
    # Django sorts the client's types by its liking, and takes the first of ours among equals.
    found = request._request.get_preferred_type(list(by_type))
    return by_type[found] if found else None


def refuse_format() -> Format:
    """Raises ``NotAcceptable`` (406)."""
    raise NotAcceptable(f"There is no such format of a transcript. Known: {', '.join(FORMATS)}.")


def export(request: Request, job: Job, wanted: Format, asked: ExportInput) -> HttpResponseBase:
    """The transcript as a file to be kept. A client that has it already is told so before anything is read."""
    if job.is_removed:
        raise Removed("The transcript was removed; the job shows when, and what it was.", code="transcript_removed")
    if not has_whole_transcript(job):
        raise not_finished(job, "transcript")
    is_enhanced, layout = asked.validated_data["enhanced"], asked.layout()
    response = HttpResponse(
        content_type=f"{wanted.media_type}; charset=utf-8",
        headers={
            "ETag": etag(job, wanted, layout, is_enhanced),
            "Cache-Control": PRIVATE,
            "Content-Disposition": attachment(job, wanted.name),
        },
    )
    patch_vary_headers(response, ["Accept"])
    answer = unless_kept(request, response)
    if answer.status_code == status.HTTP_200_OK:
        answer.content = wanted.write(enhanced_or_refusal(job) if is_enhanced else transcript_of(job), layout)
    return answer


def enhanced_or_refusal(job: Job) -> Transcript:
    """Raises ``InputFault`` (``no_enhanced_transcript``)."""
    transcript = enhanced_transcript_of(job)
    if transcript is None:
        raise InputFault(
            "This job has no enhanced transcript. Ask for one with the option enhance, or leave enhanced out.",
            code="no_enhanced_transcript",
        )
    return transcript


def etag(job: Job, wanted: Format, layout: Layout, is_enhanced: bool) -> str:
    """A strong mark of these very bytes: the transcript of a finished run does not change."""
    parts = (job.uid, job.run, job.finished_at, wanted.name, layout, is_enhanced, EDITION)
    return f'"{sha256(repr(parts).encode()).hexdigest()[:32]}"'
