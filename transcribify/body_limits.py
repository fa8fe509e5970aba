"""How much of a body each address takes: recordings where recordings belong, little everywhere else."""

from collections.abc import Callable, MutableMapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

from jobs.api.upload import announced_bytes, max_form_bytes


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
        return JsonResponse({"detail": detail, "code": "body_too_large"}, status=413)


def with_length(scope: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Give a chunked request the largest length that it may have: Django takes one without a length for empty.

    The body ends where the client ends it; what exceeds the length is cut off by the upload handler or not read.
    """
    headers = dict(scope["headers"])
    if b"transfer-encoding" not in headers or b"content-length" in headers:
        return scope
    is_form = headers.get(b"content-type", b"").startswith(b"multipart/form-data")
    length = max_form_bytes() if is_form else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    return {**scope, "headers": [*scope["headers"], (b"content-length", str(length).encode())]}
