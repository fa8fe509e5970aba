"""The engines by name: dotted paths, imported on first use, so that only a worker ever loads one.

``TRANSCRIPTION_ENGINE`` may also be the dotted path of an engine class of your own.
"""

import threading
from functools import cache
from importlib import import_module

from jobs.engines.base import Engine, EngineConfig
from jobs.errors import ConfigurationFault

ENGINES = {
    "faster-whisper": "jobs.engines.faster_whisper.FasterWhisperEngine",
    "openai": "jobs.engines.openai_api.OpenAIEngine",
    "pocketsphinx": "jobs.engines.pocketsphinx.PocketSphinxEngine",
}

_lock = threading.Lock()


def get_engine(name: str, config: EngineConfig) -> Engine:
    """The one instance of this process for ``name`` (its models stay loaded). Raises ``ConfigurationFault``."""
    with _lock:
        return _make_engine(name, config)


def is_known(name: str) -> bool:
    """Whether ``name`` could be an engine: a registered one or a dotted path."""
    return name in ENGINES or "." in name


@cache
def _make_engine(name: str, config: EngineConfig) -> Engine:
    path = ENGINES.get(name, name)
    module_name, _, class_name = path.rpartition(".")
    try:
        engine_class = getattr(import_module(module_name), class_name)
    except (ImportError, AttributeError, ValueError) as error:
        known = ", ".join(sorted(ENGINES))
        raise ConfigurationFault(
            f"TRANSCRIPTION_ENGINE={name} cannot be loaded ({error}). Use auto, one of {known}, or a class's path.",
            code="engine_unavailable",
        ) from error
    engine: Engine = engine_class(config)
    return engine
