"""Engines for tests of the lifecycle: they do on request what real ones do only on a bad day."""

import time
from collections.abc import Iterator

from jobs.engines.base import Audio, EngineConfig, TranscriptionInfo, TranscriptionRequest
from jobs.transcript import Segment


class SleepingEngine:
    """Says one word for each tenth of a second that the prompt asks it to sleep: ``sleep=1.5``."""

    name = "sleeping"

    def __init__(self, config: EngineConfig) -> None:
        self.config = config

    def load(self, model: str) -> None:
        pass

    def transcribe(self, audio: Audio, request: TranscriptionRequest) -> tuple[TranscriptionInfo, Iterator[Segment]]:
        return TranscriptionInfo(language="en"), self._sleep(len(audio) / 16_000, request.prompt)

    def _sleep(self, duration_seconds: float, prompt: str) -> Iterator[Segment]:
        steps = max(1, round(float(prompt.removeprefix("sleep=") or 0) * 10))
        for step in range(steps):
            time.sleep(0.1)
            yield Segment(
                start=duration_seconds * step / steps, end=duration_seconds * (step + 1) / steps, text=f"word {step}."
            )
