"""Voice activity detection over a whole recording, block by block: where somebody speaks.

The network is Silero's, from the ONNX file inside the faster-whisper package, and the result is that of
``faster_whisper.vad.get_speech_timestamps`` with a minimal silence of 0.3 s. That function wants the recording as one
float array (2.3 GB for ten hours); this one reads as it goes and keeps the network's state from block to block.
onnxruntime is used directly because importing ``faster_whisper`` loads CTranslate2, and this module is imported by a
worker's main process, before it forks.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnxruntime

from jobs.audio.decode import Samples, to_audio
from jobs.audio.ffmpeg import BYTES_PER_SAMPLE
from jobs.engines.base import SAMPLE_RATE, Audio, Clip

WINDOW_SAMPLES = 512
CONTEXT_SAMPLES = 64
BLOCK_WINDOWS = 500
"""Windows per run of the network (16 s of audio): bounds the memory and the time between two beats."""

SPEECH_THRESHOLD = 0.5
SILENCE_THRESHOLD = SPEECH_THRESHOLD - 0.15
MIN_SILENCE_SAMPLES = 3 * SAMPLE_RATE // 10
PADDING_SAMPLES = 4 * SAMPLE_RATE // 10

_MODEL_FILE = "silero_vad_v6.onnx"

_Bounds = tuple[int, int]
"""First sample of a stretch, and the one after its last."""


def find_speech(pcm: Path, *, beat: Callable[[], None] | None = None) -> list[Clip]:
    """The stretches of speech in ``pcm`` (s16le samples, 16 kHz mono), in order, not overlapping; ``[]`` for silence.

    A pause shorter than 0.3 s does not end a stretch; around one shorter than 0.8 s the two stretches touch. ``beat``
    is called after every 16 s of audio; what it raises ends the work. Raises ``OSError`` when the file cannot be read.
    """
    follower = SpeechFollower(pcm)
    while follower.hear_more(blocks=1):
        if beat:
            beat()
    return follower.finish()


class SpeechFollower:
    """``find_speech`` for a file that is still being written: it listens along in the beats of the decoder."""

    def __init__(self, pcm: Path) -> None:
        self._pcm = pcm
        self._finder = SpeechFinder()
        self._samples = 0

    def hear_more(self, *, blocks: int = 8) -> bool:
        """Listen to what is new in the file, ``blocks`` times 16 s at most; whether there was anything.

        Eight blocks take a fourth of a second. Raises ``OSError`` when there is no file.
        """
        for block in range(blocks):
            offset = self._samples * BYTES_PER_SAMPLE
            samples = np.fromfile(self._pcm, dtype="<i2", count=BLOCK_WINDOWS * WINDOW_SAMPLES, offset=offset)
            if not len(samples):
                return block > 0
            self._finder.hear(samples)
            self._samples += len(samples)
        return True

    def finish(self) -> list[Clip]:
        """Listen to the rest of the file; the speech in all of it."""
        while self.hear_more():
            pass
        return self._finder.finish()


class SpeechFinder:
    """``find_speech`` for samples that arrive in blocks of any length."""

    def __init__(self) -> None:
        self._windows = _Windows()
        self._network = _SileroNetwork()
        self._tracker = _SpeechTracker()

    def hear(self, block: Samples) -> None:
        """Take in the next samples."""
        for batch in self._windows.cut(block):
            self._tracker.follow(self._network.speech_probabilities(batch))

    def finish(self) -> list[Clip]:
        """The speech in all that was heard; nothing can be heard after it."""
        self._tracker.follow(self._network.speech_probabilities(self._windows.last()))
        total_samples = self._windows.total_samples
        stretches = _pad(self._tracker.finish(total_samples), total_samples)
        return [Clip(start / SAMPLE_RATE, end / SAMPLE_RATE) for start, end in stretches]


class _Windows:
    """Cuts blocks of any length into batches of whole windows, as float32 in -1..1."""

    def __init__(self) -> None:
        self.total_samples = 0
        self._waiting: Samples = np.empty(0, dtype=np.int16)

    def cut(self, block: Samples) -> Iterator[Audio]:
        """Arrays of shape ``(1..BLOCK_WINDOWS, WINDOW_SAMPLES)``; samples that fill no window wait for more."""
        self.total_samples += len(block)
        samples = np.concatenate([self._waiting, block])
        whole = len(samples) // WINDOW_SAMPLES * WINDOW_SAMPLES
        self._waiting = samples[whole:].copy()
        for first in range(0, whole, BLOCK_WINDOWS * WINDOW_SAMPLES):
            yield _as_windows(samples[first : min(whole, first + BLOCK_WINDOWS * WINDOW_SAMPLES)])

    def last(self) -> Audio:
        """As in get_speech_timestamps: there always is a last, filled up window, and it always ends in silence."""
        samples = np.pad(self._waiting, (0, WINDOW_SAMPLES - len(self._waiting)))
        samples[-CONTEXT_SAMPLES:] = 0
        return _as_windows(samples)


def _as_windows(samples: Samples) -> Audio:
    return to_audio(samples).reshape(-1, WINDOW_SAMPLES)


class _SileroNetwork:
    """Silero's recurrent network with its state, which goes on from one batch of windows to the next."""

    def __init__(self) -> None:
        self._session = _load_session()
        self._hidden = np.zeros((1, 1, 128), dtype=np.float32)
        self._cell = np.zeros((1, 1, 128), dtype=np.float32)
        self._context = np.zeros((1, CONTEXT_SAMPLES), dtype=np.float32)

    def speech_probabilities(self, windows: Audio) -> list[float]:
        """How likely each window holds speech (0..1). The network sees a window after the end of the one before."""
        ends = np.concatenate([self._context, windows[:, -CONTEXT_SAMPLES:]])
        self._context = ends[-1:]
        inputs = {"input": np.concatenate([ends[:-1], windows], axis=1), "h": self._hidden, "c": self._cell}
        probabilities, self._hidden, self._cell = self._session.run(None, inputs)
        found: list[float] = probabilities.tolist()
        return found


