"""The one decode of a recording: any container in, 16 kHz mono s16le samples out."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from jobs.audio import ffmpeg
from jobs.audio.trim import EVERYTHING, Trim
from jobs.engines.base import SAMPLE_RATE, Audio
from jobs.errors import InputFault

FORGIVEN_PACKETS = 2
"""A tag behind the sound or a stream joined in its middle costs a packet or two of files that nobody calls damaged."""

START_SECONDS = 10
CPU_SPEED, WALL_SPEED = 75, 50
"""How many times faster than it is spoken a recording must be decoded. One core of a small server does 330 (Opus) to
600 (FLAC); a hostile file spends processor time, a busy machine only makes an honest one wait."""

Samples = npt.NDArray[np.int16]
"""Mono s16 samples at 16 kHz, shape ``(n_samples,)``."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a decode brought: samples at 16 kHz, and whether the decoder says that this is all of the recording."""

    samples: int
    is_whole: bool


def decode_pcm(
    source: Path, target: Path, *, cap_seconds: float, trim: Trim = EVERYTHING, beat: Callable[[], None] | None = None
) -> Decoded:
    """Decode the stretch ``trim`` of ``source`` into ``target``, ending soon after ``cap_seconds`` of it.

    ``beat`` is called while ffmpeg works. Raises ``InputFault``: ``undecodable`` when nothing comes out (ffmpeg's exit
    code 0 is no proof that it decoded anything), ``trim_start_past_end`` when the recording ends before the stretch
    begins; and what ``ffmpeg.run_limited`` raises, rather than take a part for the whole. A damaged file of which
    something could be decoded is not whole.
    """
    read_seconds = trim.start_seconds + trim.of(trim.start_seconds + cap_seconds)
    ending = ffmpeg.run_limited(
        ffmpeg.decode_command(source, target, cap_seconds=cap_seconds, trim=trim),
        wall_seconds=START_SECONDS + read_seconds / WALL_SPEED,
        cpu_seconds=round(START_SECONDS + read_seconds / CPU_SPEED),
        file_bytes=ffmpeg.pcm_bytes(cap_seconds),
        beat=beat,
    )
    samples = target.stat().st_size // ffmpeg.BYTES_PER_SAMPLE if target.exists() else 0
    if samples:
        lost = ending.lacked_memory or ending.lost_packets > FORGIVEN_PACKETS
        return Decoded(samples, is_whole=ending.code == 0 and not lost)
    if ending.lacked_memory:
        raise ffmpeg.too_large()
    if trim.first_sample:
        # Only a decode of what was skipped can say how long the recording is, or that nothing in it can be decoded.
        skipped = decode_pcm(source, target, cap_seconds=trim.start_seconds, beat=beat)
        raise trim.past_end(skipped.samples / SAMPLE_RATE)
    raise InputFault(
        "No sound could be decoded from this file. It may be damaged; try to play it, and upload a new export.",
        code="undecodable",
    )


def to_audio(samples: Samples) -> Audio:
    """Decoded samples as networks and engines take them."""
    audio = samples.astype(np.float32)
    audio /= 32768
    return audio


def samples_to_ms(samples: int) -> int:
    """Decoded samples as whole milliseconds, the unit of the ledger."""
    return round(samples * 1000 / SAMPLE_RATE)
