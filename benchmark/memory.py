"""What a long recording costs in memory: of the worker that hears it, and of the web process that takes it in.

    ./run bench memory --short-seconds 600 --long-seconds 36000 --upload-megabytes 1200

The worker: a fresh service for each length, and the most that each of its processes ever had resident; ffmpeg apart.
The web process: before and while a WAV file of that size is uploaded.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from benchmark.load_model import SIZES, find_load_model
from benchmark.measured_service import measured_service
from benchmark.pipeline_cost import WARM_UP, assignment
from benchmark.recordings import WAV_BYTES_PER_SECOND, find_recording
from benchmark.worker_memory import worker_peaks
from transcribify.tests.peak_memory import peak_memory

GOALS = {"worker_difference_megabytes": 150, "web_difference_megabytes": 20}


def main() -> None:
    asked = parse_options()
    model = asked.model or find_load_model(asked.size)
    short = worker_figures(model, find_recording(asked.short_seconds, asked.ending), asked)
    long = worker_figures(model, find_recording(asked.long_seconds, asked.ending), asked)
    upload = find_recording(asked.upload_megabytes * 1e6 / WAV_BYTES_PER_SECOND, ".wav")
    figures = {
        "model": model.name,
        "short_seconds": asked.short_seconds,
        "long_seconds": asked.long_seconds,
        "worker_short": short,
        "worker_long": long,
        "worker_difference_megabytes": round(long["worker_megabytes"] - short["worker_megabytes"], 1),
        **web_figures(model, upload, asked),
        "goals": GOALS,
    }
    print(json.dumps(figures))


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=SIZES, default="tiny", help="of the load model")
    parser.add_argument("--model", type=Path, help="a folder with other weights")
    parser.add_argument("--short-seconds", type=float, default=600)
    parser.add_argument("--long-seconds", type=float, default=36_000)
    parser.add_argument("--upload-megabytes", type=float, default=1200)
    parser.add_argument("--ending", default=".mp3", help="of the recordings' names: their format")
    parser.add_argument("--option", type=assignment, action="append", default=[], help="of the job: batched=true")
    parser.add_argument("--setting", type=assignment, action="append", default=[], help="of the service: NAME=value")
    return parser.parse_args()


def worker_figures(model: Path, recording: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """In a fresh service: peaks are of a process's whole life."""
    with (
        measured_service(model, **dict(asked.setting)) as service,
        worker_peaks(service.live, service.speech_workers[0]) as peaks,
    ):
        job = service.transcribe(recording, **dict(asked.option))
    return {
        "worker_megabytes": megabytes(peaks.python),
        "largest_process_megabytes": megabytes(peaks.largest_python),
        "ffmpeg_megabytes": megabytes(peaks.program),
        "together_megabytes": megabytes(peaks.together),
        "wall_seconds": round(job.wall_seconds, 1),
        "segments": len(job.job["segments"]),
    }


def web_figures(model: Path, upload: Path, asked: argparse.Namespace) -> dict[str, Any]:
    with measured_service(model, speech_workers=0, **dict(asked.setting)) as service:
        service.submit(WARM_UP)  # what a first upload loads stays
        with peak_memory(service.live) as seen:
            service.submit(upload)
    before, highest = seen
    return {
        "upload_megabytes": megabytes(upload.stat().st_size),
        "web_before_megabytes": megabytes(before),
        "web_highest_megabytes": megabytes(highest),
        "web_difference_megabytes": megabytes(highest - before),
    }


def megabytes(count: int) -> float:
    return round(count / 1e6, 1)


if __name__ == "__main__":
    main()
