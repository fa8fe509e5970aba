"""The one decode of a recording: any container in, 16 kHz mono s16le samples out."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from jobs.audio import ffmpeg
from jobs.engines.base import SAMPLE_RATE, Audio
from jobs.errors import InputFault

BYTES_PER_SAMPLE = 2

Samples = npt.NDArray[np.int16]
"""Mono s16 samples at 16 kHz, shape ``(n_samples,)``."""


def decode_pcm(source: Path, target: Path, *, cap_seconds: float, beat: Callable[[], None] | None = None) -> int:
    """Decode at most ``cap_seconds`` of ``source`` into ``target``; the number of samples written.

    ``beat`` is called while ffmpeg works (see ``ffmpeg.run_limited``). Raises ``InputFault`` (``undecodable``) when
    nothing comes out: ffmpeg's exit code 0 is no proof that it decoded anything.
    """
    wall_seconds = 60 + cap_seconds / 10
    command = ffmpeg.decode_command(source, target, cap_seconds=cap_seconds)
    ffmpeg.run_limited(command, wall_seconds=wall_seconds, cpu_seconds=round(wall_seconds), beat=beat)
    samples = target.stat().st_size // BYTES_PER_SAMPLE if target.exists() else 0
    if not samples:
        raise InputFault(
            "No sound could be decoded from this file. It may be damaged; try to play it, and upload a new export.",
            code="undecodable",
        )
    return samples


def to_audio(samples: Samples) -> Audio:
    """Decoded samples as networks and engines take them."""
    audio = samples.astype(np.float32)
    audio /= 32768
    return audio


def samples_to_ms(samples: int) -> int:
    """Decoded samples as whole milliseconds, the unit of the ledger."""
    return round(samples * 1000 / SAMPLE_RATE)
