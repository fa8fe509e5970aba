"""The ``openai`` engine on a stub server, as the tests call it."""

import numpy as np

from jobs.engines.base import SAMPLE_RATE, Clip, EngineConfig, TranscriptionRequest
from jobs.engines.openai_api import MAX_PIECE_SECONDS, OpenAIEngine
from jobs.tests.stubs.openai_server import STUB_KEY


def engine_on(stub, *, api_key=STUB_KEY, timeout_seconds=5.0, max_piece_seconds=MAX_PIECE_SECONDS):
    engine = OpenAIEngine(EngineConfig(api_key=api_key, base_url=stub.base_url, timeout_seconds=timeout_seconds))
    engine.max_piece_seconds = max_piece_seconds
    return engine


def tone(seconds):
    """A quiet hum, ``seconds`` long."""
    return (0.1 * np.sin(np.arange(round(seconds * SAMPLE_RATE)) * 0.1)).astype(np.float32)


def ask(**options):
    return TranscriptionRequest(**({"model": "whisper-1", "speech": [Clip(0.0, 2.0)]} | options))


def run(engine, audio=None, **options):
    info, segments = engine.transcribe(tone(2) if audio is None else audio, ask(**options))
    return info, list(segments)
