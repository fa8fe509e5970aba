"""The pack of hostile files: made by script, none of it kept. ``make_pack`` writes them all."""

import struct
from pathlib import Path

from transcribify.tests import hostile_references
from transcribify.tests.hostile_bytes import (
    atom,
    cluster,
    id3,
    make,
    matroska,
    simple_block,
    tone,
    wav,
    with_flac_samples,
)
from transcribify.tests.hostile_pack import HostileFile, Lures, hostile, write_pack

__all__ = ["HostileFile", "Lures", "hostile_references", "make_pack"]

MEGABYTE = 1_000_000
HOURS_10 = 36_000
SINE = ("-f", "lavfi", "-i", "sine=440:duration=2")


def make_pack(folder: Path, *, tcp_port: int, udp_port: int) -> tuple[Lures, list[HostileFile]]:
    """The pack and its canaries in ``folder``, pointing at two ports of loopback."""
    lures = Lures(folder, tcp_port, udp_port)
    return lures, write_pack(lures)


def repeated(path: Path, seconds: int, *options: str, rate: int = 48_000) -> None:
    """A minute of silence, copied without encoding until it is ``seconds`` long."""
    minute = path.with_name(f"minute-{path.name}")
    make("-f", "lavfi", "-i", f"anullsrc=r={rate}:cl=mono", "-t", "60", *options, str(minute))
    make("-stream_loop", str(seconds // 60 - 1), "-i", str(minute), "-c", "copy", str(path))
    minute.unlink()


# Headers that say another length.


def flac_of_10_hours(name: str, reason: str, *, says_seconds: int) -> None:
    @hostile(name, reason)
    def write(path: Path, lures: Lures) -> None:
        repeated(path, HOURS_10, "-frame_size", "65535", rate=8_000)
        path.write_bytes(with_flac_samples(path.read_bytes(), says_seconds * 8_000))


flac_of_10_hours("flac_1s_10h.flac", "says 1 s, is 10 hours in kilobytes of constant subframes", says_seconds=1)
flac_of_10_hours("flac_10h.flac", "10 hours of silence in kilobytes, with an honest header", says_seconds=HOURS_10)
flac_of_10_hours("flac_unknown.flac", "says nothing of its length, is 10 hours", says_seconds=0)


@hostile("wav_10h_1s.wav", "says 10 hours, is 1 s")
def wav_long(path: Path, lures: Lures) -> None:
    path.write_bytes(wav(tone(1), data_bytes=HOURS_10 * 32_000))


@hostile("rf64.wav", "says 2^60 bytes, is 1 s")
def rf64(path: Path, lures: Lures) -> None:
    plain = wav(tone(1), data_bytes=2**32 - 1, riff_bytes=2**32 - 1)
    sizes = b"ds64" + struct.pack("<IQQQI", 28, 2**60, 2**60, 2**59, 0)
    path.write_bytes(b"RF64" + plain[4:12] + sizes + plain[12:])


@hostile("w64.wav", "a Wave64 that says 2^60 bytes")
def w64(path: Path, lures: Lures) -> None:
    make(*SINE, "-f", "w64", str(path))
    data = bytearray(path.read_bytes())
    at = data.index(b"data") + 16
    data[at : at + 8] = struct.pack("<Q", 2**60)
    path.write_bytes(data)


def xing(path: Path, seconds: int, frames: int) -> None:
    repeated(path, seconds, "-b:a", "16k")
    data = bytearray(path.read_bytes())
    at = min(place for mark in (b"Xing", b"Info") if (place := data.find(mark)) > 0)
    data[at + 8 : at + 12] = struct.pack(">I", frames)
    path.write_bytes(data)


@hostile("xing_long.mp3", "a Xing header that says days")
def xing_long(path: Path, lures: Lures) -> None:
    xing(path, 60, 2**31 - 1)


@hostile("xing_short.mp3", "a Xing header that says 1 s, is 40 minutes")
def xing_short(path: Path, lures: Lures) -> None:
    xing(path, 2_400, 28)


@hostile("webm_1s_1h.webm", "says 1 s, is an hour")
def webm_short(path: Path, lures: Lures) -> None:
    repeated(path, 3_600, "-c:a", "libopus", "-b:a", "6k", "-frame_duration", "60")
    data = bytearray(path.read_bytes())
    at = data.index(b"\x44\x89\x88") + 3
    data[at : at + 8] = struct.pack(">d", 1_000)
    path.write_bytes(data)


@hostile("opus_10h.ogg", "10 hours of silence that take a decoder long")
def opus_long(path: Path, lures: Lures) -> None:
    repeated(path, HOURS_10, "-c:a", "libopus", "-b:a", "6k", "-frame_duration", "60")


@hostile("m4a_1s.m4a", "every length in it says 1 s")
def m4a_short(path: Path, lures: Lures) -> None:
    make("-f", "lavfi", "-i", "sine=440:r=16000:duration=20", str(path))
    data = bytearray(path.read_bytes())
    for name, offset in ((b"mvhd", 20), (b"tkhd", 24), (b"mdhd", 20), (b"elst", 12)):
        at = data.index(name) + offset
        data[at : at + 4] = struct.pack(">I", 16_000 if name == b"mdhd" else 1_000)
    path.write_bytes(data)


@hostile("frozen_time.webm", "every time stamp says 0, is 50 minutes")
def frozen_time(path: Path, lures: Lures) -> None:
    second = bytes(32_000)
    path.write_bytes(matroska(seconds=None, blocks=[simple_block(0, second)] * 1_400))


@hostile("lacing.webm", "frames in a block that are longer than the block")
def lacing(path: Path, lures: Lures) -> None:
    lies = [
        simple_block(n, bytes([255, 0xFF, 0xFE]) + bytes(500), flags=0x80 | kind)
        for n, kind in enumerate((2, 4, 6) * 50)
    ]
    path.write_bytes(matroska(blocks=[*lies, simple_block(1_000, tone(1))]))


# Formats out of reason.


def odd_wav(name: str, reason: str, *, rate: int, channels: int) -> None:
    @hostile(name, reason)
    def write(path: Path, lures: Lures) -> None:
        path.write_bytes(wav(bytes(100_000), rate=rate, channels=channels))


odd_wav("wav_1hz.wav", "100 kB that are 14 hours", rate=1, channels=1)
odd_wav("wav_768khz_64ch.wav", "more channels than can be mixed", rate=768_000, channels=64)
odd_wav("wav_0ch.wav", "no channels", rate=16_000, channels=0)
odd_wav("wav_0hz.wav", "no rate", rate=0, channels=1)
odd_wav("wav_2ghz.wav", "a rate past every integer", rate=2**31, channels=1)


@hostile("tracks.mp4", "200 audio tracks")
def many_tracks(path: Path, lures: Lures) -> None:
    one = path.with_name("one.m4a")
    make(*SINE, str(one))
    make("-i", str(one), *("-map", "0:a") * 200, "-c", "copy", str(path))
    one.unlink()


@hostile("nested.mp4", "atoms in atoms, ten thousand deep")
def nested(path: Path, lures: Lures) -> None:
    body = b""
    for _ in range(10_000):
        body = atom(b"moov", body)
    path.write_bytes(atom(b"ftyp", b"isom\0\0\2\0isomiso2") + body)


@hostile("tiny_pages.ogg", "a million pages of nothing")
def tiny_pages(path: Path, lures: Lures) -> None:
    make(*SINE, "-c:a", "libvorbis", str(path))
    data = path.read_bytes()
    serial = data[14:18]
    page = b"OggS\0\0" + bytes(8) + serial + bytes(8) + b"\1\0"
    path.write_bytes(data[:58] + page * MEGABYTE + data[58:])


# Bodies that fill memory.


@hostile("id3_size.mp3", "a tag that says 256 MB")
def id3_size(path: Path, lures: Lures) -> None:
    make(*SINE, str(path))
    path.write_bytes(id3(2**28 - 1) + path.read_bytes())


def picture(megabytes: int) -> bytes:
    return b"\xff\xd8\xff\xe0" + bytes(megabytes * MEGABYTE)


@hostile("cover_45mb.mp3", "a picture that fills the upload")
def large_cover(path: Path, lures: Lures) -> None:
    make(*SINE, str(path))
    body = b"\0image/jpeg\0\3\0" + picture(45)
    frame = b"APIC" + bytes(len(body) >> shift & 0x7F for shift in (21, 14, 7, 0)) + b"\0\0" + body
    path.write_bytes(id3(len(frame), frame) + path.read_bytes())


@hostile("covers.flac", "three pictures of 15 MB")
def flac_covers(path: Path, lures: Lures) -> None:
    make(*SINE, str(path))
    data = path.read_bytes()
    body = (
        struct.pack(">II", 3, 10)
        + b"image/jpeg"
        + struct.pack(">IIIIII", 0, 0, 0, 0, 0, 15 * MEGABYTE + 4)
        + picture(15)
    )
    block = b"\6" + len(body).to_bytes(3, "big") + body
    path.write_bytes(data[:42] + block * 3 + data[42:])


@hostile("covers.m4a", "three pictures of 15 MB in an M4A")
def m4a_covers(path: Path, lures: Lures) -> None:
    make(*SINE, str(path))
    covers = atom(b"covr", b"".join(atom(b"data", struct.pack(">II", 13, 0) + picture(15)) for _ in range(3)))
    handler = atom(b"hdlr", bytes(8) + b"mdirappl" + bytes(9))
    tags = atom(b"moov", atom(b"udta", atom(b"meta", bytes(4) + handler + atom(b"ilst", covers))))
    data = path.read_bytes()
    at = data.index(b"moov") - 4
    old = int.from_bytes(data[at : at + 4], "big")
    path.write_bytes(data[:at] + atom(b"moov", data[at + 8 : at + old] + tags[8:]))


@hostile("cover_16000px.mp3", "a picture of 256 million pixels in some kilobytes")
def wide_cover(path: Path, lures: Lures) -> None:
    image = path.with_name("wide.png")
    make("-f", "lavfi", "-i", "color=black:size=16000x16000,format=monob", "-frames:v", "1", str(image))
    make(*SINE, "-i", str(image), "-map", "0", "-map", "1", "-c:v", "copy", str(path))
    image.unlink()


# Damage and nonsense.


def cut(name: str, reason: str, keep: float, *options: str) -> None:
    @hostile(name, reason)
    def write(path: Path, lures: Lures) -> None:
        make("-f", "lavfi", "-i", "sine=440:duration=20", *options, str(path))
        data = path.read_bytes()
        path.write_bytes(data[: round(len(data) * keep)])


cut("cut.mp3", "an upload that broke off", 0.3)
cut("cut.m4a", "an upload that broke off before its index", 0.7)
cut("cut.ogg", "an upload that broke off within a page", 0.4, "-c:a", "libvorbis")
cut("cut.flac", "an upload that broke off within a frame", 0.5)
cut("raw_aac.m4a", "a bare stream without any length", 0.9, "-f", "adts")


def nonsense(name: str, reason: str, data: bytes) -> None:
    @hostile(name, reason)
    def write(path: Path, lures: Lures) -> None:
        path.write_bytes(data)


_NOISE = bytes((n * n * 7919 >> 5) & 0xFF for n in range(200_000))

nonsense("magic.mp3", "noise behind a good beginning", b"ID3\4\0\0\0\0\0\0\xff\xfb\x90\x64" + _NOISE)
nonsense("magic.flac", "noise behind a good beginning", b"fLaC\x80\0\0\x22" + _NOISE)
nonsense("magic.ogg", "noise behind a good beginning", b"OggS\0\2" + _NOISE)
nonsense("magic.webm", "noise behind a good beginning", b"\x1a\x45\xdf\xa3" + _NOISE)
nonsense("empty.mp3", "nothing", b"")
nonsense("one_byte.wav", "next to nothing", b"R")
nonsense("text.mp3", "plain text", b"All work and no play makes Jack a dull boy.\n" * 1_000)


@hostile("video_only.mp4", "a film without sound")
def video_only(path: Path, lures: Lures) -> None:
    make("-f", "lavfi", "-i", "testsrc=duration=1:size=320x240", "-c:v", "mpeg4", str(path))


@hostile("subtitles_only.mp4", "nothing but subtitles")
def subtitles_only(path: Path, lures: Lures) -> None:
    text = path.with_name("lines.srt")
    text.write_text("1\n00:00:00,000 --> 00:00:01,000\nhello\n")
    make("-i", str(text), "-c:s", "mov_text", str(path))
    text.unlink()


@hostile("jump.webm", "a recorder's pause of 9 hours in 4 s of sound")
def jump(path: Path, lures: Lures) -> None:
    blocks = [simple_block(0, tone(1)), simple_block(1_000, tone(1))]
    path.write_bytes(matroska(seconds=None, blocks=blocks) + cluster(9 * 3_600_000, blocks))
