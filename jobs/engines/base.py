"""What every engine is: the contract that the transcribe step relies on.

An engine is a class named in ``registry.py`` and imported on first use, in a worker, after the fork. It knows no
Django: whatever it needs from the settings arrives in ``EngineConfig``. Its errors are those of ``jobs/errors.py``:
``InputFault`` (this request can never work here), ``TransientFault`` (try again later), ``ConfigurationFault``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from jobs.transcript import Segment

SAMPLE_RATE = 16_000

Audio = npt.NDArray[np.float32]
"""Mono samples at 16 kHz in -1..1, shape ``(n_samples,)``."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A stretch of the audio, in seconds from its beginning."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """The installation's side of recognition, read from the settings once per worker."""

    models_dir: Path | None = None
    device: str = "auto"
    compute_type: str = "default"
    cpu_threads: int = 0
    batch_size: int = 0
    max_loaded_models: int = 1
    api_key: str = field(default="", repr=False)
    base_url: str | None = None
    timeout_seconds: float = 600.0


@dataclass(frozen=True, slots=True)
class TranscriptionRequest:
    """What the user asked for, checked, plus what ``jobs.probe`` found out.

    ``model`` is canonical (see ``catalog.py``); ``language`` is ISO 639-1 or None for "find out"; ``speech`` holds
    the stretches where voice activity detection heard speech, in order, not overlapping, never empty; two of them may
    touch. Without ``vad_filter`` what lies between, before and after them is recognised, too.

    ``task`` is ``transcribe`` or ``translate`` (into English; ``language`` is still the one that is spoken).
    ``prompt`` is text that the recogniser takes as said before, ``hotwords`` are words that may come up anywhere in the
    recording, and ``batched`` allows to recognise stretches together, which is faster on a GPU. These three are hints:
    an engine that cannot follow one ignores it. ``is_beginning`` says that nothing of the recording comes before the
    audio, so that a prompt which is for the first words only is due.
    """

    model: str
    speech: Sequence[Clip]
    language: str | None = None
    task: str = "transcribe"
    prompt: str = ""
    is_beginning: bool = True
    hotwords: str = ""
    temperature: float | None = None
    beam_size: int = 5
    vad_filter: bool = True
    word_timestamps: bool = False
    batched: bool = False


@dataclass(frozen=True, slots=True)
class TranscriptionInfo:
    """What is known before the first segment: the language spoken and how sure the engine is of it (0..1)."""

    language: str | None
    language_probability: float | None = None
    warnings: tuple[str, ...] = ()


class Engine(Protocol):
    """Turns audio into segments. One instance per worker process; it keeps its models loaded."""

    name: str

    def __init__(self, config: EngineConfig) -> None: ...

    def load(self, model: str) -> None:
        """Have ``model`` ready for the next ``transcribe``. May take minutes (a download); idempotent."""

    def detect_language(self, audio: Audio, request: TranscriptionRequest) -> TranscriptionInfo:
        """What ``transcribe`` would say of ``audio`` before its first segment; ``language`` None if it cannot know yet.

        Loads the model like ``load``, and refuses what ``transcribe`` refuses before it recognises.
        """

    def transcribe(self, audio: Audio, request: TranscriptionRequest) -> tuple[TranscriptionInfo, Iterator[Segment]]:
        """Recognise ``audio``. The iterator is lazy: it works as it is read, in order of time.

        Times are seconds from the beginning of ``audio``. Segments never overlap and never end after the audio.
        """
