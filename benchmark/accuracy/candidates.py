"""Which models are compared, and that they are there before anything is measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from benchmark.accuracy.measurement import FASTER_WHISPER, POCKETSPHINX
from jobs import recognition
from jobs.engines import catalog, registry
from jobs.engines.whisper_models import download_model, find_model
from jobs.errors import ConfigurationFault


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model on its engine; ``label`` is its name in tables and plots, one of its own."""

    label: str
    engine: str
    model: str


def choose_candidates(names: Sequence[str], *, engine: str | None) -> list[Candidate]:
    """The models that were named, each once, or the installation's default.

    Without ``engine`` each is run by the engine that can: pocketsphinx its own, faster-whisper what is on this machine,
    the installation's engine anything else. Raises ``ConfigurationFault`` for a folder that is none.
    """
    if not names:
        chosen = engine or recognition.chosen_engine().name
        model = recognition.default_model(chosen)
        return [Candidate(model, chosen, model)]
    found: dict[tuple[str, str], Candidate] = {}
    for name in names:
        model = _model_of(name)
        runs_on = engine or _engine_of(model)
        label = Path(model).name if Path(model).is_dir() else name
        if any(candidate.label == label and candidate.model != model for candidate in found.values()):
            label = model
        found.setdefault((runs_on, model), Candidate(label, runs_on, model))
    return list(found.values())


def make_sure_of(candidates: Sequence[Candidate], *, language: str | None) -> None:
    """Have what each needs on this machine: weights are downloaded where that is possible.

    Raises ``ConfigurationFault``, ``TransientFault`` or ``InputFault`` for the first that cannot be had.
    """
    for candidate in candidates:
        _check_engine(candidate)
        recognition.check_language(language, engine=candidate.engine)
        if candidate.engine == FASTER_WHISPER and not _find_weights(candidate.model):
            download_model(candidate.model, settings.WHISPER_MODELS_DIR)


def _check_engine(candidate: Candidate) -> None:
    if not registry.is_known(candidate.engine):
        known = ", ".join(sorted(registry.ENGINES))
        raise ConfigurationFault(f"There is no engine '{candidate.engine}'. Use one of {known}, or a class's path.")
    if candidate.engine == POCKETSPHINX and candidate.model != catalog.POCKETSPHINX_MODEL:
        raise ConfigurationFault(
            f"The engine pocketsphinx has one model, {catalog.POCKETSPHINX_MODEL}, and not '{candidate.model}'. Leave "
            "the engine out, or the model."
        )


def _model_of(name: str) -> str:
    folder = Path(name).expanduser()
    if folder.is_dir():
        return str(folder.resolve())
    if name.startswith(("/", ".", "~")):
        raise ConfigurationFault(f"There is no folder {name}. Check the path of the model.", code="model_unavailable")
    return catalog.canonical_name(name)


def _engine_of(model: str) -> str:
    if model == catalog.POCKETSPHINX_MODEL:
        return POCKETSPHINX
    if _find_weights(model):
        return FASTER_WHISPER
    chosen = recognition.chosen_engine().name
    # It has no model of this name. Whisper's engine says what to do about one that is not there.
    return FASTER_WHISPER if chosen == POCKETSPHINX else chosen


def _find_weights(model: str) -> Path | None:
    return find_model(model, settings.WHISPER_MODELS_DIR)
