"""The only place that starts a program: ffprobe and ffmpeg, held on a short leash.

Both see one local file under a name of ours (``file:/…``), never a client's name or a URL. The format whitelist is what
stops a playlist renamed to ``.mp3`` from reading other files; the protocol whitelist alone does not. Limits on memory,
processor time and file size are set by the shell that becomes the program, a wall clock by us, and the program dies
with the process that started it (``setpriv``, where the system has it).
"""

import shutil
import subprocess  # nosec B404 # this is the place for it
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import ffmpeg

from jobs.errors import ConfigurationFault, InputFault

FORMATS = "wav,mp3,flac,ogg,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,aac,aiff,caf,w64,amr,asf,mpegts"
"""The demuxers that may open an upload. Playlists, concat scripts, SDP, devices and images are not among them."""

MAX_ALLOC_BYTES = 67_108_864
MEMORY_KILOBYTES = 1_500_000
LOOK_SECONDS = 0.05

_LEASH = 'ulimit -v "$1" 2>/dev/null; ulimit -t "$2" 2>/dev/null; ulimit -n 64 2>/dev/null; shift 2; exec "$@"'


def probe_command(path: Path) -> list[str]:
    """ffprobe's command line: the container and the streams of ``path`` as JSON."""
    return [
        "ffprobe", "-hide_banner", "-v", "error",
        "-max_alloc", str(MAX_ALLOC_BYTES), "-protocol_whitelist", "file", "-format_whitelist", FORMATS,
        "-show_entries", "format=format_name,duration:stream=codec_type,codec_name,sample_rate,channels,duration",
        "-of", "json", "-i", f"file:{path}",
    ]  # fmt: skip


def decode_command(source: Path, target: Path, *, cap_seconds: float) -> list[str]:
    """ffmpeg's command line: the first audio stream, at most ``cap_seconds`` of it, as 16 kHz mono s16le."""
    stream = ffmpeg.input(f"file:{source}", t=f"{cap_seconds:.3f}", protocol_whitelist="file", format_whitelist=FORMATS)
    output = ffmpeg.output(
        stream["a:0"], f"file:{target}",
        vn=None, sn=None, dn=None, map_metadata=-1, map_chapters=-1,
        ac=1, ar=16_000, acodec="pcm_s16le", f="s16le",
    )  # fmt: skip
    leash = ("-nostdin", "-hide_banner", "-v", "error", "-y", "-threads", "1", "-max_alloc", str(MAX_ALLOC_BYTES))
    command: list[str] = ffmpeg.compile(output)
    return [command[0], *leash, *command[1:]]


def run_limited(
    command: Sequence[str], *, wall_seconds: float, cpu_seconds: int, beat: Callable[[], None] | None = None
) -> tuple[int, bytes, bytes]:
    """Run ``command`` and return (exit code, stdout, stderr's end).

    ``beat`` is called several times a second; what it raises ends the program at once. Raises ``InputFault``
    (``media_too_slow``) past the wall clock, ``ConfigurationFault`` when the program is not installed.
    """
    if not shutil.which(command[0]):
        raise ConfigurationFault(f"{command[0]} is not installed. Install ffmpeg.", code="ffmpeg_missing")
    leashed = ["/bin/sh", "-c", _LEASH, "sh", str(MEMORY_KILOBYTES), str(cpu_seconds), *_die_with_parent(), *command]
    with subprocess.Popen(  # nosec B603 # noqa: S603 - a fixed program, our own arguments
        leashed, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            stdout, stderr = _wait(process, wall_seconds, beat)
        finally:
            process.kill()
    return process.returncode, stdout, stderr[-2_000:]


def _wait(
    process: subprocess.Popen[bytes], wall_seconds: float, beat: Callable[[], None] | None
) -> tuple[bytes, bytes]:
    deadline = time.monotonic() + wall_seconds
    while True:
        try:
            return process.communicate(timeout=LOOK_SECONDS if beat else wall_seconds)
        except subprocess.TimeoutExpired:
            if beat:
                beat()
            if time.monotonic() >= deadline:
                raise InputFault(
                    "The recording takes too long to read. Convert it to MP3, FLAC or WAV and upload that.",
                    code="media_too_slow",
                ) from None


@cache
def _die_with_parent() -> tuple[str, ...]:
    return ("setpriv", "--pdeathsig", "KILL") if shutil.which("setpriv") else ()
