"""What recognition yields: frozen values that engines, exports and reports share. No Django, no NumPy."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Word:
    """One spoken word. ``start`` and ``end`` in seconds from the recording's beginning."""

    start: float
    end: float
    word: str
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of speech with its text; ``start`` and ``end`` in seconds from the recording's beginning.

    The fields from ``avg_logprob`` to ``seek`` are Whisper's own and None where an engine has no such figure.
    ``flags`` are the signs that nobody said this, those of ``jobs.engines.doubts.SIGNS``.
    """

    start: float
    end: float
    text: str
    words: tuple[Word, ...] = ()
    avg_logprob: float | None = None
    no_speech_prob: float | None = None
    compression_ratio: float | None = None
    temperature: float | None = None
    tokens: tuple[int, ...] | None = None
    seek: int | None = None
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Transcript:
    """The segments in order, and the language (ISO 639-1, or None where nothing was said or nobody knows)."""

    segments: tuple[Segment, ...]
    language: str | None

    @property
    def text(self) -> str:
        """Everything said, as one line of text."""
        return " ".join(text for segment in self.segments if (text := segment.text.strip()))
