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

DEFAULT_MODEL_ALIASES = ("whisper-1", "default")

POCKETSPHINX_MODEL = "en-us"

WHISPER_LANGUAGES = frozenset(LANGUAGE_NAMES)
"""ISO 639 codes that Whisper knows (``faster_whisper.tokenizer``, checked against it by a test)."""

POCKETSPHINX_LANGUAGES = frozenset({"en"})
