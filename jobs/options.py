"""The options of a job, as they are kept with it. ``jobs.api.options`` checks what a request asks for."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was asked for. Rows of older versions lack the newer names: these have their defaults."""

    model: str = ""
    language: str | None = None
    task: str = "transcribe"
    prompt: str = ""
    hotwords: str = ""
    temperature: float | None = None
    beam_size: int = 5
    word_timestamps: bool = False
    vad_filter: bool = True
    batched: bool = True
    speed: float = 1.0
    trim_start: float = 0.0
    trim_seconds: float | None = None
    enhance: bool = False
    report: bool = True
    tags: tuple[str, ...] = ()
    delete_after_seconds: int | None = None

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Options":
        """The options in ``Job.options``."""
        known = {field.name: stored[field.name] for field in fields(cls) if field.name in stored}
        return cls(**known | {"tags": tuple(known.get("tags", ()))})

    def as_json(self) -> dict[str, Any]:
        """What ``Job.options`` keeps and the API echoes."""
        return asdict(self) | {"tags": list(self.tags)}
