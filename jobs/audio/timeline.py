"""From the time of the samples that an engine hears to the time of the recording that was uploaded."""

from dataclasses import dataclass, replace

from jobs.transcript import Segment

SEEK_FRAMES_PER_SECOND = 100
"""The unit of ``Segment.seek``."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """Samples that last ``heard_seconds`` are ``length_seconds`` of the recording, from ``start_seconds`` on.

    The two lengths differ where the recording was played at another speed. Times to be placed are counted from
    ``heard_from_seconds`` on: where a chunk of the samples begins.
    """

    start_seconds: float
    length_seconds: float
    heard_seconds: float
    heard_from_seconds: float = 0.0

    def place(self, segment: Segment) -> Segment:
        """``segment`` with all of its times in the recording's time, not after the end of the stretch."""
        seek = segment.seek
        if seek is not None:
            seek = round(self._original(seek / SEEK_FRAMES_PER_SECOND) * SEEK_FRAMES_PER_SECOND)
        words = tuple(
            replace(word, start=self._original(word.start), end=self._original(word.end)) for word in segment.words
        )
        start, end = self._original(segment.start), self._original(segment.end)
        return replace(segment, start=start, end=end, words=words, seek=seek)

    def _original(self, seconds: float) -> float:
        scale = self.length_seconds / self.heard_seconds
        return self.start_seconds + min((self.heard_from_seconds + seconds) * scale, self.length_seconds)
