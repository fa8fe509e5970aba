"""How a decoder ends is told apart: our clocks, its memory, a crash, a full disk, and somebody else's signal."""

import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import psutil
import pytest

from jobs.audio import ffmpeg
from jobs.audio.decode import decode_pcm
from jobs.errors import ConfigurationFault, InputFault, ResourceExceeded, TranscribifyError, TransientFault
from jobs.tests.conftest import run_ffmpeg

SPIN = "while :; do :; done"


@pytest.fixture(scope="module")
def hour_path(tmp_path_factory) -> Path:
    """An hour of Opus, which takes a decoder some seconds."""
    folder = tmp_path_factory.mktemp("hour")
    minute, hour = folder / "minute.ogg", folder / "hour.ogg"
    run_ffmpeg("-f", "lavfi", "-i", "anoisesrc=r=48000:duration=60", "-c:a", "libopus", "-b:a", "16k", str(minute))
    run_ffmpeg("-stream_loop", "59", "-i", str(minute), "-c", "copy", str(hour))
    return hour


@pytest.fixture
def open_port():
    """A port of loopback that accepts."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def run(script: str, *, wall_seconds: float = 20, cpu_seconds: int = 10, **options) -> ffmpeg.Ending:
    return ffmpeg.run_limited(["sh", "-c", script], wall_seconds=wall_seconds, cpu_seconds=cpu_seconds, **options)


def decoders_of_this_process() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if child.name() == "ffmpeg"]


def decode_and_send(number: signal.Signals, source: Path, target: Path) -> None:
    """Decode, and send the decoder a signal from outside as soon as it has written something."""

    def send() -> None:
        while not (target.exists() and target.stat().st_size > 1_000_000):
            time.sleep(0.01)
        for process in decoders_of_this_process():
            process.send_signal(number)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        decode_pcm(source, target, cap_seconds=3_601)
    finally:
        sender.join()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_signal_from_outside_is_no_fault_of_the_recording_and_no_part_is_kept(hour_path, tmp_path, number):
    with pytest.raises(TransientFault) as caught:
        decode_and_send(number, hour_path, tmp_path / "out.pcm")
    assert caught.value.code == "decoder_stopped"


def test_a_crash_is_the_files_fault(hour_path, tmp_path):
    with pytest.raises(InputFault) as caught:
        decode_and_send(signal.SIGSEGV, hour_path, tmp_path / "out.pcm")
    assert caught.value.code == "undecodable"


def test_a_full_disk_is_tried_again(hour_path):
    with pytest.raises(TransientFault) as caught:
        decode_pcm(hour_path, Path("/dev/full"), cap_seconds=3_601)
    assert caught.value.code == "storage_full"


def test_processor_time_runs_out_before_the_wall_clock(hour_path, tmp_path):
    started = time.monotonic()
    command = ffmpeg.decode_command(hour_path, tmp_path / "out.pcm", cap_seconds=3_601)
    with pytest.raises(InputFault) as caught:
        ffmpeg.run_limited(command, wall_seconds=60, cpu_seconds=1, file_bytes=ffmpeg.pcm_bytes(3_601))
    print(f"ended after {time.monotonic() - started:.1f} s for 1 s of processor time")
    assert caught.value.code == "media_too_slow"


def test_a_program_that_ignores_the_first_signal_is_ended_by_the_second():
    with pytest.raises(InputFault) as caught:
        run(f"trap '' XCPU; {SPIN}", cpu_seconds=1, wall_seconds=60)
    assert caught.value.code == "media_too_slow"


def test_the_wall_clock_ends_a_program_that_only_waits():
    started = time.monotonic()
    with pytest.raises(InputFault) as caught:
        run("exec sleep 60", wall_seconds=0.5)
    assert caught.value.code == "media_too_slow"
    assert time.monotonic() - started < 10
    assert not [child for child in psutil.Process().children() if child.name() == "sleep"]


def test_what_a_beat_raises_ends_the_program():
    def beat() -> None:
        raise TranscribifyError("stop")

    with pytest.raises(TranscribifyError, match="stop"):
        run("exec sleep 60", beat=beat)
    assert not [child for child in psutil.Process().children() if child.name() == "sleep"]


def test_want_of_memory_is_said(monkeypatch, hour_path, tmp_path):
    monkeypatch.setattr(ffmpeg, "MAX_ALLOC_BYTES", 100_000)
    with pytest.raises(ResourceExceeded):
        decode_pcm(hour_path, tmp_path / "out.pcm", cap_seconds=3_601)


def test_memory_is_limited():
    code = "import sys; data = bytearray(450_000_000); sys.exit(3)"
    ending = ffmpeg.run_limited(["python3", "-c", code], wall_seconds=20, cpu_seconds=10)
    assert ending.code == 1
    assert b"MemoryError" in ending.stderr


def test_a_file_cannot_grow_past_its_bound(tmp_path):
    target = tmp_path / "out"
    ending = run(f"exec head -c 100000000 /dev/zero > {target}", file_bytes=1_000_000)
    assert ending.code == -signal.SIGXFSZ
    assert target.stat().st_size <= 1_000_000 + ffmpeg.FILE_SLACK_BYTES


def test_a_flood_of_complaints_is_cut_to_both_its_ends():
    ending = run("echo first >&2; head -c 50000000 /dev/zero >&2; echo last >&2; head -c 50000000 /dev/zero; exit 7")
    assert ending.code == 7
    assert ending.stderr.startswith(b"first")
    assert ending.stderr.endswith(b"last\n")
    assert len(ending.stderr) <= 2 * ffmpeg.STDERR_BYTES
    assert len(ending.stdout) == ffmpeg.STDOUT_BYTES


def test_a_program_sees_nothing_of_our_environment_and_stands_nowhere(monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "canary")
    ending = run("pwd; env")
    assert b"canary" not in ending.stdout
    assert ending.stdout.startswith(b"/\n")
    names = {line.split(b"=")[0] for line in ending.stdout.splitlines()[1:]}
    assert names <= {b"PATH", b"LANG", b"MALLOC_ARENA_MAX", b"PWD", b"OLDPWD", b"SHLVL", b"_"}


def test_a_program_has_no_network_where_it_can_be_taken_away(open_port):
    if not ffmpeg._without_network():
        pytest.skip("this system lets nobody make a network namespace")
    code = f"import socket; print(socket.socket().connect_ex(('127.0.0.1', {open_port})))"
    reached = subprocess.run(["python3", "-c", code], capture_output=True, text=True, check=True)
    assert reached.stdout == "0\n"
    ending = ffmpeg.run_limited(["python3", "-c", code], wall_seconds=20, cpu_seconds=10)
    assert ending.code == 0
    assert ending.stdout != b"0\n"


def test_where_a_network_cannot_be_taken_away_it_works_without(monkeypatch, tmp_path, tone_path):
    unshare = tmp_path / "unshare"
    unshare.write_text("#!/bin/sh\nexit 1\n")
    unshare.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    ffmpeg._without_network.cache_clear()
    try:
        assert ffmpeg._without_network() == ()
        assert decode_pcm(tone_path, tmp_path / "out.pcm", cap_seconds=10).samples == 32_000
    finally:
        ffmpeg._without_network.cache_clear()


def test_a_program_that_does_not_start_is_the_installations_fault():
    with pytest.raises(ConfigurationFault):
        run("exit 127")
    with pytest.raises(ConfigurationFault):
        ffmpeg.run_limited(["no-such-program"], wall_seconds=1, cpu_seconds=1)


def test_a_damaged_file_is_not_whole(tmp_path, tone_path):
    data = bytearray(tone_path.read_bytes())
    for at in range(len(data) // 4, len(data), 300):
        data[at : at + 40] = b"\xff" * 40
    damaged = tmp_path / "damaged.flac"
    damaged.write_bytes(data)
    decoded = decode_pcm(damaged, tmp_path / "out.pcm", cap_seconds=10)
    assert 0 < decoded.samples < 32_000
    assert not decoded.is_whole


def test_an_undamaged_file_is_whole_although_something_follows_its_sound(tmp_path, meeting_path):
    whole, tagged = tmp_path / "whole.mp3", tmp_path / "tagged.mp3"
    run_ffmpeg("-t", "5", "-i", str(meeting_path), str(whole))
    tagged.write_bytes(whole.read_bytes() + b"APETAGEX" + bytes(5_000))
    for path in (whole, tagged):
        assert decode_pcm(path, tmp_path / "out.pcm", cap_seconds=10).is_whole
