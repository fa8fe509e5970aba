"""The figures of all models on all recordings, and the files that keep them."""

import json
import os
import platform
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from accounts.spreadsheets import csv_text
from benchmark.accuracy.candidates import Candidate
from benchmark.accuracy.measurement import Measured, ModelRun
from benchmark.accuracy.scores import Score, pooled

COLUMNS = (
    "model", "engine", "recording", "language", "audio_seconds", "rtf", "decode_seconds", "speech_seconds",
    "recognition_seconds", "wer", "words", "substitutions", "deletions", "insertions", "cer", "characters",
    "character_errors", "segments", "doubtful_segments", "error",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One model on one recording. ``score`` is None without a reference, or without a transcript."""

    measured: Measured
    score: Score | None = None

    @property
    def rtf(self) -> float | None:
        seconds = self.measured.audio_seconds
        return self.measured.processing_seconds / seconds if seconds else None


@dataclass(slots=True)
class ModelResult:
    """One model on all recordings, as far as it came."""

    candidate: Candidate
    run: ModelRun = field(default_factory=ModelRun)
    rows: list[Row] = field(default_factory=list)

    @property
    def score(self) -> Score | None:
        """Of all recordings with a reference as one."""
        return pooled(row.score for row in self.rows if row.score)

    @property
    def scored(self) -> int:
        """How many recordings that is."""
        return sum(row.score is not None for row in self.rows)

    @property
    def done(self) -> list[Row]:
        return [row for row in self.rows if not row.measured.error]

    @property
    def audio_seconds(self) -> float:
        return sum(row.measured.audio_seconds for row in self.done)

    @property
    def rtf(self) -> float | None:
        """All processing time by all audio time, with the model loaded."""
        processing_seconds = sum(row.measured.processing_seconds for row in self.done)
        return processing_seconds / self.audio_seconds if self.audio_seconds else None


@dataclass(frozen=True, slots=True)
class Results:
    """What was measured, and how. ``options`` are those of the command, ``normalisation`` what was done to texts."""

    folder: str
    normalisation: str
    options: dict[str, Any]
    models: list[ModelResult] = field(default_factory=list)

    @property
    def failures(self) -> int:
        return sum(len(result.rows) - len(result.done) for result in self.models)

    def as_json(self) -> dict[str, Any]:
        return {
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "folder": self.folder,
            "normalisation": self.normalisation,
            "options": self.options,
            "machine": machine(),
            "models": [_model_json(result) for result in self.models],
        }


def machine() -> dict[str, Any]:
    """What the speed depends on."""
    packages = ("faster-whisper", "ctranslate2", "jiwer")
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "system": platform.platform(),
        "packages": {name: version(name) for name in packages},
    }


def write_data(results: Results, folder: Path) -> None:
    """``results.json`` and ``results.csv``."""
    content = json.dumps(results.as_json(), ensure_ascii=False, indent=2)
    (folder / "results.json").write_text(content + "\n", encoding="utf-8")
    rows = [_csv_row(result, row) for result in results.models for row in result.rows]
    (folder / "results.csv").write_text(csv_text(columns=COLUMNS, rows=rows), encoding="utf-8", newline="")


def write_transcript(folder: Path, candidate: Candidate, measured: Measured, differences: str) -> None:
    """What was recognised, and where that differs from the reference, in ``transcripts/<model>/``."""
    target = folder / "transcripts" / re.sub(r"[^\w.-]+", "_", candidate.label.strip("/")) / f"{measured.name}.txt"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(measured.text + "\n", encoding="utf-8")
    if differences:
        target.with_suffix(".differences.txt").write_text(differences, encoding="utf-8")


def _model_json(result: ModelResult) -> dict[str, Any]:
    candidate, run, score = result.candidate, result.run, result.score
    return {
        "model": candidate.label,
        "path_or_name": candidate.model,
        "engine": candidate.engine,
        "device": run.device,
        "error": run.error or None,
        "load_seconds": run.load_seconds,
        "peak_memory_bytes": run.peak_memory_bytes,
        "recordings_done": len(result.done),
        "recordings_scored": result.scored,
        "audio_seconds": result.audio_seconds,
        "rtf": result.rtf,
        **(score or Score()).as_json(),
        "recordings": [_row_json(row) for row in result.rows],
    }


def _row_json(row: Row) -> dict[str, Any]:
    fields = asdict(row.measured)
    score = row.score.as_json() if row.score else {"wer": None, "cer": None, "words": None, "characters": None}
    return {**fields, "error": fields["error"] or None, "rtf": row.rtf, "has_score": row.score is not None, **score}


def _csv_row(result: ModelResult, row: Row) -> dict[str, Any]:
    found = {name: value for name, value in asdict(row.measured).items() if name in COLUMNS}
    found |= {"recording": row.measured.name, "model": result.candidate.label, "engine": result.candidate.engine}
    found["rtf"] = row.rtf
    score = {} if row.score is None else dict(_score_cells(row.score))
    return {column: score.get(column, found.get(column)) for column in COLUMNS}


def _score_cells(score: Score) -> Iterator[tuple[str, Any]]:
    words, characters = score.words, score.characters
    yield from (("wer", score.wer), ("words", words.length), ("substitutions", words.substitutions))
    yield from (("deletions", words.deletions), ("insertions", words.insertions))
    yield from (("cer", score.cer), ("characters", characters.length), ("character_errors", characters.errors))


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    text = information.read_text() if information.exists() else ""
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1] if found else platform.processor()
