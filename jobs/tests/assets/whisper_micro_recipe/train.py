"""Train the model on a processor: about two hours on two cores for the default number of steps."""

import argparse
import math
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from architecture import WINDOW_FRAMES, MicroWhisper, known_tokens, load_checkpoint, save_checkpoint
from features import load_examples
from tokenizers import Tokenizer
from torch.nn import functional
from vocabulary import LANGUAGES
from windows import IGNORED, Batch, WindowMaker

LEARNING_RATE = 6e-4
LAST_LEARNING_RATE_SHARE = 0.03
WARM_UP_STEPS = 50
WEIGHT_DECAY = 0.01
LABEL_SMOOTHING = 0.02
SHORT_FRAMES, SHORT_BATCH, LONG_BATCH = 1_000, 16, 6
SHORT_ONLY_SHARE = 0.3
"""The first part of the training sees short windows only: alignment appears sooner there, and they cost less."""
CTC_WEIGHT_FIRST, CTC_WEIGHT_LAST = 0.5, 0.15
REPORT_STEPS, SAVE_STEPS = 50, 500


@dataclass(frozen=True, slots=True)
class Losses:
    """Of one step: the encoder's and the decoder's."""

    ctc: torch.Tensor
    decoder: torch.Tensor


def compute_losses(model: MicroWhisper, batch: Batch) -> Losses:
    states = model.encode(batch.mel)
    log_probabilities = functional.log_softmax(model.ctc(states), dim=-1).transpose(0, 1)
    lengths = torch.full((len(batch.mel),), states.shape[1])
    ctc = functional.ctc_loss(
        log_probabilities,
        batch.ctc_targets,
        lengths,
        batch.ctc_lengths,
        blank=model.text_count,
        zero_infinity=True,
    )
    logits = model.score(batch.inputs, states)
    decoder = functional.cross_entropy(
        logits.flatten(0, 1), batch.targets.flatten(), ignore_index=IGNORED, label_smoothing=LABEL_SMOOTHING
    )
    return Losses(ctc, decoder)


def learning_rate(step: int, steps: int) -> float:
    """A short warm-up, then half a cosine."""
    falling = 0.5 * (1 + math.cos(math.pi * step / steps))
    share = falling * (1 - LAST_LEARNING_RATE_SHARE) + LAST_LEARNING_RATE_SHARE
    return LEARNING_RATE * min(1.0, (step + 1) / WARM_UP_STEPS) * share


def draw_batch(windows: WindowMaker, step: int, steps: int) -> Batch:
    """One short batch in three; before that, short ones only."""
    if step < SHORT_ONLY_SHARE * steps or step % 3 == 0:
        return windows.draw_batch(SHORT_BATCH, SHORT_FRAMES)
    return windows.draw_batch(LONG_BATCH, WINDOW_FRAMES)


def train(model: MicroWhisper, windows: WindowMaker, *, steps: int, checkpoint: Path) -> None:
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=LEARNING_RATE, betas=(0.9, 0.98), weight_decay=WEIGHT_DECAY)
    started = time.monotonic()
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, steps)
        losses = compute_losses(model, draw_batch(windows, step, steps))
        ctc_weight = CTC_WEIGHT_FIRST + (CTC_WEIGHT_LAST - CTC_WEIGHT_FIRST) * step / steps
        optimizer.zero_grad()
        (ctc_weight * losses.ctc + (1 - ctc_weight) * losses.decoder).backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        if (step + 1) % REPORT_STEPS == 0:
            minutes = (time.monotonic() - started) / 60
            print(f"{minutes:.1f} min, step {step + 1}: ctc {losses.ctc:.3f}, decoder {losses.decoder:.3f}", flush=True)
        if (step + 1) % SAVE_STEPS == 0:
            save_checkpoint(model, checkpoint)
    model.fill_unknown()
    save_checkpoint(model, checkpoint)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path, help="features to learn from, without suffix: work/train")
    parser.add_argument("tokenizer", type=Path, help="work/tokenizer.json")
    parser.add_argument("checkpoint", type=Path, help="where to write the trained weights: work/checkpoint.pt")
    parser.add_argument("--steps", type=int, default=6_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--resume", type=Path, help="a checkpoint to go on from")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    tokenizer = Tokenizer.from_file(str(options.tokenizer))
    examples, mel = load_examples(options.corpus)
    if options.resume:
        model = load_checkpoint(options.resume)
    else:
        model = MicroWhisper(*known_tokens({item.text for item in examples}, LANGUAGES, tokenizer))
    windows = WindowMaker(examples, mel, tokenizer, model.known, options.seed)
    train(model.train(), windows, steps=options.steps, checkpoint=options.checkpoint)


if __name__ == "__main__":
    main()
