"""Text to speech with espeak-ng and flite; ffmpeg brings both to 16 kHz mono."""

import random
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

SAMPLE_RATE = 16_000

FLITE_VOICES = ("kal16", "slt", "rms", "awb")
FLITE_SHARE = 0.3
ESPEAK_VARIANTS = ("", "+m1", "+m2", "+m3", "+m4", "+m5", "+m6", "+m7", "+f1", "+f2", "+f3", "+f4")

QUIET = 200
"""Samples (of 32,768) below this are the silence around an utterance."""
MARGIN_SAMPLES = 400

Samples = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Voice:
    """How a text is spoken. ``speed`` is words per minute for espeak-ng and a stretch factor for flite."""

    program: str
    name: str
    speed: float
    pitch: int = 50


def choose_voice(language: str, rng: random.Random) -> Voice:
    """Any voice of the language, at any sensible speed and pitch."""
    if language == "en" and rng.random() < FLITE_SHARE:
        return Voice("flite", rng.choice(FLITE_VOICES), round(rng.uniform(0.85, 1.2), 2))
    accent = rng.choice(("en-us", "en-us", "en-us", "en-gb", "en-gb")) if language == "en" else "ru"
    name = accent + rng.choice(ESPEAK_VARIANTS)
    return Voice("espeak-ng", name, rng.randint(120, 190), rng.randint(25, 75))


def speak(text: str, voice: Voice) -> Samples:
    """``text`` as s16 samples at 16 kHz, shape ``(n_samples,)``, with 25 ms of silence left on each side."""
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "speech.wav"
        subprocess.run(_command(text, voice, wav), check=True, capture_output=True)
        pcm = subprocess.run(
            ["ffmpeg", "-nostdin", "-loglevel", "error", "-i", wav, "-ar", "16000", "-ac", "1", "-f", "s16le", "-"],
            check=True,
            capture_output=True,
        ).stdout
    return _trim(np.frombuffer(pcm, dtype="<i2"))


def _command(text: str, voice: Voice, wav: Path) -> list[str]:
    if voice.program == "flite":
        stretch = f"duration_stretch={voice.speed:.2f}"
        return ["flite", "-voice", voice.name, "--setf", stretch, "-t", text, "-o", str(wav)]
    return ["espeak-ng", "-v", voice.name, "-s", f"{voice.speed:.0f}", "-p", str(voice.pitch), "-w", str(wav), text]


def _trim(samples: Samples) -> Samples:
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > QUIET)
    if not len(loud):
        return samples
    return samples[max(0, loud[0] - MARGIN_SAMPLES) : loud[-1] + MARGIN_SAMPLES]
