"""A Whisper of the exact size of tiny, base or small that hears one and the same sentence in every window.

    ./run bench load_model base var/models/base

What takes time is as it is in the real model: every layer is computed, on int8 weights of the same shapes. What it says
is known, so that benchmarks need no download, and any two ways to run it must agree on the text.

How: the decoder's layers add next to nothing to the residual stream, and the vector of each position is the embedding
of the token that is to follow there. Weights are not zero, only small: equal weights would be stored once for all
layers, and would be read from the processor's cache where the real ones come from memory.
"""

import argparse
import functools
import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tokenizers
from ctranslate2.specs import common_spec, transformer_spec, whisper_spec

SENTENCE = (
    " The quarterly meeting opened with a short review of the budget, after which the product team described what they"
    " had learned from customers, why the launch moved to July, and how many people the new office in the north will"
    " need before winter."
)
"""47 tokens: between its two timestamps about what somebody says in half a minute."""

ROOT = Path(__file__).resolve().parents[1]
MODELS = ROOT / "var" / "benchmarks" / "models"
TOKENIZER = ROOT / "jobs" / "tests" / "assets" / "whisper-micro"
"""Whisper's own multilingual vocabulary, with the special tokens in their places."""

WINDOW_FRAMES, TEXT_POSITIONS, MEL_BINS = 1500, 448, 80
LANGUAGES = 99
SPREAD = 0.02
"""Standard deviation of weights and embeddings, as Whisper's begin their training."""
NEXT_TO_NOTHING = 1e-6
POSITION_WEIGHT, FINAL_GAIN = 20.0, 3.0
"""By these the token of a position is 19 nats more probable than all others together."""

Weights = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Size:
    """The architecture of a published model. ``alignment`` are the heads that word times come from: layer, head."""

    width: int
    layers: int
    heads: int
    alignment: tuple[tuple[int, int], ...]


SIZES = {
    "tiny": Size(384, 4, 6, ((2, 2), (3, 0), (3, 2), (3, 3), (3, 4), (3, 5))),
    "base": Size(512, 6, 8, ((3, 1), (4, 2), (4, 3), (4, 7), (5, 1), (5, 2), (5, 4), (5, 6))),
    "small": Size(
        768, 12, 12,
        ((5, 3), (5, 9), (8, 0), (8, 4), (8, 7), (8, 8), (9, 0), (9, 7), (9, 9), (10, 5)),
    ),
}  # fmt: skip


def find_load_model(size: str, models: Path = MODELS) -> Path:
    """The folder ``models/size``, made if need be."""
    folder = models / size
    if not (folder / "model.bin").is_file():
        models.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=models) as unfinished:
            make_load_model(size, Path(unfinished) / size)
            (Path(unfinished) / size).rename(folder)
    return folder


def make_load_model(size: str, folder: Path) -> None:
    """Write the model, its vocabulary and its tokenizer into a new ``folder``."""
    folder.mkdir(parents=True)
    spec = fill_spec(size)
    spec.optimize(quantization="int8")
    spec.save(str(folder))
    for name in ("tokenizer.json", "preprocessor_config.json"):
        shutil.copy(TOKENIZER / name, folder)


def fill_spec(size: str) -> whisper_spec.WhisperSpec:
    """The whole model in single precision."""
    shape = SIZES[size]
    spec = whisper_spec.WhisperSpec(shape.layers, shape.heads, shape.layers, shape.heads)
    chance = Chance(shape.width)
    set_encoder(spec.encoder, chance)
    set_decoder(spec.decoder, chance)
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = [220, token_id("<|endoftext|>")]  # as in the published ones: no blank, no end
    spec.config.lang_ids = [token_id("<|en|>") + number for number in range(LANGUAGES)]
    spec.config.alignment_heads = [list(head) for head in shape.alignment]
    spec.register_vocabulary(vocabulary())
    spec.validate()
    return spec


