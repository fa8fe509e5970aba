"""What a transcription server answers, read leniently, and the segments it means."""

from collections.abc import Iterator, Sequence

from pydantic import BaseModel, FiniteFloat

from jobs.engines.base import Clip
from jobs.engines.language_names import language_code
from jobs.transcript import Segment, Word

MEL_FRAMES_PER_SECOND = 100
"""Whisper counts ``seek`` in these."""


class AnswerWord(BaseModel):
    word: str
    start: FiniteFloat
    end: FiniteFloat


class AnswerSegment(BaseModel):
    start: FiniteFloat
    end: FiniteFloat
    text: str
    avg_logprob: FiniteFloat | None = None
    no_speech_prob: FiniteFloat | None = None
    compression_ratio: FiniteFloat | None = None
    temperature: FiniteFloat | None = None
    tokens: tuple[int, ...] | None = None
    seek: int | None = None
    words: list[AnswerWord] | None = None


class AnswerLanguage(BaseModel):
    code: str


class TranscriptionAnswer(BaseModel):
    """``verbose_json`` or ``json``: only ``text`` is in every answer. Times count from the piece's beginning."""

    text: str
    language: str | None = None
    languages: list[AnswerLanguage] | None = None
    segments: list[AnswerSegment] | None = None
    words: list[AnswerWord] | None = None

    @property
    def language_code(self) -> str | None:
        """ISO 639, or None where the server does not say or says something unknown."""
        return language_code(self.language or (self.languages[0].code if self.languages else None))

    def to_segments(self, piece: Clip) -> Iterator[Segment]:
        """The segments in the recording's time, in order, inside ``piece``; one for all where the server has none."""
        length = piece.end - piece.start
        heard = [segment for segment in self.segments or () if segment.text.strip()]
        if not heard and self.text.strip():
            heard = [AnswerSegment(start=0.0, end=length, text=self.text)]
        words_of = _share_words(self.words or (), heard)
        earliest = piece.start
        for segment, words in zip(heard, words_of, strict=True):
            shifted = _to_segment(segment, words, piece, earliest)
            earliest = shifted.end
            yield shifted


def _share_words(words: Sequence[AnswerWord], segments: Sequence[AnswerSegment]) -> list[list[AnswerWord]]:
    """Each segment's own words; or those of the answer as a whole, by the segment that a word's middle lies in."""
    shares = [list(segment.words or ()) for segment in segments]
    if any(shares) or not segments:
        return shares
    current = 0
    for word in words:
        middle = (word.start + word.end) / 2
        while current + 1 < len(segments) and middle >= segments[current + 1].start:
            current += 1
        shares[current].append(word)
    return shares


def _to_segment(segment: AnswerSegment, words: Sequence[AnswerWord], piece: Clip, earliest: float) -> Segment:
    start, end = _shift(segment.start, segment.end, piece, earliest)
    return Segment(
        start=start,
        end=end,
        text=_storable(segment.text),
        words=tuple(_to_words(words, piece, start)),
        avg_logprob=segment.avg_logprob,
        no_speech_prob=segment.no_speech_prob,
        compression_ratio=segment.compression_ratio,
        temperature=segment.temperature,
        tokens=segment.tokens,
        seek=None if segment.seek is None else segment.seek + round(piece.start * MEL_FRAMES_PER_SECOND),
    )


def _to_words(words: Sequence[AnswerWord], piece: Clip, earliest: float) -> Iterator[Word]:
    for word in words:
        start, end = _shift(word.start, word.end, piece, earliest)
        yield Word(start=start, end=end, word=_storable(word.word))
        earliest = start


def _shift(start: float, end: float, piece: Clip, earliest: float) -> tuple[float, float]:
    """Into the recording's time, held between ``earliest`` and the piece's end: servers round, and models drift."""
    shifted = min(max(piece.start + start, earliest), piece.end)
    return shifted, min(max(piece.start + end, shifted), piece.end)


def _storable(text: str) -> str:
    return text.replace("\x00", "")  # PostgreSQL stores no NUL
