"""Audio cut for engines that take it in pieces: stretches of it, and where a cut hurts least."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from jobs.engines.base import SAMPLE_RATE, Audio, Clip

STEP_SAMPLES = SAMPLE_RATE // 100
ABOUT_AS_QUIET = 2.0
"""How many times the power of the quietest moment another may have (3 dB) to count as a pause like it."""
END_OF_PAUSE_STEPS = 25
"""How far from the end of a long pause a cut may lie: what comes before it is silence, which is worth little."""
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

    Of equally quiet ones (digital silence) it is the first; or it is in the last of all that are ``ABOUT_AS_QUIET``.
    """
    steps = len(samples) // STEP_SAMPLES
    power = np.square(samples[: steps * STEP_SAMPLES], dtype=np.float64).reshape(steps, -1).sum(axis=1)
    width = round(quiet_seconds * SAMPLE_RATE) // STEP_SAMPLES
    smooth = np.convolve(power, np.ones(width), mode="valid")
    quietest = _in_last_pause(smooth) if prefer_last else int(np.argmin(smooth))
    return (quietest + width // 2) * STEP_SAMPLES


def _in_last_pause(power: npt.NDArray[np.float64]) -> int:
    """The middle of the last pause, or a place near its end where it is long."""
    quiet = np.flatnonzero(power <= max(0.0, power.min()) * ABOUT_AS_QUIET)  # a convolution may end a hair below zero
    first = quiet[np.flatnonzero(np.diff(quiet, prepend=-2) > 1)[-1]]
    return int(max((first + quiet[-1]) // 2, quiet[-1] - END_OF_PAUSE_STEPS))
