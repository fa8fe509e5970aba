"""Which refusals an operation can end with: stated once here, by what the operation has."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from accounts.authentication import HOW_TO_AUTHENTICATE


class FaultOutput(serializers.Serializer[Any]):
    message = serializers.CharField()
    code = serializers.CharField()


@extend_schema_serializer(component_name="Error")
class ErrorOutput(serializers.Serializer[Any]):
    """Every refusal. Some have further facts beside these, such as ``remaining_seconds``."""

    detail = serializers.CharField(help_text="What to do, for people.")
    code = serializers.CharField(help_text="Stable, for programs.")
    errors = serializers.DictField(  # type: ignore[assignment]
        child=FaultOutput(many=True), required=False, help_text="Input that was refused: the faults of each field."
    )


class OpenAIFaultOutput(serializers.Serializer[Any]):
    message = serializers.CharField()
    type = serializers.CharField()
    param = serializers.CharField(allow_null=True)
    code = serializers.CharField(allow_null=True)


@extend_schema_serializer(component_name="OpenAIError")
class OpenAIErrorOutput(serializers.Serializer[Any]):
    """Every refusal under ``/v1``, as OpenAI's clients expect it."""

    error = OpenAIFaultOutput()


@dataclass(frozen=True, slots=True)
class Facts:
    """What an operation has."""

    method: str
    path: str
    is_private: bool
    has_body: bool
    has_query: bool
    takes_recordings: bool
    renders: bool
    """Whether the header ``Accept`` can name a format that is not to be had."""

    @property
    def is_openai_audio(self) -> bool:
        return self.path.startswith("/v1/audio/")

    @property
    def makes_jobs(self) -> bool:
        return self.takes_recordings and not self.path.endswith("/estimate")

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Fault:
    """One refusal with its example; ``when`` says which operations can end with it."""

    status: int
    code: str
    detail: str
    when: Callable[[Facts], bool]
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def body(self) -> dict[str, Any]:
        return {"detail": self.detail, "code": self.code, **self.extra}


def _ends_with(*endings: str) -> Callable[[Facts], bool]:
    return lambda operation: operation.path.endswith(endings)


def _is(*names: str) -> Callable[[Facts], bool]:
    return lambda operation: operation.name in names


def _is_transcript(operation: Facts) -> bool:
    return "/jobs/{job_id}/transcript" in operation.path


_TOO_HIGH = {"errors": {"page_size": [{"message": "Give a number from 1 to 200.", "code": "invalid"}]}}
_NO_FILE = "Send the recording as the form field 'file' (multipart/form-data)."
_BUDGET = {"remaining_seconds": 29.0, "limit_seconds": 90.0, "requested_seconds": 60.0}

