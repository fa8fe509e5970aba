"""From the time of the samples that an engine hears to the time of the recording that was uploaded."""

from dataclasses import dataclass, replace

from jobs.transcript import Segment


@dataclass(frozen=True, slots=True)
class Timeline:
    """Samples that last ``heard_seconds`` are ``length_seconds`` of the recording, from ``start_seconds`` on.

    The two lengths differ where the recording was played at another speed.
    """

    start_seconds: float
    length_seconds: float
    heard_seconds: float

    def place(self, segment: Segment) -> Segment:
        """``segment`` with all of its times in the recording's time, not after the end of the stretch."""
        seek = None if segment.seek is None else round(self._original(segment.seek / 100) * 100)
        words = tuple(
            replace(word, start=self._original(word.start), end=self._original(word.end)) for word in segment.words
        )
        start, end = self._original(segment.start), self._original(segment.end)
        return replace(segment, start=start, end=end, words=words, seek=seek)

    def _original(self, seconds: float) -> float:
        scale = self.length_seconds / self.heard_seconds
        return self.start_seconds + min(seconds * scale, self.length_seconds)
