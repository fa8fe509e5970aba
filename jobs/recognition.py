"""Recognition as this installation has it: its settings turned into engine, model and language rules.

The web process uses the rules (they need no engine); ``open_engine`` and ``load_model`` are for workers.
"""

import logging
import os
from pathlib import Path

from django.conf import settings

from jobs.bell import live_slots
from jobs.engines import catalog, registry
from jobs.engines.base import Engine, EngineConfig
from jobs.engines.choice import EngineChoice, choose_engine, models_in
from jobs.errors import InputFault

logger = logging.getLogger(__name__)

_CHOICE_VARIABLE = "TRANSCRIBIFY_CHOSEN_ENGINE"
_SLOTS_VARIABLE = "TRANSCRIBIFY_SLOTS"


def chosen_engine() -> EngineChoice:
    """In a worker: the engine it uses, decided once; pool processes inherit the decision from the main process."""
    if known := os.environ.get(_CHOICE_VARIABLE):
        return EngineChoice(known, "decided when this worker started")
    choice = choose_engine(
        setting=settings.TRANSCRIPTION_ENGINE,
        has_key=bool(settings.OPENAI_API_KEY or settings.GROQ_API_KEY),
        models_dir=settings.WHISPER_MODELS_DIR,
        default_model=settings.DEFAULT_MODEL,
        hub_url=settings.MODEL_HUB_URL,
    )
    os.environ[_CHOICE_VARIABLE] = choice.name
    logger.info("transcription engine: %s (%s)", choice.name, choice.reason)
    return choice


def announced_engine() -> str | None:
    """In the web process: the engine that jobs will meet, or None while no worker has said so."""
    if settings.TRANSCRIPTION_ENGINE != "auto":
        return str(settings.TRANSCRIPTION_ENGINE)
    return live_slots().exclude(engine="").order_by("-seen_at").values_list("engine", flat=True).first()


def open_engine() -> Engine:
    """In a worker: the engine, with its models kept loaded from job to job."""
    return registry.get_engine(chosen_engine().name, engine_config())


def load_model(model: str) -> None:
    """In a worker: have a model ready before the first job asks for it."""
    engine = open_engine()
    canonical = resolve_model(model, engine=engine.name)
    engine.load(canonical)
    logger.info("model %s is loaded (%s)", canonical, engine.name)


def requested_model(requested: str, *, engine: str | None) -> str:
    """What a job keeps of a request's model: the canonical name, or "" for whatever its worker's default is.

    Raises ``InputFault``.
    """
    return "" if _names_no_model(requested, engine) else resolve_model(requested, engine=engine)


def resolve_model(requested: str, *, engine: str | None) -> str:
    """The canonical model for a request on ``engine`` (None: not known yet). Raises ``InputFault``."""
    if _names_no_model(requested, engine):
        return default_model(engine)
    canonical = catalog.canonical_name(requested)
    if canonical not in available_models(engine):
        raise _model_refused(requested, canonical, engine)
    return canonical


def default_model(engine: str | None) -> str:
    """The model of a request that names none."""
    if engine == "pocketsphinx":
        return catalog.POCKETSPHINX_MODEL
    if engine == "openai":
        return str(settings.OPENAI_TRANSCRIPTION_MODEL)
    configured = str(settings.DEFAULT_MODEL) or ("turbo" if _has_gpu() else "base")
    return catalog.canonical_name(configured)


def available_models(engine: str | None) -> list[str]:
    """The canonical models that a request may name: the default, the allowed ones and those in the models folder."""
    if engine == "pocketsphinx":
        return [catalog.POCKETSPHINX_MODEL]
    allowed = [catalog.canonical_name(name) for name in settings.ALLOWED_MODELS]
    if engine == "openai" or allowed:
        return list(dict.fromkeys([default_model(engine), *allowed]))
    return list(dict.fromkeys([default_model(engine), *models_in(Path(settings.WHISPER_MODELS_DIR))]))


def check_language(language: str | None, *, engine: str | None) -> None:
    """Raise ``InputFault`` for a language that nobody knows, or that ``engine`` does not."""
    if language is None:
        return
    if language not in catalog.WHISPER_LANGUAGES:
        raise InputFault(
            f"unknown language '{language}'. Use an ISO 639-1 code such as en, ru or de, or leave it out.",
            code="unknown_language",
        )
    if engine == "pocketsphinx" and language not in catalog.POCKETSPHINX_LANGUAGES:
        raise InputFault(
            f"this installation recognises English only (engine pocketsphinx), not '{language}'. Ask its operator to "
            "install a Whisper model: see WHISPER_MODELS_DIR in the configuration guide.",
            code="language_not_supported",
        )


def engine_config() -> EngineConfig:
    """The engines' side of the settings. A key goes to its own address only, never to another provider's."""
    groq = bool(settings.GROQ_API_KEY) and not settings.OPENAI_BASE_URL
    return EngineConfig(
        models_dir=settings.WHISPER_MODELS_DIR,
        device=settings.WHISPER_DEVICE,
        compute_type=settings.WHISPER_COMPUTE_TYPE,
        cpu_threads=settings.WHISPER_CPU_THREADS or _share_of_cores(),
        batch_size=settings.WHISPER_BATCH_SIZE,
        max_loaded_models=settings.MAX_LOADED_MODELS,
        api_key=settings.GROQ_API_KEY if groq else settings.OPENAI_API_KEY,
        base_url=settings.GROQ_BASE_URL if groq else settings.OPENAI_BASE_URL or None,
        timeout_seconds=settings.OPENAI_TIMEOUT_SECONDS,
    )


def share_cores_among(slots: int) -> None:
    """In a worker's main process: its pool has ``slots`` processes, which inherit this by the environment."""
    os.environ[_SLOTS_VARIABLE] = str(slots)


def _share_of_cores() -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores // int(os.environ.get(_SLOTS_VARIABLE, "1")))


def _names_no_model(requested: str, engine: str | None) -> bool:
    """Whether the default is meant: by no name, or by one of OpenAI's that is no model of this installation's own."""
    is_alias = requested in catalog.DEFAULT_MODEL_ALIASES and requested not in available_models(engine)
    return not requested or is_alias


def _has_gpu() -> bool:
    """Whether this machine shows an NVIDIA device; asking the engine would load it."""
    return settings.WHISPER_DEVICE == "cuda" or (settings.WHISPER_DEVICE == "auto" and Path("/dev/nvidia0").exists())


def _model_refused(requested: str, canonical: str, engine: str | None) -> InputFault:
    offered = ", ".join(available_models(engine))
    if canonical in catalog.WHISPER_MODELS and engine != "pocketsphinx":
        return InputFault(
            f"The model '{requested}' is not allowed here. Use one of: {offered}. Operators add to ALLOWED_MODELS.",
            code="model_not_allowed",
        )
    return InputFault(f"There is no model '{requested}' here. Use one of: {offered}.", code="unknown_model")
