"""A finished job in each of OpenAI's response formats."""

import json
import math
import zlib
from collections.abc import Sequence
from typing import Any

from jobs.engines.language_names import LANGUAGE_NAMES
from jobs.models import Job
from jobs.options import Options
from jobs.transcript import Segment, Transcript
from reports.formats.srt import write_srt
from reports.formats.vtt import write_vtt

RESPONSE_FORMATS = ("json", "text", "srt", "verbose_json", "vtt", "diarized_json")
GRANULARITIES = ("word", "segment")

SPEAKER = "A"
"""OpenAI's name for the first speaker whose name is not known. Nobody tells speakers apart here yet."""


def write_answer(
    job: Job, transcript: Transcript, *, response_format: str, granularities: Sequence[str]
) -> tuple[str, str]:
    """Content type and body."""
    match response_format:
        case "text":
            return "text/plain; charset=utf-8", transcript.text + "\n"
        case "srt":
            return "application/x-subrip; charset=utf-8", write_srt(transcript)
        case "vtt":
            return "text/vtt; charset=utf-8", write_vtt(transcript)
        case "verbose_json":
            content = verbose(job, transcript, granularities)
        case "diarized_json":
            content = diarized(job, transcript)
        case _:
            content = {"text": transcript.text, "usage": usage(job)}
    return "application/json", json.dumps(content, ensure_ascii=False)


def verbose(job: Job, transcript: Transcript, granularities: Sequence[str]) -> dict[str, Any]:
    """``verbose_json``; segments and words as they were asked for."""
    content: dict[str, Any] = {
        "task": Options.of(job.options).task,
        "language": language_name(job, transcript),
        "duration": job.duration_seconds or 0.0,
        "text": transcript.text,
    }
    if "segment" in granularities:
        content["segments"] = [verbose_segment(number, s) for number, s in enumerate(transcript.segments)]
    if "word" in granularities:
        words = (word for segment in transcript.segments for word in segment.words)
        content["words"] = [{"word": word.word.strip(), "start": word.start, "end": word.end} for word in words]
    return content | {"usage": usage(job)}


def verbose_segment(number: int, segment: Segment) -> dict[str, Any]:
    """OpenAI's clients expect all of Whisper's figures; an engine that has none leaves them neutral."""
    return {
        "id": number,
        "seek": segment.seek or 0,
        "start": segment.start,
        "end": segment.end,
        "text": segment.text,
        "tokens": list(segment.tokens or ()),
        "temperature": segment.temperature or 0.0,
        "avg_logprob": segment.avg_logprob or 0.0,
        "compression_ratio": segment.compression_ratio or _compression_ratio(segment.text),
        "no_speech_prob": segment.no_speech_prob or 0.0,
    }


def diarized(job: Job, transcript: Transcript) -> dict[str, Any]:
    """``diarized_json`` with the one speaker that is known of."""
    text = transcript.text
    return {
        "task": Options.of(job.options).task,
        "duration": job.duration_seconds or 0.0,
        "text": f"{SPEAKER}: {text}" if text else "",
        "segments": [diarized_segment(number, segment) for number, segment in enumerate(transcript.segments)],
        "usage": usage(job),
    }


def diarized_segment(number: int, segment: Segment) -> dict[str, Any]:
    return {
        "type": "transcript.text.segment",
        "id": f"seg_{number + 1:03}",
        "start": segment.start,
        "end": segment.end,
        "text": segment.text.strip(),
        "speaker": SPEAKER,
    }


def usage(job: Job) -> dict[str, Any]:
    """What was charged, in whole seconds, as OpenAI rounds them."""
    return {"type": "duration", "seconds": math.ceil(job.duration_seconds or 0)}


def language_name(job: Job, transcript: Transcript) -> str:
    """The English name of the text's language, in lower case; ``unknown`` where nothing was said in any."""
    if Options.of(job.options).task == "translate":
        return LANGUAGE_NAMES["en"]
    code = transcript.language or Options.of(job.options).language or ""
    return LANGUAGE_NAMES.get(code, code or "unknown")


def _compression_ratio(text: str) -> float:
    """As Whisper computes it: a text that repeats itself compresses well."""
    content = text.encode()
    return len(content) / len(zlib.compress(content)) if content else 0.0
