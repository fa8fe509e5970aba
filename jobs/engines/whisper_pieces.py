"""What Whisper recognises in one go: pieces of the recording's speech, cut where it is quiet.

The plan of a recording and the engine that follows it both cut by this file: cut anew from where any piece begins, the
pieces behind it are the same.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from jobs.engines.base import SAMPLE_RATE, Audio, Clip
from jobs.engines.cutting import quietest_sample

PIECE_SECONDS = 30.0
"""Whisper's own window; a shorter piece costs as much as a full one."""
SHORT_PIECE_SECONDS = 10.0
"""What a piece is cut into when the model was unsure of it: few sentences at a time are easier to recognise."""
LONGEST_EXTENT_SECONDS = 150.0
"""From the beginning of a piece to its end, with the pauses that it leaves out: who recognises it holds all of that."""
QUIET_SECONDS = 0.2
"""How long the quiet is that a cut looks for: a longer pause has ended the stretch of speech already."""
SHORTEST_REST_SAMPLES = SAMPLE_RATE

Span = tuple[int, int]
"""A stretch of the audio: its first sample, and the one after its last."""


class Sound(Protocol):
    """Audio of which stretches are read: an array, or a file of samples."""

    def __getitem__(self, stretch: slice, /) -> Audio: ...


@dataclass(frozen=True, slots=True)
class Piece:
    """What is recognised in one go: one or more stretches of the audio."""

    spans: tuple[Span, ...]

    @property
    def start(self) -> int:
        return self.spans[0][0]

    @property
    def end(self) -> int:
        return self.spans[-1][1]

    @property
    def end_seconds(self) -> float:
        return self.end / SAMPLE_RATE

    @property
    def samples(self) -> int:
        return sum(end - start for start, end in self.spans)

    @property
    def seconds(self) -> float:
        return self.samples / SAMPLE_RATE

    def speech_seconds(self, start: float, end: float) -> float:
        """How much of the piece lies between two times of the whole audio."""
        overlaps = (min(end, last / SAMPLE_RATE) - max(start, first / SAMPLE_RATE) for first, last in self.spans)
        return sum(max(0.0, overlap) for overlap in overlaps)

    def of(self, audio: Audio) -> Audio:
        """The stretches one after another."""
        return np.concatenate([audio[start:end] for start, end in self.spans])


def cut_pieces(audio: Sound, spans: Iterable[Span], longest_seconds: float) -> Iterator[Piece]:
    """All of ``spans`` in pieces of at most ``longest_seconds``: long ones cut where it is quiet, short ones joined."""
    longest, longest_extent = (round(seconds * SAMPLE_RATE) for seconds in (longest_seconds, LONGEST_EXTENT_SECONDS))
    piece: list[Span] = []
    samples = 0
    for start, end in spans:
        for span in _cut(audio, start, end, longest):
            length = span[1] - span[0]
            if piece and (samples + length > longest or span[1] - piece[0][0] > longest_extent):
                yield Piece(tuple(piece))
                piece, samples = [], 0
            piece.append(span)
            samples += length
    if piece:
        yield Piece(tuple(piece))


def to_spans(audio: Audio, speech: Sequence[Clip]) -> list[Span]:
    """``speech`` as samples of ``audio``, without what lies outside of it."""
    bounds = ((round(clip.start * SAMPLE_RATE), round(clip.end * SAMPLE_RATE)) for clip in speech)
    inside = ((max(0, start), min(len(audio), end)) for start, end in bounds)
    return [(start, end) for start, end in inside if start < end]


def first_samples(spans: Sequence[Span], count: int) -> tuple[Span, ...]:
    """The beginning of ``spans``, ``count`` samples in all."""
    kept = []
    for start, end in spans:
        if count <= 0:
            break
        kept.append((start, min(end, start + count)))
        count -= end - start
    return tuple(kept)


def _cut(audio: Sound, start: int, end: int, longest: int) -> Iterator[Span]:
    while end - start > longest:
        earliest, latest = start + longest * 2 // 3, min(start + longest, end - SHORTEST_REST_SAMPLES)
        cut = earliest + quietest_sample(audio[earliest:latest], quiet_seconds=QUIET_SECONDS, prefer_last=True)
        yield start, cut
        start = cut
    yield start, end
