"""Speak the recordings that tests use: ``english.flac`` and ``russian.flac`` with what is said in them as text.

    python recordings.py ..

Short meetings in the model's words: sentences with pauses, silence before and after, one voice each.
"""

import argparse
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from voices import SAMPLE_RATE, Voice, speak

SILENCE_SECONDS = 0.5
PAUSE_SECONDS = 0.8


@dataclass(frozen=True, slots=True)
class Script:
    """A recording to be made."""

    name: str
    voice: Voice
    sentences: tuple[str, ...]


SCRIPTS = (
    Script(
        "english",
        Voice("espeak-ng", "en-us", 150),
        (
            "hello everyone welcome to the meeting",
            "the budget for the new project is ready",
            "please call the client tomorrow",
            "our product launch is in july",
            "thank you everyone",
        ),
    ),
    Script(
        "russian",
        Voice("espeak-ng", "ru", 150),
        (
            "привет команда как дела",
            "наш новый проект готов",
            "мы отправим отчет клиенту завтра",
            "встреча начинается в пятницу",
            "спасибо всем",
        ),
    ),
)


def make_recording(script: Script) -> np.ndarray:
    """The sentences as s16 samples at 16 kHz."""
    silence = np.zeros(round(SILENCE_SECONDS * SAMPLE_RATE), dtype=np.int16)
    pause = np.zeros(round(PAUSE_SECONDS * SAMPLE_RATE), dtype=np.int16)
    pieces = [piece for sentence in script.sentences for piece in (pause, speak(sentence, script.voice))]
    return np.concatenate([silence, *pieces[1:], silence])


def write_flac(samples: np.ndarray, path: Path) -> None:
    raw = ["-f", "s16le", "-ar", str(SAMPLE_RATE), "-ac", "1", "-i", "-"]
    command = ["ffmpeg", "-nostdin", "-loglevel", "error", "-y", *raw, "-fflags", "+bitexact", "-flags", "+bitexact"]
    subprocess.run([*command, path], input=samples.tobytes(), check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where to write")
    options = parser.parse_args()
    for script in SCRIPTS:
        samples = make_recording(script)
        write_flac(samples, options.folder / f"{script.name}.flac")
        (options.folder / f"{script.name}.txt").write_text("\n".join(script.sentences) + "\n")
        print(f"{script.name}: {len(samples) / SAMPLE_RATE:.1f} s")


if __name__ == "__main__":
    main()