@cache
def _load_session() -> onnxruntime.InferenceSession:
    package = find_spec("faster_whisper")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("faster-whisper, which brings the voice activity detector, is not installed")
    options = onnxruntime.SessionOptions()
    options.inter_op_num_threads = 1
    options.intra_op_num_threads = 1  # no threads of its own: more do not make it faster, and it is used after forks
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4
    path = Path(package.origin).parent / "assets" / _MODEL_FILE
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"], sess_options=options)


class _SpeechTracker:
    """Turns probabilities into stretches: two thresholds, and a silence must last before it ends a stretch."""

    def __init__(self) -> None:
        self._position = 0
        self._speech_since: int | None = None
        self._silence_since: int | None = None
        self._found: list[_Bounds] = []

    def follow(self, probabilities: Iterable[float]) -> None:
        """Take in the next windows."""
        for probability in probabilities:
            if probability >= SPEECH_THRESHOLD:
                self._silence_since = None
                if self._speech_since is None:
                    self._speech_since = self._position
            elif probability < SILENCE_THRESHOLD and self._speech_since is not None:
                self._meet_silence(self._speech_since)
            self._position += WINDOW_SAMPLES

    def _meet_silence(self, speech_since: int) -> None:
        if self._silence_since is None:
            self._silence_since = self._position
        if self._position - self._silence_since >= MIN_SILENCE_SAMPLES:
            self._found.append((speech_since, self._silence_since))
            self._speech_since = self._silence_since = None

    def finish(self, total_samples: int) -> list[_Bounds]:
        """All stretches, in samples; speech that nothing ended lasts until the recording's end."""
        if self._speech_since is not None and self._speech_since < total_samples:
            self._found.append((self._speech_since, total_samples))
        return self._found


def _pad(stretches: list[_Bounds], total_samples: int) -> list[_Bounds]:
    """Widen each stretch by the padding on both sides; in a silence too short for both they meet in its middle."""
    if not stretches:
        return []
    edges = [max(0, stretches[0][0] - PADDING_SAMPLES)]
    for (_, end), (start, _) in pairwise(stretches):
        room = min(PADDING_SAMPLES, (start - end) // 2)
        edges += [end + room, start - room]
    edges.append(min(total_samples, stretches[-1][1] + PADDING_SAMPLES))
    return list(zip(edges[::2], edges[1::2], strict=True))
