"""How fast faster-whisper itself is on this machine: one window after the other, in batches, and in two processes.

    ./run bench ceilings --size base --seconds 600 --rounds 3

Each way in a fresh process with the model loaded and warm, all of them on the same cuts of the same recording: decoding
and finding the speech are not counted, and are given apart. The ways take turns, round by round. Prints JSON: medians
of wall and processor seconds, the real-time factor (RTF) and the most resident memory.
"""

import argparse
import json
import os
import random
import statistics
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmark.bare import Cut, Figures, Settings, bare_process
from benchmark.load_model import SIZES, find_load_model
from benchmark.recordings import find_recording

BATCH_SIZES = (1, 2, 4, 8, 16)
WINDOW_SECONDS = 30


def main() -> None:
    asked = parse_options()
    model = str(asked.model or find_load_model(asked.size))
    recording = find_recording(asked.seconds, ".flac")
    cuts, preparation = prepare(recording)
    threads = os.cpu_count() or 1
    ways = {"sequential": [Settings(model, threads, 0)]}
    ways |= {f"batched {size}": [Settings(model, threads, size)] for size in asked.batch_sizes}
    ways["two processes of one thread"] = [Settings(model, 1, asked.shared_batch_size)] * 2
    found: dict[str, list[dict[str, float]]] = {name: [] for name in ways}
    chance = random.Random(1)
    for _ in range(asked.rounds):
        for name in chance.sample(list(ways), len(ways)):
            found[name].append(measure_once(recording, cuts, ways[name]))
    medians = {name: summarise(runs, asked.seconds) for name, runs in found.items()}
    batched = [name for name in ways if name.startswith("batched")]
    figures = {
        "model": Path(model).name,
        "audio_seconds": asked.seconds,
        "windows": len(cuts),
        "threads": threads,
        "rounds": asked.rounds,
        "preparation": preparation,
        "ways": medians,
        "fastest_batched": min(batched, key=lambda name: medians[name]["wall_seconds"]),
        "least_cpu_batched": min(batched, key=lambda name: medians[name]["cpu_seconds"]),
    }
    print(json.dumps(figures))


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=SIZES, default="base", help="of the load model")
    parser.add_argument("--model", type=Path, help="a folder with other weights")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch-sizes", type=int, nargs="*", default=BATCH_SIZES)
    parser.add_argument("--shared-batch-size", type=int, default=8, help="of the two processes")
    return parser.parse_args()


def prepare(recording: Path) -> tuple[list[Cut], dict[str, float]]:
    """What all ways are given, and what it took to make it, in seconds."""
    from faster_whisper.audio import decode_audio
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    wall, cpu = time.monotonic(), time.process_time()
    audio = decode_audio(str(recording))
    decoded, decoded_cpu = time.monotonic() - wall, time.process_time() - cpu
    # The options that the library's batched way takes by itself.
    found = get_speech_timestamps(audio, VadOptions(max_speech_duration_s=WINDOW_SECONDS, min_silence_duration_ms=160))
    seconds = {
        "decode_wall_seconds": round(decoded, 2),
        "decode_cpu_seconds": round(decoded_cpu, 2),
        "vad_wall_seconds": round(time.monotonic() - wall - decoded, 2),
        "vad_cpu_seconds": round(time.process_time() - cpu - decoded_cpu, 2),
    }
    return pack([(clip["start"] / 16_000, clip["end"] / 16_000) for clip in found]), seconds


def pack(speech: Sequence[Cut]) -> list[Cut]:
    """Neighbours joined, with what is between them, as long as they fit a window."""
    cuts: list[Cut] = []
    for start, end in speech:
        if cuts and end - cuts[-1][0] <= WINDOW_SECONDS:
            cuts[-1] = (cuts[-1][0], end)
        else:
            cuts.append((start, end))
    return cuts


def measure_once(recording: Path, cuts: list[Cut], processes: list[Settings]) -> dict[str, float]:
    """All processes at once, each with its share of the cuts: the longest wall time, the sums of everything else."""
    share = -(-len(cuts) // len(processes))
    with ExitStack() as stack:
        children = [stack.enter_context(bare_process(settings)) for settings in processes]
        for number, child in enumerate(children):
            child.ask(recording, cuts[number * share : (number + 1) * share])
        answers: list[Figures] = [child.answer() for child in children]
    return {
        "wall_seconds": max(answer.wall_seconds for answer in answers),
        "cpu_seconds": sum(answer.cpu_seconds for answer in answers),
        "peak_rss_megabytes": sum(answer.peak_rss_bytes for answer in answers) / 1e6,
    }


def summarise(runs: list[dict[str, float]], audio_seconds: float) -> dict[str, Any]:
    medians = {name: round(statistics.median(run[name] for run in runs), 2) for name in runs[0]}
    return medians | {
        "rtf": round(medians["wall_seconds"] / audio_seconds, 4),
        "wall_seconds_of_all": [round(run["wall_seconds"], 2) for run in runs],
        "cpu_seconds_of_all": [round(run["cpu_seconds"], 2) for run in runs],
    }


if __name__ == "__main__":
    main()
