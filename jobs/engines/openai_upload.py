"""What is sent to a transcription server: pieces of the recording, cut in silence, each a FLAC file in memory."""

import io
from collections.abc import Iterable, Sequence

import av
import numpy as np
import numpy.typing as npt

from jobs.engines.base import SAMPLE_RATE, Audio, Clip
from jobs.engines.cutting import samples_of

MAX_GAP_SECONDS = 60.0
"""A longer silence is not sent: it costs money and makes Whisper invent text."""

MIN_UPLOAD_SECONDS = 1.0
"""Servers refuse shorter files (OpenAI: under 0.1 s); a piece is filled up with silence."""

_QUIET_FRAME_SECONDS = 0.1
_BLOCK_SAMPLES = SAMPLE_RATE * 10


def cut_pieces(audio: Audio, speech: Sequence[Clip], max_seconds: float) -> list[Clip]:
    """Stretches of ``audio`` of at most ``max_seconds`` that hold all of ``speech``.

    A cut lies between two clips; within a clip that is itself too long, at the quietest moment of its last tenth.
    """
    duration = len(audio) / SAMPLE_RATE
    pieces: list[Clip] = []
    for clip in _short_clips(audio, speech, duration, max_seconds):
        last = pieces[-1] if pieces else None
        if last and clip.end - last.start <= max_seconds and clip.start - last.end <= MAX_GAP_SECONDS:
            pieces[-1] = Clip(last.start, clip.end)
        else:
            pieces.append(clip)
    return pieces


def encode_flac(samples: Audio) -> bytes:
    """``samples`` (16 kHz mono in -1..1, at least one) as a FLAC file, 16 bits: 32 kB a second at worst."""
    missing = int(MIN_UPLOAD_SECONDS * SAMPLE_RATE) - len(samples)
    if missing > 0:
        samples = np.pad(samples, (0, missing))
    file = io.BytesIO()
    with av.open(file, "w", format="flac") as container:
        stream = container.add_stream("flac", rate=SAMPLE_RATE, layout="mono", format="s16")
        for start in range(0, len(samples), _BLOCK_SAMPLES):
            container.mux(stream.encode(_frame(samples[start : start + _BLOCK_SAMPLES], start)))
        container.mux(stream.encode(None))
    return file.getvalue()


def _short_clips(audio: Audio, speech: Sequence[Clip], duration: float, max_seconds: float) -> Iterable[Clip]:
    for clip in speech:
        start, end = max(clip.start, 0.0), min(clip.end, duration)
        while end - start > max_seconds:
            cut = _quietest_moment(audio, start + 0.9 * max_seconds, start + max_seconds)
            yield Clip(start, cut)
            start = cut
        if round(start * SAMPLE_RATE) < round(end * SAMPLE_RATE):
            yield Clip(start, end)


def _quietest_moment(audio: Audio, earliest: float, latest: float) -> float:
    frame = int(_QUIET_FRAME_SECONDS * SAMPLE_RATE)
    window = samples_of(audio, Clip(earliest, latest))
    frames = window[: len(window) // frame * frame].reshape(-1, frame)
    if not len(frames):
        return latest
    quietest = int(np.argmin(np.square(frames).mean(axis=1)))
    return earliest + (quietest + 0.5) * _QUIET_FRAME_SECONDS


def _frame(samples: Audio, position: int) -> av.AudioFrame:
    pcm: npt.NDArray[np.int16] = np.rint(np.clip(samples, -1.0, 1.0) * 32_767).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(pcm[np.newaxis, :], format="s16", layout="mono")
    frame.sample_rate = SAMPLE_RATE
    frame.pts = position
    return frame
