"""Log mel features of a corpus, at random loudness and noise: ``NAME.mel.npy`` and ``NAME.mel.json``.

The features are faster-whisper's own, so that training and recognition see the same numbers.
"""

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from corpus import load_corpus
from faster_whisper.feature_extractor import FeatureExtractor

HOP_SAMPLES = 160
LOUDNESS = (0.2, 0.95)
SIGNAL_TO_NOISE_DB = (20, 60)


@dataclass(frozen=True, slots=True)
class Example:
    """One utterance as features: ``mel[:, offset : offset + frames]``, 10 ms a frame."""

    language: str
    text: str
    offset: int
    frames: int


def vary(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """s16 samples as float32 at another loudness, with white noise."""
    audio = samples.astype(np.float32) / 32768
    audio = audio / np.abs(audio).max() * rng.uniform(*LOUDNESS)
    noise_power = (audio**2).mean() / 10 ** (rng.uniform(*SIGNAL_TO_NOISE_DB) / 10)
    return audio + rng.normal(size=len(audio)).astype(np.float32) * np.sqrt(noise_power)


def load_examples(name: Path) -> tuple[list[Example], np.ndarray]:
    """What ``main`` wrote for ``name``: the examples, and the features of shape ``(80, n_frames)``."""
    examples = [Example(**fields) for fields in json.loads(name.with_suffix(".mel.json").read_text())]
    return examples, np.load(name.with_suffix(".mel.npy"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", type=Path, help="the corpus, without suffix: work/train")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    extract = FeatureExtractor(feature_size=80, chunk_length=10)
    utterances, samples = load_corpus(options.name)
    examples, pieces, offset = [], [], 0
    for utterance in utterances:
        audio = vary(samples[utterance.offset : utterance.offset + utterance.length], rng)
        mel = extract(audio, padding=0)[:, : len(audio) // HOP_SAMPLES]
        examples.append(Example(utterance.language, utterance.text, offset, mel.shape[1]))
        pieces.append(mel.astype(np.float16))
        offset += mel.shape[1]
    np.save(options.name.with_suffix(".mel.npy"), np.concatenate(pieces, axis=1))
    rows = [asdict(example) for example in examples]
    options.name.with_suffix(".mel.json").write_text(json.dumps(rows, ensure_ascii=False))
    print(f"{len(examples)} examples, {offset} frames")


if __name__ == "__main__":
    main()
