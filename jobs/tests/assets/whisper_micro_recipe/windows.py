"""Training windows: sentences of one language laid out with pauses, and the tokens Whisper should write for them."""

import random
from dataclasses import dataclass, field

import numpy as np
import torch
from architecture import (
    END,
    FIRST_TIMESTAMP,
    NO_SPEECH,
    NO_TIMESTAMPS,
    START,
    TIMESTAMP_COUNT,
    TRANSCRIBE,
    language_token,
    text_to_tokens,
)
from features import Example
from tokenizers import Tokenizer
from vocabulary import LANGUAGES

IGNORED = -100
PAUSE_FRAMES = (15, 100)
TIMESTAMPS_SHARE = 0.75
MEAN_LEAD_FRAMES = 20
LONG_WINDOW_FRAMES = 2_000
STOP_CHANCE_SHORT, STOP_CHANCE_LONG = 0.3, 0.08
"""After each sentence: the chance that the window holds no more. Long windows are to be dense."""
SILENT_MEL = -1.5


@dataclass(slots=True)
class Window:
    """One window: what is said from which frame on, in which language."""

    language: str
    spoken: list[tuple[int, Example]] = field(default_factory=list)


@dataclass(slots=True)
class Batch:
    """``mel (batch, 80, frames)``, decoder input and target ``(batch, length)``, CTC targets end to end."""

    mel: torch.Tensor
    inputs: torch.Tensor
    targets: torch.Tensor
    ctc_targets: torch.Tensor
    ctc_lengths: torch.Tensor


class WindowMaker:
    """Draws windows and batches; the same ones for the same seed."""

    def __init__(
        self, examples: list[Example], mel: np.ndarray, tokenizer: Tokenizer, known: list[int], seed: int
    ) -> None:
        self._rng = random.Random(seed)
        self._noise = np.random.default_rng(seed)
        self._mel = mel
        self._by_language = {code: [item for item in examples if item.language == code] for code in LANGUAGES}
        self._text_tokens = {item.text: text_to_tokens(item.text, tokenizer) for item in examples}
        self._language_tokens = {code: language_token(code, tokenizer) for code in LANGUAGES}
        self._column = {token: column for column, token in enumerate(known)}

    def draw_batch(self, size: int, frames: int) -> Batch:
        """``size`` windows of ``frames`` frames each."""
        windows = [self._draw_window(frames) for _ in range(size)]
        mel = np.stack([self._paint(window, frames) for window in windows])
        tokens = [self._write(window) for window in windows]
        length = max(len(sequence) for sequence in tokens) - 1
        inputs = torch.full((size, length), END)
        targets = torch.full((size, length), IGNORED)
        for row, sequence in enumerate(tokens):
            inputs[row, : len(sequence) - 1] = torch.tensor(sequence[:-1])
            targets[row, : len(sequence) - 1] = torch.tensor([self._column[token] for token in sequence[1:]])
            if len(sequence) > 3:
                targets[row, 1] = IGNORED  # the task is given, not recognised
        heard = [[self._column[token] for token in self._heard(window)] for window in windows]
        flat = torch.tensor([column for columns in heard for column in columns], dtype=torch.long)
        return Batch(torch.from_numpy(mel), inputs, targets, flat, torch.tensor([len(columns) for columns in heard]))

    def _draw_window(self, frames: int) -> Window:
        rng = self._rng
        window = Window(rng.choice(LANGUAGES))
        at = int(rng.expovariate(1 / MEAN_LEAD_FRAMES)) if rng.random() < 0.7 else rng.randint(0, 200)
        stop_chance = STOP_CHANCE_SHORT if frames < LONG_WINDOW_FRAMES else STOP_CHANCE_LONG
        while True:
            example = rng.choice(self._by_language[window.language])
            if at + example.frames > frames - 5:
                return window
            window.spoken.append((at, example))
            at += example.frames + rng.randint(*PAUSE_FRAMES)
            if rng.random() < stop_chance:
                return window

    def _paint(self, window: Window, frames: int) -> np.ndarray:
        """The window's features. After the sound they are 0, because faster-whisper pads features, not samples."""
        rng = self._rng
        pieces = [(at, self._mel[:, item.offset : item.offset + item.frames]) for at, item in window.spoken]
        floor = min((float(piece.min()) for _, piece in pieces), default=SILENT_MEL)
        mel = np.full((80, frames), floor, dtype=np.float32)
        if not pieces:
            mel += np.abs(self._noise.normal(size=mel.shape) * 0.1) * rng.random()
            mel[:, rng.randint(0, frames) :] = 0
            return mel
        mel[:, max(at + piece.shape[1] for at, piece in pieces) + rng.randint(0, 120) :] = 0
        for at, piece in pieces:
            mel[:, at : at + piece.shape[1]] = piece
        self._mask(mel, floor)
        return mel

    def _mask(self, mel: np.ndarray, floor: float) -> None:
        """SpecAugment: blot out two narrow bands and two short moments."""
        rng = self._rng
        for _ in range(2):
            width = rng.randint(0, 10)
            first = rng.randint(0, 79 - width)
            mel[first : first + width] = floor
            width = rng.randint(0, 12)
            first = rng.randint(0, mel.shape[1] - width)
            mel[:, first : first + width] = floor

    def _write(self, window: Window) -> list[int]:
        if not window.spoken:
            return [START, NO_SPEECH]
        with_times = self._rng.random() < TIMESTAMPS_SHARE
        sequence = [START, self._language_tokens[window.language], TRANSCRIBE]
        sequence += [] if with_times else [NO_TIMESTAMPS]
        for at, example in window.spoken:
            text = self._text_tokens[example.text]
            sequence += [_timestamp(at), *text, _timestamp(at + example.frames)] if with_times else text
        return [*sequence, END]

    def _heard(self, window: Window) -> list[int]:
        return [token for _, example in window.spoken for token in self._text_tokens[example.text]]


def _timestamp(frame: int) -> int:
    return FIRST_TIMESTAMP + min(TIMESTAMP_COUNT - 1, frame // 2)
