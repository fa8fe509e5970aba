"""``TRANSCRIPTION_ENGINE=auto``: which engine this installation can run, decided once per worker."""

import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

HUB_WAIT_SECONDS = 3


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """The engine's name and, for the log, why it was chosen."""

    name: str
    reason: str


def choose_engine(*, setting: str, has_key: bool, models_dir: Path, default_model: str, hub_url: str) -> EngineChoice:
    """The engine to use: a key that is set > weights on disk > the hub answers > what is built in."""
    if setting != "auto":
        return EngineChoice(setting, "TRANSCRIPTION_ENGINE says so")
    if has_key:
        return EngineChoice("openai", "an API key is set")
    if has_weights(models_dir, default_model):
        return EngineChoice("faster-whisper", "model weights are on disk")
    if hub_answers(hub_url):
        return EngineChoice("faster-whisper", "the model hub answers")
    return EngineChoice(
        "pocketsphinx", f"no API key, no weights in {models_dir} and the model hub does not answer (English only)"
    )


def has_weights(models_dir: Path, default_model: str) -> bool:
    """Whether any model lies in ``models_dir``, or ``default_model`` is itself a folder with weights."""
    if (Path(default_model) / "model.bin").is_file():
        return True
    return any(models_dir.glob("**/model.bin"))


def models_in(models_dir: Path) -> list[str]:
    """The names of the folders with weights that lie in ``models_dir``."""
    return sorted(path.parent.name for path in models_dir.glob("*/model.bin"))


def hub_answers(hub_url: str) -> bool:
    """Whether the model hub can be reached within ``HUB_WAIT_SECONDS``; any HTTP answer counts."""
    request = urllib.request.Request(hub_url, method="HEAD")  # noqa: S310 - the operator's own setting
    try:
        with urllib.request.urlopen(request, timeout=HUB_WAIT_SECONDS):  # nosec B310 # noqa: S310
            return True
    except urllib.error.HTTPError:
        return True
    except (OSError, ValueError):
        return False
