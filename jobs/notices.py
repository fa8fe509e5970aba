"""The ``warnings`` of a job: stable codes with a sentence for people."""

from typing import Any

_TEXTS = {
    "no_speech": "No speech was found in the recording.",
    "recognised_by_pocketsphinx": (
        "Recognised by pocketsphinx, the small built-in English recogniser. A Whisper model is far more accurate."
    ),
    "language_not_detected": "The language was not detected: this engine takes every recording for English.",
    "shorter_than_its_header": "The file says it is longer than what could be decoded; it may be cut off or damaged.",
    "damaged": "The file is damaged: only a part of it could be decoded. What is missing was not transcribed.",
    "possible_hallucination": (
        "Some segments may hold words that nobody said: recognisers make some up in silence, noise and music. They are "
        "marked in the segments' `flags`. Listen to them before you rely on them."
    ),
    "report_failed": "The report could not be written. The transcript is complete.",
    "enhance_failed": (
        "The transcript could not be enhanced; the original is complete. "
        "Writing the report again tries this again as well."
    ),
}


def notice(code: str, detail: str = "") -> dict[str, Any]:
    """One entry of ``warnings``: ``{code, message}``."""
    text = _TEXTS.get(code, code.replace("_", " "))
    return {"code": code, "message": f"{text} {detail}".strip()}
