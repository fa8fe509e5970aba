"""The process that runs one model over recordings, by the project's own decoder, voice activity detection and engines.

It reads an ``Order`` from its standard input and writes a JSON line after each step to the file descriptor that the
order names: what it has written by then is kept if it dies.
"""

import json
import os
import re
import resource
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings

from benchmark.accuracy.measurement import FASTER_WHISPER, Measured, Order
from jobs import recognition
from jobs.audio.decode import decode_pcm, to_audio
from jobs.audio.vad import find_speech
from jobs.engines import registry
from jobs.engines.base import SAMPLE_RATE, Audio, Clip, Engine, TranscriptionRequest
from jobs.engines.doubts import flag_doubtful
from jobs.errors import InputFault, TranscribifyError
from jobs.transcript import Transcript

SEED = 20


def main() -> None:
    order = Order(**json.load(sys.stdin))
    with os.fdopen(order.pipe, "w", buffering=1) as answers:
        for answer in carry_out(order):
            answers.write(json.dumps(answer | {"peak_memory_bytes": peak_memory_bytes()}) + "\n")


def carry_out(order: Order) -> Iterator[dict[str, Any]]:
    """Fields of ``ModelRun``, or ``measured`` with those of ``Measured``."""
    clock = Clock()
    try:
        engine = open_engine(order)
        engine.load(order.model)
    except TranscribifyError as error:
        yield {"error": error.message}
        return
    yield {"load_seconds": clock.lap(), "device": device_of(engine, order.model)}
    for name, path in order.recordings:
        try:
            measured = measure_one(engine, order, name, Path(path))
        except TranscribifyError as error:
            measured = Measured(name, error=error.message)
        except Exception as error:
            traceback.print_exc()
            measured = Measured(name, error=f"{type(error).__name__}: {error}")
        yield {"measured": asdict(measured)}


def open_engine(order: Order) -> Engine:
    config = recognition.engine_config()
    if order.batch_size is not None:
        config = replace(config, batch_size=order.batch_size)
    engine = registry.get_engine(order.engine, config)
    if order.engine == FASTER_WHISPER:
        import ctranslate2  # not by other engines, whose memory is measured

        ctranslate2.set_random_seed(SEED)  # Whisper's higher temperatures throw dice: the same ones in each run
    return engine


def measure_one(engine: Engine, order: Order, name: str, path: Path) -> Measured:
    clock = Clock()
    with tempfile.TemporaryDirectory(prefix="transcribify-accuracy-") as folder:
        pcm = Path(folder) / "samples.pcm"
        audio, is_whole = decode(path, pcm)
        decode_seconds = clock.lap()
        speech = find_speech(pcm)
        speech_seconds = clock.lap()
    heard = recognise(engine, order, audio, speech) if speech else {}
    return Measured(
        name,
        audio_seconds=len(audio) / SAMPLE_RATE,
        decode_seconds=decode_seconds,
        speech_seconds=speech_seconds,
        recognition_seconds=clock.lap(),
        is_damaged=not is_whole,
        **heard,
    )


def decode(path: Path, pcm: Path) -> tuple[Audio, bool]:
    """The samples as an engine takes them, and whether they are all of the recording."""
    longest_seconds = settings.MAX_AUDIO_SECONDS
    decoded = decode_pcm(path, pcm, cap_seconds=longest_seconds + 1)
    if decoded.samples > longest_seconds * SAMPLE_RATE:
        raise InputFault(f"It is longer than {longest_seconds / 3600:g} hours. Split it, or raise MAX_AUDIO_SECONDS.")
    return to_audio(np.fromfile(pcm, dtype="<i2")), decoded.is_whole


def recognise(engine: Engine, order: Order, audio: Audio, speech: Sequence[Clip]) -> dict[str, Any]:
    """The fields of ``Measured`` that the engine knows."""
    request = TranscriptionRequest(
        model=order.model,
        speech=tuple(speech),
        language=order.language,
        beam_size=order.beam_size,
        batched=order.batched,
    )
    info, segments = engine.transcribe(audio, request)
    found = tuple(flag_doubtful(segments))
    return {
        "text": Transcript(found, info.language).text,
        "language": info.language,
        "segments": len(found),
        "doubtful_segments": sum(bool(segment.flags) for segment in found),
    }


class Clock:
    """Seconds from one look at it to the next."""

    def __init__(self) -> None:
        self._since = time.perf_counter()

    def lap(self) -> float:
        now = time.perf_counter()
        passed, self._since = now - self._since, now
        return passed


def device_of(engine: Engine, model: str) -> str:
    """``cpu int8_float32``; empty for other engines than Whisper's."""
    models = getattr(engine, "models", None)
    if models is None:
        return ""
    loaded = models.get(model).model
    return f"{loaded.device} {loaded.compute_type}"


def peak_memory_bytes() -> int:
    """The most memory that this process has had so far."""
    status = Path("/proc/self/status")
    # Not ru_maxrss on Linux: that begins with what the parent had when it started this process.
    found = re.search(r"^VmHWM:\s+(\d+) kB", status.read_text(), re.MULTILINE) if status.exists() else None
    if found:
        return int(found[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


if __name__ == "__main__":
    main()
