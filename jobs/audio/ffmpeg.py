"""The only place that starts a program: ffprobe and ffmpeg, held on a short leash.

Both see one local file under a name of ours (``file:/…``), never a client's name or a URL. The format whitelist is what
stops a playlist renamed to ``.mp3`` from reading other files; the protocol whitelist alone does not. The shell that
becomes the program limits its memory, processor time and output; it has no network where the system lets us take it
away, none of our environment, and dies with the process that started it (``setpriv``, where the system has it).
See ``docs/decisions/0010``.
"""

import os
import selectors
import shutil
import signal
import subprocess  # nosec B404 # this is the place for it
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import ffmpeg

from jobs.audio.trim import EVERYTHING, Trim
from jobs.engines.base import SAMPLE_RATE
from jobs.errors import ConfigurationFault, InputFault, ResourceExceeded, TransientFault

FORMATS = "wav,mp3,flac,ogg,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,aac,aiff,caf,w64,amr,asf,mpegts"
"""The demuxers that may open an upload. Playlists, concat scripts, SDP, devices and images are not among them."""

MAX_ALLOC_BYTES = 67_108_864
DATA_KIBIBYTES = 400_000
"""Private writable memory of a program. Twelve hours of M4A need 160,000; with the libraries' pages, which do not
count, a program stays under 500 MB resident."""
ADDRESS_KIBIBYTES = 1_500_000
"""Of address space, most of it libraries: the rougher limit, for kernels that count only part of the memory as data."""
PROBE_BYTES = 5_000_000
MAX_BLENDED_TEMPO = 2.0
BYTES_PER_SAMPLE = 2
FILE_SLACK_BYTES = 4_000_000
LOOK_SECONDS = 0.05
READ_BYTES = 65_536
CPU_TOLERANCE_SECONDS = 0.5
"""The kernel's two accounts of processor time, the one it limits and the one it reports, differ by hundredths."""
STDOUT_BYTES = 1_000_000
STDERR_BYTES = 4_000
"""Kept of each end of stderr: a hostile file makes ffmpeg write gigabytes of it."""

# The soft limit of processor time comes first, as a signal of its own; the hard one kills like anybody else's kill.
# Where a limit is lower already, it stays.
_LEASH = (
    '{ ulimit -c 0; ulimit -d "$1"; ulimit -v "$2"; ulimit -S -t "$3"; ulimit -H -t "$(($3 + 1))"; ulimit -f "$4"; '
    'ulimit -n 64; } 2>/dev/null; shift 4; exec "$@"'
)
_BLOCK_BYTES = 512
_STOPPED = {-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP, 255}
"""Endings from outside. 255 is how ffmpeg ends in good order when it is told to, with a part of its output."""
_NOT_STARTED = {126, 127}
_LOST_PACKET = (b"Error while decoding stream", b"Error submitting packet to decoder")
"""What ffmpeg says of a packet that it drops: before version 6, and since."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a program ended: its exit code (negative for a signal), its output, and both ends of its complaints."""

    code: int
    stdout: bytes
    stderr: bytes
    cpu_seconds: float

    @property
    def lacked_memory(self) -> bool:
        return b"Cannot allocate memory" in self.stderr

    @property
    def lost_packets(self) -> int:
        """How many packets it complains of, as far as its complaints were kept."""
        return sum(self.stderr.count(words) for words in _LOST_PACKET)


def probe_command(path: Path) -> list[str]:
    """ffprobe's command line: the container and the streams of ``path`` as JSON."""
    return [
        "ffprobe", "-hide_banner", "-v", "error", "-probesize", str(PROBE_BYTES),
        "-max_alloc", str(MAX_ALLOC_BYTES), "-protocol_whitelist", "file", "-format_whitelist", FORMATS,
        "-show_entries", "format=format_name,duration:stream=codec_type,codec_name,sample_rate,channels,duration",
        "-of", "json", "-i", f"file:{path}",
    ]  # fmt: skip


