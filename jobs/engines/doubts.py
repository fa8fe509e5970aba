"""Signs that a segment holds words that nobody said: Whisper makes some up in silence, noise and music.

A sign is a reason to listen, no proof. It is read from the figures that an engine gives with a segment (where it gives
any) and from the text.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from jobs.transcript import Segment

SILENCE, COMPRESSION, IMPROBABLE, LOOP = "silence", "compression", "improbable", "loop"
SIGNS = {
    SILENCE: "the recogniser took the place for silence, and was not sure of the words either",
    COMPRESSION: "the text around here repeats itself more than speech does",
    IMPROBABLE: "the recogniser was not sure of its words",
    LOOP: "the same words over and over, here or in segment after segment",
}
"""The signs in the order in which a segment has them, with what each means."""

NO_SPEECH_PROBABILITY = 0.6
"""Whisper's own limit, from which on it takes a window for silence."""
SILENCE_LOGPROB = -0.5
"""Whisper throws a silent window away only if its text is less probable than -1, so what it kept never passes that
limit. This is the limit from which on our engine is unsure (``SURE_LOGPROB``): a token's mean chance is below 61 %."""
IMPROBABLE_LOGPROB = -1.0
"""Whisper's own limit: it tries again below it, and what still is below it was the best of six attempts."""
COMPRESSION_RATIO = 2.4
"""Whisper's own limit, above which it takes a text for a loop and tries again. In Russian, two bytes to a letter, what
people say in 30 s comes up to 2.2."""

LOOPING_SEGMENTS = 3
LONGEST_PHRASE_WORDS = 30
"""No phrase of a loop has more: a window of Whisper's, 30 s, would not hold it three times."""

# As in captions: Chinese and Japanese put no blanks between words, so each of their characters is taken for one.
_UNSPACED = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(f"[{_UNSPACED}]|[^\\s–—{_UNSPACED}-]+")
_PUNCTUATION = re.compile(r"^\W+|\W+$")


def flags_of(segment: Segment) -> tuple[str, ...]:
    """The signs (keys of ``SIGNS``, in their order) that a segment shows by itself; ``()`` for one without."""
    logprob = segment.avg_logprob if segment.avg_logprob is not None else 0.0
    shown = {
        SILENCE: (segment.no_speech_prob or 0.0) > NO_SPEECH_PROBABILITY and logprob < SILENCE_LOGPROB,
        COMPRESSION: (segment.compression_ratio or 0.0) > COMPRESSION_RATIO,
        IMPROBABLE: logprob < IMPROBABLE_LOGPROB,
        LOOP: is_loop(_words(segment.text)),
    }
    return tuple(sign for sign in SIGNS if shown[sign])


def flag_doubtful(segments: Iterable[Segment]) -> Iterator[Segment]:
    """The same segments in the same order with their ``flags``, which also know loops over consecutive segments.

    Lazy: a segment is given on when the next one shows that it begins no loop. At most ``LOOPING_SEGMENTS`` - 1 are
    held back, also in a loop without end.
    """
    held: list[Segment] = []
    repeated: tuple[str, ...] = ()
    loops = False
    for segment in segments:
        words = _words(segment.text)
        if words != repeated or not words:
            yield from map(_flagged, held)
            held, repeated, loops = [], words, False
        held.append(segment)
        loops = loops or len(held) >= LOOPING_SEGMENTS
        if loops:
            yield from (_flagged(item, LOOP) for item in held)
            held = []
    yield from map(_flagged, held)


def is_loop(words: Sequence[str]) -> bool:
    """Whether some phrase is said again and again without a word in between, more often than people do."""
    longest = min(LONGEST_PHRASE_WORDS, len(words) // LOOPING_SEGMENTS)
    return any(_copies(words, length) >= _copies_of_a_loop(length) for length in range(1, longest + 1))


def _copies_of_a_loop(phrase_words: int) -> int:
    """People say "no, no, no, no, no" and "thank you, thank you, thank you", and no longer phrase three times."""
    if phrase_words == 1:
        return 6
    return 4 if phrase_words < 5 else 3


def _copies(words: Sequence[str], phrase_words: int) -> int:
    """How often any phrase of that many words is said in a row."""
    longest = current = 0
    for before, after in zip(words, words[phrase_words:], strict=False):
        current = current + 1 if before == after else 0
        longest = max(longest, current)
    return longest // phrase_words + 1


def _flagged(segment: Segment, *more: str) -> Segment:
    found = {*segment.flags, *flags_of(segment), *more}
    return replace(segment, flags=tuple(sign for sign in SIGNS if sign in found)) if found else segment


def _words(text: str) -> tuple[str, ...]:
    """Lower-case words without punctuation."""
    words = (_PUNCTUATION.sub("", word) for word in _WORD.findall(text.casefold()))
    return tuple(word for word in words if word)
