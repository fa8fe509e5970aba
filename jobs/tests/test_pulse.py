"""The worker's main process ends pool processes in which nothing runs any more. The processes here are real."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs import pulse
from jobs.processes import machine_name
from jobs.pulse import FrozenWatch

BEATING = """
import sys, time
while True:
    open(sys.argv[1].replace("PID", str(__import__("os").getpid())), "w").write(f"{time.monotonic()} 2")
    time.sleep(0.05)
"""


@pytest.fixture
def child(settings, tmp_path) -> Iterator[subprocess.Popen[bytes]]:
    """A process with a pulse, as if it were a pool process of this one's."""
    settings.WORK_DIR = tmp_path
    path = tmp_path / f"{machine_name()}.PID-pulse-{os.getpid()}"
    with subprocess.Popen([sys.executable, "-c", BEATING, str(path)]) as process:
        beat = Path(str(path).replace("PID", str(process.pid)))
        while not beat.exists() or not beat.read_text():
            pass
        yield process
        process.kill()


def looks(watch: FrozenWatch, times: int) -> list[int]:
    """Look so often, with time for a beat in between."""
    killed = []
    for _ in range(times):
        killed += watch.kill_frozen()
        pulse.time.sleep(0.1)
    return killed


ENOUGH = 2 + round(pulse.MARGIN_SECONDS) + 3


def test_a_frozen_process_is_killed_after_its_stall_budget(child):
    child.send_signal(signal.SIGSTOP)
    watch = FrozenWatch()
    assert looks(watch, 4) == []
    assert looks(watch, ENOUGH) == [child.pid]
    assert child.wait(timeout=10) == -signal.SIGKILL


def test_a_process_that_beats_is_left_alone(child):
    assert looks(FrozenWatch(), ENOUGH) == []
    assert child.poll() is None


def test_a_watch_that_was_frozen_itself_blames_nobody(child):
    watch = FrozenWatch()
    looks(watch, 1)
    child.send_signal(signal.SIGSTOP)
    pulse.time.sleep(2.5)
    child.send_signal(signal.SIGCONT)
    assert looks(watch, 3) == []


def test_another_workers_processes_are_none_of_its_business(child, tmp_path):
    (beat,) = tmp_path.glob("*-pulse-*")
    child.send_signal(signal.SIGSTOP)
    beat.rename(str(beat).replace(f"-pulse-{os.getpid()}", "-pulse-1"))
    assert looks(FrozenWatch(), ENOUGH) == []
    child.send_signal(signal.SIGCONT)
    assert child.poll() is None
