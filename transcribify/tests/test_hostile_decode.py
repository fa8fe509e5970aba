"""Every hostile file straight through the header's reader and the decoder: an honest length or a clear error."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from accounts.errors import TranscribifyError
from jobs.audio.decode import decode_pcm, samples_to_ms
from jobs.audio.probe import probe_header
from jobs.errors import InputFault
from transcribify.tests.call_counter import CallCounter
from transcribify.tests.hostile_media import HostileFile, Lures
from transcribify.tests.hostile_pack import CANARY, canary_share

CAP_SECONDS = 1_801
NO_MORE_THAN_SECONDS = 60

LENGTHS = {
    "flac_1s_10h.flac": "over", "flac_10h.flac": "over", "flac_unknown.flac": "over", "opus_10h.ogg": "over",
    "webm_1s_1h.webm": "over", "xing_short.mp3": "over",
    "wav_10h_1s.wav": 1.0, "rf64.wav": 1.0, "frozen_time.webm": 1_400.0, "jump.webm": 4.0, "linked_segment.webm": 2.0,
    "tracks.mp4": 2.0, "cover_45mb.mp3": 2.0, "covers.flac": 2.0, "covers.m4a": 2.0, "cover_16000px.mp3": 2.0,
    "-i.mp3": 2.0,
}  # fmt: skip
"""What is in those that can be decoded, in seconds, or more than the cap. It is what would be charged."""


@dataclass
class Outcome:
    file: HostileFile
    seconds: float = 0.0
    audio_seconds: float = 0.0
    pcm_bytes: int = 0
    canary_share: float = 0.0
    error: TranscribifyError | None = None

    def __str__(self) -> str:
        end = self.error.code if self.error else f"{self.audio_seconds:.2f} s of audio"
        return f"{self.file.name:30} {end:22} {self.seconds:5.2f} s  {self.file.reason}"


def decode(file: HostileFile, folder: Path) -> Outcome:
    outcome = Outcome(file)
    pcm = folder / f"{abs(hash(file.name))}.pcm"
    started = time.monotonic()
    try:
        probe_header(file.path)
        outcome.audio_seconds = samples_to_ms(decode_pcm(file.path, pcm, cap_seconds=CAP_SECONDS).samples) / 1000
    except TranscribifyError as error:
        outcome.error = error
    outcome.seconds = time.monotonic() - started
    if pcm.exists():
        outcome.pcm_bytes = pcm.stat().st_size
        outcome.canary_share = canary_share(pcm)
        pcm.unlink()
    return outcome


@pytest.fixture(scope="module")
def outcomes(
    hostile_pack: tuple[Lures, list[HostileFile]], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Outcome]:
    folder = tmp_path_factory.mktemp("decoded")
    with ThreadPoolExecutor(3) as threads:
        found = list(threads.map(lambda file: decode(file, folder), hostile_pack[1]))
    print(*found, sep="\n")
    return {outcome.file.name: outcome for outcome in found}


def test_the_pack_is_large_and_each_file_has_a_reason(hostile_pack: tuple[Lures, list[HostileFile]]) -> None:
    _, pack = hostile_pack
    assert len(pack) >= 36
    assert all(file.reason and file.path.exists() for file in pack)


def test_each_ends_in_time_in_an_error_or_a_length(outcomes: dict[str, Outcome]) -> None:
    for outcome in outcomes.values():
        assert outcome.seconds < NO_MORE_THAN_SECONDS, outcome
        assert (outcome.error is None) == (outcome.audio_seconds > 0), outcome
        assert outcome.error is None or outcome.error.code != "internal_error", outcome


def test_the_lengths_are_those_of_the_sound_and_never_much_over_the_cap(outcomes: dict[str, Outcome]) -> None:
    for name, expected in LENGTHS.items():
        length = outcomes[name].audio_seconds
        if expected == "over":
            assert CAP_SECONDS <= length < CAP_SECONDS + 10, outcomes[name]
        else:
            assert length == pytest.approx(expected, abs=0.05), outcomes[name]
    assert max(outcome.pcm_bytes for outcome in outcomes.values()) < (CAP_SECONDS + 10) * 32_000


def test_no_canary_is_in_any_samples_or_error_and_nobody_called(
    outcomes: dict[str, Outcome], call_counter: CallCounter
) -> None:
    worst = max(outcome.canary_share for outcome in outcomes.values())
    print(f"canary: at most {worst:.5f} of the power; calls: {call_counter.calls}")
    assert worst < 0.01
    assert all(
        CANARY not in f"{outcome.error}{outcome.error and outcome.error.message}" for outcome in outcomes.values()
    )
    assert call_counter.calls == 0


def test_the_canary_would_be_heard(hostile_pack: tuple[Lures, list[HostileFile]], tmp_path: Path) -> None:
    lures, _ = hostile_pack
    for path in (lures.speech, lures.stream):
        decode_pcm(path, tmp_path / "canary.pcm", cap_seconds=60)
        assert canary_share(tmp_path / "canary.pcm") > 0.1


def test_files_that_only_point_elsewhere_are_refused(outcomes: dict[str, Outcome]) -> None:
    pointing = [outcome for name, outcome in outcomes.items() if name.startswith(("hls", "ffconcat", "sdp", "dash"))]
    assert len(pointing) >= 11
    for outcome in pointing:
        assert isinstance(outcome.error, InputFault), outcome
        assert (outcome.error.code, outcome.pcm_bytes) == ("unsupported_media", 0), outcome


@pytest.mark.parametrize("name", ["rf64.wav", "xing_long.mp3"])
def test_a_header_that_says_years_says_nothing(hostile_pack: tuple[Lures, list[HostileFile]], name: str) -> None:
    lures, _ = hostile_pack
    assert probe_header(lures.folder / name).duration_seconds is None
