"""Containers put together by hand, for what no muxer would write."""

import math
import struct
import subprocess
from collections.abc import Sequence


def make(*arguments: str) -> None:
    """ffmpeg as it is used to make files; the ones under test are read elsewhere."""
    subprocess.run(["ffmpeg", "-v", "error", "-y", *arguments], check=True, capture_output=True)


def wav(
    data: bytes, *, rate: int = 16_000, channels: int = 1, data_bytes: int | None = None, riff_bytes: int | None = None
) -> bytes:
    """A PCM WAV whose sizes, rate and channels say what they are told to."""
    frame = channels * 2 % 65_536
    layout = struct.pack("<HHIIHH", 1, channels, rate, rate * frame % 2**32, frame, 16)
    size = len(data) if data_bytes is None else data_bytes
    riff = min(size + 36, 2**32 - 1) if riff_bytes is None else riff_bytes
    return (
        b"RIFF"
        + struct.pack("<I", riff)
        + b"WAVEfmt "
        + struct.pack("<I", 16)
        + layout
        + b"data"
        + struct.pack("<I", size)
        + data
    )


def tone(seconds: float, rate: int = 16_000) -> bytes:
    """440 Hz as s16le."""
    return b"".join(struct.pack("<h", int(8_000 * math.sin(n * 2764.6 / rate))) for n in range(round(seconds * rate)))


def quiet_wav(seconds: float) -> bytes:
    return wav(tone(seconds))


def with_flac_samples(data: bytes, samples: int) -> bytes:
    """A FLAC whose header says so many samples."""
    at = data.index(b"fLaC") + 8 + 10
    (packed,) = struct.unpack(">Q", data[at : at + 8])
    return data[:at] + struct.pack(">Q", packed >> 36 << 36 | samples) + data[at + 8 :]


def atom(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 8) + name + body


def element(identity: int, body: bytes) -> bytes:
    """An EBML element with a length of eight bytes."""
    name = identity.to_bytes((identity.bit_length() + 7) // 8, "big")
    return name + (len(body) | 1 << 56).to_bytes(8, "big") + body


def simple_block(milliseconds: int, data: bytes, *, flags: int = 0x80) -> bytes:
    return element(0xA3, b"\x81" + struct.pack(">hB", milliseconds, flags) + data)


def matroska(
    *, info: Sequence[tuple[int, bytes]] = (), seconds: float | None = 2.0, blocks: Sequence[bytes] | None = None
) -> bytes:
    """A Matroska file of PCM sound, two seconds long where ``blocks`` do not say otherwise."""
    if blocks is None:
        second = tone(1)
        blocks = [simple_block(0, second), simple_block(1_000, second)]
    header = element(0x4282, b"matroska") + element(0x4287, b"\4") + element(0x4285, b"\2")
    facts = element(0x2AD7B1, (1_000_000).to_bytes(4, "big"))
    if seconds is not None:
        facts += element(0x4489, struct.pack(">d", seconds * 1_000))
    facts += b"".join(element(identity, body) for identity, body in info)
    sound = element(0xB5, struct.pack(">d", 16_000)) + element(0x9F, b"\1") + element(0x6264, b"\x10")
    track = b"".join(
        [
            element(0xD7, b"\1"),
            element(0x73C5, b"\1"),
            element(0x83, b"\2"),
            element(0x86, b"A_PCM/INT/LIT"),
            element(0xE1, sound),
        ]
    )
    # Of unknown length, as recorders write it: what comes behind belongs to it, too.
    segment = element(0x1549A966, facts) + element(0x1654AE6B, element(0xAE, track)) + cluster(0, blocks)
    return element(0x1A45DFA3, header) + (0x18538067).to_bytes(4, "big") + b"\x01" + b"\xff" * 7 + segment


def cluster(milliseconds: int, blocks: Sequence[bytes]) -> bytes:
    """Blocks whose time stamps count from ``milliseconds``."""
    return element(0x1F43B675, element(0xE7, milliseconds.to_bytes(8, "big")) + b"".join(blocks))


def id3(size: int, frames: bytes = b"") -> bytes:
    """An ID3 tag whose header says ``size`` bytes."""
    return b"ID3\4\0\0" + bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0)) + frames
