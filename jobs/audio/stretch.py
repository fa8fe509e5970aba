"""A recording played faster or slower, at the same pitch, before it is recognised."""

from collections.abc import Callable
from pathlib import Path

from jobs.audio import ffmpeg
from jobs.audio.decode import CPU_SPEED, START_SECONDS, WALL_SPEED
from jobs.engines.base import SAMPLE_RATE
from jobs.errors import TransientFault


def stretch_pcm(source: Path, target: Path, *, speed: float, beat: Callable[[], None] | None = None) -> int:
    """Write ``source`` (s16le samples, 16 kHz mono) to ``target`` as it sounds at ``speed`` (0.5 to 4); the samples.

    They are the source's divided by ``speed``, to the sample. ``beat`` is called while ffmpeg works. Raises what
    ``ffmpeg.run_limited`` raises, ``ResourceExceeded``, and ``TransientFault`` (``not_stretched``).
    """
    source_samples = source.stat().st_size // ffmpeg.BYTES_PER_SAMPLE
    samples = max(1, round(source_samples / speed))
    work_seconds = max(source_samples, samples) / SAMPLE_RATE
    ending = ffmpeg.run_limited(
        ffmpeg.stretch_command(source, target, speed=speed, samples=samples),
        wall_seconds=START_SECONDS + work_seconds / WALL_SPEED,
        cpu_seconds=round(START_SECONDS + work_seconds / CPU_SPEED),
        file_bytes=samples * ffmpeg.BYTES_PER_SAMPLE,
        beat=beat,
    )
    if ending.lacked_memory:
        raise ffmpeg.too_large()
    if ending.code or not target.exists() or target.stat().st_size != samples * ffmpeg.BYTES_PER_SAMPLE:
        raise TransientFault(
            f"The recording could not be played at speed {speed:g}. It is tried again; leave the speed out if this "
            "stays.",
            code="not_stretched",
        )
    return samples
