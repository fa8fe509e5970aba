"""Files that would have the decoder read or call something else: another file, a host, a device."""

import base64
from collections.abc import Callable
from pathlib import Path

from transcribify.tests.hostile_bytes import make, matroska, quiet_wav
from transcribify.tests.hostile_pack import Lures, hostile


def playlist(*addresses: str) -> str:
    entries = "".join(f"#EXTINF:6,\n{address}\n" for address in addresses)
    return f"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:6\n{entries}#EXT-X-ENDLIST\n"


def text_file(name: str, reason: str, text: Callable[[Lures], str]) -> None:
    """Registers a file that is nothing but text."""

    @hostile(name, reason)
    def write(path: Path, lures: Lures) -> None:
        path.write_text(text(lures))


text_file("hls_file.mp3", "a renamed playlist reads any file", lambda lures: playlist(f"file://{lures.stream}"))
text_file("hls_relative.mp3", "a renamed playlist reads its neighbour", lambda lures: playlist("canary.ts"))
text_file(
    "hls_http.wav", "a renamed playlist calls hosts behind the wall", lambda lures: playlist(f"{lures.http}/a.ts")
)
text_file("hls_passwd.flac", "a renamed playlist reads system files", lambda lures: playlist("file:///etc/passwd"))
text_file("hls_nested.mp3", "a playlist of a playlist", lambda lures: playlist(f"file://{lures.playlist}"))
text_file(
    "hls_data.mp3",
    "a playlist inside a data: address",
    lambda lures: playlist(
        "data:application/x-mpegurl;base64,"
        + base64.b64encode(playlist(f"file://{lures.stream}", f"{lures.http}/b.ts").encode()).decode()
    ),
)
text_file(
    "hls_key.ogg",
    "a playlist whose key is fetched from elsewhere",
    lambda lures: playlist(f"file://{lures.stream}").replace(
        "#EXTINF", f'#EXT-X-KEY:METHOD=AES-128,URI="{lures.http}/key"\n#EXTINF', 1
    ),
)
text_file("ffconcat_absolute.mp3", "a concat script", lambda lures: f"ffconcat version 1.0\nfile '{lures.speech}'\n")
text_file("ffconcat_relative.mp3", "a concat script, relative", lambda lures: "ffconcat version 1.0\nfile canary.mp3\n")
text_file(
    "sdp.mp3",
    "a session description opens ports and waits",
    lambda lures: (
        f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio {lures.udp_port} RTP/AVP 0\n"
        "a=rtpmap:0 PCMU/8000\n"
    ),
)
text_file(
    "dash.mp4",
    "a manifest of segments",
    lambda lures: (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT6S"><Period><AdaptationSet mimeType="audio/mp4"><Representation id="1" '
        f'bandwidth="1"><BaseURL>{lures.http}/c.mp4</BaseURL><SegmentList><SegmentURL media="file://{lures.speech}"/>'
        "</SegmentList></Representation></AdaptationSet></Period></MPD>"
    ),
)
text_file("pls.mp3", "a station list", lambda lures: f"[playlist]\nFile1={lures.http}/d\nNumberOfEntries=1\n")
text_file(
    "asx.mp3", "a Windows playlist", lambda lures: f'<asx version="3.0"><entry><ref href="{lures.http}"/></entry></asx>'
)
text_file("rtsp.mp4", "a QuickTime redirect", lambda lures: f"RTSPtext\nrtsp://127.0.0.1:{lures.tcp_port}/e\n")
text_file("avisynth.wav", "a script of a frame server", lambda lures: f'DirectShowSource("{lures.speech}")\n')
text_file(
    "imf.mp4",
    "a composition playlist",
    lambda lures: (
        '<?xml version="1.0"?><CompositionPlaylist xmlns="http://www.smpte-ra.org/schemas/2067-3/2016"><Id>urn:uuid:0'
        f"</Id><AssetMap><Path>{lures.speech}</Path></AssetMap></CompositionPlaylist>"
    ),
)
text_file(
    "subtitle.ogg",
    "subtitles that name a sound file",
    lambda lures: f"1\n00:00:01,000 --> 00:00:02,000\n{lures.speech}\n",
)
text_file(
    "vobsub.mp4", "an index whose data lies next to it", lambda lures: "# VobSub index file, v7\nid: en, index: 0\n"
)
text_file("lavfi.wav", "a filter graph as a file name", lambda lures: f"movie={lures.speech},amovie={lures.speech}\n")


@hostile("external_data.m4a", "a track whose samples lie in another file (dref)")
def external_data(path: Path, lures: Lures) -> None:
    make("-f", "lavfi", "-i", "sine=440:duration=2", str(path))
    data = path.read_bytes()
    reference = b"\0\0\0\x0curl \0\0\0\x01"
    assert reference in data
    # The box keeps its size, so the address has to be as short as the self-contained flag that it replaces.
    path.write_bytes(data.replace(reference, b"\0\0\0\x0calis\0\0\0\0"))


@hostile("external_url.mp4", "a track whose samples lie at an address")
def external_url(path: Path, lures: Lures) -> None:
    # Written last in its parents, the entry can be made longer: sizes up to moov grow with it, the data lies before.
    make("-f", "lavfi", "-i", "sine=440:duration=2", str(path))
    data = path.read_bytes()
    at = data.index(b"\0\0\0\x0curl \0\0\0\x01")
    entry = b"url \0\0\0\0" + f"file://{lures.speech}".encode() + b"\0"
    entry = (len(entry) + 4).to_bytes(4, "big") + entry
    grown = bytearray(data[:at] + entry + data[at + 12 :])
    for name in (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"):
        size_at = data.index(name) - 4
        grown[size_at : size_at + 4] = (int.from_bytes(data[size_at : size_at + 4], "big") + len(entry) - 12).to_bytes(
            4, "big"
        )
    path.write_bytes(grown)


@hostile("linked_segment.webm", "a segment that goes on in another file")
def linked_segment(path: Path, lures: Lures) -> None:
    name = str(lures.speech).encode()
    path.write_bytes(matroska(info=[(0x3E83BB, name), (0x3EB923, b"\1" * 16), (0x3C83AB, name)]))


@hostile("attachment.webm", "an attachment named as a path out of here")
def attachment(path: Path, lures: Lures) -> None:
    wav = path.with_suffix(".wav.tmp")
    wav.write_bytes(quiet_wav(2))
    make("-i", str(wav), "-attach", str(lures.text), "-metadata:s:t", "mimetype=text/plain", "-metadata:s:t",
         "filename=../../canary.txt", "-f", "matroska", str(path))  # fmt: skip
    wav.unlink()


@hostile("-i.mp3", "a name that is an option")
def option_name(path: Path, lures: Lures) -> None:
    make("-f", "lavfi", "-i", "sine=440:duration=2", f"file:{path}")


@hostile("concat:canary.mp3|canary.mp3", "a name that is a protocol")
def protocol_name(path: Path, lures: Lures) -> None:
    path.write_bytes(b"no sound at all" * 100)
