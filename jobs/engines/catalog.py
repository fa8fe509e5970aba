"""Which models and languages there are, known without importing an engine (the web process reads this)."""

from jobs.engines.language_names import LANGUAGE_NAMES

WHISPER_MODELS = (
    "tiny", "tiny.en", "base", "base.en", "small", "small.en", "medium", "medium.en",
    "large-v1", "large-v2", "large-v3", "large-v3-turbo",
    "distil-small.en", "distil-medium.en", "distil-large-v2", "distil-large-v3", "distil-large-v3.5",
)  # fmt: skip
"""The names that faster-whisper resolves to weights on the hub."""

MODEL_ALIASES = {"large": "large-v3", "turbo": "large-v3-turbo"}
"""Other names that clients use. ``whisper-1`` is the installation's default model and is resolved with it."""

HUB_NAMES = {
    **{f"openai/whisper-{name}": name for name in WHISPER_MODELS if "distil" not in name},
    **{f"Systran/faster-whisper-{name}": name for name in WHISPER_MODELS if "distil" not in name},
    **{
        f"Systran/faster-{name.replace('distil', 'distil-whisper')}": name
        for name in WHISPER_MODELS
        if "distil" in name
    },
    "mobiuslabsgmbh/faster-whisper-large-v3-turbo": "large-v3-turbo",
    "distil-whisper/distil-large-v3.5-ct2": "distil-large-v3.5",
}
"""Names that the weights have on the hub, and that clients of other servers send."""

DEFAULT_MODEL_ALIASES = (
    "whisper-1", "default",
    "gpt-4o-transcribe", "gpt-4o-mini-transcribe", "gpt-4o-transcribe-diarize", "gpt-transcribe",
)  # fmt: skip
"""The installation's default model, under the names that clients of OpenAI's own server cannot be kept from using."""

POCKETSPHINX_MODEL = "en-us"

WHISPER_LANGUAGES = frozenset(LANGUAGE_NAMES)
"""ISO 639 codes that Whisper knows (``faster_whisper.tokenizer``, checked against it by a test)."""

POCKETSPHINX_LANGUAGES = frozenset({"en"})


def canonical_name(requested: str) -> str:
    """The one name under which a model goes here."""
    return MODEL_ALIASES.get(requested) or HUB_NAMES.get(requested, requested)
