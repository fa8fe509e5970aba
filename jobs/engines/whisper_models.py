"""Whisper's weights: found on disk or downloaded, loaded, and kept loaded within a limit."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ctranslate2
import faster_whisper
from huggingface_hub import constants as hub
from huggingface_hub.errors import RepositoryNotFoundError

from jobs.engines.base import EngineConfig
from jobs.engines.choice import hub_answers, models_in
from jobs.errors import ConfigurationFault, ResourceExceeded, TransientFault

logger = logging.getLogger(__name__)

WEIGHTS_FILE = "model.bin"
REQUIRED_FILES = (WEIGHTS_FILE, "config.json", "tokenizer.json")
"""Without tokenizer.json the library would ask the hub for one, even for a model on disk."""

OUT_OF_MEMORY_SIGNS = ("out of memory", "bad_alloc", "failed to allocate", "alloc_failed")
GPU_SIGNS = ("cuda", "cublas", "cudnn", "libcu")


class LoadedModels:
    """The models of this process, at most ``config.max_loaded_models`` of them: the longest unused one goes first.

    Threads may share it. One model is loaded at a time; those that are loaded already can be had meanwhile.
    """

    def __init__(self, config: EngineConfig) -> None:
        self._config = config
        self._loaded: OrderedDict[str, faster_whisper.WhisperModel] = OrderedDict()
        self._lock = threading.Lock()
        self._loading = threading.Lock()

    def get(self, name: str) -> faster_whisper.WhisperModel:
        """The model, loaded if need be. Raises ``ConfigurationFault``, ``TransientFault``, ``ResourceExceeded``."""
        return self._find(name) or self._load(name)

    def names(self) -> list[str]:
        """What is loaded, the longest unused first."""
        with self._lock:
            return list(self._loaded)

    def _find(self, name: str) -> faster_whisper.WhisperModel | None:
        with self._lock:
            if name in self._loaded:
                self._loaded.move_to_end(name)
            return self._loaded.get(name)

    def _load(self, name: str) -> faster_whisper.WhisperModel:
        with self._loading:
            if model := self._find(name):
                return model  # another thread was faster
            models_dir = self._config.models_dir
            folder = find_model(name, models_dir) or download_model(name, models_dir)
            self._make_room()  # before loading: two models at once may not fit
            model = open_model(folder, self._config)
            with self._lock:
                self._loaded[name] = model
            return model

    def _make_room(self) -> None:
        with self._lock:
            while len(self._loaded) >= max(1, self._config.max_loaded_models):
                self._loaded.popitem(last=False)


def find_model(name: str, models_dir: Path | None) -> Path | None:
    """The folder on this machine that holds the model, or None.

    Looked for as ``<models_dir>/<name>``, ``<models_dir>/faster-whisper-<name>``, in the hub's cache layout inside
    ``models_dir`` (without one: in the user's hub cache), and as a path.
    """
    in_models_dir = [models_dir / name, models_dir / f"faster-whisper-{name}"] if models_dir else []
    for folder in (*in_models_dir, Path(name)):
        if (folder / WEIGHTS_FILE).is_file():
            return folder
    return _find_in_hub_cache(name, models_dir)


def _find_in_hub_cache(name: str, models_dir: Path | None) -> Path | None:
    try:
        folder = Path(faster_whisper.download_model(name, local_files_only=True, cache_dir=_text(models_dir)))
    except (ValueError, OSError):  # no name that the hub could know; not in the cache
        return None
    return None if _missing_files(folder) else folder  # a download that was cut short leaves a part


def download_model(name: str, models_dir: Path | None) -> Path:
    """Fetch the model from the hub into ``models_dir``; the folder it lies in. Minutes for a large one.

    Raises ``ConfigurationFault`` (``model_unavailable``) when the hub has no such model or does not answer within
    seconds, and ``TransientFault`` when it answered and the download then failed.
    """
    if Path(name).is_absolute():
        raise _unavailable(name, models_dir, "its folder does not exist or holds no model.bin")
    if name not in faster_whisper.available_models() and "/" not in name:
        raise _unavailable(name, models_dir, "the model hub has none of this name")
    if hub.HF_HUB_OFFLINE or not hub_answers(hub.ENDPOINT):
        raise _unavailable(name, models_dir, f"the model hub ({hub.ENDPOINT}) does not answer")
    logger.info("downloading model %s", name)
    try:
        return Path(faster_whisper.download_model(name, cache_dir=_text(models_dir)))
    except (RepositoryNotFoundError, ValueError) as error:
        raise _unavailable(name, models_dir, "the model hub does not give it out") from error
    except Exception as error:  # the hub's, its HTTP client's or its native downloader's
        raise TransientFault(
            f"The download of model '{name}' failed ({error}). It goes on from there at the next attempt.",
            code="model_download_failed",
        ) from error


def _unavailable(name: str, models_dir: Path | None, reason: str) -> ConfigurationFault:
    if models_dir is None:
        remedy = "Set WHISPER_MODELS_DIR to a folder that holds it"
    else:
        remedy = f"Put its files (model.bin, config.json, tokenizer.json, vocabulary) into {models_dir / name}"
    present = models_in(models_dir) if models_dir else []
    another = f" (here: {', '.join(present)})" if present else ""
    return ConfigurationFault(
        f"Model '{name}' is not on this machine, and {reason}. {remedy}; or name another model{another}; or set "
        "TRANSCRIPTION_ENGINE to openai (needs a key) or pocketsphinx (built in, English only).",
        code="model_unavailable",
    )


def open_model(folder: Path, config: EngineConfig) -> faster_whisper.WhisperModel:
    """Load the weights in ``folder``. Raises ``ConfigurationFault`` and ``ResourceExceeded``."""
    if missing := _missing_files(folder):
        raise _damaged(folder, f"{', '.join(missing)} is missing")
    device = choose_device(config.device)
    try:
        with memory_faults():
            return faster_whisper.WhisperModel(
                str(folder),
                device=device,
                compute_type=choose_compute_type(config.compute_type, device),
                cpu_threads=config.cpu_threads,
                local_files_only=True,
            )
    except (ResourceExceeded, ConfigurationFault):
        raise
    except ValueError as error:
        raise ConfigurationFault(
            f"The model cannot be loaded on this machine: {error}. Check WHISPER_DEVICE and WHISPER_COMPUTE_TYPE."
        ) from error
    except Exception as error:  # CTranslate2 raises RuntimeError, the tokenizer's parser a plain Exception
        raise _damaged(folder, str(error)) from error


def _damaged(folder: Path, reason: str) -> ConfigurationFault:
    return ConfigurationFault(
        f"The model in {folder} cannot be loaded: {reason}. Remove the folder and download or copy the model again.",
        code="model_damaged",
    )


def choose_device(device: str) -> str:
    """``auto`` is a GPU where there is one."""
    if device != "auto":
        return device
    return "cuda" if ctranslate2.get_cuda_device_count() > 0 else "cpu"


def choose_compute_type(compute_type: str, device: str) -> str:
    """``default`` is float16 on a GPU and int8 on a processor, unless that is not among what it can do."""
    if compute_type != "default":
        return compute_type
    wanted = "float16" if device == "cuda" else "int8"
    return wanted if wanted in ctranslate2.get_supported_compute_types(device) else "default"


@contextmanager
def memory_faults() -> Iterator[None]:
    """Where memory or the GPU fails: ``ResourceExceeded`` or ``ConfigurationFault`` for what CTranslate2 raises."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        text = str(error).lower()
        if isinstance(error, MemoryError) or any(sign in text for sign in OUT_OF_MEMORY_SIGNS):
            raise ResourceExceeded(
                "Recognition needs more memory than this worker has. Choose a smaller model or a smaller beam size.",
                code="out_of_memory",
            ) from error
        if any(sign in text for sign in GPU_SIGNS):
            raise ConfigurationFault(
                f"The GPU cannot be used: {error}. Check its driver and libraries, or set WHISPER_DEVICE=cpu.",
                code="gpu_unusable",
            ) from error
        raise


def _missing_files(folder: Path) -> list[str]:
    return [name for name in REQUIRED_FILES if not (folder / name).is_file()]


def _text(path: Path | None) -> str | None:
    return str(path) if path else None
