"""What all export formats agree on: which segments they show, their times, and how a text becomes one line."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from jobs.transcript import Segment, Transcript

# Blanks, control characters and all that some reader takes for the end of a line. The no-break space stays.
_BREAKS = re.compile("[\x00-\x20\x7f-\x9f\u2028\u2029]+")
_SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Layout:
    """How captions (SRT, VTT) are cut, and whether JSON has words. None means no limit.

    The limits mean what they mean in openai-whisper:

    - ``max_line_width``: lines have at most so many characters, unless a single word has more.
    - ``max_line_count``: a cue has at most so many lines. Needs ``max_line_width``, and has no effect without. With
      both, cues are filled from the next segment, too, unless more than three seconds of silence lie between.
    - ``max_words_per_line``: a cue has at most so many words. No effect beside the other two together.

    Cues are cut at the times of the words; where a transcript has none, a segment's time is shared out among its words
    by their number of characters.
    """

    max_line_width: int | None = None
    max_line_count: int | None = None
    max_words_per_line: int | None = None
    words: bool = False


AS_SPOKEN = Layout()
"""A cue for each segment, in one line."""


@dataclass(frozen=True, slots=True)
class Format:
    """A way to write a transcript down: its name in addresses, its media type, and what writes it."""

    name: str
    media_type: str
    write: Callable[[Transcript, Layout], str]


def spoken_segments(transcript: Transcript) -> Iterator[tuple[int, Segment]]:
    """The segments in which something is said, each with its number among all."""
    return ((number, segment) for number, segment in enumerate(transcript.segments) if one_line(segment.text))


def one_line(text: str) -> str:
    """The text in one line: without line breaks, tabs and control characters, and sure to have a UTF-8 form."""
    return without_surrogates(_BREAKS.sub(" ", text)).strip()


def without_surrogates(text: str) -> str:
    """Halves of characters, which UTF-8 cannot express, replaced."""
    return _SURROGATES.sub("\ufffd", text)


def milliseconds(seconds: float) -> int:
    """The time that every format shows; rounded as the saved segments are."""
    return max(0, round(round(seconds, 3) * 1000))


def clock_time(time_ms: int, decimal_mark: str) -> str:
    """``01:02:03.004``. Hours take a third digit when they need one."""
    seconds, thousandths = divmod(time_ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{decimal_mark}{thousandths:03}"