FAULTS = [
    Fault(400, "page_size_invalid", "page_size: Give a number from 1 to 200.",
          lambda o: o.has_query and not _is_transcript(o), _TOO_HIGH),
    Fault(400, "unknown_option", "colour: There is no such option. Known: max_line_width, max_line_count.",
          _is_transcript, {"errors": {"colour": [{"message": "There is no such option.", "code": "unknown_option"}]}}),
    Fault(400, "parse_error", "JSON parse error - Expecting value: line 1 column 1 (char 0)",
          lambda o: o.has_body and not o.takes_recordings),
    Fault(400, "file_required", f"file: {_NO_FILE}",
          lambda o: o.takes_recordings, {"errors": {"file": [{"message": _NO_FILE, "code": "required"}]}}),
    Fault(401, "not_authenticated", HOW_TO_AUTHENTICATE, lambda o: o.is_private),
    Fault(401, "wrong_credentials", "Wrong e-mail address or password.", _is("POST /auth/login")),
    Fault(401, "invalid_api_key", "There is no such API key. Check that it was copied whole.",
          _is("POST /auth/token")),
    Fault(401, "token_not_valid", "The refresh token is not valid (any more). Log in again.",
          _is("POST /auth/refresh")),
    Fault(403, "registration_closed", "Registration is closed on this server. Ask its operator for an account.",
          _is("POST /auth/register")),
    Fault(404, "not_found", "Not found.", lambda o: "{" in o.path and not o.path.startswith("/v1/")),
    Fault(404, "unknown_model", "There is no model 'gpt-9' here. Use one of: base, small.",
          lambda o: o.is_openai_audio or o.path == "/v1/models/{model_id}"),
    Fault(404, "no_report", "This job has no report. POST here to have one written.",
          _is("GET /jobs/{job_id}/report")),
    Fault(406, "not_acceptable", "Could not satisfy the request Accept header.", lambda o: o.renders),
    Fault(406, "not_acceptable", "There is no such format of a transcript. Known: json, txt, srt, vtt, tsv.",
          _is_transcript),
    Fault(408, "body_too_slow",
          "The request came too slowly and was given up. Check your connection and send it again.",
          lambda o: o.has_body),
    Fault(409, "email_taken", "An account with this e-mail address exists already. Log in instead.",
          _is("POST /auth/register")),
    Fault(409, "too_many_keys", "You have 100 keys in use. Revoke one that you no longer need first.",
          _is("POST /me/keys")),
    Fault(409, "already_finished", "The job is done already; there is nothing to cancel.", _ends_with("/cancel")),
    Fault(409, "not_retryable", "Only a failed or cancelled job can be run again.", _ends_with("/retry")),
    Fault(409, "not_done", "Only the report of a finished job can be written again.",
          _is("POST /jobs/{job_id}/report")),
    Fault(409, "not_finished", "The job is processing; there is no report: ask again when it is done.",
          _is("GET /jobs/{job_id}/report"), {"status": "processing"}),
    Fault(409, "not_finished", "The job is processing; there is no transcript: ask again when it is done.",
          _is_transcript, {"status": "processing"}),
    Fault(409, "cancelled", "The job was cancelled.", lambda o: o.is_openai_audio),
    Fault(410, "audio_removed", "The recording was removed. Its transcript is kept.", _ends_with("/audio")),
    Fault(410, "transcript_removed", "The transcript was removed; the job shows when, and what it was.",
          _is_transcript),
    Fault(413, "body_too_large", "At most 2621440 bytes can be sent to this address.",
          lambda o: o.has_body and not o.takes_recordings),
    Fault(413, "upload_too_large", "The file is larger than 500 MB. Compress it (MP3, Opus) or split it.",
          lambda o: o.takes_recordings, {"max_megabytes": 500}),
    Fault(415, "unsupported_media_type", 'Unsupported media type "text/plain" in request.',
          lambda o: o.has_body and not o.takes_recordings),
    Fault(415, "unsupported_media", "This is not a recording that can be read. Upload audio or video with sound.",
          lambda o: o.takes_recordings),
    Fault(416, "range_not_satisfiable", "The recording has 480044 bytes; none are in that range.",
          _ends_with("/audio")),
    Fault(422, "idempotency_key_reused",
          "This Idempotency-Key was used for another recording or other options. Use a new key for a new request.",
          lambda o: o.makes_jobs),
    Fault(429, "audio_limit_exceeded", "audio limit exceeded. you have 29s remaining out of 90s total",
          lambda o: o.makes_jobs or o.path.endswith("/retry"), _BUDGET),
    Fault(429, "too_many_attempts", "Too many failed attempts to log in. Wait 15 minutes, then try again.",
          _is("POST /auth/login"), {"retry_after_seconds": 900}),
    Fault(500, "crashed_repeatedly", "The worker crashed 3 times at this recording.", lambda o: o.is_openai_audio),
    Fault(503, "database_unavailable", "The database does not answer at this moment. Try again in a few seconds.",
          lambda o: True),
    Fault(503, "too_many_uploads", "Too many recordings are being uploaded at this moment. Try again in half a minute.",
          lambda o: o.takes_recordings),
    Fault(503, "storage_unavailable", "The storage of the recordings does not answer. Try again in a minute.",
          _ends_with("/audio")),
    Fault(507, "storage_full",
          "The server has no room for more recordings at this moment. Try again later, or tell its operator.",
          lambda o: o.method != "GET"),
]  # fmt: skip


def faults_of(operation: Facts) -> list[Fault]:
    """The refusals that ``operation`` can end with, by status."""
    return [fault for fault in FAULTS if fault.when(operation)]
