"""The default engine: Whisper on CTranslate2, through the faster-whisper library.

Speech is recognised piece by piece. Left alone, the library computes the features of the whole recording at once
(gigabytes for ten hours) and moves on from wherever the last timestamp of a window happens to be; here a piece ends
where it is quiet, and one that the model is unsure of is tried again in shorter pieces. On request some pieces are
recognised together, which a GPU does in little more than the time of one.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import faster_whisper
import numpy as np
from faster_whisper import BatchedInferencePipeline
from faster_whisper.transcribe import Segment as LibrarySegment
from faster_whisper.transcribe import restore_speech_timestamps
from faster_whisper.vad import SpeechTimestampsMap

from jobs.engines.base import SAMPLE_RATE, Audio, EngineConfig, TranscriptionInfo, TranscriptionRequest
from jobs.engines.cutting import fill_pauses
from jobs.engines.whisper_languages import check_task, find_language
from jobs.engines.whisper_models import LoadedModels, memory_faults
from jobs.engines.whisper_pieces import (
    PIECE_SECONDS,
    SHORT_PIECE_SECONDS,
    Piece,
    cut_pieces,
    to_spans,
)
from jobs.transcript import Segment, Word

SURE_LOGPROB = -0.5
"""Below this a piece is tried again in shorter ones. Whisper's own limit for a failed result, -1, comes too late."""
LOOP_COMPRESSION_RATIO = 2.4
"""Whisper's own limit, above which a result counts as a loop."""
FASTEST_CHARACTERS_PER_SECOND = 30
"""Nobody speaks faster; a loop of the decoder fills all the text that a window has room for, however short it is."""
PASSED_OVER_SECONDS = 5.0
"""Speech without text for this long is a doubt, too. Pauses in a stretch of speech are shorter."""
LIBRARY_TEMPERATURES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
"""faster-whisper's default: the next one is tried where the one before it gave something improbable or repetitive."""

WINDOW_SECONDS = 30
WINDOW_SAMPLES = WINDOW_SECONDS * SAMPLE_RATE
FRAMES_PER_SECOND = 100
"""The unit of ``Segment.seek``."""

BATCH_SIZES = {"cpu": 4, "cuda": 16}
"""Windows that are recognised together where the installation does not say how many. On two cores four of them took
the least processor time, a tenth less than one by one, and half the memory of sixteen (docs/benchmarks.md). The number
for a GPU is the library's usual one."""
NO_SPEECH_PROBABILITY, NO_SPEECH_LOGPROB = 0.6, -1.0
"""The library's defaults: text that is less probable than the one, where silence is more probable than the other, was
not said. Its batched way does not look."""


class FasterWhisperEngine:
    """See ``Engine``. Keeps up to ``config.max_loaded_models`` models loaded."""

    name = "faster-whisper"

    def __init__(self, config: EngineConfig) -> None:
        self.models = LoadedModels(config)
        self._batch_size = config.batch_size

    def load(self, model: str) -> None:
        """Raises ``ConfigurationFault``, ``TransientFault`` (a download failed) and ``ResourceExceeded``."""
        self.models.get(model)

    def detect_language(self, audio: Audio, request: TranscriptionRequest) -> TranscriptionInfo:
        """The language that was asked for, or the one that is heard in the first minute of speech.

        Raises what ``transcribe`` raises before it recognises.
        """
        model = self.models.get(request.model)
        check_task(model, request)
        return find_language(model, audio, request)

    def transcribe(self, audio: Audio, request: TranscriptionRequest) -> tuple[TranscriptionInfo, Iterator[Segment]]:
        """Raises what ``load`` raises, and ``InputFault`` (``language_not_supported``, ``translation_not_supported``).

        ``request.batched`` is followed at temperature 0 only: the library's batched way knows no other.
        """
        info = self.detect_language(audio, request)
        model = self.models.get(request.model)
        recogniser = Recogniser(model, audio, request, info.language)
        speech = request.speech if request.vad_filter else fill_pauses(request.speech, len(audio) / SAMPLE_RATE)
        pieces = list(cut_pieces(audio, to_spans(audio, speech), PIECE_SECONDS))
        if request.batched and not request.temperature:
            batch_size = self._batch_size or BATCH_SIZES[model.model.device]
            return info, _fit(recogniser.recognise_in_groups(pieces, batch_size))
        return info, _fit(recogniser.recognise(pieces))


