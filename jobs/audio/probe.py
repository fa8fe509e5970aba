"""What a recording's header says. Headers lie: the decoder's word is what is charged (see ``decode.py``)."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.audio import ffmpeg
from jobs.errors import InputFault

WALL_SECONDS, CPU_SECONDS = 10, 5
"""A header takes a tenth of a second, the index of twelve hours of M4A a second; a busy machine some times as long."""

LONGEST_SECONDS = 30 * 86_400
"""A header that says more than a month says nothing."""
MIN_SAMPLE_RATE, MAX_SAMPLE_RATE, MAX_CHANNELS = 8_000, 192_000, 8


@dataclass(frozen=True, slots=True)
class Header:
    """A readable recording's header; ``duration_seconds`` is None where it names no length."""

    format_name: str
    codec_name: str
    sample_rate: int
    channels: int
    duration_seconds: float | None


def probe_header(path: Path) -> Header:
    """Read the header of a local file.

    Raises ``InputFault``: ``unsupported_media`` (not a recording that we can read), ``no_audio`` (no sound in it),
    ``unsupported_audio`` (a sample rate or channel count out of range); and what ``ffmpeg.run_limited`` raises.
    """
    ending = ffmpeg.run_limited(ffmpeg.probe_command(path), wall_seconds=WALL_SECONDS, cpu_seconds=CPU_SECONDS)
    found = _parse(ending.stdout) if ending.code == 0 else {}
    if not found.get("format"):
        raise InputFault(
            "This is not a recording that can be read. Upload audio or video with sound, such as MP3, M4A, WAV, FLAC, "
            "OGG, WebM or MP4.",
            code="unsupported_media",
        )
    audio = next((stream for stream in found.get("streams", []) if stream.get("codec_type") == "audio"), None)
    if audio is None:
        raise InputFault("There is no sound in this file: it has no audio track.", code="no_audio")
    header = Header(
        format_name=found["format"].get("format_name", ""),
        codec_name=audio.get("codec_name", ""),
        sample_rate=int(audio.get("sample_rate") or 0),
        channels=int(audio.get("channels") or 0),
        duration_seconds=_duration(found["format"]) or _duration(audio),
    )
    _check(header)
    return header


def _check(header: Header) -> None:
    fits = MIN_SAMPLE_RATE <= header.sample_rate <= MAX_SAMPLE_RATE and 1 <= header.channels <= MAX_CHANNELS
    if not fits:
        raise InputFault(
            f"This audio has {header.channels} channels at {header.sample_rate} Hz; 1 to {MAX_CHANNELS} channels at "
            f"{MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE} Hz can be read. Convert it and upload that.",
            code="unsupported_audio",
        )


def _duration(fields: dict[str, Any]) -> float | None:
    try:
        seconds = float(fields.get("duration", ""))
    except ValueError:
        return None
    return seconds if 0 < seconds <= LONGEST_SECONDS else None


def _parse(stdout: bytes) -> dict[str, Any]:
    try:
        found = json.loads(stdout)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
