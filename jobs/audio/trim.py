"""The stretch of a recording that is wanted: what is skipped at its beginning, and how much is taken from there."""

from dataclasses import dataclass

from jobs.engines.base import SAMPLE_RATE
from jobs.errors import InputFault


@dataclass(frozen=True, slots=True)
class Trim:
    """``start_seconds`` are skipped, then ``seconds`` taken (None: all that follows)."""

    start_seconds: float = 0.0
    seconds: float | None = None

    @property
    def is_everything(self) -> bool:
        return self.first_sample == 0 and self.seconds is None

    @property
    def first_sample(self) -> int:
        """The first one that is taken, counted at 16 kHz."""
        return round(self.start_seconds * SAMPLE_RATE)

    @property
    def end_sample(self) -> int | None:
        """The one after the last that is taken, counted at 16 kHz; None: the recording's end."""
        return None if self.seconds is None else self.first_sample + max(1, round(self.seconds * SAMPLE_RATE))

    def of(self, duration_seconds: float) -> float:
        """How much of a recording of ``duration_seconds`` is taken; 0 where it ends before the stretch begins."""
        left = max(0.0, duration_seconds - self.start_seconds)
        return left if self.seconds is None else min(left, self.seconds)

    def past_end(self, duration_seconds: float) -> InputFault:
        """The fault of a stretch that begins after a recording of ``duration_seconds`` has ended."""
        return InputFault(
            f"trim_start is {self.start_seconds:g} s, but the recording is only {duration_seconds:.2f} s long. "
            "Choose an earlier start.",
            code="trim_start_past_end",
        )


EVERYTHING = Trim()


def trimmed_seconds(duration_seconds: float, trim_start: float, trim_seconds: float | None) -> float:
    """How much is taken of a recording of ``duration_seconds``. Raises ``InputFault`` (``trim_start_past_end``)."""
    trim = Trim(trim_start, trim_seconds)
    if trim_start >= duration_seconds:
        raise trim.past_end(duration_seconds)
    return trim.of(duration_seconds)
