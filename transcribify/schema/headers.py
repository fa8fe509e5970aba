"""The headers that requests and answers have beside the usual ones."""

from collections.abc import Iterator
from typing import Any

Operation = dict[str, Any]

JOB_ID = {"x-transcribify-job-id": ("The job of this call, for `GET /jobs/{id}`.", "8")}
REQUEST_ID = {"X-Request-Id": ("The name of this call in the log, to be quoted in questions.", "req_5f0c")}
RETRY_AFTER = {"Retry-After": ("Seconds to wait before the next attempt; not on every such answer.", "5")}
ETAG = {"ETag": ("The mark of this very content: send it back in `If-None-Match`, and 304 says that it is still so.",
                 '"6b1f"')}  # fmt: skip
NEW_JOB = {
    "Location": ("The address of the job.", "/jobs/8"),
    "Idempotent-Replayed": ("`true`: the job was there already, and nothing is charged for this request.", "true"),
}
CHALLENGE = {"WWW-Authenticate": ("How to authenticate.", 'Bearer realm="transcribify"')}
NO_RETRY = {"x-should-retry": ("`false`: OpenAI's clients do not send the request again by themselves.", "false")}

_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A name of your own for this request, such as a UUID. Sent twice with the same content it makes one "
    "job and one charge; with another content it is refused (422).",
    "schema": {"type": "string", "maxLength": 255, "pattern": "^([!-~]([ -~]*[!-~])?)?$"},
    "example": "3f1c2b9a-4c1e-4f1e-9d0b-6f6c2f0a7d11",
}
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The `ETag` of an earlier answer: 304 when it would be the same again.",
    "schema": {"type": "string"},
    "example": '"6b1f"',
}


def add_headers(operation: Operation, *, path: str, method: str) -> None:
    """Put the headers into an operation that is otherwise complete."""
    takes_key = method == "POST" and path in {"/jobs", "/v1/audio/transcriptions", "/v1/audio/translations"}
    more = [_IDEMPOTENCY_KEY] * takes_key + [_IF_NONE_MATCH] * ("304" in operation["responses"])
    if more:
        operation["parameters"] = [*operation.get("parameters", ()), *more]
    for status, response in operation["responses"].items():
        for headers in _headers_of(path, method, status):
            described = {name: _header(*texts) for name, texts in headers.items()}
            response["headers"] = {**response.get("headers", {}), **described}


def _headers_of(path: str, method: str, status: str) -> Iterator[dict[str, tuple[str, str]]]:
    if status == "401":
        yield CHALLENGE
    if status == "503" or (status == "429" and path == "/auth/login"):
        yield RETRY_AFTER
    if (method, path, status) == ("POST", "/jobs", "202"):
        yield NEW_JOB
    if status in {"200", "206", "304"} and path.endswith(("/audio", "/transcript", "/transcript.{format_name}")):
        yield ETAG
    if path.startswith("/v1/"):
        yield REQUEST_ID
    if path.startswith("/v1/audio/"):
        if status in {"200", "409", "500"}:
            yield JOB_ID
        if status in {"409", "429", "500"}:
            yield NO_RETRY


def _header(description: str, example: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}, "example": example}
