"""How errors look outside: ``{"detail": "what to do", "code": "stable_name", …}`` with the right status."""

import logging
import sys
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from django.http.request import UnreadablePostError
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import exception_handler

from accounts.authentication import HOW_TO_AUTHENTICATE
from accounts.errors import (
    AudioLimitExceeded,
    EmailTaken,
    RegistrationClosed,
    TooManyAttempts,
    TooManyKeys,
    TranscribifyError,
)
from jobs.errors import (
    ConfigurationFault,
    IdempotencyKeyReused,
    InputFault,
    Refused,
    Removed,
    ResourceExceeded,
    TransientFault,
)
from jobs.files import storage_full
from transcribify.openai_compat import errors as openai_errors

logger = logging.getLogger(__name__)

RETRY_SECONDS = 5
"""When to try again while the database is away."""

STATUS_BY_CODE = {
    "no_report": status.HTTP_404_NOT_FOUND,
    "no_enhanced_transcript": status.HTTP_404_NOT_FOUND,
    "audio_removed": status.HTTP_410_GONE,
    "body_too_slow": status.HTTP_408_REQUEST_TIMEOUT,
    "body_too_large": status.HTTP_413_REQUEST_ENTITY_TOO_LARGE,
    "too_many_uploads": status.HTTP_503_SERVICE_UNAVAILABLE,
    "storage_full": status.HTTP_507_INSUFFICIENT_STORAGE,
    "upload_too_large": status.HTTP_413_REQUEST_ENTITY_TOO_LARGE,
    "unsupported_media": status.HTTP_415_UNSUPPORTED_MEDIA_TYPE,
    "unsupported_audio": status.HTTP_415_UNSUPPORTED_MEDIA_TYPE,
}
STATUS_BY_CLASS: dict[type[TranscribifyError], int] = {
    EmailTaken: status.HTTP_409_CONFLICT,
    TooManyKeys: status.HTTP_409_CONFLICT,
    RegistrationClosed: status.HTTP_403_FORBIDDEN,
    AudioLimitExceeded: status.HTTP_429_TOO_MANY_REQUESTS,
    TooManyAttempts: status.HTTP_429_TOO_MANY_REQUESTS,
    Refused: status.HTTP_409_CONFLICT,
    Removed: status.HTTP_410_GONE,
    IdempotencyKeyReused: status.HTTP_422_UNPROCESSABLE_ENTITY,
    InputFault: status.HTTP_400_BAD_REQUEST,
    ResourceExceeded: status.HTTP_413_REQUEST_ENTITY_TOO_LARGE,
    TransientFault: status.HTTP_503_SERVICE_UNAVAILABLE,
    ConfigurationFault: status.HTTP_503_SERVICE_UNAVAILABLE,
}


