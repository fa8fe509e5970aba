"""How an upload reaches the disk: capped while it arrives, under a name of ours."""

from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler, TemporaryFileUploadHandler
from django.http import HttpRequest
from rest_framework.request import Request

from jobs.errors import InputFault


class CappedFileHandler(TemporaryFileUploadHandler):
    """Writes uploads to temporary files, and removes them and stops reading at ``MAX_UPLOAD_MEGABYTES``.

    The file's name on disk is ours: the client's may carry anything.
    """

    chunk_size = 256 * 1024

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        FileUploadHandler.new_file(self, *args, **kwargs)
        self.file = TemporaryUploadedFile("recording", self.content_type, 0, self.charset, self.content_type_extra)
        self.received_bytes = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.received_bytes += len(raw_data)
        if self.received_bytes > max_upload_bytes():
            self.file.close()
            raise upload_too_large()
        self.file.write(raw_data)

    def file_complete(self, file_size: int) -> Any:
        uploaded = super().file_complete(file_size)
        if uploaded is not None:
            uploaded.name = self.file_name
        return uploaded


def refuse_large_body(request: Request) -> None:
    """Refuse by the announced length alone, before a byte of the body is read. Raises ``InputFault``."""
    if announced_bytes(request) > max_form_bytes():
        raise upload_too_large()


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
