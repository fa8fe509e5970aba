"""T17: headers that say too little, too much or nothing. What was decoded is charged, whatever they say."""

import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from transcribify.tests.client import Client
from transcribify.tests.hostile_bytes import make, matroska, tone, wav, with_flac_samples

SECONDS = 3
SAYS = {"short": 1, "long": 600, "unknown": None}
"""What the headers say, in seconds."""


def write_wav(path: Path, says: int | None) -> None:
    path.write_bytes(wav(tone(SECONDS), data_bytes=2**32 - 1 if says is None else says * 32_000))


def write_mp3(path: Path, says: int | None) -> None:
    make(
        "-f",
        "lavfi",
        "-i",
        f"sine=440:r=16000:duration={SECONDS}",
        "-write_xing",
        str(int(says is not None)),
        str(path),
    )
    if says is not None:
        data = bytearray(path.read_bytes())
        at = min(place for mark in (b"Xing", b"Info") if (place := data.find(mark)) > 0)
        data[at + 8 : at + 12] = struct.pack(">I", says * 16_000 // 576)
        path.write_bytes(data)


def write_flac(path: Path, says: int | None) -> None:
    make("-f", "lavfi", "-i", f"sine=440:r=16000:duration={SECONDS}", str(path))
    path.write_bytes(with_flac_samples(path.read_bytes(), (says or 0) * 16_000))


def write_webm(path: Path, says: int | None) -> None:
    path.write_bytes(matroska(seconds=says))


def write_m4a(path: Path, says: int | None) -> None:
    """A bare AAC stream: it has no header that could say anything."""
    make("-f", "lavfi", "-i", f"sine=440:r=16000:duration={SECONDS}", "-f", "adts", str(path))


WRITERS: dict[str, Callable[[Path, int | None], None]] = {
    "wav": write_wav, "mp3": write_mp3, "flac": write_flac, "webm": write_webm, "m4a": write_m4a,
}  # fmt: skip
CASES = [(kind, says) for kind in WRITERS for says in SAYS if kind != "m4a" or says == "unknown"]


def decoded_seconds(path: Path) -> float:
    """What ffmpeg by itself makes of a file."""
    command = ["ffmpeg", "-v", "quiet", "-i", str(path), "-ac", "1", "-ar", "16000", "-f", "s16le", "-"]
    return len(subprocess.run(command, capture_output=True, check=True).stdout) / 32_000


@pytest.mark.parametrize(("kind", "says"), CASES)
def test_what_was_decoded_is_charged(client: Client, tmp_path: Path, kind: str, says: str) -> None:
    path = tmp_path / f"{says}.{kind}"
    WRITERS[kind](path, SAYS[says])
    expected = decoded_seconds(path)
    job = client.transcribe(path, report="false")
    usage = client.usage()
    print(f"{kind}, {says}: {expected:.3f} s decoded, {usage['used_seconds']:.3f} s charged")
    assert job["status"] == "done"
    assert expected > 0.9
    assert usage["used_seconds"] == pytest.approx(expected, abs=0.05)
    assert usage["reserved_seconds"] == 0
    is_cut = says == "long" and expected < SAYS["long"] * 0.9
    assert ("shorter_than_its_header" in [warning["code"] for warning in job["warnings"]]) <= is_cut
