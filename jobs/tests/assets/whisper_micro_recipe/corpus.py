"""Speak a corpus: ``NAME.samples.npy`` (all utterances end to end) and ``NAME.json`` (what was said where)."""

import argparse
import json
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from vocabulary import make_sentence
from voices import SAMPLE_RATE, Voice, choose_voice, speak

ENGLISH_SHARE = 0.55
SHORTEST_SECONDS, LONGEST_SECONDS = 0.1, 9.0


@dataclass(frozen=True, slots=True)
class Line:
    """One thing to be said."""

    language: str
    text: str
    voice: Voice


@dataclass(frozen=True, slots=True)
class Utterance:
    """One thing said: its samples are ``samples[offset : offset + length]`` of the corpus."""

    language: str
    text: str
    offset: int
    length: int


def write_lines(count: int, seed: int) -> list[Line]:
    """The script of the corpus; the same for the same seed."""
    rng = random.Random(seed)
    lines = []
    for _ in range(count):
        language = "en" if rng.random() < ENGLISH_SHARE else "ru"
        lines.append(Line(language, make_sentence(language, rng), choose_voice(language, rng)))
    return lines


def speak_corpus(lines: list[Line], *, threads: int) -> tuple[list[Utterance], np.ndarray]:
    """Every line spoken, in order; those too short or too long to learn from are left out."""
    utterances, pieces, offset = [], [], 0
    with ThreadPoolExecutor(threads) as pool:
        spoken = pool.map(lambda line: speak(line.text, line.voice), lines)
        for line, samples in zip(lines, spoken, strict=True):
            if SHORTEST_SECONDS <= len(samples) / SAMPLE_RATE <= LONGEST_SECONDS:
                utterances.append(Utterance(line.language, line.text, offset, len(samples)))
                pieces.append(samples)
                offset += len(samples)
    return utterances, np.concatenate(pieces)


def load_corpus(name: Path) -> tuple[list[Utterance], np.ndarray]:
    """What ``main`` wrote as ``name``."""
    utterances = [Utterance(**fields) for fields in json.loads(name.with_suffix(".json").read_text())]
    return utterances, np.load(name.with_suffix(".samples.npy"), mmap_mode="r")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", type=Path, help="where to write, without suffix: work/train")
    parser.add_argument("--sentences", type=int, default=12_000)
    parser.add_argument("--seed", type=int, default=1, help="take another one for the validation corpus")
    parser.add_argument("--threads", type=int, default=4)
    options = parser.parse_args()
    utterances, samples = speak_corpus(write_lines(options.sentences, options.seed), threads=options.threads)
    options.name.parent.mkdir(parents=True, exist_ok=True)
    np.save(options.name.with_suffix(".samples.npy"), samples)
    rows = [asdict(utterance) for utterance in utterances]
    options.name.with_suffix(".json").write_text(json.dumps(rows, ensure_ascii=False))
    print(f"{len(utterances)} utterances, {len(samples) / SAMPLE_RATE / 3600:.2f} hours")


if __name__ == "__main__":
    main()
