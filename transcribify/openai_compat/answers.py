"""From a job that is over to what the client gets: the last word, and the events of a stream."""

import json
import logging
from dataclasses import dataclass, field
from typing import Any

from django.db import InterfaceError, OperationalError

from jobs.models import Job, Status
from jobs.outages import through_outages
from jobs.selectors import transcript_of
from jobs.transcript import Segment
from transcribify.openai_compat.calls import Call
from transcribify.openai_compat.errors import failed_job, reshape
from transcribify.openai_compat.formats import diarized_segment, usage, write_answer

logger = logging.getLogger(__name__)

STREAM_HEADERS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    "x-accel-buffering": "no",  # nginx would keep events back until it has a page of them
}


RETRY_SECONDS = 5
"""When to come back to a server that has no database."""

RESTART_SECONDS = 10
"""When to come back to a server that ends: if it is not there yet, OpenAI's SDK tries once more, and that at once."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole response."""

    status: int
    content: bytes
    headers: dict[str, str] = field(default_factory=dict)


def final_answer(call: Call) -> Answer:
    """The response to a call whose job is over (or has only its report left to be written). Raises nothing."""
    try:
        return _final_answer(call)
    except Exception as error:
        return _as_json(*_unforeseen(error, call), call)


@through_outages
def _final_answer(call: Call) -> Answer:
    job = Job.objects.filter(pk=call.job_id).first()
    if fault := _fault(job):
        return _as_json(*fault, call)
    assert job is not None  # nosec B101 # for the type checker
    content_type, body = write_answer(
        job, transcript_of(job), response_format=call.response_format, granularities=call.granularities
    )
    return Answer(200, body.encode(), {"content-type": content_type, **call.headers})


def final_event(call: Call) -> bytes:
    """The last event of a stream: the whole text, or the error that came after the status had been sent."""
    try:
        return _final_event(call)
    except Exception as error:
        return event(_unforeseen(error, call)[1])


@through_outages
def _final_event(call: Call) -> bytes:
    job = Job.objects.filter(pk=call.job_id).first()
    if fault := _fault(job):
        return event(fault[1])
    assert job is not None  # nosec B101 # for the type checker
    return event({"type": "transcript.text.done", "text": transcript_of(job).text, "usage": usage(job)})


def stopping_answer(call: Call) -> Answer:
    """To a client that this process can wait with no longer; the job goes on, and is joined by the same request."""
    return _as_json(*_stopping(), call)


def stopping_event() -> bytes:
    """The same at the end of a stream."""
    return event(_stopping()[1])


def segment_events(call: Call, segments: list[dict[str, Any]], *, is_begun: bool) -> bytes:
    """The events for segments that were just saved, as the API stores them. Put together, deltas are the last text.

    Where speakers are told apart, each delta is followed by its segment.
    """
    events = []
    for fields in segments:
        text = fields["text"].strip()
        if not text:
            continue
        delta = {"type": "transcript.text.delta", "delta": f" {text}" if is_begun else text}
        if call.response_format == "diarized_json":
            segment = diarized_segment(fields["id"], Segment(fields["start"], fields["end"], text))
            events += [event(delta | {"segment_id": segment["id"]}), event(segment)]
        else:
            events.append(event(delta))
        is_begun = True
    return b"".join(events)


def event(content: dict[str, Any]) -> bytes:
    """In ASCII: some clients take more characters than a line feed for the end of a line."""
    return f"data: {json.dumps(content)}\n\n".encode()


def _fault(job: Job | None) -> tuple[int, dict[str, Any], dict[str, str]] | None:
    no_retry = {"x-should-retry": "false"}
    if job is None or job.is_removed:
        status, body, headers = reshape(
            404, {"detail": "The job was deleted before it was done.", "code": "job_deleted"}
        )
        return status, body, headers | no_retry
    if job.status == Status.FAILED:
        return failed_job(job.error_code, job.error_message)
    if job.status == Status.CANCELLED:
        status, body, headers = reshape(409, {"detail": "The job was cancelled.", "code": "cancelled"})
        return status, body, headers | no_retry
    return None


def _unforeseen(error: Exception, call: Call) -> tuple[int, dict[str, Any], dict[str, str]]:
    """What may be tried again: the job itself is done, and joined by who says that it is retrying."""
    if isinstance(error, OperationalError | InterfaceError):
        logger.error("job %s: the database failed before it could be answered: %s", call.job_id, error)
        detail = "The database does not answer at this moment. Try again in a few seconds."
        return _try_again({"detail": detail, "code": "database_unavailable"}, seconds=RETRY_SECONDS)
    logger.error("job %s: it could not be answered", call.job_id, exc_info=error)
    detail = "Something went wrong on the server. It is in the log."
    return reshape(500, {"detail": detail, "code": "internal_error"})


def _stopping() -> tuple[int, dict[str, Any], dict[str, str]]:
    detail = "The server is being restarted. Send the same request again: it joins the job, which goes on."
    return _try_again({"detail": detail, "code": "stopping"}, seconds=RESTART_SECONDS)


def _try_again(body: dict[str, str], *, seconds: int) -> tuple[int, dict[str, Any], dict[str, str]]:
    status, content, headers = reshape(503, body)
    return status, content, {**headers, "retry-after": str(seconds)}


def _as_json(status: int, body: dict[str, Any], headers: dict[str, str], call: Call) -> Answer:
    return Answer(status, json.dumps(body).encode(), {"content-type": "application/json", **headers, **call.headers})
