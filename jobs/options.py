"""What a job was asked to do, with defaults: the typed side of ``Job.options``."""

from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """A job's options. ``trim_start``, ``trim_seconds`` and ``delete_after_seconds`` are seconds; None: no limit."""

    model: str = ""
    language: str | None = None
    task: str = "transcribe"
    prompt: str = ""
    hotwords: str = ""
    temperature: float | None = None
    beam_size: int = 5
    word_timestamps: bool = False
    vad_filter: bool = True
    batched: bool = False
    speed: float = 1.0
    trim_start: float = 0.0
    trim_seconds: float | None = None
    enhance: bool = False
    report: bool = True
    tags: tuple[str, ...] = ()
    delete_after_seconds: int | None = None

    @classmethod
    def of(cls, stored: dict[str, Any]) -> "Options":
        """The known fields of ``stored``; defaults for the rest."""
        known = {field.name: stored[field.name] for field in fields(cls) if field.name in stored}
        if "tags" in known:
            known["tags"] = tuple(known["tags"])
        return cls(**known)
