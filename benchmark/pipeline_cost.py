"""What the service costs over bare faster-whisper: POST to done, against the same work in a loaded process.

    ./run bench pipeline_cost --size base --seconds 600 --rounds 5 --batch-size 8

Both are given the same file and the same settings, take turns on an otherwise idle machine, and their figures are
compared in pairs. The service: one speech worker, a light worker, a reconciler, Redis and the web process, all of whose
processor time counts. Bare: ``BatchedInferencePipeline.transcribe(path)``, which decodes and finds the speech, too.
"""

import argparse
import json
import os
import statistics
from pathlib import Path
from typing import Any

from benchmark.bare import Figures, Settings, bare_process
from benchmark.load_model import SIZES, find_load_model
from benchmark.measured_service import JobFigures, measured_service
from benchmark.recordings import ROOT, find_recording

GOALS = {"wall_ratio": 1.05, "cpu_ratio": 1.08}
WARM_UP = ROOT / "jobs" / "tests" / "assets" / "english.flac"

Pair = tuple[JobFigures, Figures]


def main() -> None:
    asked = parse_options()
    model = asked.model or find_load_model(asked.size)
    recording = find_recording(asked.seconds, asked.ending)
    settings = Settings(str(model), os.cpu_count() or 1, asked.batch_size, asked.beam_size, asked.language)
    options = {"beam_size": str(asked.beam_size), **dict(asked.option)}
    if asked.language:
        options["language"] = asked.language
    pairs: list[Pair] = []
    with measured_service(model, **dict(asked.setting)) as service, bare_process(settings) as bare:
        service.transcribe(WARM_UP, **options)
        for number in range(asked.rounds):
            if number % 2:  # whoever is first: the machine may get slower or faster meanwhile
                bare_figures = bare.transcribe(recording)
                pairs.append((service.transcribe(recording, **options), bare_figures))
            else:
                pairs.append((service.transcribe(recording, **options), bare.transcribe(recording)))
    print(json.dumps(summarise(pairs, asked, settings)))


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=SIZES, default="base", help="of the load model")
    parser.add_argument("--model", type=Path, help="a folder with other weights")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--ending", default=".flac", help="of the recording's name: its format")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=4, help="of bare faster-whisper: as the service has it")
    parser.add_argument("--beam-size", type=int, default=5)
    parser.add_argument("--language", help="default: both find out")
    parser.add_argument("--option", type=assignment, action="append", default=[], help="of the job: batched=true")
    parser.add_argument("--setting", type=assignment, action="append", default=[], help="of the service: NAME=value")
    return parser.parse_args()


def assignment(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


def summarise(pairs: list[Pair], asked: argparse.Namespace, settings: Settings) -> dict[str, Any]:
    """Medians; a ratio is the median of the pairs' ratios."""
    wall_ratios = [job.wall_seconds / bare.wall_seconds for job, bare in pairs]
    cpu_ratios = [job.cpu_seconds / bare.cpu_seconds for job, bare in pairs]
    figures = {
        "service_wall_seconds": [job.wall_seconds for job, _ in pairs],
        "bare_wall_seconds": [bare.wall_seconds for _, bare in pairs],
        "service_cpu_seconds": [job.cpu_seconds for job, _ in pairs],
        "bare_cpu_seconds": [bare.cpu_seconds for _, bare in pairs],
    }
    return {
        "model": Path(settings.model).name,
        "audio_seconds": asked.seconds,
        "threads": settings.cpu_threads,
        "batch_size": settings.batch_size,
        "beam_size": settings.beam_size,
        "language": settings.language or "found out",
        "rounds": len(pairs),
        **{name: round(statistics.median(values), 2) for name, values in figures.items()},
        "wall_ratio": round(statistics.median(wall_ratios), 3),
        "cpu_ratio": round(statistics.median(cpu_ratios), 3),
        "wall_ratios": [round(ratio, 3) for ratio in wall_ratios],
        "cpu_ratios": [round(ratio, 3) for ratio in cpu_ratios],
        "service_segments": len(pairs[-1][0].job["segments"]),
        "bare_segments": pairs[-1][1].segments,
        "goals": GOALS,
    }


if __name__ == "__main__":
    main()
