"""T18: hostile files against the live service. Nobody is harmed, nobody is overcharged, and it serves on.

A representative part of the pack by default, all of it with ``FAULT_TESTS=full``.
"""

import os
import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from transcribify.tests.call_counter import CallCounter
from transcribify.tests.client import Client
from transcribify.tests.hostile_media import HostileFile, Lures
from transcribify.tests.hostile_pack import CANARY
from transcribify.tests.live_service import LiveService

MEGABYTE = 1_000_000
BUDGET_SECONDS = 1_800
END_WITHIN_SECONDS = 60
CHILD_MEGABYTES = 600
USERS_AT_ONCE = 3

REPRESENTATIVE = {
    "hls_file.mp3", "hls_http.wav", "ffconcat_relative.mp3", "sdp.mp3", "external_url.mp4", "linked_segment.webm",
    "flac_1s_10h.flac", "flac_unknown.flac", "rf64.wav", "wav_1hz.wav", "jump.webm",
    "cover_45mb.mp3", "tracks.mp4", "tiny_pages.ogg", "magic.mp3", "cut.mp3", "-i.mp3", "raw_aac.m4a",
}  # fmt: skip

CHARGED = {
    "-i.mp3": 2.0, "rf64.wav": 1.0, "wav_10h_1s.wav": 1.0, "frozen_time.webm": 1_400.0, "jump.webm": 4.0,
    "linked_segment.webm": 2.0, "cover_45mb.mp3": 2.0, "covers.flac": 2.0, "tracks.mp4": 2.0, "xing_long.mp3": 60.0,
    "m4a_1s.m4a": 1.0, "tiny_pages.ogg": 2.0,
}  # fmt: skip
"""What is in files whose headers lie (short, long, or not at all), in seconds."""
OVER_BUDGET = {
    "flac_1s_10h.flac",
    "flac_10h.flac",
    "flac_unknown.flac",
    "opus_10h.ogg",
    "webm_1s_1h.webm",
    "xing_short.mp3",
}


@dataclass
class Outcome:
    """How the service took one file, from the POST on."""

    file: HostileFile
    status_code: int
    body: str
    seconds: float
    job: dict[str, Any] = field(default_factory=dict)
    usage: dict[str, Any] = field(default_factory=dict)

    @property
    def end(self) -> str:
        if not self.job:
            return f"{self.status_code} {self.body[:60]}"
        return f"{self.job['status']} {(self.job['error'] or {}).get('code', '')}"

    def __str__(self) -> str:
        charged = self.usage["used_seconds"]
        return f"{self.file.name:30} {self.end:36.36} {charged:8.2f} s charged {self.seconds:6.2f} s"


class Residents:
    """The most memory that any process below the web and worker processes had, by program, in bytes."""

    def __init__(self, service: LiveService) -> None:
        self.roots = [psutil.Process(service.processes[name].pid) for name in ("web", "speech")]
        self.peaks: dict[str, int] = {}

    @contextmanager
    def watched(self) -> Iterator[None]:
        ended = threading.Event()
        thread = threading.Thread(target=self._watch, args=(ended,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _watch(self, ended: threading.Event) -> None:
        while not ended.wait(0.05):
            for root in self.roots:
                for process in root.children(recursive=True):
                    with suppress(psutil.Error):
                        name, resident = process.name(), process.memory_info().rss
                        self.peaks[name] = max(self.peaks.get(name, 0), resident)


def send(service: LiveService, file: HostileFile, number: int) -> Outcome:
    client = Client(service.url, f"hostile{number}@example.org")
    started = time.monotonic()
    response = client.submit(file.path)
    outcome = Outcome(file, response.status_code, response.text, 0.0)
    if response.status_code == 202:
        outcome.job = client.wait(response.json()["id"], seconds=2 * END_WITHIN_SECONDS)
    outcome.seconds = time.monotonic() - started
    outcome.usage = client.usage()
    return outcome


@dataclass
class Attack:
    outcomes: dict[str, Outcome]
    peaks: dict[str, int]
    calls: int
    wall_seconds: float


@pytest.fixture(scope="module")
def attack(
    service: LiveService, hostile_pack: tuple[Lures, list[HostileFile]], call_counter: CallCounter
) -> Iterator[Attack]:
    lures, pack = hostile_pack
    bait = []
    for folder in (service.folder, service.folder / "media", service.folder / "incoming"):
        folder.mkdir(exist_ok=True)
        bait += [shutil.copy(lures.speech, folder), shutil.copy(lures.stream, folder)]
    full = os.environ.get("FAULT_TESTS") == "full"
    chosen = [file for file in pack if full or file.name in REPRESENTATIVE]
    residents, started = Residents(service), time.monotonic()
    with residents.watched(), ThreadPoolExecutor(USERS_AT_ONCE) as users:
        outcomes = list(users.map(send, [service] * len(chosen), chosen, range(len(chosen))))
    found = Attack(
        {outcome.file.name: outcome for outcome in outcomes},
        residents.peaks,
        call_counter.calls,
        time.monotonic() - started,
    )
    print(*outcomes, sep="\n")
    figures = ", ".join(f"{name} {peak / MEGABYTE:.0f} MB" for name, peak in sorted(found.peaks.items()))
    print(f"{len(chosen)} files in {found.wall_seconds:.0f} s, {found.calls} calls; at most {figures}")
    yield found
    for path in bait:
        Path(path).unlink()


def test_each_file_ends_in_time_in_a_clear_error_or_an_honest_result(attack: Attack) -> None:
    print(f"slowest: {max(attack.outcomes.values(), key=lambda outcome: outcome.seconds)}")
    for outcome in attack.outcomes.values():
        assert outcome.seconds < END_WITHIN_SECONDS, outcome
        assert outcome.status_code in {202, 400, 413, 415, 429}, outcome
        if outcome.job:
            assert outcome.job["status"] in {"done", "failed"}, outcome
            assert (outcome.job["error"] or {}).get("code") != "internal_error", outcome


def test_no_canary_comes_out_and_nobody_is_called(attack: Attack, service: LiveService) -> None:
    for outcome in attack.outcomes.values():
        assert not outcome.job.get("transcript"), outcome
        assert CANARY not in f"{outcome.job}{outcome.body}", outcome
    assert CANARY not in service.log
    assert attack.calls == 0


def test_no_child_process_grows_large(attack: Attack) -> None:
    assert {"ffmpeg", "ffprobe"} <= set(attack.peaks)
    assert max(attack.peaks.values()) < CHILD_MEGABYTES * MEGABYTE, attack.peaks


def test_the_decoded_seconds_are_charged_and_nothing_else(attack: Attack) -> None:
    for outcome in attack.outcomes.values():
        used, is_done = outcome.usage["used_seconds"], outcome.job.get("status") == "done"
        assert outcome.usage["reserved_seconds"] == 0, outcome
        assert used <= BUDGET_SECONDS, outcome
        assert is_done == (used > 0), outcome
        if outcome.file.name in CHARGED:
            assert used == pytest.approx(CHARGED[outcome.file.name], abs=0.05), outcome
        if outcome.file.name in OVER_BUDGET:
            assert "audio_limit_exceeded" in f"{outcome.job}{outcome.body}", outcome


def test_the_service_goes_on_with_the_same_worker(attack: Attack, service: LiveService, english_path: Path) -> None:
    assert all(process.poll() is None for process in service.processes.values())
    job = Client(service.url, "afterwards@example.org").transcribe(english_path)
    assert (job["status"], bool(job["transcript"])) == ("done", True)
