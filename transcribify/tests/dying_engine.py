"""An engine whose process dies over its second recording, for want of memory as it were."""

import os
import signal
from collections.abc import Iterator

from jobs.engines.base import Audio, EngineConfig, TranscriptionInfo, TranscriptionRequest
from jobs.transcript import Segment


class DyingEngine:
    name = "dying"

    def __init__(self, config: EngineConfig) -> None:
        self._recordings = 0

    def load(self, model: str) -> None:
        pass

    def transcribe(self, audio: Audio, request: TranscriptionRequest) -> tuple[TranscriptionInfo, Iterator[Segment]]:
        self._recordings += 1
        if self._recordings == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return TranscriptionInfo("en"), iter([Segment(0.0, 1.0, "Hello, everyone!")])
