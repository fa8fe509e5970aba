"""How an upload reaches the disk: capped while it arrives, under a name of ours."""

import hashlib
import shutil
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler, TemporaryFileUploadHandler
from django.db import connection
from django.http import HttpRequest
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request

from jobs.errors import InputFault
from jobs.files import is_disk_full, storage_full


class CappedFileHandler(TemporaryFileUploadHandler):
    """Writes uploads to temporary files, and removes them and stops reading at ``MAX_UPLOAD_MEGABYTES``.

    The file's name on disk is ours: the client's may carry anything.
    """

    chunk_size = 256 * 1024

    def handle_raw_input(self, *args: Any, **kwargs: Any) -> None:
        """Before the first byte of any form is read: it may take hours, and others need the database meanwhile."""
        if not connection.in_atomic_block:
            connection.close()

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        FileUploadHandler.new_file(self, *args, **kwargs)
        self.file = TemporaryUploadedFile("recording", self.content_type, 0, self.charset, self.content_type_extra)
        self.received_bytes = 0
        self.digest = hashlib.sha256()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.received_bytes += len(raw_data)
        try:
            if self.received_bytes > max_upload_bytes():
                raise upload_too_large()
            refuse_full_disk()
            self.digest.update(raw_data)
            self.file.write(raw_data)
        except BaseException:
            self.file.close()
            raise

    def file_complete(self, file_size: int) -> Any:
        uploaded = super().file_complete(file_size)
        if uploaded is not None:
            uploaded.name = self.file_name
            # Computed while it arrived: what was sent twice is known by it, and need not be read again.
            uploaded.sha256 = self.digest.hexdigest()  # type: ignore[attr-defined]
        return uploaded


def receive_form(request: Request) -> None:
    """Read the body of an upload into temporary files, none of which is left when that fails.

    Raises ``InputFault`` (too large), ``TransientFault`` (``storage_full``) and ``UnsupportedMediaType``, by the
    announced length alone where that is enough.
    """
    refuse_large_body(request)
    try:
        request.data  # noqa: B018 - reading it is what parses the body
    except BaseException as error:
        for handler in request._request.upload_handlers:
            with suppress(OSError):  # closing tries once more to write what did not fit
                handler.upload_interrupted()
        if is_disk_full(error):
            raise storage_full() from error
        raise


def refuse_large_body(request: Request) -> None:
    """Refuse by the announced length alone, before a byte of the body is read."""
    announced = announced_bytes(request)
    if announced > max_form_bytes():
        raise upload_too_large()
    is_form = (request.content_type or "").lower().startswith("multipart/form-data")
    if announced > settings.DATA_UPLOAD_MAX_MEMORY_SIZE and not is_form:
        # Any other body would be held in memory as a whole.
        raise UnsupportedMediaType(request.content_type)
    # A chunked body announces nothing: what it is given as a length is only the most that it may have.
    refuse_full_disk(0 if "HTTP_TRANSFER_ENCODING" in request.META else announced)


def refuse_full_disk(wanted_bytes: int = 0) -> None:
    """Keep ``MIN_FREE_DISK_MEGABYTES`` free where uploads arrive: the database needs room, too."""
    free_bytes = shutil.disk_usage(settings.FILE_UPLOAD_TEMP_DIR).free
    if free_bytes < wanted_bytes + settings.MIN_FREE_DISK_MEGABYTES * 1_000_000:
        raise storage_full()


def announced_bytes(request: HttpRequest | Request) -> int:
    """The body's length by the request's own word; 0 where it gives none that makes sense."""
    announced = request.META.get("CONTENT_LENGTH") or ""
    return int(announced) if announced.isdigit() else 0


def max_upload_bytes() -> int:
    return settings.MAX_UPLOAD_MEGABYTES * 1_000_000


def max_form_bytes() -> int:
    """A recording and the form around it: boundaries and the other fields take some room, too."""
    return max_upload_bytes() + settings.DATA_UPLOAD_MAX_MEMORY_SIZE


def upload_too_large() -> InputFault:
    return InputFault(
        f"The file is larger than {settings.MAX_UPLOAD_MEGABYTES} MB. Compress it (MP3, Opus) or split it.",
        code="upload_too_large",
        max_megabytes=settings.MAX_UPLOAD_MEGABYTES,
    )
