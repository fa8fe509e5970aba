"""Audio cut for engines that take it in pieces: stretches of it, and where a cut hurts least."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from jobs.engines.base import SAMPLE_RATE, Audio, Clip

STEP_SAMPLES = SAMPLE_RATE // 100
CLOSE_SECONDS = 1.2
"""Speech is found with 0.4 s of silence on either side: this is a pause of two seconds."""


def samples_of(audio: Audio, clip: Clip) -> Audio:
    """The samples of ``clip``, a view."""
    return audio[round(clip.start * SAMPLE_RATE) : round(clip.end * SAMPLE_RATE)]


def join_close(speech: Iterable[Clip]) -> list[Clip]:
    """``speech`` with clips joined that touch or lie closer than ``CLOSE_SECONDS``: what one sentence may stretch over.

    For engines that do better with a pause inside a piece than with a piece that is short.
    """
    joined: list[Clip] = []
    for clip in speech:
        # In whole samples: as seconds the difference of two times may be a hair less than it is.
        if joined and round((clip.start - joined[-1].end) * SAMPLE_RATE) < CLOSE_SECONDS * SAMPLE_RATE:
            joined[-1] = Clip(joined[-1].start, clip.end)
        else:
            joined.append(clip)
    return joined


def fill_pauses(speech: Sequence[Clip], duration_seconds: float) -> list[Clip]:
    """``speech`` stretched over everything: neighbours meet in the middle of their pause; one clip if there is none.

    What it made it leaves as it is.
    """
    cuts = [0.0, *((before.end + after.start) / 2 for before, after in pairwise(speech)), duration_seconds]
    return [Clip(start, end) for start, end in pairwise(cuts)]


def quietest_sample(samples: Audio, *, quiet_seconds: float, prefer_last: bool = False) -> int:
    """The middle of the quietest ``quiet_seconds`` of ``samples``, which last longer; exact to 10 ms.

    Of equally quiet ones (digital silence) it is the first, or the last.
    """
    steps = len(samples) // STEP_SAMPLES
    power = np.square(samples[: steps * STEP_SAMPLES], dtype=np.float64).reshape(steps, -1).sum(axis=1)
    width = round(quiet_seconds * SAMPLE_RATE) // STEP_SAMPLES
    smooth = np.convolve(power, np.ones(width), mode="valid")
    quietest = len(smooth) - 1 - int(np.argmin(smooth[::-1])) if prefer_last else int(np.argmin(smooth))
    return (quietest + width // 2) * STEP_SAMPLES
