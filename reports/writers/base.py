"""What every report writer is, and the shape of what it writes."""

from dataclasses import dataclass, field
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from jobs.transcript import Transcript


class ReportDraft(BaseModel):
    """The structured report, in the transcript's language. Plain text throughout: no markup, no links.

    The limits keep a talkative model from filling a page; a writer trims before it validates.
    """

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, frozen=True)

    summary: str = Field(min_length=1, max_length=4_000)
    key_points: list[str] = Field(max_length=20)
    topics: list[str] = Field(max_length=20)
    sentiment: Literal["positive", "neutral", "negative", "mixed"]


@dataclass(frozen=True, slots=True)
class WriterConfig:
    """The installation's side of report writing, read from the settings once per worker."""

    api_key: str = field(default="", repr=False)
    base_url: str | None = None
    model: str = ""
    timeout_seconds: float = 60.0
    total_seconds: float = 300.0
    part_characters: int = 24_000


class Writer(Protocol):
    """Reads a transcript, writes a report. Raises ``jobs.errors.ReportError`` and nothing else."""

    name: str

    def __init__(self, config: WriterConfig) -> None: ...

    def load(self) -> None:
        """Have what the first report needs ready: word lists, taggers. Idempotent; asks nobody."""

    def write(self, transcript: Transcript) -> ReportDraft:
        """Report on ``transcript``, which holds at least one word."""
