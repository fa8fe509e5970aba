"""The enhancer, imported on first use, in a worker: OpenAI's client takes long to import."""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Protocol

from jobs.transcript import Transcript
from reports.writers.base import WriterConfig


class Enhancer(Protocol):
    """Corrects how a transcript is written. Raises ``jobs.errors.ReportError`` and nothing else of its own."""

    model: str

    def enhance(self, transcript: Transcript, *, beat: Callable[[], None]) -> list[str]:
        """The corrected text of each segment, in order; ``beat`` is called now and then."""


@cache
def get_enhancer(config: WriterConfig) -> Enhancer:
    """The one instance of this process: it remembers what its server understands."""
    enhancer: Enhancer = import_module("reports.enhancers.openai_api").OpenAIEnhancer(config)
    return enhancer