def decode_command(source: Path, target: Path, *, cap_seconds: float, trim: Trim = EVERYTHING) -> list[str]:
    """ffmpeg's command line: the first audio stream, as 16 kHz mono s16le, ending soon after ``cap_seconds`` of output.

    Samples are counted, not time stamps: these may lie, stand still, or jump over a pause of the recorder.
    """
    stream = ffmpeg.input(f"file:{source}", probesize=PROBE_BYTES, protocol_whitelist="file", format_whitelist=FORMATS)
    output = ffmpeg.output(
        stream["a:0"], f"file:{target}",
        vn=None, sn=None, dn=None, map_metadata=-1, map_chapters=-1,
        af=_counting_filters(trim), fs=pcm_bytes(cap_seconds), ac=1, ar=SAMPLE_RATE, acodec="pcm_s16le", f="s16le",
    )  # fmt: skip
    return _leashed(output)


def _counting_filters(trim: Trim) -> str:
    filters = ["asetpts=N/SR/TB"]
    if not trim.is_everything:
        end = "" if trim.end_sample is None else f":end_sample={trim.end_sample}"
        # Cut after the conversion, where a sample is one of those that are charged.
        filters += [
            f"aformat=sample_fmts=s16:sample_rates={SAMPLE_RATE}:channel_layouts=mono",
            f"atrim=start_sample={trim.first_sample}{end}",
            "asetpts=PTS-STARTPTS",
        ]
    return ",".join(filters)


def stretch_command(source: Path, target: Path, *, speed: float, samples: int) -> list[str]:
    """ffmpeg's command line: s16le samples played at ``speed`` (0.5 to 4), exactly ``samples`` of them.

    A tempo over 2 leaves samples out where a lower one blends them, so that two filters share it. Silence behind the
    sound pushes out the last window, which the filter would keep.
    """
    filters = 1 if speed <= MAX_BLENDED_TEMPO else 2
    tempo = [f"atempo={speed ** (1 / filters):.12g}"] * filters
    stream = ffmpeg.input(
        f"file:{source}", f="s16le", ar=SAMPLE_RATE, ac=1, protocol_whitelist="file", format_whitelist="s16le"
    )
    output = ffmpeg.output(
        stream, f"file:{target}",
        af=",".join([f"apad=pad_len={SAMPLE_RATE}", *tempo, f"atrim=end_sample={samples}"]),
        acodec="pcm_s16le", f="s16le",
    )  # fmt: skip
    return _leashed(output)


def _leashed(output: ffmpeg.Stream) -> list[str]:
    leash = ("-nostdin", "-hide_banner", "-v", "error", "-y", "-threads", "1", "-max_alloc", str(MAX_ALLOC_BYTES))
    command: list[str] = ffmpeg.compile(output)
    return [command[0], *leash, *command[1:]]


def pcm_bytes(seconds: float) -> int:
    """The size of so much decoded audio."""
    return round(seconds * SAMPLE_RATE * BYTES_PER_SAMPLE)


def run_limited(
    command: Sequence[str],
    *,
    wall_seconds: float,
    cpu_seconds: int,
    file_bytes: int = 0,
    beat: Callable[[], None] | None = None,
) -> Ending:
    """Run ``command``, which may write one file of about ``file_bytes``, and say how it ended.

    ``beat`` is called several times a second; what it raises ends the program at once. Raises ``InputFault``
    (``media_too_slow`` past the clocks, ``undecodable`` when the program crashed), ``ResourceExceeded`` when it gave up
    for want of memory, ``TransientFault`` (``storage_full``, ``decoder_stopped`` when somebody else ended it) and
    ``ConfigurationFault`` when it is not installed or does not start. Any other exit code is the caller's to judge.
    """
    if not shutil.which(command[0]):
        raise ConfigurationFault(f"{command[0]} is not installed. Install ffmpeg.", code="ffmpeg_missing")
    blocks = (file_bytes + FILE_SLACK_BYTES) // _BLOCK_BYTES if file_bytes else 0
    limits = [str(limit) for limit in (DATA_KIBIBYTES, ADDRESS_KIBIBYTES, cpu_seconds, blocks)]
    leashed = ["/bin/sh", "-c", _LEASH, "sh", *limits, *_without_network(), *_die_with_parent(), *command]
    with subprocess.Popen(  # nosec B603 # noqa: S603 - a fixed program, our own arguments
        leashed,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=_environment(), cwd="/",
        process_group=0,  # a signal to the worker's group is the worker's to answer, in good order
    ) as process:  # fmt: skip
        try:
            ending = _watch(process, time.monotonic() + wall_seconds, beat)
        finally:
            process.kill()
    _raise_fault(ending, cpu_seconds=cpu_seconds, program=command[0])
    return ending


