"""Errors as OpenAI's clients know them: ``{"error": {"message", "type", "param", "code"}}``."""

from typing import Any

PREFIX = "/v1/"

MODEL_CODES = {"unknown_model", "model_not_allowed"}
PARAMS = {
    **dict.fromkeys(MODEL_CODES, "model"),
    **dict.fromkeys(("unknown_language", "language_not_supported"), "language"),
    **dict.fromkeys(
        ("unsupported_media", "unsupported_audio", "unsupported_format", "no_audio", "undecodable"), "file"
    ),
    **dict.fromkeys(("upload_too_large", "media_too_slow", "recording_too_long", "one_file_only"), "file"),
    "trim_start_past_end": "trim_start",
    "translation_not_supported": "model",
}

SENDERS_FAULTS = set(PARAMS) | {"resource_exceeded", "provider_rejected"}
"""Codes of failed jobs that another recording or another option would mend; all others are the server's own."""


def is_openai(path: str) -> bool:
    """Whether an address speaks OpenAI's language."""
    return path.startswith(PREFIX)


def reshape(status: int, body: dict[str, Any]) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Our error body as OpenAI's: status, body and the headers that steer the client's own retries."""
    code = str(body.get("code", "")) or None
    headers: dict[str, str] = {}
    if code in MODEL_CODES:
        status, code = 404, "model_not_found"
    elif code == "audio_limit_exceeded":
        # Not to be tried again by itself: the budget will not have grown in a second.
        status, code, headers = 429, "insufficient_quota", {"x-should-retry": "false"}
    elif status == 401:
        code = "invalid_api_key"  # the message says what is wrong with it
    elif status == 415:
        status = 400  # what OpenAI's own server says of a file that is no recording
    elif isinstance(body.get("errors"), dict):
        code = "missing_required_parameter" if _first_fault(body) == "required" else "invalid_value"
    param = _param(body)
    error = {"message": body.get("detail", ""), "type": _type(status, code), "param": param, "code": code}
    return status, {"error": error}, headers


def failed_job(code: str, message: str) -> tuple[int, dict[str, Any], dict[str, str]]:
    """The answer for a job that failed. What could be tried again was, by the job itself: the client need not."""
    status = 400 if code in SENDERS_FAULTS else 500
    status, body, headers = reshape(status, {"detail": message, "code": code})
    return status, body, {"x-should-retry": "false", **headers}


def _param(body: dict[str, Any]) -> str | None:
    errors = body.get("errors")
    if isinstance(errors, dict) and errors:
        return str(next(iter(errors)))
    return PARAMS.get(str(body.get("code")))


def _first_fault(body: dict[str, Any]) -> str:
    return str(next(iter(body["errors"].values()))[0]["code"])


def _type(status: int, code: str | None) -> str:
    if code == "insufficient_quota":
        return "insufficient_quota"
    if status == 429:
        return "rate_limit_error"
    return "server_error" if status >= 500 else "invalid_request_error"
