"""The built-in engine: PocketSphinx with the English model that comes inside its PyPI package. No download.

Recognition runs in threads, each with a decoder of its own. The package's own ``Decoder`` holds the interpreter's lock
while it works, which would stop the lease thread for seconds and leave all cores but one idle; called through ctypes,
the same C library releases it. The functions declared here are PocketSphinx's public C API (``pocketsphinx.h``).
"""

import ctypes
import itertools
import json
import os
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from math import ceil
from typing import TypeVar

import numpy as np
import pocketsphinx
from pocketsphinx import _pocketsphinx

from jobs.engines.base import SAMPLE_RATE, Audio, Clip, EngineConfig, TranscriptionInfo, TranscriptionRequest
from jobs.engines.catalog import POCKETSPHINX_LANGUAGES, POCKETSPHINX_MODEL
from jobs.engines.cutting import fill_pauses, join_close, quietest_sample, samples_of
from jobs.errors import ConfigurationFault, InputFault
from jobs.transcript import Segment, Word

Item = TypeVar("Item")
Result = TypeVar("Result")

LANGUAGE = "en"
FRAMES_PER_SECOND = 100
LONGEST_PIECE_SECONDS = 20.0
SHORTEST_PIECE_SECONDS = 0.1
SILENCE_PEAK = 0.0005  # digital silence is recognised as "so"
PAUSE_SECONDS = 0.35
QUIET_SECONDS = 0.5
MOST_AUTOMATIC_THREADS = 8  # a decoder takes 90 MB
ENTRY_MARKS = ("<", "[", "+")
"""How PocketSphinx's dictionary spells what is not a word: ``<sil>``, ``[NOISE]``, ``++um++``."""

DECODER_OPTIONS: dict[str, object] = {
    "hmm": pocketsphinx.get_model_path(f"{POCKETSPHINX_MODEL}/{POCKETSPHINX_MODEL}"),
    "lm": pocketsphinx.get_model_path(f"{POCKETSPHINX_MODEL}/{POCKETSPHINX_MODEL}.lm.bin"),
    "dict": pocketsphinx.get_model_path(f"{POCKETSPHINX_MODEL}/cmudict-{POCKETSPHINX_MODEL}.dict"),
    "loglevel": "FATAL",
}

_setup_lock = threading.Lock()
"""PocketSphinx parses numbers with static buffers: decoders may work side by side, but not be set up side by side."""


@dataclass(frozen=True, slots=True)
class DictionaryEntry:
    """What the decoder recognised from ``start`` to ``end`` (seconds in its piece): a word, a silence or a noise."""

    text: str
    start: float
    end: float
    probability: float

    @property
    def is_word(self) -> bool:
        return not self.text.startswith(ENTRY_MARKS)

    @property
    def word(self) -> str:
        """The text without the mark of an alternative pronunciation: ``read(2)`` is ``read``."""
        return self.text.partition("(")[0]


