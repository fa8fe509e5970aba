"""How much of a body each address takes: recordings where recordings belong, little everywhere else."""

from collections.abc import Callable, MutableMapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from jobs.api.upload import announced_bytes, max_form_bytes
from transcribify.api_errors import json_error

Scope = MutableMapping[str, Any]


class SmallBodies:
    """Middleware: refuses a large body before anything reads it, unless the view says ``takes_recordings``.

    Django caps neither files nor what DRF's JSON parser reads, so a login form could be gigabytes long.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: list[Any], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        takes_recordings = getattr(getattr(view, "cls", None), "takes_recordings", False)
        if takes_recordings or announced_bytes(request) <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return None
        detail = f"At most {settings.DATA_UPLOAD_MAX_MEMORY_SIZE} bytes can be sent to this address."
        return json_error(request.path, 413, detail, "body_too_large")


def has_body(scope: Scope) -> bool:
    """Whether a request announces a body, with or without its length."""
    return _announced_length(scope) != 0 or _is_chunked(scope)


def is_large(scope: Scope) -> bool:
    """Whether the body may be a recording: larger than any form, or a form with files that does not say how large."""
    if _is_chunked(scope):
        return is_form(scope)
    return _announced_length(scope) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE


def is_form(scope: Scope) -> bool:
    """Whether the body is a form that may hold files."""
    return _header(scope, b"content-type").lower().startswith(b"multipart/form-data")


def with_length(scope: Scope, length_bytes: int) -> Scope:
    """Say how long the body is, now that it is known: Django takes one without a length for empty."""
    headers = [(name, value) for name, value in scope["headers"] if name != b"content-length"]
    return {**scope, "headers": [*headers, (b"content-length", str(length_bytes).encode())]}


def with_longest_length(scope: Scope) -> Scope:
    """Give a chunked form the largest length that it may have.

    The body ends where the client ends it; what exceeds the length is cut off by the upload handler or not read.
    """
    return with_length(scope, max_form_bytes()) if _is_chunked(scope) else {**scope}


def _announced_length(scope: Scope) -> int:
    value = _header(scope, b"content-length")
    return int(value) if value.isdigit() else 0


def _is_chunked(scope: Scope) -> bool:
    return bool(_header(scope, b"transfer-encoding"))


def _header(scope: Scope, name: bytes) -> bytes:
    return next((value for found, value in scope["headers"] if found == name), b"")