@dataclass(frozen=True, slots=True)
class Recogniser:
    """One recording, one model: recognises pieces of the one with the other."""

    model: faster_whisper.WhisperModel
    audio: Audio
    request: TranscriptionRequest
    language: str | None

    def recognise(self, pieces: Iterable[Piece]) -> Iterator[Segment]:
        """The segments of all pieces, piece by piece as they are read."""
        prompt = self._prompt_tokens()
        for piece in pieces:
            with memory_faults():
                if piece.seconds <= SHORT_PIECE_SECONDS:
                    yield from self._decode_short(piece, prompt)
                else:
                    yield from self._decode_long(piece, prompt)
            prompt = None

    @property
    def _prompt(self) -> str:
        """As in Whisper, it is for the first window of the recording."""
        return self.request.prompt if self.request.is_beginning else ""

    def _prompt_tokens(self) -> list[int] | None:
        """The end of the prompt, as much as there is room for in half of the model's text, where the hotwords are, too.

        The library gives each of them a half, and fails where both are that long.
        """
        prompt, hotwords = (self._tokens(text) for text in (self._prompt, self.request.hotwords))
        room = self.model.max_length // 2 - 1 - len(hotwords)
        return prompt[-room:] if prompt and room > 0 else None

    def _tokens(self, text: str) -> list[int]:
        found: list[int] = self.model.hf_tokenizer.encode(f" {text.strip()}", add_special_tokens=False).ids
        return found if text.strip() else []

    def recognise_in_groups(self, pieces: Sequence[Piece], batch_size: int) -> Iterator[Segment]:
        """The segments of all pieces, up to ``batch_size`` pieces at a time as they are read."""
        waiting = iter(pieces)
        if self._prompt:  # a group has one prompt for all, and this one is for the first window
            yield from self.recognise(islice(waiting, 1))
        while group := list(islice(waiting, batch_size)):
            with memory_faults():
                for piece, segments in zip(group, self._decode_together(group), strict=True):
                    yield from self._again_if_unsure(segments, piece, None)

    def _decode_long(self, piece: Piece, prompt: list[int] | None) -> list[Segment]:
        """Recognise a piece that may be cut: where it is unsure, shorter ones are tried before higher temperatures."""
        whole = list(self._decode(piece, prompt, first_temperature_only=True))
        return self._again_if_unsure(whole, piece, prompt)

    def _again_if_unsure(self, whole: list[Segment], piece: Piece, prompt: list[int] | None) -> list[Segment]:
        """``whole`` where the model is sure of it, else what it makes of the piece in shorter ones."""
        if is_sure(whole, piece):
            return whole
        parts: list[Segment] = []
        for part in cut_pieces(self.audio, piece.spans, SHORT_PIECE_SECONDS):
            parts += self._decode_short(part, prompt)
            prompt = None
        return parts or whole

    def _decode_short(self, piece: Piece, prompt: list[int] | None) -> list[Segment]:
        """Recognise a short piece; at higher temperatures only where nobody can have said what is heard at 0.

        Those draw lots: the same recording would read differently each time, and after a crash.
        """
        if self.request.temperature is None:
            first = list(self._decode(piece, prompt, first_temperature_only=True))
            if is_sayable(first, piece):
                return first
        return list(self._decode(piece, prompt))

    def _decode(
        self, piece: Piece, prompt: list[int] | None, *, first_temperature_only: bool = False
    ) -> Iterator[Segment]:
        temperature = self.request.temperature
        if temperature is None and first_temperature_only:
            temperature = 0.0
        segments, _ = self.model.transcribe(
            piece.of(self.audio),
            language=self.language,
            task=self.request.task,
            beam_size=self.request.beam_size,
            initial_prompt=prompt,
            hotwords=self.request.hotwords or None,
            condition_on_previous_text=False,
            word_timestamps=self.request.word_timestamps,
            temperature=LIBRARY_TEMPERATURES if temperature is None else temperature,
        )
        return _to_whole_audio(segments, piece)

    def _decode_together(self, pieces: Sequence[Piece]) -> list[list[Segment]]:
        """The segments of each piece, at temperature 0. Each piece has a window of its own, one behind the other."""
        windows = np.zeros((len(pieces), WINDOW_SAMPLES), dtype=np.float32)
        for window, piece in zip(windows, pieces, strict=True):
            window[: piece.samples] = piece.of(self.audio)
        segments, _ = BatchedInferencePipeline(self.model).transcribe(
            windows.reshape(-1),
            language=self.language,
            task=self.request.task,
            beam_size=self.request.beam_size,
            hotwords=self.request.hotwords or None,
            word_timestamps=self.request.word_timestamps,
            temperature=0.0,
            without_timestamps=False,
            vad_filter=False,
            clip_timestamps=[
                {"start": number * WINDOW_SECONDS, "end": number * WINDOW_SECONDS + piece.seconds}
                for number, piece in enumerate(pieces)
            ],
            batch_size=len(pieces),
        )
        shares: list[list[LibrarySegment]] = [[] for _ in pieces]
        for segment in filter(_was_said, segments):
            number = segment.seek // (WINDOW_SECONDS * FRAMES_PER_SECOND)
            shares[number].append(_earlier(segment, number * WINDOW_SECONDS))
        return [list(_to_whole_audio(share, piece)) for share, piece in zip(shares, pieces, strict=True)]


