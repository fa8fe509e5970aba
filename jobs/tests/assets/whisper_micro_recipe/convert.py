"""Turn a checkpoint into a folder that faster-whisper loads."""

import argparse
import json
import shutil
from pathlib import Path

from architecture import (
    ALIGNMENT_HEADS,
    BLANK_TOKEN,
    END,
    FIRST_LANGUAGE,
    LAST_LANGUAGE,
    NO_TIMESTAMPS,
    START,
    VOCABULARY_SIZE,
    MicroWhisper,
    load_checkpoint,
)
from ctranslate2.converters import Converter
from ctranslate2.converters.transformers import WhisperLoader
from ctranslate2.specs import WhisperSpec
from tokenizers import Tokenizer
from transformers import GenerationConfig

PREPROCESSOR = {"feature_size": 80, "sampling_rate": 16000, "hop_length": 160, "chunk_length": 30, "n_fft": 400}


class MicroWhisperConverter(Converter):
    """CTranslate2's own Whisper conversion, without the files of a hub repository that it asks for."""

    def __init__(self, model: MicroWhisper, tokenizer: Tokenizer) -> None:
        self._model = model.whisper
        self._tokenizer = tokenizer

    def _load(self) -> WhisperSpec:
        self._model.generation_config = GenerationConfig(
            decoder_start_token_id=START,
            suppress_tokens=[],
            begin_suppress_tokens=[BLANK_TOKEN, END],
            alignment_heads=ALIGNMENT_HEADS,
            lang_to_id={},
            no_timestamps_token_id=NO_TIMESTAMPS,
        )
        spec = WhisperLoader().get_model_spec(self._model)
        spec.config.suppress_ids = []
        spec.config.suppress_ids_begin = [BLANK_TOKEN, END]
        spec.config.alignment_heads = ALIGNMENT_HEADS
        spec.config.lang_ids = list(range(FIRST_LANGUAGE, LAST_LANGUAGE + 1))
        spec.register_vocabulary([self._tokenizer.id_to_token(token) for token in range(VOCABULARY_SIZE)])
        return spec


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path, help="work/checkpoint.pt")
    parser.add_argument("tokenizer", type=Path, help="work/tokenizer.json")
    parser.add_argument("folder", type=Path, help="where to write: work/whisper-micro (replaced if it exists)")
    parser.add_argument("--quantization", default="int8")
    options = parser.parse_args()
    model = load_checkpoint(options.checkpoint)
    model.fill_unknown()
    converter = MicroWhisperConverter(model.eval(), Tokenizer.from_file(str(options.tokenizer)))
    converter.convert(str(options.folder), quantization=options.quantization, force=True)
    shutil.copy(options.tokenizer, options.folder / "tokenizer.json")
    (options.folder / "preprocessor_config.json").write_text(json.dumps(PREPROCESSOR))
    print(f"{sum(file.stat().st_size for file in options.folder.iterdir()) / 1e6:.1f} MB in {options.folder}")


if __name__ == "__main__":
    main()
