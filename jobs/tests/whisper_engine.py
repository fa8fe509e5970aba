"""The faster-whisper engine on the tests' small model, as the tests call it."""

from dataclasses import replace
from pathlib import Path

import jiwer
import numpy as np
from faster_whisper.audio import decode_audio

from jobs.engines.base import SAMPLE_RATE, Clip, EngineConfig, TranscriptionRequest
from jobs.engines.faster_whisper import FasterWhisperEngine

ASSETS = Path(__file__).parent / "assets"
MODEL = "whisper-micro"


def make_engine(**config) -> FasterWhisperEngine:
    engine = FasterWhisperEngine(EngineConfig(models_dir=ASSETS, device="cpu", cpu_threads=1, **config))
    engine.load(MODEL)
    return engine


def recording(name: str) -> np.ndarray:
    """``english`` or ``russian``: five short sentences."""
    return decode_audio(str(ASSETS / f"{name}.flac"))


def silence(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * SAMPLE_RATE), dtype=np.float32)


def asking(audio: np.ndarray, **options) -> TranscriptionRequest:
    """A request for all of ``audio``, without chance unless a test wants some."""
    everything = Clip(0.0, len(audio) / SAMPLE_RATE)
    return replace(TranscriptionRequest(model=MODEL, speech=(everything,), temperature=0.0), **options)


def transcribe(engine, audio, **options):
    info, segments = engine.transcribe(audio, asking(audio, **options))
    return info, list(segments)


def text_of(segments) -> str:
    return " ".join(segment.text.strip() for segment in segments)


def said(name: str) -> str:
    return " ".join((ASSETS / f"{name}.txt").read_text().split())


def error_rate(name: str, segments) -> float:
    return jiwer.wer(said(name), text_of(segments))


def prompts_of(engine, monkeypatch) -> list[str]:
    """Collects what the model is told before each window, from now on."""
    asked, model = [], engine.models.get(MODEL)
    get_prompt = model.get_prompt

    def watch(tokenizer, *args, **options):
        tokens = get_prompt(tokenizer, *args, **options)
        asked.append(tokenizer.tokenizer.decode(tokens, skip_special_tokens=False))
        return tokens

    monkeypatch.setattr(model, "get_prompt", watch)
    return asked