def _raise_fault(ending: Ending, *, cpu_seconds: int, program: str) -> None:
    if ending.code == 0 or ending.code == -signal.SIGXFSZ:  # the caller measures the file
        return
    if ending.code == -signal.SIGXCPU or ending.cpu_seconds > cpu_seconds - CPU_TOLERANCE_SECONDS:
        raise too_slow()
    if ending.code in _NOT_STARTED:
        raise ConfigurationFault(f"{program} does not start. Install ffmpeg again.", code="ffmpeg_missing")
    if b"No space left on device" in ending.stderr:
        raise TransientFault(
            "The server's disk is full. The job is tried again by itself; tell the operator if this stays.",
            code="storage_full",
        )
    if ending.code in _STOPPED:
        raise TransientFault("The decoder was stopped from outside. It is tried again.", code="decoder_stopped")
    if ending.lacked_memory:
        raise too_large()
    if ending.code < 0:
        raise InputFault(
            "The decoder broke down over this file. Convert it to MP3, FLAC or WAV and upload that.", code="undecodable"
        )


def too_slow() -> InputFault:
    return InputFault(
        "The recording takes too long to read. Convert it to MP3, FLAC or WAV and upload that.", code="media_too_slow"
    )


def too_large() -> ResourceExceeded:
    return ResourceExceeded(
        "Reading this file takes more memory than a decoder may have. Remove pictures from it or convert it to MP3, "
        "FLAC or WAV, and upload that."
    )


def _watch(process: subprocess.Popen[bytes], deadline: float, beat: Callable[[], None] | None) -> Ending:
    """Read both outputs until the program has ended. Its processor time comes with ``wait4``, which Popen lacks."""
    stdout, stderr = _Kept(STDOUT_BYTES, 0), _Kept(STDERR_BYTES, STDERR_BYTES)
    with selectors.DefaultSelector() as outputs:
        for pipe, kept in ((process.stdout, stdout), (process.stderr, stderr)):
            assert pipe is not None  # nosec B101 # for the type checker
            outputs.register(pipe, selectors.EVENT_READ, kept)
        while True:
            for key, _ in outputs.select(LOOK_SECONDS if outputs.get_map() else 0):
                data = os.read(key.fd, READ_BYTES)
                key.data.take(data)
                if not data:
                    outputs.unregister(key.fileobj)
            if not outputs.get_map():
                pid, status, usage = os.wait4(process.pid, os.WNOHANG)
                if pid:
                    process.returncode = os.waitstatus_to_exitcode(status)
                    return Ending(process.returncode, stdout.all, stderr.all, usage.ru_utime + usage.ru_stime)
                time.sleep(LOOK_SECONDS / 10)
            if beat:
                beat()
            if time.monotonic() >= deadline:
                raise too_slow()


class _Kept:
    """The beginning and the end of a stream of bytes, however long it is."""

    def __init__(self, first_bytes: int, last_bytes: int) -> None:
        self._first_bytes, self._last_bytes = first_bytes, last_bytes
        self._first, self._last = b"", b""

    def take(self, data: bytes) -> None:
        room = self._first_bytes - len(self._first)
        self._first += data[:room]
        rest = self._last + data[room:]
        self._last = rest[max(0, len(rest) - self._last_bytes) :]

    @property
    def all(self) -> bytes:
        return self._first + self._last


def _environment() -> dict[str, str]:
    """None of ours: it holds keys and passwords. English messages, and one heap instead of one for each thread."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "MALLOC_ARENA_MAX": "1"}


@cache
def _without_network() -> tuple[str, ...]:
    """The words before a command that take its network away: as root, as anybody, or none where neither is allowed.

    As root without a user namespace: inside one, root may no longer read other users' files.
    """
    for words in (("unshare", "--net", "--"), ("unshare", "--map-current-user", "--net", "--")):
        if shutil.which(words[0]) and _succeeds([*words, "true"]):
            return words
    return ()


def _succeeds(command: Sequence[str]) -> bool:
    try:
        done = subprocess.run(  # nosec B603 # noqa: S603 - fixed words
            command, stdin=subprocess.DEVNULL, capture_output=True, env=_environment(), timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


@cache
def _die_with_parent() -> tuple[str, ...]:
    return ("setpriv", "--pdeathsig", "KILL", "--no-new-privs", "--") if shutil.which("setpriv") else ()
