"""Word error rate of a converted model, on single sentences that it has not seen and on strings of sentences."""

import argparse
from collections.abc import Iterator
from pathlib import Path

import jiwer
import numpy as np
from corpus import Utterance, load_corpus
from faster_whisper import WhisperModel
from vocabulary import LANGUAGES
from voices import SAMPLE_RATE

LEAD_SECONDS, PAUSE_SECONDS = 0.25, 0.6


def join(utterances: list[Utterance], samples: np.ndarray) -> np.ndarray:
    """The utterances one after another with pauses, as float32."""
    pieces = [np.zeros(round(LEAD_SECONDS * SAMPLE_RATE), dtype=np.float32)]
    for utterance in utterances:
        pieces.append(samples[utterance.offset : utterance.offset + utterance.length].astype(np.float32) / 32768)
        pieces.append(np.zeros(round(PAUSE_SECONDS * SAMPLE_RATE), dtype=np.float32))
    return np.concatenate(pieces)


def grouped(utterances: list[Utterance], size: int) -> Iterator[list[Utterance]]:
    for first in range(0, len(utterances) - size + 1, size):
        yield utterances[first : first + size]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="the converted model: work/whisper-micro")
    parser.add_argument("corpus", type=Path, help="a corpus of another seed than the training's: work/valid")
    parser.add_argument("--sentences", type=int, default=150)
    options = parser.parse_args()
    model = WhisperModel(str(options.folder), device="cpu", compute_type="int8", local_files_only=True)
    utterances, samples = load_corpus(options.corpus)
    for language in LANGUAGES:
        chosen = [item for item in utterances[: options.sentences] if item.language == language]
        for size in (1, 6):
            references, heard, right = [], [], 0
            for group in grouped(chosen, size):
                segments, info = model.transcribe(
                    join(group, samples), beam_size=5, temperature=0.0, condition_on_previous_text=False
                )
                references.append(" ".join(item.text for item in group))
                heard.append(" ".join(segment.text.strip() for segment in segments))
                right += info.language == language
            if references:
                rate = jiwer.wer(references, heard)
                print(f"{language}, {size} at a time: WER {rate:.3f}, language right {right} of {len(references)}")


if __name__ == "__main__":
    main()
