"""The default engine: Whisper on CTranslate2, through the faster-whisper library.

Speech is recognised piece by piece. Left alone, the library computes the features of the whole recording at once
(gigabytes for ten hours) and moves on from wherever the last timestamp of a window happens to be; here a piece ends
where it is quiet, and one that the model is unsure of is tried again in shorter pieces.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import faster_whisper
import numpy as np
from faster_whisper.transcribe import Segment as LibrarySegment
from faster_whisper.transcribe import restore_speech_timestamps
from faster_whisper.vad import SpeechTimestampsMap

from jobs.engines.base import SAMPLE_RATE, Audio, Clip, EngineConfig, TranscriptionInfo, TranscriptionRequest
from jobs.engines.cutting import quietest_sample
from jobs.engines.whisper_models import LoadedModels, memory_faults
from jobs.errors import InputFault
from jobs.transcript import Segment, Word

PIECE_SECONDS = 30.0
"""Whisper's own window; a shorter piece costs as much as a full one."""
SHORT_PIECE_SECONDS = 10.0
"""What a piece is cut into when the model was unsure of it: few sentences at a time are easier to recognise."""
SURE_LOGPROB = -0.5
"""Below this a piece is tried again in shorter ones. Whisper's own limit for a failed result, -1, comes too late."""
LOOP_COMPRESSION_RATIO = 2.4
"""Whisper's own limit, above which a result counts as a loop."""
PASSED_OVER_SECONDS = 5.0
"""Speech without text for this long is a doubt, too. Pauses in a stretch of speech are shorter than 2 s."""
LIBRARY_TEMPERATURES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
"""faster-whisper's default: the next one is tried where the one before it gave something improbable or repetitive."""

QUIET_SECONDS = 0.7
"""How long the quiet is that a cut looks for."""
SHORTEST_REST_SAMPLES = SAMPLE_RATE

WINDOW_SAMPLES = 30 * SAMPLE_RATE
LANGUAGE_WINDOWS = 4
"""Windows of speech that are asked for their language, one after the other, until one is sure."""
FRAMES_PER_SECOND = 100
"""The unit of ``Segment.seek``."""

Span = tuple[int, int]
"""A stretch of the audio: its first sample, and the one after its last."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What is recognised in one go: one or more stretches of the audio."""

    spans: tuple[Span, ...]

    @property
    def end_seconds(self) -> float:
        return self.spans[-1][1] / SAMPLE_RATE

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


class FasterWhisperEngine:
    """See ``Engine``. Keeps up to ``config.max_loaded_models`` models loaded."""

    name = "faster-whisper"

    def __init__(self, config: EngineConfig) -> None:
        self.models = LoadedModels(config)

    def load(self, model: str) -> None:
        """Raises ``ConfigurationFault``, ``TransientFault`` (a download failed) and ``ResourceExceeded``."""
        self.models.get(model)

    def transcribe(self, audio: Audio, request: TranscriptionRequest) -> tuple[TranscriptionInfo, Iterator[Segment]]:
        """Raises what ``load`` raises, and ``InputFault`` (``language_not_supported``)."""
        model = self.models.get(request.model)
        info = find_language(model, audio, request)
        speech = request.speech if request.vad_filter else (Clip(0.0, len(audio) / SAMPLE_RATE),)
        recogniser = Recogniser(model, audio, request, info.language)
        return info, _fit(recogniser.recognise(cut_pieces(audio, _to_spans(audio, speech), PIECE_SECONDS)))


def find_language(model: faster_whisper.WhisperModel, audio: Audio, request: TranscriptionRequest) -> TranscriptionInfo:
    """The language that was asked for, if the model knows it, or the one that is heard in the speech."""
    if request.language is not None:
        _check_language(model, request)
        return TranscriptionInfo(request.language)
    if not model.model.is_multilingual:
        return TranscriptionInfo("en")
    spans = _to_spans(audio, request.speech)
    if not spans:
        return TranscriptionInfo(None)
    speech = Piece(_first_samples(spans, LANGUAGE_WINDOWS * WINDOW_SAMPLES)).of(audio)
    with memory_faults():
        language, probability, _ = model.detect_language(speech, language_detection_segments=LANGUAGE_WINDOWS)
    return TranscriptionInfo(language, probability)


