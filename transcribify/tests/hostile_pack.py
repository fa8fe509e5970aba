"""What a hostile file is, what it is lured with, and the list that the files of the pack are put on."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from transcribify.tests.hostile_bytes import make

CANARY = "canary-b7f1c3e2d9"
"""Bytes that must come out nowhere."""
CANARY_SPEECH = Path(__file__).resolve().parents[2] / "jobs" / "tests" / "assets" / "english.flac"
"""Words that must come out nowhere. There is no speech in the pack's own sounds: silence, noise and 440 Hz."""
CANARY_HERTZ = 3_130
"""A tone under the words, which is easily found in samples."""


@dataclass(frozen=True, slots=True)
class Lures:
    """What hostile files point at: canaries of every kind, and ports that count who calls."""

    folder: Path
    tcp_port: int
    udp_port: int

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.tcp_port}"

    @property
    def speech(self) -> Path:
        return self.folder / "canary.mp3"

    @property
    def stream(self) -> Path:
        return self.folder / "canary.ts"

    @property
    def text(self) -> Path:
        return self.folder / "canary.txt"

    @property
    def playlist(self) -> Path:
        return self.folder / "canary.m3u8"


Writer = Callable[[Path, Lures], None]

_writers: dict[str, tuple[str, Writer]] = {}


@dataclass(frozen=True, slots=True)
class HostileFile:
    """One file of the pack and why it is in it."""

    path: Path
    reason: str

    @property
    def name(self) -> str:
        return self.path.name


def hostile(name: str, reason: str) -> Callable[[Writer], Writer]:
    """Puts a function that writes the file ``name`` on the list."""

    def register(writer: Writer) -> Writer:
        assert name not in _writers, name
        _writers[name] = (reason, writer)
        return writer

    return register


def write_pack(lures: Lures) -> list[HostileFile]:
    """Write the canaries and every file on the list into the lures' folder."""
    _write_canaries(lures)

    def write(name: str) -> HostileFile:
        reason, writer = _writers[name]
        writer(lures.folder / name, lures)
        return HostileFile(lures.folder / name, reason)

    with ThreadPoolExecutor(2) as writers:
        return list(writers.map(write, _writers))


def _write_canaries(lures: Lures) -> None:
    lures.folder.mkdir(parents=True, exist_ok=True)
    tone = f"sine={CANARY_HERTZ}"
    mix = ["-i", str(CANARY_SPEECH), "-f", "lavfi", "-i", tone, "-filter_complex", "amix=duration=first:normalize=0"]
    make(*mix, "-metadata", f"title={CANARY}", str(lures.speech))
    make(*mix, "-metadata", f"service_name={CANARY}", "-c:a", "mp2", str(lures.stream))
    lures.text.write_text(f"{CANARY}\n" * 100)
    lures.playlist.write_text(f"#EXTM3U\n#EXTINF:6,\nfile://{lures.stream}\n#EXT-X-ENDLIST\n")


def canary_share(pcm: Path) -> float:
    """How much of the power of decoded samples (0..1) lies in the canary's tone."""
    samples = np.fromfile(pcm, dtype="<i2")[: 16_000 * 60].astype(np.float64)
    if not len(samples):
        return 0.0
    power = np.abs(np.fft.rfft(samples)) ** 2
    hertz = np.fft.rfftfreq(len(samples), 1 / 16_000)
    return float(power[np.abs(hertz - CANARY_HERTZ) < 20].sum() / max(power.sum(), 1.0))
