"""Recordings of any length for the benchmarks, from the speech that is in the checkout.

    ./run bench recordings 3600 hour.opus --seed 7

The sample meeting and the tests' two sentences in any order, each as loud as chance has it, with pauses of a third of
a second to four seconds between them. The encoder is fed as it goes: ten hours take no more memory than a minute. The
name's ending says which format: whatever ffmpeg knows.
"""

import argparse
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).resolve().parents[1]
RECORDINGS = ROOT / "var" / "benchmarks" / "recordings"
SPEECH = tuple(
    ROOT / path for path in ("samples/meeting.flac", "jobs/tests/assets/english.flac", "jobs/tests/assets/russian.flac")
)
SAMPLE_RATE = 16_000
PAUSE_SECONDS = (0.3, 4.0)
LOUDNESS = (0.4, 1.0)
HISS = 6
"""Standard deviation of what is heard in pauses, of 32,768: no recording of a room is silent."""
ENCODERS = {
    ".opus": ("-c:a", "libopus", "-b:a", "24k"),
    ".mp3": ("-b:a", "32k"),
    ".wav": ("-ar", "48000", "-ac", "2", "-c:a", "pcm_s16le"),
}
"""WAV as a recorder of meetings writes it: 192,000 bytes a second."""
WAV_BYTES_PER_SECOND = 192_000

Samples = npt.NDArray[np.int16]


def find_recording(seconds: float, ending: str, *, seed: int = 1, folder: Path = RECORDINGS) -> Path:
    """The file in ``folder`` that is so long, made if need be."""
    path = folder / f"{seconds:g}s-{seed}{ending}"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_stem(f"unfinished-{path.stem}")
        make_recording(unfinished, seconds, seed=seed)
        unfinished.rename(path)
    return path


def make_recording(path: Path, seconds: float, *, seed: int = 1) -> None:
    """Write exactly ``seconds`` of speech and pauses into ``path``; the same for the same seed."""
    raw = ("-f", "s16le", "-ar", str(SAMPLE_RATE), "-ac", "1", "-i", "-")
    encoder = ENCODERS.get(path.suffix, ())
    command = ["ffmpeg", "-v", "error", "-nostdin", "-y", *raw, "-fflags", "+bitexact", *encoder, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        for samples in cut_off(speech_and_pauses(seed), round(seconds * SAMPLE_RATE)):
            process.stdin.write(samples.tobytes())
        process.stdin.close()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)


def cut_recording(source: Path, target: Path, *, start_seconds: float, seconds: float) -> Path:
    """A stretch of ``source`` as a recording of its own."""
    stretch = ("-ss", str(start_seconds), "-t", str(seconds), "-i", str(source))
    encoder = ENCODERS.get(target.suffix, ())
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *stretch, *encoder, str(target)], check=True)
    return target


def speech_and_pauses(seed: int) -> Iterator[Samples]:
    """Without end."""
    chance, noise = random.Random(seed), np.random.default_rng(seed)
    pieces = [decode(path) for path in SPEECH]
    while True:
        for piece in chance.sample(pieces, len(pieces)):
            yield (piece * chance.uniform(*LOUDNESS)).astype("<i2")
            pause = round(chance.uniform(*PAUSE_SECONDS) * SAMPLE_RATE)
            yield (HISS * noise.standard_normal(pause)).astype("<i2")


def decode(path: Path) -> Samples:
    command = ["ffmpeg", "-v", "error", "-nostdin", "-i", str(path)]
    as_samples = ("-f", "s16le", "-ar", str(SAMPLE_RATE), "-ac", "1", "-")
    return np.frombuffer(subprocess.run([*command, *as_samples], capture_output=True, check=True).stdout, dtype="<i2")


def cut_off(stream: Iterator[Samples], count: int) -> Iterator[Samples]:
    """The first ``count`` samples."""
    while count > 0:
        samples = next(stream)[:count]
        count -= len(samples)
        yield samples


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("seconds", type=float)
    parser.add_argument("path", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    make_recording(asked.path, asked.seconds, seed=asked.seed)


if __name__ == "__main__":
    main()
