"""Make ``meeting.flac`` from ``meeting.txt``: a one-minute team meeting in three synthetic voices.

Every line of the text is one turn, and ``SPEAKERS`` says whose. flite speaks each sentence in the voice of that person,
with pauses between sentences and between turns as in a real conversation, and ffmpeg writes 16 kHz mono FLAC.

    sudo apt-get install flite ffmpeg
    python samples/make_meeting.py
"""

import itertools
import re
import subprocess
import tempfile
import wave
from pathlib import Path

HERE = Path(__file__).resolve().parent
TEXT = HERE / "meeting.txt"
RECORDING = HERE / "meeting.flac"

SAMPLE_RATE = 16_000
VOICES = {"Anna": "slt", "Robert": "rms", "Andrew": "awb"}
SPEAKERS = ("Robert", "Anna", "Andrew", "Robert", "Andrew", "Anna", "Robert", "Anna", "Robert")
"""Who says which line of the text."""
TURN_PAUSES_SECONDS = (0.25, 0.1, 0.45, 0.15, 0.35, 0.5)
SENTENCE_PAUSE_SECONDS = 0.05
"""Added to the 0.35 s that flite itself leaves around a sentence: 0.45 to 0.85 s between turns, 0.4 s within."""


def read_turns(text: str) -> list[tuple[str, list[str]]]:
    """The turns of a meeting as (person, sentences), one for each line that is not empty."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return [(person, re.split(r"(?<=[.?!]) ", line)) for person, line in zip(SPEAKERS, lines, strict=True)]


def speak(sentence: str, voice: str, scratch: Path) -> bytes:
    """``sentence`` in one of flite's voices, as 16-bit samples at 16 kHz."""
    subprocess.run(["flite", "-voice", voice, "-t", sentence, "-o", str(scratch)], check=True)
    with wave.open(str(scratch)) as recording:
        if (recording.getframerate(), recording.getnchannels()) != (SAMPLE_RATE, 1):
            raise SystemExit(f"flite's voice {voice} is not 16 kHz mono: take one of {', '.join(VOICES.values())}")
        return recording.readframes(recording.getnframes())


def silence(seconds: float) -> bytes:
    return bytes(2 * round(seconds * SAMPLE_RATE))


def speak_turn(sentences: list[str], voice: str, scratch: Path) -> bytes:
    return silence(SENTENCE_PAUSE_SECONDS).join(speak(sentence, voice, scratch) for sentence in sentences)


def speak_meeting(turns: list[tuple[str, list[str]]], scratch: Path) -> bytes:
    """All turns one after another, with a pause after each."""
    return b"".join(
        speak_turn(sentences, VOICES[person], scratch) + silence(pause)
        for (person, sentences), pause in zip(turns, itertools.cycle(TURN_PAUSES_SECONDS), strict=False)
    )


def write_flac(samples: bytes, path: Path) -> None:
    source = ["-f", "s16le", "-ar", str(SAMPLE_RATE), "-ac", "1", "-i", "pipe:0"]
    target = ["-map_metadata", "-1", "-fflags", "+bitexact", "-flags:a", "+bitexact", "-compression_level", "8"]
    subprocess.run(["ffmpeg", "-v", "error", "-y", *source, *target, str(path)], input=samples, check=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        samples = speak_meeting(read_turns(TEXT.read_text()), Path(folder) / "turn.wav")
    write_flac(samples, RECORDING)
    print(f"{RECORDING.name}: {len(samples) / 2 / SAMPLE_RATE:.1f} seconds")


if __name__ == "__main__":
    main()