def answer_error(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler; None for what nobody foresaw (HTTP 500, logged)."""
    response = _answer(error, context)
    if response is not None:
        status_code, body, headers = shaped(context["request"].path, response.status_code, response.data)
        response.status_code, response.data = status_code, body
        for name, value in headers.items():
            response.headers[name] = value
    return response


def shaped(path: str, status_code: int, body: dict[str, Any]) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Status, body and further headers of an error, in the language that an address speaks: ours or OpenAI's."""
    return openai_errors.reshape(status_code, body) if openai_errors.is_openai(path) else (status_code, body, {})


def _answer(error: Exception, context: dict[str, Any]) -> Response | None:
    if isinstance(error, TranscribifyError):
        content = {"detail": error.message, "code": error.code, **error.extra}
        return Response(content, status=status_of(error), headers=_headers_of(error))
    if isinstance(error, RequestDataTooBig):
        return answer(status.HTTP_413_REQUEST_ENTITY_TOO_LARGE, "The form fields are too large.", "form_too_large")
    if isinstance(error, SuspiciousOperation):
        return answer(status.HTTP_400_BAD_REQUEST, "The request has too many files or fields.", "bad_request")
    if isinstance(error, UnreadablePostError):
        return answer(status.HTTP_400_BAD_REQUEST, "The request was cut off. Send it again.", "body_cut_off")
    if isinstance(error, OperationalError | InterfaceError):
        body, status_code, headers = _database_fault(error)
        return Response(body, status=status_code, headers=headers)
    response = exception_handler(error, context)
    if response is not None:
        response.data = _body(error, response.data)
    return response


def status_of(error: TranscribifyError) -> int:
    """The HTTP status for one of our errors."""
    if error.code in STATUS_BY_CODE:
        return STATUS_BY_CODE[error.code]
    families = (status_code for family, status_code in STATUS_BY_CLASS.items() if isinstance(error, family))
    return next(families, status.HTTP_400_BAD_REQUEST)


def _headers_of(error: TranscribifyError) -> dict[str, str]:
    """When to come back, for clients that know HTTP alone."""
    if "retry_after_seconds" not in error.extra:
        return {}
    return {"Retry-After": str(error.extra["retry_after_seconds"])}


def answer(status_code: int, detail: str, code: str) -> Response:
    return Response({"detail": detail, "code": code}, status=status_code)


def not_found(request: HttpRequest, exception: Exception) -> JsonResponse:
    """Django's handler for addresses that do not exist."""
    return json_error(request.path, 404, "There is nothing at this address.", "not_found")


def bad_request(request: HttpRequest, exception: Exception) -> JsonResponse:
    """Django's handler for requests that make no sense, or that name a host which is not in ``ALLOWED_HOSTS``."""
    detail = "The request makes no sense, or is meant for another host than this one."
    return json_error(request.path, 400, detail, "bad_request")


def server_error(request: HttpRequest) -> JsonResponse:
    """Django's handler for what nobody foresaw, and for a database that is away outside of the API."""
    error = sys.exception()
    if isinstance(error, OperationalError | InterfaceError):
        body, status_code, headers = _database_fault(error)
        status_code, content, more = shaped(request.path, status_code, body)
        return JsonResponse(content, status=status_code, headers=headers | more)
    return json_error(request.path, 500, "Something went wrong on the server. It is in the log.", "internal_error")


def json_error(path: str, status_code: int, detail: str, code: str) -> JsonResponse:
    """An error outside of the API's views."""
    status_code, content, headers = shaped(path, status_code, {"detail": detail, "code": code})
    return JsonResponse(content, status=status_code, headers=headers)


def _database_fault(error: Exception) -> tuple[dict[str, str], int, dict[str, str]]:
    """Body, status and headers of the answer while the database cannot do its work."""
    logger.error("the database failed: %s", error)
    if "disk is full" in str(error):
        full = storage_full()
        return {"detail": full.message, "code": full.code}, status_of(full), {}
    detail = "The database does not answer at this moment. Try again in a few seconds."
    body = {"detail": detail, "code": "database_unavailable"}
    return body, status.HTTP_503_SERVICE_UNAVAILABLE, {"Retry-After": str(RETRY_SECONDS)}


def _body(error: Exception, data: Any) -> dict[str, Any]:
    if isinstance(error, exceptions.ValidationError):
        return _validation_body(error)
    if isinstance(error, Http404):
        return {"detail": "Not found.", "code": "not_found"}
    if isinstance(error, exceptions.NotAuthenticated):
        return {"detail": HOW_TO_AUTHENTICATE, "code": error.default_code}
    if isinstance(error, PermissionDenied):
        return {"detail": "You may not do this.", "code": "permission_denied"}
    detail = data.get("detail", data) if isinstance(data, dict) else data
    code = getattr(detail, "code", None) or getattr(error, "default_code", "error")
    return {"detail": str(detail), "code": str(code)}


def _validation_body(error: exceptions.ValidationError) -> dict[str, Any]:
    """One sentence for people, the fields for programs; a single fault lends its own code to the whole."""
    details = error.get_full_details()
    if not isinstance(details, dict):
        details = {"request": details}
    errors = {name: _flat(found) for name, found in details.items()}
    return {
        "detail": " ".join(f"{name}: {fault['message']}" for name, faults in errors.items() for fault in faults),
        "code": _common_code(errors),
        "errors": errors,
    }


def _common_code(errors: dict[str, list[dict[str, str]]]) -> str:
    """``field_fault`` for a single fault (``file_required``), the fault's name where it is telling by itself."""
    found = {(name, fault["code"]) for name, faults in errors.items() for fault in faults}
    codes = {code for _, code in found}
    if len(codes) == 1 and codes <= _TELLING_CODES:
        return codes.pop()
    return "_".join(found.pop()) if len(found) == 1 else "validation_error"


_TELLING_CODES = {"unknown_option", "given_twice", "unsupported_format"}


def _flat(found: Any) -> list[dict[str, str]]:
    if isinstance(found, dict) and "message" in found:
        return [{"message": str(found["message"]), "code": str(found["code"])}]
    if isinstance(found, dict):
        return [fault for part in found.values() for fault in _flat(part)]
    return [fault for part in found for fault in _flat(part)]
