"""The figures as pictures. Drawn by matplotlib's Agg, which needs no display."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmark.accuracy.results import ModelResult, Results

WIDTH_INCHES, SQUARE_INCHES, BAR_INCHES = 8.0, 5.0, 0.6
DOTS_PER_INCH = 120
COLOURS = {"WER": "#2f6690", "CER": "#9fc6e0", "other": "#5b8c5a"}


def draw_plots(results: Results, folder: Path) -> list[str]:
    """The names of the PNG files that were written: those for which there are figures."""
    scored = [result for result in results.models if result.score and result.score.wer is not None]
    timed = [result for result in results.models if result.rtf is not None]
    weighed = [result for result in results.models if result.run.peak_memory_bytes]
    wanted = [
        ("wer.png", _error_rates, scored),
        ("wer_by_recording.png", _error_rates_by_recording, scored),
        ("rtf_against_wer.png", _speed_against_errors, [result for result in scored if result.rtf is not None]),
        ("rtf.png", _speed, timed),
        ("memory.png", _memory, weighed),
    ]
    drawn = []
    for name, draw, models in wanted:
        if models:
            height = SQUARE_INCHES if draw is _speed_against_errors else 1.2 + BAR_INCHES * len(models)
            figure = Figure(figsize=(WIDTH_INCHES, height), layout="constrained")
            FigureCanvasAgg(figure)
            draw(figure.subplots(), models)
            figure.savefig(folder / name, dpi=DOTS_PER_INCH)
            drawn.append(name)
    return drawn


def _error_rates(axes: Axes, models: list[ModelResult]) -> None:
    places = range(len(models))
    for name, offset in (("WER", -0.2), ("CER", 0.2)):
        rates = [100 * (getattr(result.score, name.lower()) or 0.0) for result in models]
        bars = axes.barh([place + offset for place in places], rates, height=0.38, color=COLOURS[name], label=name)
        axes.bar_label(bars, fmt="%.1f", padding=3)
    _name_models(axes, models)
    axes.set_xlabel("errors, % of all words (WER) and characters (CER)")
    axes.legend(loc="best")
    axes.margins(x=0.12)


def _error_rates_by_recording(axes: Axes, models: list[ModelResult]) -> None:
    for place, result in enumerate(models):
        rates = [100 * row.score.wer for row in result.rows if row.score and row.score.wer is not None]
        axes.scatter(rates, [place] * len(rates), color=COLOURS["CER"], edgecolors=COLOURS["WER"], zorder=2)
        together = 100 * (result.score.wer or 0.0) if result.score else 0.0
        axes.scatter([together], [place], marker="|", s=500, color=COLOURS["WER"], zorder=3)
    _name_models(axes, models)
    axes.set_ylim(len(models) - 0.5, -0.5)
    axes.set_xlabel("WER of each recording, %; the line: of all together")
    axes.grid(axis="x", alpha=0.3)


def _speed_against_errors(axes: Axes, models: list[ModelResult]) -> None:
    speeds = [result.rtf or 0.0 for result in models]
    errors = [100 * (result.score.wer or 0.0) if result.score else 0.0 for result in models]
    axes.scatter(speeds, errors, color=COLOURS["WER"], clip_on=False, zorder=3)
    for result, *place in zip(models, speeds, errors, strict=True):
        axes.annotate(_plain(result.candidate.label), place, xytext=(6, 4), textcoords="offset points")
    axes.set_xlabel("RTF: processing time / audio time (left is faster)")
    axes.set_ylabel("WER, % (lower is better)")
    # Room for the last label; the axes begin at 0, so that distances are what they look like.
    axes.set_xlim(0, 1.25 * max(speeds))
    axes.set_ylim(0, 1.15 * max(*errors, 1.0))
    axes.grid(alpha=0.3)


def _speed(axes: Axes, models: list[ModelResult]) -> None:
    bars = axes.barh(range(len(models)), [result.rtf or 0.0 for result in models], color=COLOURS["other"])
    axes.bar_label(bars, fmt="%.3f", padding=3)
    _name_models(axes, models)
    axes.set_xlabel("RTF: processing time / audio time, model loaded")
    axes.margins(x=0.12)


def _memory(axes: Axes, models: list[ModelResult]) -> None:
    megabytes = [(result.run.peak_memory_bytes or 0) / 1_000_000 for result in models]
    bars = axes.barh(range(len(models)), megabytes, color=COLOURS["other"])
    axes.bar_label(bars, fmt="%.0f", padding=3)
    _name_models(axes, models)
    axes.set_xlabel("peak memory of the process, MB")
    axes.margins(x=0.12)


def _name_models(axes: Axes, models: list[ModelResult]) -> None:
    axes.set_yticks(range(len(models)), [_plain(result.candidate.label) for result in models])
    axes.invert_yaxis()


def _plain(label: str) -> str:
    """Not taken for a formula."""
    return label.replace("$", r"\$")
