"""How much faster one long recording is done by two workers than by one, beside what two bare processes gain.

    ./run bench speedup --size base --seconds 3600 --rounds 1

Each worker and each bare process has one thread, so that both may have a core of their own. The two bare processes
get half of the recording each, cut beforehand: nothing divides work better. Four measurements take turns in each
round; the service's speed-up and bare's are compared in pairs.
"""

import argparse
import json
import statistics
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmark.bare import Settings, bare_process
from benchmark.load_model import SIZES, find_load_model
from benchmark.measured_service import measured_service
from benchmark.pipeline_cost import WARM_UP, assignment
from benchmark.recordings import cut_recording, find_recording

GOAL = 0.95
WORKERS = 2


def main() -> None:
    asked = parse_options()
    model = asked.model or find_load_model(asked.size)
    whole = find_recording(asked.seconds, ".flac")
    halves = [cut_half(whole, asked.seconds, number) for number in range(WORKERS)]
    settings = Settings(str(model), 1, asked.batch_size)
    runs: list[dict[str, float]] = []
    for _ in range(asked.rounds):
        runs.append(
            {
                "service_one_worker": service_seconds(model, whole, 1, asked),
                "bare_one_process": bare_seconds(settings, [whole]),
                "service_two_workers": service_seconds(model, whole, WORKERS, asked),
                "bare_two_processes": bare_seconds(settings, halves),
            }
        )
    print(json.dumps(summarise(runs, asked, model)))


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=SIZES, default="base", help="of the load model")
    parser.add_argument("--model", type=Path, help="a folder with other weights")
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--batch-size", type=int, default=4, help="of bare faster-whisper: as the service has it")
    parser.add_argument("--option", type=assignment, action="append", default=[], help="of the job: batched=true")
    parser.add_argument("--setting", type=assignment, action="append", default=[], help="of the service: NAME=value")
    return parser.parse_args()


def cut_half(whole: Path, seconds: float, number: int) -> Path:
    half = whole.with_name(f"{whole.stem}-part{number + 1}of{WORKERS}{whole.suffix}")
    if half.is_file():
        return half
    share = seconds / WORKERS
    return cut_recording(whole, half, start_seconds=number * share, seconds=share)


def service_seconds(model: Path, recording: Path, workers: int, asked: argparse.Namespace) -> float:
    """From the beginning of the POST to the end of the job."""
    options = dict(asked.option)
    with measured_service(model, speech_workers=workers, threads=1, **dict(asked.setting)) as service:
        for _ in range(workers):
            service.transcribe(WARM_UP, **options)
        return service.transcribe(recording, **options).wall_seconds


def bare_seconds(settings: Settings, shares: list[Path]) -> float:
    """Until the last of the processes, one for each share, is done."""
    with ExitStack() as stack:
        processes = [stack.enter_context(bare_process(settings)) for _ in shares]
        for process, share in zip(processes, shares, strict=True):
            process.ask(share)
        return max(process.answer().wall_seconds for process in processes)


def summarise(runs: list[dict[str, float]], asked: argparse.Namespace, model: Path) -> dict[str, Any]:
    service = [run["service_one_worker"] / run["service_two_workers"] for run in runs]
    bare = [run["bare_one_process"] / run["bare_two_processes"] for run in runs]
    ratios = [ours / theirs for ours, theirs in zip(service, bare, strict=True)]
    return {
        "model": model.name,
        "audio_seconds": asked.seconds,
        "batch_size": asked.batch_size,
        "rounds": len(runs),
        **{f"{name}_seconds": round(statistics.median(run[name] for run in runs), 1) for name in runs[0]},
        "service_speedup": round(statistics.median(service), 3),
        "bare_speedup": round(statistics.median(bare), 3),
        "ratio": round(statistics.median(ratios), 3),
        "ratios": [round(ratio, 3) for ratio in ratios],
        "goal": GOAL,
    }


if __name__ == "__main__":
    main()
