"""How a request with a recording is read, whichever door it comes in by."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile
from rest_framework import serializers
from rest_framework.request import Request

from accounts.authentication import key_id_of
from jobs.api.options import OptionsInput
from jobs.api.upload import receive_form
from jobs.audio.probe import Header, probe_header
from jobs.errors import InputFault
from jobs.submission import Origin, Upload, refuse_spent_budget

MAX_KEY_CHARACTERS = 255
SEND_A_FILE = "Send the recording as the form field 'file' (multipart/form-data)."


class RecordingField(serializers.FileField):
    """A recording with a name that ends in what may be audio; whether it is, ffprobe says."""

    default_error_messages = {
        "required": SEND_A_FILE,
        "invalid": SEND_A_FILE,
        "empty": "The file is empty.",
        "unsupported_format": "Files ending in .{extension} are not accepted. Accepted: {known}.",
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": 4096, "help_text": "Audio, or video with sound.", **options})

    def to_internal_value(self, data: Any) -> Any:
        file = super().to_internal_value(data)
        _, dot, extension = (file.name or "").rpartition(".")
        if dot and extension.lower() not in settings.ALLOWED_EXTENSIONS:
            self.fail("unsupported_format", extension=extension[:20], known=", ".join(settings.ALLOWED_EXTENSIONS))
        return file


class SubmitInput(OptionsInput):
    """A recording and how it is to be transcribed."""

    file = RecordingField()


def receive_recording(request: Request, origin: Origin, *, for_free: bool = False) -> None:
    """Read the body of a request that brings a recording; not where no budget is left for any.

    Raises ``AudioLimitExceeded`` and what ``receive_form`` raises; ``InputFault`` for a second file.
    """
    if not for_free:
        refuse_spent_budget(owner=request.user, origin=origin)  # type: ignore[arg-type]
    receive_form(request)
    if sum(len(files) for _, files in request.FILES.lists()) > 1:
        raise InputFault("Send one file at a time: each recording is a job of its own.", code="one_file_only")


def read_upload(file: TemporaryUploadedFile) -> Upload:
    """The upload with its header, read from the temporary file. Raises ``InputFault``."""
    return Upload(
        content=file,
        filename=file.name or "",
        size_bytes=file.size or 0,
        sha256=getattr(file, "sha256", ""),
        header=read_header(file),
    )


def read_header(file: TemporaryUploadedFile) -> Header:
    """What the recording says about itself. Raises ``InputFault``."""
    return probe_header(Path(file.temporary_file_path()))


def origin_of(request: Request, *, waits: bool = False) -> Origin:
    """What a request says about itself. Raises ``InputFault`` for a key that is none."""
    key = request.headers.get("Idempotency-Key", "").strip()
    if len(key) > MAX_KEY_CHARACTERS or not (key.isascii() and key.isprintable()):
        raise InputFault(
            f"An Idempotency-Key has at most {MAX_KEY_CHARACTERS} printable ASCII characters.",
            code="bad_idempotency_key",
        )
    # OpenAI's clients count how often they sent a request, and send no key of their own.
    retries = request.headers.get("X-Stainless-Retry-Count", "0")
    return Origin(
        api_key_id=key_id_of(request),
        idempotency_key=key,
        is_retrying=retries.isdigit() and int(retries) > 0,
        waits=waits,
    )
