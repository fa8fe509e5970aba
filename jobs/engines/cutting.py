"""Audio cut for engines that take it in pieces: the samples of a stretch, and where a cut hurts least."""

import numpy as np

from jobs.engines.base import SAMPLE_RATE, Audio, Clip

STEP_SAMPLES = SAMPLE_RATE // 100


def samples_of(audio: Audio, clip: Clip) -> Audio:
    """The samples of ``clip``, a view."""
    return audio[round(clip.start * SAMPLE_RATE) : round(clip.end * SAMPLE_RATE)]


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
