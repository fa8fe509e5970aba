"""How the recognition of a recording is shared out: chunks that are recognised one by one, wherever there is room.

A chunk holds whole windows, the pieces that the engine recognises in one go. These do not depend on where chunks are
cut, so that the text does not, either.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jobs.audio.pcm import PcmFile
from jobs.engines.base import SAMPLE_RATE, Clip
from jobs.engines.cutting import fill_pauses
from jobs.engines.whisper_pieces import PIECE_SECONDS, Piece, Span, cut_pieces

SMALLEST_SHARE = 1 / 8
"""Of the wanted length: below it a chunk costs more to fetch and to save than it is worth."""
LAST_SHARE = 1 / 3
"""Of what is left a chunk takes no more, so that several workers come to an end together."""
CUT_SHARE = 1 / 4
"""The end of a chunk in which the longest pause is looked for."""
TIMESTAMP_SAMPLES = SAMPLE_RATE // 100
"""Chunks begin at whole hundredths of a second: engines round times to these, the same wherever a chunk begins."""
LONGEST_STRETCH = 2
"""How many times longer than wanted a chunk may become for want of a pause."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of the recording's samples, and where speech is in it, in seconds from its beginning."""

    start_sample: int
    end_sample: int
    speech: tuple[Clip, ...]


def plan_chunks(pcm: Path, speech: Sequence[Clip], *, chunk_seconds: float, everything: bool = False) -> list[Chunk]:
    """The chunks of a recording, in order: about ``chunk_seconds`` long, and shorter towards its end.

    ``speech`` is what ``find_speech`` found in ``pcm``; what lies between is in no chunk, or only where it is inside
    one. With ``everything`` the chunks and their speech hold all samples, unless there is no speech at all. Chunks end
    in a pause; only speech that goes on for longer than a chunk is cut where it is quiet. Raises ``OSError``.
    """
    if not speech:
        return []
    file = PcmFile(pcm)
    spans = _to_spans(fill_pauses(speech, len(file) / SAMPLE_RATE) if everything else speech)
    planner = _Planner(spans, cut_pieces(file, spans, PIECE_SECONDS), round(chunk_seconds * SAMPLE_RATE))
    return [_to_chunk(windows) for windows in planner.share_out()]


def _to_spans(speech: Sequence[Clip]) -> list[Span]:
    return [(round(clip.start * SAMPLE_RATE), round(clip.end * SAMPLE_RATE)) for clip in speech]


def _to_chunk(windows: Sequence[Piece]) -> Chunk:
    first = windows[0].start // TIMESTAMP_SAMPLES * TIMESTAMP_SAMPLES
    clips = (
        Clip((start - first) / SAMPLE_RATE, (end - first) / SAMPLE_RATE)
        for window in windows
        for start, end in window.spans
    )
    return Chunk(first, windows[-1].end, tuple(clips))


class _Planner:
    """Takes windows as they come and looks no further ahead than one chunk."""

    def __init__(self, spans: Sequence[Span], windows: Iterator[Piece], longest: int) -> None:
        self._spans = spans
        self._end = spans[-1][1]
        self._longest = longest
        self._coming = windows
        self._waiting: deque[Piece] = deque()

    def share_out(self) -> Iterator[list[Piece]]:
        """The windows of one chunk after the other."""
        if self._end - self._spans[0][0] <= self._longest:
            yield list(self._coming)
        while self._has(1):
            yield [self._waiting.popleft() for _ in range(self._count_next())]

    def _has(self, count: int) -> bool:
        """Whether so many windows are left; they wait from now on."""
        while len(self._waiting) < count and (window := next(self._coming, None)):
            self._waiting.append(window)
        return len(self._waiting) >= count

    def _count_next(self) -> int:
        """How many windows the next chunk takes: until a pause near its wanted end, if there is any."""
        wanted = min(self._longest, max(self._longest * SMALLEST_SHARE, self._left * LAST_SHARE))
        count = 1
        while self._has(count + 1) and self._length(count + 1) <= wanted:
            count += 1
        if not self._has(count + 1):
            return count
        in_pauses = [cut for cut in range(1, count + 1) if not self._cut_speech(cut)]
        late = [cut for cut in in_pauses if self._length(cut) >= (1 - CUT_SHARE) * wanted]
        if late:
            return max(late, key=lambda cut: (self._pause(cut), cut))
        return in_pauses[-1] if in_pauses else self._first_pause(count, wanted)

    def _first_pause(self, count: int, wanted: float) -> int:
        """The first cut from ``count`` on that lies in a pause, or in speech that is too long for any chunk."""
        while self._has(count + 1) and 0 < self._cut_speech(count) <= wanted:
            if self._length(count) > LONGEST_STRETCH * wanted:
                break
            count += 1
        return count

    @property
    def _left(self) -> int:
        return self._end - self._waiting[0].start

    def _length(self, count: int) -> int:
        """How many samples a chunk of so many windows has."""
        return self._waiting[count - 1].end - self._waiting[0].start

    def _pause(self, cut: int) -> int:
        """How many samples lie between the windows before and behind a cut."""
        return self._waiting[cut].start - self._waiting[cut - 1].end

    def _cut_speech(self, cut: int) -> int:
        """How long the speech is that a cut divides; 0 where it lies in a pause."""
        behind = self._waiting[cut].start
        start, end = self._spans[bisect_right(self._spans, behind, key=lambda span: span[0]) - 1]
        return end - start if start < behind else 0