def _check_language(model: faster_whisper.WhisperModel, request: TranscriptionRequest) -> None:
    if not model.model.is_multilingual:
        known = request.language == "en"
    else:
        known = model.hf_tokenizer.token_to_id(f"<|{request.language}|>") is not None
    if not known:
        raise InputFault(
            f"Model '{request.model}' does not know the language '{request.language}'. Choose another model, "
            "or leave the language out.",
            code="language_not_supported",
        )


def cut_pieces(audio: Audio, spans: Iterable[Span], longest_seconds: float) -> list[Piece]:
    """All of ``spans`` in pieces of at most ``longest_seconds``: long ones cut where it is quiet, short ones joined."""
    longest = round(longest_seconds * SAMPLE_RATE)
    pieces: list[Piece] = []
    for start, end in spans:
        for span in _cut(audio, start, end, longest):
            if pieces and pieces[-1].samples + span[1] - span[0] <= longest:
                pieces[-1] = Piece((*pieces[-1].spans, span))
            else:
                pieces.append(Piece((span,)))
    return pieces


def _to_spans(audio: Audio, speech: Sequence[Clip]) -> list[Span]:
    bounds = ((round(clip.start * SAMPLE_RATE), round(clip.end * SAMPLE_RATE)) for clip in speech)
    inside = ((max(0, start), min(len(audio), end)) for start, end in bounds)
    return [(start, end) for start, end in inside if start < end]


def _first_samples(spans: Sequence[Span], count: int) -> tuple[Span, ...]:
    kept = []
    for start, end in spans:
        if count <= 0:
            break
        kept.append((start, min(end, start + count)))
        count -= end - start
    return tuple(kept)


def _cut(audio: Audio, start: int, end: int, longest: int) -> Iterator[Span]:
    while end - start > longest:
        earliest, latest = start + longest * 2 // 3, min(start + longest, end - SHORTEST_REST_SAMPLES)
        cut = earliest + quietest_sample(audio[earliest:latest], quiet_seconds=QUIET_SECONDS, prefer_last=True)
        yield start, cut
        start = cut
    yield start, end


@dataclass(frozen=True, slots=True)
class Recogniser:
    """One recording, one model: recognises pieces of the one with the other."""

    model: faster_whisper.WhisperModel
    audio: Audio
    request: TranscriptionRequest
    language: str | None

    def recognise(self, pieces: Iterable[Piece]) -> Iterator[Segment]:
        """The segments of all pieces, piece by piece as they are read."""
        prompt = self.request.prompt or None
        for piece in pieces:
            with memory_faults():
                if piece.seconds <= SHORT_PIECE_SECONDS:
                    yield from self._decode(piece, prompt)
                else:
                    yield from self._decode_long(piece, prompt)
            prompt = None  # as in Whisper, the prompt is for the first window

    def _decode_long(self, piece: Piece, prompt: str | None) -> list[Segment]:
        """Recognise a piece that may be cut: where it is unsure, shorter ones are tried before higher temperatures."""
        whole = list(self._decode(piece, prompt, first_temperature_only=True))
        if is_sure(whole, piece):
            return whole
        parts: list[Segment] = []
        for part in cut_pieces(self.audio, piece.spans, SHORT_PIECE_SECONDS):
            parts += self._decode(part, prompt)
            prompt = None
        return parts or whole

    def _decode(self, piece: Piece, prompt: str | None, *, first_temperature_only: bool = False) -> Iterator[Segment]:
        temperature = self.request.temperature
        if temperature is None and first_temperature_only:
            temperature = 0.0
        segments, _ = self.model.transcribe(
            piece.of(self.audio),
            language=self.language,
            beam_size=self.request.beam_size,
            initial_prompt=prompt,
            condition_on_previous_text=False,
            word_timestamps=self.request.word_timestamps,
            temperature=LIBRARY_TEMPERATURES if temperature is None else temperature,
        )
        return _to_whole_audio(segments, piece)


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