def _was_said(segment: LibrarySegment) -> bool:
    is_silence = segment.no_speech_prob > NO_SPEECH_PROBABILITY and segment.avg_logprob <= NO_SPEECH_LOGPROB
    return bool(segment.text.strip()) and segment.start < segment.end and not is_silence


def _earlier(segment: LibrarySegment, seconds: int) -> LibrarySegment:
    """``segment`` moved towards the beginning."""
    words = [
        replace(word, start=max(0.0, word.start - seconds), end=max(0.0, word.end - seconds))
        for word in segment.words or ()
    ]
    return replace(
        segment,
        start=segment.start - seconds,
        end=segment.end - seconds,
        seek=segment.seek - seconds * FRAMES_PER_SECOND,
        words=words,
    )


def is_sure(segments: Sequence[Segment], piece: Piece) -> bool:
    """Whether no segment is improbable or repeats itself (a loop of the decoder), and no speech was passed over."""
    probable = all(
        (segment.avg_logprob or 0.0) >= SURE_LOGPROB and (segment.compression_ratio or 0.0) <= LOOP_COMPRESSION_RATIO
        for segment in segments
    )
    ends = [0.0, *(segment.end for segment in segments)]
    starts = [*(segment.start for segment in segments), piece.end_seconds]
    passed_over = max(piece.speech_seconds(end, start) for end, start in zip(ends, starts, strict=True))
    return probable and passed_over <= PASSED_OVER_SECONDS


def is_sayable(segments: Sequence[Segment], piece: Piece) -> bool:
    """Whether it is no loop that says more than fits into the time.

    Text that repeats itself may well have been said: two of the same sentences in ten seconds look like a loop. Text
    that the model calls improbable is the most probable it knows; what it draws at a higher temperature seldom is.
    """
    characters = sum(len(segment.text) for segment in segments)
    is_quick = characters > FASTEST_CHARACTERS_PER_SECOND * piece.seconds
    return not is_quick or all((segment.compression_ratio or 0.0) <= LOOP_COMPRESSION_RATIO for segment in segments)


def _to_whole_audio(segments: Iterable[LibrarySegment], piece: Piece) -> Iterator[Segment]:
    """The library's segments of a piece as ours, with times (and ``seek``) in the whole audio."""
    spans = [{"start": start, "end": end} for start, end in piece.spans]
    timeline = SpeechTimestampsMap(spans, SAMPLE_RATE)
    for segment in restore_speech_timestamps(segments, spans, SAMPLE_RATE):
        words = (Word(word.start, word.end, word.word, float(word.probability)) for word in segment.words or ())
        yield Segment(
            start=min(segment.start, piece.end_seconds),
            end=min(segment.end, piece.end_seconds),
            text=segment.text,
            words=tuple(words),
            avg_logprob=segment.avg_logprob,
            no_speech_prob=segment.no_speech_prob,
            compression_ratio=segment.compression_ratio,
            temperature=segment.temperature,
            tokens=tuple(segment.tokens),
            seek=round(timeline.get_original_time(segment.seek / FRAMES_PER_SECOND) * FRAMES_PER_SECOND),
        )


def _fit(segments: Iterable[Segment]) -> Iterator[Segment]:
    """Whisper's times may cross by some hundredths of a second, and its words may stick out: make all of them fit."""
    latest = 0.0
    for segment in segments:
        start = max(segment.start, latest)
        end = max(segment.end, start)
        words, latest = [], start
        for word in segment.words:
            word_start = min(max(word.start, latest), end)
            latest = min(max(word.end, word_start), end)
            words.append(replace(word, start=word_start, end=latest))
        latest = end
        yield replace(segment, start=start, end=end, words=tuple(words))
