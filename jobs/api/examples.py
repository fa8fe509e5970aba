"""What the description shows of jobs."""

from typing import Any

from drf_spectacular.utils import OpenApiExample

FORM = "multipart/form-data"

_SUMMARY: dict[str, Any] = {
    "id": 8,
    "uid": "5b0f6b0e-6f64-4e53-9f0a-6d0f3c1d2e4b",
    "status": "done",
    "stage": None,
    "progress": 1.0,
    "filename": "meeting.flac",
    "duration_seconds": 60.0,
    "language": "en",
    "engine": "faster-whisper",
    "model": "base",
    "options": {
        "model": "base",
        "language": None,
        "task": "transcribe",
        "prompt": "",
        "hotwords": "",
        "temperature": None,
        "beam_size": 5,
        "word_timestamps": False,
        "vad_filter": True,
        "batched": True,
        "speed": 1.0,
        "trim_start": 0.0,
        "trim_seconds": None,
        "enhance": False,
        "report": True,
        "tags": ["weekly"],
        "delete_after_seconds": None,
    },
    "warnings": [],
    "error": None,
    "created_at": "2026-11-21T10:00:00Z",
    "started_at": "2026-11-21T10:00:01Z",
    "finished_at": "2026-11-21T10:00:09Z",
    "delete_at": None,
    "removed_at": None,
    "receipt": None,
}
_REPORT = {
    "summary": "The delivery moves to Friday.",
    "key_points": ["Two pallets are missing."],
    "topics": ["delivery"],
    "sentiment": "neutral",
    "writer": "extractive",
}
_RESULTS = {
    "remaining_seconds": None,
    "transcript": "The delivery moves to Friday.",
    "segments": [{"id": 0, "start": 0.4, "end": 2.9, "text": "The delivery moves to Friday."}],
    "enhanced": None,
    "report": _REPORT,
}
_WAITING = {
    "status": "pending",
    "stage": "probe",
    "progress": 0.0,
    "language": None,
    "engine": None,
    "started_at": None,
    "finished_at": None,
}
_NO_RESULTS: dict[str, Any] = {
    "remaining_seconds": None,
    "transcript": "",
    "segments": [],
    "enhanced": None,
    "report": None,
}

A_RECORDING = OpenApiExample(
    "A recording",
    {"file": "(the recording's bytes)", "language": "en", "word_timestamps": True, "tags": ["weekly"]},
    request_only=True,
    media_type=FORM,
)
A_LISTED_JOB = OpenApiExample("A finished job", _SUMMARY, response_only=True, status_codes=["200"])
A_DONE_JOB = OpenApiExample("A finished job", {**_SUMMARY, **_RESULTS}, response_only=True, status_codes=["200"])
A_WAITING_JOB = OpenApiExample(
    "It waits for a worker", {**_SUMMARY, **_WAITING, **_NO_RESULTS}, response_only=True, status_codes=["202"]
)
A_REPORT = OpenApiExample("A report", _REPORT, response_only=True, status_codes=["200"])
A_JOBS_ID = OpenApiExample("A job's id", 8, parameter_only=("job_id", "path"))
