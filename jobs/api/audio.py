"""The recording itself, as it was uploaded."""

import re
from io import SEEK_END
from pathlib import Path
from typing import Any

from django.core.files.storage import default_storage
from django.db import connection
from django.http import FileResponse, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.api.downloads import PRIVATE, ErrorsAsJSON, attachment, unless_kept
from jobs.api.examples import A_JOBS_ID
from jobs.api.views import find_job
from jobs.errors import InputFault, TransientFault
from jobs.models import Job

LINK_SECONDS = 600
"""How long an address in an object store is good for. A download that has begun may take longer."""

OTHER_TYPE = "application/octet-stream"
MEDIA_TYPES = ("audio/*", "video/*", OTHER_TYPE)
TYPES = {
    "mp3": "audio/mpeg", "mpga": "audio/mpeg", "mpeg": "video/mpeg", "m4a": "audio/mp4", "m4b": "audio/mp4",
    "aac": "audio/aac", "wav": "audio/wav", "flac": "audio/flac", "ogg": "audio/ogg", "oga": "audio/ogg",
    "opus": "audio/ogg", "webm": "video/webm", "mka": "audio/x-matroska", "mkv": "video/x-matroska",
    "mp4": "video/mp4", "m4v": "video/mp4", "mov": "video/quicktime", "3gp": "video/3gpp", "3g2": "video/3gpp2",
    "aif": "audio/aiff", "aiff": "audio/aiff", "aifc": "audio/aiff", "caf": "audio/x-caf", "amr": "audio/amr",
    "wma": "audio/x-ms-wma", "wmv": "video/x-ms-wmv", "asf": "video/x-ms-asf", "ts": "video/mp2t", "mts": "video/mp2t",
    "w64": "audio/x-w64",
}  # fmt: skip
"""By the ending of the uploader's file name. It may be wrong, and is harmless then: none of these is ever run."""

# One range; a list of them, another unit and what makes no sense is answered with the whole file, as RFC 9110 wants it.
_RANGE = re.compile(r"bytes=(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))", re.IGNORECASE)


class Extract:
    """A part of an open file, as a file that is read once from its beginning."""

    def __init__(self, file: Any, part: range) -> None:
        file.seek(part.start)
        self._file = file
        self._left = len(part)

    def read(self, size: int) -> bytes:
        content = self._file.read(min(size, self._left))
        self._left -= len(content)
        return content

    def close(self) -> None:
        self._file.close()


class AudioView(GenericAPIView):
    """The recording as it was uploaded; where recordings are kept in an object store, the way to it (302)."""

    serializer_class = serializers.Serializer
    content_negotiation_class = ErrorsAsJSON

    @extend_schema(
        parameters=[
            OpenApiParameter("Range", str, OpenApiParameter.HEADER, description="One range: `bytes=0-999`."),
            OpenApiParameter("If-Range", str, OpenApiParameter.HEADER, description="The ETag of an earlier answer."),
        ],
        responses={
            **{(200, media_type): OpenApiTypes.BINARY for media_type in MEDIA_TYPES},
            **{(206, media_type): OpenApiTypes.BINARY for media_type in MEDIA_TYPES},
            302: None,
            304: None,
        },
        examples=[A_JOBS_ID],
    )
    def get(self, request: Request, job_id: int) -> HttpResponseBase:
        job = find_job(request, job_id)
        if not job.source_key:
            raise audio_removed()
        if not is_on_disk():
            return redirect_to_store(request, job)
        return send_file(request, job)


def is_on_disk() -> bool:
    """Whether the storage is a folder here, and no object store."""
    try:
        default_storage.path("")
    except NotImplementedError:
        return False
    return True


def send_file(request: Request, job: Job) -> HttpResponseBase:
    """The recording or the part that the request asks for, a few kilobytes of it in memory at a time."""
    try:
        file = default_storage.open(job.source_key)
    except FileNotFoundError as error:
        raise audio_removed() from error
    size = file.seek(0, SEEK_END)
    headers = {
        "Content-Disposition": attachment(job),
        "Accept-Ranges": "bytes",
        "Cache-Control": PRIVATE,
        "ETag": f'"{job.uid}"',  # what is stored for a job never changes
    }
    answer = unless_kept(request, HttpResponse(headers=headers))
    part = asked_part(request, headers["ETag"], size)
    if answer.status_code != status.HTTP_200_OK or (part is not None and not part):
        file.close()
        return range_not_satisfiable(size) if answer.status_code == status.HTTP_200_OK else answer
    headers["Content-Length"] = str(size if part is None else len(part))
    if part is not None:
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
    if request.method == "HEAD":  # the server would read the whole file, only to send nothing of it
        file.close()
        return HttpResponse(headers=headers, content_type=content_type(job))
    if not connection.in_atomic_block:
        connection.close()  # a slow reader takes hours, and others need it meanwhile
    content = Extract(file, range(size) if part is None else part)
    return FileResponse(content, headers=headers, content_type=content_type(job), status=200 if part is None else 206)


def redirect_to_store(request: Request, job: Job) -> HttpResponseRedirect:
    """To an address that is good for ``LINK_SECONDS`` and for this recording alone."""
    try:
        is_there = default_storage.exists(job.source_key)
    except Exception as error:  # each backend has errors of its own
        raise TransientFault(
            "The storage of the recordings does not answer. Try again in a minute.", code="storage_unavailable"
        ) from error
    if not is_there:
        raise audio_removed()
    shown = {"ResponseContentDisposition": attachment(job), "ResponseContentType": content_type(job)}
    # django-storages signs for the method: an address for GET refuses HEAD.
    address = default_storage.url(  # type: ignore[call-arg]
        job.source_key, parameters=shown, expire=LINK_SECONDS, http_method=request.method
    )
    return HttpResponseRedirect(address, headers={"Cache-Control": "no-store"})


def asked_part(request: Request, etag: str, size: int) -> range | None:
    """The bytes that the request asks for, of a file of ``size``: empty when there are none such, None for all."""
    found = _RANGE.fullmatch(request.headers.get("Range", "").strip())
    if not found or request.method != "GET" or request.headers.get("If-Range", etag) != etag:
        return None
    first, last, suffix = found.groups()
    if suffix:
        return range(max(0, size - int(suffix)), size)
    if last and int(last) < int(first):
        return None
    return range(int(first), min(int(last) + 1, size) if last else size)


def content_type(job: Job) -> str:
    return TYPES.get(Path(job.filename).suffix.lower().removeprefix("."), OTHER_TYPE)


def audio_removed() -> InputFault:
    return InputFault("The recording was removed. Its transcript is kept.", code="audio_removed")


def range_not_satisfiable(size: int) -> Response:
    return Response(
        {"detail": f"The recording has {size} bytes; none are in that range.", "code": "range_not_satisfiable"},
        status=status.HTTP_416_REQUESTED_RANGE_NOT_SATISFIABLE,
        headers={"Content-Range": f"bytes */{size}"},
    )
