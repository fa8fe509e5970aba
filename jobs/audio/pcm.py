"""A file of decoded samples (s16le, 16 kHz mono), read by stretches."""

from pathlib import Path

import numpy as np

from jobs.audio.decode import to_audio
from jobs.audio.ffmpeg import BYTES_PER_SAMPLE
from jobs.engines.base import Audio


class PcmFile:
    """The samples of ``path``: a slice of it is read when it is asked for, and nothing is kept."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._samples = path.stat().st_size // BYTES_PER_SAMPLE

    def __len__(self) -> int:
        return self._samples

    def __getitem__(self, stretch: slice, /) -> Audio:
        start, end, _ = stretch.indices(len(self))
        offset = start * BYTES_PER_SAMPLE
        return to_audio(np.fromfile(self.path, dtype="<i2", count=max(0, end - start), offset=offset))
