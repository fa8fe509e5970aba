"""How accurate and how fast models are on your own recordings. docs/accuracy.md says how to use it.

    python -m benchmark.run recordings --models tiny,base,/path/to/model

A recording's reference is the text file beside it: sample1.txt for sample1.m4a, and for sample1-loud.m4a, too. Writes a
table, results.json, results.csv, plots and the transcripts. Exit code 1: something could not be measured; 2: nothing.
"""

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from benchmark.accuracy.candidates import Candidate, choose_candidates, make_sure_of
from benchmark.accuracy.measurement import Measured, Order, measure
from benchmark.accuracy.plots import draw_plots
from benchmark.accuracy.recordings import Recording, find_recordings
from benchmark.accuracy.results import ModelResult, Results, Row, write_data, write_transcript
from benchmark.accuracy.scores import Normalisation, compare
from benchmark.accuracy.tables import models_table, notes, number, recordings_table, write_report
from jobs.errors import ConfigurationFault, TranscribifyError
from jobs.options import Options

PARTLY_DONE, NOTHING_DONE = 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    asked = parse_options(arguments)
    try:
        recordings = find_recordings(asked.folder, settings.ALLOWED_EXTENSIONS)
        candidates = choose_candidates(asked.models, engine=asked.engine)
        make_sure_of(candidates, language=asked.language)
        make_folder(asked.output)
    except TranscribifyError as error:
        print(f"error: {error.message}", file=sys.stderr)
        return NOTHING_DONE
    normalisation = Normalisation(yo_is_ye=not asked.distinguish_yo)
    results = Results(str(asked.folder), normalisation.description, shown_options(asked))
    for candidate in candidates:
        results.models.append(run_model(candidate, recordings, asked, normalisation))
        write_data(results, asked.output)  # kept, should a later model be stopped
    plots = draw_plots(results, asked.output)
    (asked.output / "results.md").write_text(write_report(results, plots), encoding="utf-8")
    print("\n".join([*models_table(results), "", *notes(results), "", *recordings_table(results)]))
    print(f"\nTable, data, plots and transcripts are in {asked.output}", file=sys.stderr)
    return exit_code(results)


def parse_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    default = {field.name: field.default for field in fields(Options)}
    parser = argparse.ArgumentParser(prog="benchmark.run", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="recordings, and their references as text files beside them")
    parser.add_argument("--models", type=listed, default=[], help="names or folders, with commas between them")
    parser.add_argument(
        "--engine", help="faster-whisper, openai, pocketsphinx or a class's path; default: by the model"
    )
    parser.add_argument("--language", help="ISO 639-1 code; default: each recording's is found out")
    parser.add_argument("--beam-size", type=positive, default=settings.WHISPER_BEAM_SIZE)
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument("--batch-size", type=positive, help="recognise so many pieces together")
    ways.add_argument("--sequential", action="store_true", help="recognise one piece after the other")
    parser.add_argument("--distinguish-yo", action="store_true", help="take ё and е for two letters")
    parser.add_argument("--output", type=Path, help="folder for the results; default: a new one in DATA_DIR/accuracy")
    asked = parser.parse_args(arguments)
    asked.batched = asked.batch_size is not None or (not asked.sequential and bool(default["batched"]))
    asked.output = asked.output or settings.DATA_DIR / "accuracy" / f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%S}"
    return asked


def listed(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is not positive")
    return value


def make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
        (path / "results.md").touch()
    except OSError as error:
        raise ConfigurationFault(
            f"Results cannot be written to {path}: {error.strerror}. Let user {os.getuid()} write there, or name "
            "another folder with --output."
        ) from error


def run_model(
    candidate: Candidate, recordings: Sequence[Recording], asked: argparse.Namespace, normalisation: Normalisation
) -> ModelResult:
    """Each recording by one model; what it recognised is written down at once."""
    order = Order(
        engine=candidate.engine,
        model=candidate.model,
        recordings=[(recording.name, str(recording.path.resolve())) for recording in recordings],
        language=asked.language,
        beam_size=asked.beam_size,
        batched=asked.batched,
        batch_size=asked.batch_size,
    )
    result = ModelResult(candidate)
    print(f"{candidate.label} ({candidate.engine})", file=sys.stderr)
    for recording, measured in zip(recordings, measure(order, result.run), strict=True):
        row, differences = judge(recording, measured, normalisation)
        result.rows.append(row)
        if not measured.error:
            write_transcript(asked.output, candidate, measured, differences)
        print(f"  {progress(row)}", file=sys.stderr)
    return result


def judge(recording: Recording, measured: Measured, normalisation: Normalisation) -> tuple[Row, str]:
    """The row of a recording, and where its transcript differs from the reference."""
    if measured.error or recording.reference is None:
        return Row(measured), ""
    score, differences = compare(normalisation.of(recording.reference), normalisation.of(measured.text))
    return Row(measured, score), differences


def progress(row: Row) -> str:
    if row.measured.error:
        return f"{row.measured.name}: {row.measured.error}"
    wer = number(row.score and row.score.wer, "{:.1%}")
    return f"{row.measured.name}: {row.measured.audio_seconds:.1f} s, WER {wer}, RTF {number(row.rtf, '{:.3f}')}"


def shown_options(asked: argparse.Namespace) -> dict[str, Any]:
    return {
        "beam_size": asked.beam_size,
        "batched": asked.batched,
        "batch_size": asked.batch_size or "default",
        "language": asked.language or "found out",
    }


def exit_code(results: Results) -> int:
    if not any(result.done for result in results.models):
        return NOTHING_DONE
    return PARTLY_DONE if results.failures else 0


def log_to_stderr() -> None:
    """The application's log goes to standard output, which is for the table here."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler) and handler.stream is sys.stdout:
            handler.setStream(sys.stderr)


if __name__ == "__main__":
    log_to_stderr()
    sys.exit(main())
