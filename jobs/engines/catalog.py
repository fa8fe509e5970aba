"""Which models and languages there are, known without importing an engine (the web process reads this)."""

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

_CODES = """
    af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl gu ha haw he hi hr ht hu hy id is
    it ja jw ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne nl nn no oc pa pl ps pt ro ru sa sd si sk
    sl sn so sq sr su sv sw ta te tg th tk tl tr tt uk ur uz vi yi yo yue zh
"""

WHISPER_LANGUAGES = frozenset(_CODES.split())
"""ISO 639 codes that Whisper knows (``faster_whisper.tokenizer``, checked against it by a test)."""

POCKETSPHINX_LANGUAGES = frozenset({"en"})
