"""What the doors have in common that hand out files."""

from pathlib import Path
from typing import Any

from django.http import HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from jobs.models import Job
from jobs.submission import stored_name

PRIVATE = "private, no-cache"
"""``Cache-Control`` for what belongs to one user: a browser may keep it, and asks whether it is still so."""


class ErrorsAsJSON(DefaultContentNegotiation):
    """For views that make their own files: REST framework renders only the errors, whatever a client accepts."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> tuple[Any, str]:
        return JSONRenderer(), JSONRenderer.media_type


def attachment(job: Job, extension: str | None = None) -> str:
    """``Content-Disposition`` under the recording's name, with another ``extension`` where one is given."""
    name = stored_name(job.filename)
    if extension:
        name = f"{Path(name).stem}.{extension}"
    return content_disposition_header(True, name) or "attachment"


def unless_kept(request: Request, response: HttpResponse) -> HttpResponse:
    """The response, or 304 or 412 by what the request says of the response's ``ETag``."""
    return get_conditional_response(request, etag=response["ETag"], response=response) or response
