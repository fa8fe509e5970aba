"""The network: Whisper's own architecture, 128 wide, and what training adds to it and conversion leaves away."""

from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch.nn import functional
from transformers import WhisperConfig, WhisperForConditionalGeneration

WIDTH = 128
ENCODER_LAYERS, DECODER_LAYERS, HEADS = 3, 2, 4
VOCABULARY_SIZE = 51_865  # CTranslate2 takes a model for multilingual only from this size on
WINDOW_FRAMES = 3_000  # 30 s; faster-whisper always pads to this, so the encoder needs all 1,500 positions
DROPOUT = 0.05

END, START = 50257, 50258
FIRST_LANGUAGE, LAST_LANGUAGE = 50259, 50357
TRANSLATE, TRANSCRIBE = 50358, 50359
NO_SPEECH, NO_TIMESTAMPS, FIRST_TIMESTAMP = 50362, 50363, 50364
TIMESTAMP_COUNT = 1501
BLANK_TOKEN = 220
ALIGNMENT_HEADS = [[DECODER_LAYERS - 1, head] for head in range(HEADS)]
"""The cross-attention that word timestamps are read from: every head of the last layer."""


class MicroWhisper(torch.nn.Module):
    """Whisper with the two additions that make it learn within hours on a processor.

    * ``ctc``: a linear layer on the encoder with a CTC loss. It makes the encoder hear words early; without it the
      decoder learns the language of the templates and never looks at the sound.
    * Only ``known`` entries of the vocabulary (those that occur) are scored. All others share one learned vector,
      ``unknown``, which conversion copies into their rows so that they never win.
    """

    def __init__(self, known: list[int], text_count: int) -> None:
        super().__init__()
        self.whisper = WhisperForConditionalGeneration(whisper_config())
        self.known = known
        self.text_count = text_count
        self.ctc = torch.nn.Linear(WIDTH, text_count + 1)
        self.unknown = torch.nn.Parameter(torch.zeros(WIDTH))

    def encode(self, mel: torch.Tensor) -> torch.Tensor:
        """Features ``(batch, 80, frames)`` to states ``(batch, frames / 2, WIDTH)``, for windows of any length."""
        encoder = self.whisper.model.encoder
        states = functional.gelu(encoder.conv1(mel))
        states = functional.gelu(encoder.conv2(states)).transpose(1, 2)
        states = states + encoder.embed_positions.weight[: states.shape[1]]
        states = functional.dropout(states, DROPOUT, self.training)
        for layer in encoder.layers:
            output = layer(states, None)
            states = output[0] if isinstance(output, tuple) else output
        return encoder.layer_norm(states)

    def score(self, tokens: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
        """Logits ``(batch, length, len(known) + 1)`` of the next token; the last column stands for all the others."""
        decoder = self.whisper.model.decoder
        hidden = decoder(input_ids=tokens, encoder_hidden_states=states).last_hidden_state
        rows = torch.cat([decoder.embed_tokens.weight[self.known], self.unknown[None]])
        return hidden @ rows.T

    @torch.no_grad()
    def fill_unknown(self) -> None:
        """Give every entry of the vocabulary that never occurred the shared vector."""
        unknown = torch.ones(VOCABULARY_SIZE, dtype=torch.bool)
        unknown[self.known] = False
        self.whisper.model.decoder.embed_tokens.weight[unknown] = self.unknown


def whisper_config() -> WhisperConfig:
    """Whisper's configuration at this size."""
    return WhisperConfig(
        vocab_size=VOCABULARY_SIZE,
        num_mel_bins=80,
        d_model=WIDTH,
        encoder_layers=ENCODER_LAYERS,
        decoder_layers=DECODER_LAYERS,
        encoder_attention_heads=HEADS,
        decoder_attention_heads=HEADS,
        encoder_ffn_dim=4 * WIDTH,
        decoder_ffn_dim=4 * WIDTH,
        max_source_positions=WINDOW_FRAMES // 2,
        max_target_positions=448,
        dropout=DROPOUT,
        attention_dropout=0.0,
        activation_dropout=0.0,
        pad_token_id=END,
        bos_token_id=END,
        eos_token_id=END,
        decoder_start_token_id=START,
    )


def known_tokens(texts: set[str], languages: tuple[str, ...], tokenizer: Tokenizer) -> tuple[list[int], int]:
    """All tokens that can occur, those of texts first; and how many are of texts."""
    text_tokens = sorted({token for text in texts for token in text_to_tokens(text, tokenizer)})
    special = [END, START, TRANSLATE, TRANSCRIBE, NO_SPEECH, NO_TIMESTAMPS]
    special += [language_token(language, tokenizer) for language in languages]
    return [*text_tokens, *special, *range(FIRST_TIMESTAMP, FIRST_TIMESTAMP + TIMESTAMP_COUNT)], len(text_tokens)


def text_to_tokens(text: str, tokenizer: Tokenizer) -> list[int]:
    """As Whisper writes it: with a space before the first word."""
    return list(tokenizer.encode(" " + text).ids)


def language_token(language: str, tokenizer: Tokenizer) -> int:
    return int(tokenizer.token_to_id(f"<|{language}|>"))


def save_checkpoint(model: MicroWhisper, path: Path) -> None:
    torch.save({"known": model.known, "text_count": model.text_count, "state": model.state_dict()}, path)


def load_checkpoint(path: Path) -> MicroWhisper:
    saved = torch.load(path)
    model = MicroWhisper(saved["known"], saved["text_count"])
    model.load_state_dict(saved["state"])
    return model