class Chance:
    """Weights of a model ``width`` wide, from one seed."""

    def __init__(self, width: int) -> None:
        self.width = width
        self._generator = np.random.default_rng(0)

    def draw(self, *shape: int, spread: float = SPREAD) -> Weights:
        return spread * self._generator.standard_normal(shape, dtype=np.float32)

    def fill(
        self, linear: common_spec.LinearSpec, outputs: int, inputs: int | None = None, spread: float = SPREAD
    ) -> None:
        linear.weight = self.draw(outputs, inputs or self.width, spread=spread)
        linear.bias = np.zeros(outputs, dtype=np.float32)

    def normalise(self, norm: common_spec.LayerNormSpec, gain: float = 1.0) -> None:
        norm.gamma = np.full(self.width, gain, dtype=np.float32)
        norm.beta = np.zeros(self.width, dtype=np.float32)


def set_encoder(encoder: whisper_spec.WhisperEncoderSpec, chance: Chance) -> None:
    width = chance.width
    for convolution, channels in ((encoder.conv1, MEL_BINS), (encoder.conv2, width)):
        convolution.weight = chance.draw(width, channels, 3)
        convolution.bias = np.zeros(width, dtype=np.float32)
    encoder.position_encodings.encodings = chance.draw(WINDOW_FRAMES, width)
    chance.normalise(encoder.layer_norm)
    for layer in encoder.layer:
        set_self_attention(layer.self_attention, chance, SPREAD)
        set_feed_forward(layer.ffn, chance, SPREAD)


def set_decoder(decoder: transformer_spec.TransformerDecoderSpec, chance: Chance) -> None:
    embeddings = chance.draw(len(vocabulary()), chance.width)
    decoder.embeddings.weight = decoder.projection.weight = embeddings
    decoder.position_encodings.encodings = POSITION_WEIGHT * embeddings[tokens_by_position()]
    chance.normalise(decoder.layer_norm, FINAL_GAIN)
    for layer in decoder.layer:
        set_self_attention(layer.self_attention, chance, NEXT_TO_NOTHING)
        chance.normalise(layer.attention.layer_norm)
        chance.fill(layer.attention.linear[0], chance.width)
        chance.fill(layer.attention.linear[1], 2 * chance.width)
        chance.fill(layer.attention.linear[2], chance.width, spread=NEXT_TO_NOTHING)
        set_feed_forward(layer.ffn, chance, NEXT_TO_NOTHING)


def set_self_attention(attention: object, chance: Chance, output_spread: float) -> None:
    chance.normalise(attention.layer_norm)
    chance.fill(attention.linear[0], 3 * chance.width)
    chance.fill(attention.linear[1], chance.width, spread=output_spread)


def set_feed_forward(block: transformer_spec.FeedForwardSpec, chance: Chance, output_spread: float) -> None:
    chance.normalise(block.layer_norm)
    chance.fill(block.linear_0, 4 * chance.width)
    chance.fill(block.linear_1, chance.width, 4 * chance.width, spread=output_spread)


def tokens_by_position() -> list[int]:
    """Which token follows at each position: behind the start the language and the task, then times and sentence."""
    tokenizer = tokenizers.Tokenizer.from_file(str(TOKENIZER / "tokenizer.json"))
    text = tokenizer.encode(SENTENCE, add_special_tokens=False).ids
    begin = [token_id(token) for token in ("<|en|>", "<|transcribe|>", "<|0.00|>")]
    tokens = [*begin, *text, token_id("<|29.00|>")]
    return tokens + [token_id("<|endoftext|>")] * (TEXT_POSITIONS - len(tokens))


@functools.cache
def vocabulary() -> list[str]:
    found: list[str] = json.loads((TOKENIZER / "vocabulary.json").read_text(encoding="utf-8"))
    return found


def token_id(text: str) -> int:
    return vocabulary().index(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("size", choices=SIZES)
    parser.add_argument("folder", type=Path)
    asked = parser.parse_args()
    make_load_model(asked.size, asked.folder)


if __name__ == "__main__":
    main()
