"""Captions: when which lines are to be seen."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import TypeVar

from jobs.transcript import Segment, Transcript, Word
from reports.formats.base import Layout, milliseconds, one_line, spoken_segments

T = TypeVar("T")

LONG_PAUSE_MS = 3000
"""A cue does not reach over more silence than this."""

# Chinese and Japanese put no blanks between words: a line may end after each character and what punctuation follows.
_UNSPACED = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_TOKEN = re.compile(f" *(?:[{_UNSPACED}][^\\w ]*|[^ {_UNSPACED}]+)")


@dataclass(frozen=True, slots=True)
class Cue:
    """Lines, none of them empty, with the times between which they are to be seen."""

    start_ms: int
    end_ms: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """What is not divided any further: mostly a word, with the blank before it."""

    start_ms: int
    end_ms: int
    text: str


def cut_cues(transcript: Transcript, layout: Layout) -> Iterator[Cue]:
    """The transcript's captions in the order of time. A cue that is a whole segment has the segment's times."""
    if layout.max_line_width is None and layout.max_words_per_line is None:
        for _, segment in spoken_segments(transcript):
            yield Cue(milliseconds(segment.start), milliseconds(segment.end), (one_line(segment.text),))
        return
    flows = layout.max_line_width is not None and layout.max_line_count is not None
    stretches = _between_pauses(transcript) if flows else _within_segments(transcript, layout.max_words_per_line)
    for pieces in stretches:
        lines = _wrap(pieces, layout.max_line_width)
        for shown in _groups(lines, layout.max_line_count if flows else None):
            texts = (_text(line) for line in shown)
            yield Cue(shown[0][0].start_ms, shown[-1][-1].end_ms, tuple(text for text in texts if text))


def _within_segments(transcript: Transcript, max_words: int | None) -> Iterator[Sequence[Piece]]:
    for _, segment in spoken_segments(transcript):
        yield from _groups(_pieces(segment), max_words)


def _between_pauses(transcript: Transcript) -> Iterator[list[Piece]]:
    stretch: list[Piece] = []
    for piece in chain.from_iterable(_pieces(segment) for _, segment in spoken_segments(transcript)):
        if stretch and piece.start_ms - stretch[-1].end_ms > LONG_PAUSE_MS:
            yield stretch
            stretch = []
        stretch.append(piece)
    if stretch:
        yield stretch


def _wrap(pieces: Sequence[Piece], max_width: int | None) -> list[list[Piece]]:
    lines: list[list[Piece]] = []
    width = 0
    for piece in pieces:
        if lines and (max_width is None or width + len(piece.text) <= max_width):
            lines[-1].append(piece)
            width += len(piece.text)
        else:
            lines.append([piece])
            width = len(piece.text.strip())
    return [line for line in lines if _text(line)]


def _groups(items: Sequence[T], size: int | None) -> Iterator[Sequence[T]]:
    size = size or max(1, len(items))
    return (items[first : first + size] for first in range(0, len(items), size))


def _text(line: Sequence[Piece]) -> str:
    return "".join(piece.text for piece in line).strip()


def _pieces(segment: Segment) -> list[Piece]:
    """The segment's text, whole and in its order. The pieces fill the segment's time, and none sticks out of it."""
    text = f" {one_line(segment.text)}"
    start_ms, end_ms = milliseconds(segment.start), milliseconds(segment.end)
    return _cut_by_words(text, segment.words, start_ms, end_ms) or _cut_by_characters(text, start_ms, end_ms)


def _cut_by_words(text: str, words: Sequence[Word], start_ms: int, end_ms: int) -> list[Piece]:
    """At the words' times; empty where the words are not those of the text.

    They are looked up in the text because engines differ in what they give with a word: blanks, punctuation, neither.
    """
    spoken = [word for word in words if one_line(word.word)]
    cuts = _find(text, [one_line(word.word) for word in spoken])
    if not cuts:
        return []
    times = _times_within(spoken, start_ms, end_ms)
    return [Piece(*when, text[first:end]) for when, (first, end) in zip(times, pairwise(cuts), strict=True)]


def _find(text: str, words: Sequence[str]) -> list[int]:
    """Where in the text each word begins, and the text's end; empty unless all are there in this order."""
    cuts, cursor = [], 0
    for word in words:
        found = text.find(word, cursor)
        if found < 0:
            return []
        # Quotes and brackets that open go with the word behind the blank, a dash with the one before.
        blank = text.rfind(" ", cursor, found)
        cuts.append(blank if blank >= 0 else found)
        cursor = found + len(word)
    return [0, *cuts[1:], len(text)] if cuts else []


def _times_within(words: Sequence[Word], start_ms: int, end_ms: int) -> list[tuple[int, int]]:
    """Start and end of each word, none before the last one's start, and all of them filling the given time."""
    times, earliest = [], start_ms
    for word in words:
        earliest = max(earliest, min(milliseconds(word.start), end_ms))
        times.append((earliest, max(earliest, min(milliseconds(word.end), end_ms))))
    times[0] = (start_ms, times[0][1])
    times[-1] = (times[-1][0], end_ms)
    return times


def _cut_by_characters(text: str, start_ms: int, end_ms: int) -> list[Piece]:
    """At the blanks, each piece with a share of the time that goes by its length."""

    def time_at(position: int) -> int:
        return start_ms + (end_ms - start_ms) * position // len(text)

    return [Piece(time_at(found.start()), time_at(found.end()), found.group()) for found in _TOKEN.finditer(text)]
