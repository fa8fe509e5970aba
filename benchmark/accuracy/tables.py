"""The figures as Markdown: one table of models, one of recordings, and what went wrong."""

from collections.abc import Iterator, Sequence

from benchmark.accuracy.results import ModelResult, Results, Row

MEGABYTE = 1_000_000
NO_FIGURE = "–"


def write_report(results: Results, plots: Sequence[str]) -> str:
    """The whole page; ``plots`` are file names beside it."""
    return "\n".join(
        [
            "# Accuracy and speed",
            "",
            *models_table(results),
            "",
            *notes(results),
            "",
            "## Recordings",
            "",
            *recordings_table(results),
            "",
            *(f"![{name.removesuffix('.png').replace('_', ' ')}]({name})\n" for name in plots),
        ]
    )


def models_table(results: Results) -> Iterator[str]:
    """A line for each model, with all of its recordings taken together."""
    yield "| model | WER | CER | substituted / missing / added of words | scored | RTF | peak memory | loaded in |"
    yield "|---|---:|---:|---:|---:|---:|---:|---:|"
    for result in results.models:
        yield _line(
            result.candidate.label,
            *_rates(result.score and result.score.wer, result.score and result.score.cer),
            _errors(result),
            f"{result.scored} of {len(result.rows)}",
            number(result.rtf, "{:.3f}"),
            number(result.run.peak_memory_bytes, "{:.0f} MB", MEGABYTE),
            number(result.run.load_seconds, "{:.1f} s"),
        )


def recordings_table(results: Results) -> Iterator[str]:
    """A line for each recording and model."""
    yield "| recording | model | audio | WER | CER | RTF | language | doubtful segments | |"
    yield "|---|---|---:|---:|---:|---:|---|---:|---|"
    for result, row in _by_recording(results):
        measured = row.measured
        yield _line(
            measured.name,
            result.candidate.label,
            number(measured.audio_seconds or None, "{:.1f} s"),
            *_rates(row.score and row.score.wer, row.score and row.score.cer),
            number(row.rtf, "{:.3f}"),
            measured.language or NO_FIGURE,
            NO_FIGURE if measured.error else f"{measured.doubtful_segments} of {measured.segments}",
            remark(row),
        )


def notes(results: Results) -> Iterator[str]:
    """How the figures came about, and what is missing from them, as a list."""
    yield "- WER, CER: all errors by all words (characters) of the references, not the mean of the recordings' rates."
    yield f"- Before the comparison: {results.normalisation}."
    yield "- RTF: time to decode, find speech and recognise, by the length of the audio; the model is loaded already."
    yield "- Peak memory: of the process that ran the model alone, without what a GPU holds."
    yield f"- Options: {', '.join(f'{name} {value}' for name, value in results.options.items())}."
    if devices := sorted({result.run.device for result in results.models if result.run.device}):
        yield f"- Computed on: {', '.join(devices)}."
    without = {row.measured.name for _, row in _by_recording(results) if not row.score and not row.measured.error}
    if without:
        yield f"- Without a reference, so that only their speed is known: {_cell(', '.join(sorted(without)))}."
    scored = {frozenset(row.measured.name for row in result.rows if row.score) for result in results.models}
    if len(scored) > 1:
        yield "- **The models' WER are not of the same recordings: some failed, see below.**"
    for result in results.models:
        if result.run.error:
            yield f"- **{_cell(result.candidate.label)}: {_cell(result.run.error)}**"


def remark(row: Row) -> str:
    """What has to be known of a recording."""
    if row.measured.error:
        return f"failed: {row.measured.error}"
    remarks = []
    if not row.measured.segments:
        remarks.append("no words were recognised")
    if row.measured.is_damaged:
        remarks.append("the file is damaged: decoded in part")
    if row.score is None:
        remarks.append("no reference")
    elif row.score.wer is None:
        remarks.append(f"its reference has no words; {row.score.words.insertions} were added")
    return "; ".join(remarks)


def number(value: float | None, form: str, unit: float = 1) -> str:
    return NO_FIGURE if value is None else form.format(value / unit)


def _by_recording(results: Results) -> Iterator[tuple[ModelResult, Row]]:
    for rows in zip(*(result.rows for result in results.models), strict=True):
        yield from zip(results.models, rows, strict=True)


def _rates(*rates: float | None) -> Iterator[str]:
    return (number(rate, "{:.1%}") for rate in rates)


def _errors(result: ModelResult) -> str:
    if result.score is None:
        return NO_FIGURE
    words = result.score.words
    return f"{words.substitutions} / {words.deletions} / {words.insertions} of {words.length}"


def _line(*cells: str) -> str:
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _cell(text: str) -> str:
    return " ".join(text.replace("\\", "\\\\").replace("|", "\\|").split())