@cache
def _library() -> ctypes.CDLL:
    """The C library inside the package's extension module, with the functions used here declared."""
    pointer, text, integer = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
    frame = ctypes.POINTER(integer)
    library = ctypes.CDLL(_pocketsphinx.__file__)
    for name, result, arguments in (
        ("ps_config_parse_json", pointer, (pointer, text)),
        ("ps_init", pointer, (pointer,)),
        ("ps_reinit_feat", integer, (pointer, pointer)),
        ("ps_start_utt", integer, (pointer,)),
        ("ps_process_raw", integer, (pointer, pointer, ctypes.c_size_t, integer, integer)),
        ("ps_end_utt", integer, (pointer,)),
        ("ps_get_logmath", pointer, (pointer,)),
        ("logmath_exp", ctypes.c_double, (pointer, integer)),
        ("ps_seg_iter", pointer, (pointer,)),
        ("ps_seg_next", pointer, (pointer,)),
        ("ps_seg_word", text, (pointer,)),
        ("ps_seg_frames", None, (pointer, frame, frame)),
        ("ps_seg_prob", ctypes.c_int32, (pointer, pointer, pointer, pointer)),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


class Decoder:
    """One PocketSphinx decoder, for one thread at a time. Raises ``ConfigurationFault`` where it cannot be made.

    Its C memory is never freed: decoders are kept for the life of the process.
    """

    def __init__(self) -> None:
        try:
            self._library = _library()
        except (OSError, AttributeError) as error:
            raise _broken_installation(str(error)) from error
        with _setup_lock:
            options = self._library.ps_config_parse_json(None, json.dumps(DECODER_OPTIONS).encode())
            self._decoder = self._library.ps_init(options) if options else None
        if not self._decoder:
            raise _broken_installation("its model cannot be read")
        self._logmath = self._library.ps_get_logmath(self._decoder)

    def decode(self, audio: Audio) -> list[DictionaryEntry]:
        """Recognise one piece of speech. The result depends on this piece alone, not on those before it."""
        samples = np.clip(audio * 32768.0, -32768, 32767).astype(np.int16)
        with _setup_lock:
            self._library.ps_reinit_feat(self._decoder, None)
        self._library.ps_start_utt(self._decoder)
        self._library.ps_process_raw(self._decoder, samples.ctypes.data, len(samples), False, True)
        self._library.ps_end_utt(self._decoder)
        return list(self._entries())

    def _entries(self) -> Iterator[DictionaryEntry]:
        first, last = ctypes.c_int(), ctypes.c_int()
        entry = self._library.ps_seg_iter(self._decoder)
        while entry:
            self._library.ps_seg_frames(entry, first, last)
            log_probability = self._library.ps_seg_prob(entry, None, None, None)
            yield DictionaryEntry(
                text=self._library.ps_seg_word(entry).decode(),
                start=first.value / FRAMES_PER_SECOND,
                end=(last.value + 1) / FRAMES_PER_SECOND,
                probability=min(1.0, self._library.logmath_exp(self._logmath, log_probability)),
            )
            entry = self._library.ps_seg_next(entry)


def _broken_installation(reason: str) -> ConfigurationFault:
    return ConfigurationFault(
        f"The pocketsphinx engine does not work here: {reason}. Install the package anew "
        "(pip install --force-reinstall pocketsphinx) or set TRANSCRIPTION_ENGINE to another engine.",
        code="engine_unavailable",
    )


class PocketSphinxEngine:
    """English speech to text on the CPU, with ``cpu_threads`` decoders side by side (0 = one for each core, eight
    at most).

    ``prompt``, ``hotwords``, ``temperature``, ``beam_size`` and ``batched`` have no counterpart here and are ignored,
    and so is ``task``: English translated into English is what was said. Words are in lower case, without punctuation.
    """

    name = "pocketsphinx"

    def __init__(self, config: EngineConfig) -> None:
        self._threads = config.cpu_threads or min(os.cpu_count() or 1, MOST_AUTOMATIC_THREADS)
        self._idle: queue.SimpleQueue[Decoder] = queue.SimpleQueue()
        self._is_loaded = False

    def load(self, model: str) -> None:
        """Make the first decoder; the others are made when a recording has work for them."""
        if model != POCKETSPHINX_MODEL:
            raise InputFault(
                f"The pocketsphinx engine has one model, {POCKETSPHINX_MODEL}, and not {model}. "
                "Leave the model out, or have a Whisper model installed.",
                code="unknown_model",
            )
        if not self._is_loaded:
            self._idle.put(Decoder())
            self._is_loaded = True

    def detect_language(self, audio: Audio, request: TranscriptionRequest) -> TranscriptionInfo:
        """English, whatever is spoken.

        Raises ``InputFault`` with the code ``language_not_supported`` for any language but English.
        """
        if request.language and request.language not in POCKETSPHINX_LANGUAGES:
            raise _language_not_supported(request.language)
        self.load(request.model)
        warnings: tuple[str, ...] = ("recognised_by_pocketsphinx",)
        if request.language is None:
            warnings += ("language_not_detected",)
        return TranscriptionInfo(LANGUAGE, None, warnings)

    def transcribe(self, audio: Audio, request: TranscriptionRequest) -> tuple[TranscriptionInfo, Iterator[Segment]]:
        """Recognise the stretches of speech in ``audio``, or all of it when ``vad_filter`` is off.

        Raises what ``detect_language`` raises.
        """
        info = self.detect_language(audio, request)
        speech = request.speech if request.vad_filter else fill_pauses(request.speech, len(audio) / SAMPLE_RATE)
        pieces = split_speech(audio, join_close(speech))
        return info, self._segments(audio, pieces, request.word_timestamps)

    def _segments(self, audio: Audio, pieces: list[Clip], word_timestamps: bool) -> Iterator[Segment]:
        decoded = map_in_order(lambda piece: self._decode(samples_of(audio, piece)), pieces, self._threads)
        for piece, entries in zip(pieces, decoded, strict=True):
            for entries_between_pauses in _split_at_pauses(entries):
                yield _make_segment(entries_between_pauses, piece, word_timestamps)

    def _decode(self, audio: Audio) -> list[DictionaryEntry]:
        """Borrow an idle decoder, or make one: there are never more than threads that ask."""
        if np.abs(audio).max() < SILENCE_PEAK:
            return []
        try:
            decoder = self._idle.get_nowait()
        except queue.Empty:
            decoder = Decoder()
        try:
            return decoder.decode(audio)
        finally:
            self._idle.put(decoder)


def _language_not_supported(language: str) -> InputFault:
    return InputFault(
        f"This installation recognises speech with the pocketsphinx engine, which knows English only, not {language}. "
        "Leave the language out for a recording in English, or have a Whisper model or a transcription server set up.",
        code="language_not_supported",
    )


def map_in_order(function: Callable[[Item], Result], items: Iterable[Item], threads: int) -> Iterator[Result]:
    """``map`` in ``threads`` threads, at most ``threads + 1`` items ahead of the reader.

    Closing the iterator drops what waits and returns when the items in hand are done.
    """
    waiting = iter(items)
    pool = ThreadPoolExecutor(threads, thread_name_prefix="pocketsphinx")
    try:
        running: deque[Future[Result]] = deque(pool.submit(function, i) for i in itertools.islice(waiting, threads + 1))
        while running:
            result = running.popleft().result()
            running.extend(pool.submit(function, item) for item in itertools.islice(waiting, 1))
            yield result
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def split_speech(audio: Audio, speech: Sequence[Clip]) -> list[Clip]:
    """The stretches of speech in pieces of at most ``LONGEST_PIECE_SECONDS``, cut where the audio is quietest."""
    duration_seconds = len(audio) / SAMPLE_RATE
    inside = (Clip(clip.start, min(clip.end, duration_seconds)) for clip in speech)
    return [
        piece for clip in inside if clip.end - clip.start >= SHORTEST_PIECE_SECONDS for piece in _split(audio, clip)
    ]


def _split(audio: Audio, clip: Clip) -> Iterator[Clip]:
    """Pieces of about the same length, so that the threads finish together."""
    start = clip.start
    while (rest := clip.end - start) > LONGEST_PIECE_SECONDS:
        wanted = rest / ceil(rest / LONGEST_PIECE_SECONDS)
        window = Clip(start + 0.6 * wanted, start + min(1.4 * wanted, LONGEST_PIECE_SECONDS))
        cut = window.start + quietest_sample(samples_of(audio, window), quiet_seconds=QUIET_SECONDS) / SAMPLE_RATE
        yield Clip(start, cut)
        start = cut
    yield Clip(start, clip.end)


def _split_at_pauses(entries: list[DictionaryEntry]) -> Iterator[list[DictionaryEntry]]:
    """The words in groups that a pause of ``PAUSE_SECONDS`` or more parts: mostly sentences."""
    group: list[DictionaryEntry] = []
    for entry in filter(lambda entry: entry.is_word, entries):
        if group and entry.start - group[-1].end >= PAUSE_SECONDS:
            yield group
            group = []
        group.append(entry)
    if group:
        yield group


def _make_segment(entries: list[DictionaryEntry], piece: Clip, word_timestamps: bool) -> Segment:
    words = tuple(
        Word(
            start=round(piece.start + entry.start, 3),
            end=min(round(piece.start + entry.end, 3), piece.end),
            word=entry.word,
            probability=round(entry.probability, 4),
        )
        for entry in entries
    )
    text = " ".join(word.word for word in words)
    return Segment(words[0].start, words[-1].end, text, words if word_timestamps else ())
