"""From a job that is over to what the client gets: the last word, and the events of a stream."""

import json
from dataclasses import dataclass, field
from typing import Any

from jobs.models import Job, Status
from jobs.outages import through_outages
from jobs.selectors import transcript_of
from jobs.transcript import Segment
from transcribify.openai_compat.calls import Call
from transcribify.openai_compat.errors import failed_job, reshape
from transcribify.openai_compat.formats import diarized_segment, usage, write_answer

STREAM_HEADERS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    "x-accel-buffering": "no",  # nginx would keep events back until it has a page of them
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent: a whole response, or the last event of a stream."""

    status: int
    content: bytes
    headers: dict[str, str] = field(default_factory=dict)


@through_outages
def final_answer(call: Call) -> Answer:
    """The response to a call whose job is over (or has only its report left to be written)."""
    job = Job.objects.filter(pk=call.job_id).first()
    if fault := _fault(job):
        return _as_json(*fault, call)
    assert job is not None  # nosec B101 # for the type checker
    content_type, body = write_answer(
        job, transcript_of(job), response_format=call.response_format, granularities=call.granularities
    )
    return Answer(200, body.encode(), {"content-type": content_type, **call.headers})


@through_outages
def final_event(call: Call) -> Answer:
    """The last event of a stream: the whole text, or the error that came after the status had been sent."""
    job = Job.objects.filter(pk=call.job_id).first()
    if fault := _fault(job):
        return Answer(200, event(fault[1]))
    assert job is not None  # nosec B101 # for the type checker
    return Answer(200, event({"type": "transcript.text.done", "text": transcript_of(job).text, "usage": usage(job)}))


def segment_events(call: Call, segments: list[dict[str, Any]], *, is_begun: bool) -> bytes:
    """The events for segments that were just saved, as the API stores them. Put together, deltas are the last text."""
    events = []
    for fields in segments:
        text = fields["text"].strip()
        if not text:
            continue
        if call.response_format == "diarized_json":
            events.append(event(diarized_segment(fields["id"], Segment(fields["start"], fields["end"], text))))
        else:
            events.append(event({"type": "transcript.text.delta", "delta": f" {text}" if is_begun else text}))
        is_begun = True
    return b"".join(events)


def event(content: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(content, ensure_ascii=False)}\n\n".encode()


def _fault(job: Job | None) -> tuple[int, dict[str, Any], dict[str, str]] | None:
    no_retry = {"x-should-retry": "false"}
    if job is None or job.removed_at:
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


def _as_json(status: int, body: dict[str, Any], headers: dict[str, str], call: Call) -> Answer:
    return Answer(status, json.dumps(body).encode(), {"content-type": "application/json", **headers, **call.headers})
