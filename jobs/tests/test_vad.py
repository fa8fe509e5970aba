"""Voice activity detection over a recording that is read in blocks."""

import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from faster_whisper.audio import decode_audio
from faster_whisper.vad import get_speech_timestamps

from jobs.audio import vad
from jobs.audio.vad import WINDOW_SAMPLES, SpeechFinder, SpeechFollower, find_speech
from jobs.engines.base import SAMPLE_RATE, Clip

ASSETS = Path(__file__).parent / "assets"


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    """A real (synthetic) voice: 14 s of English sentences with short pauses, as s16 samples."""
    return (decode_audio(str(ASSETS / "english.flac")) * 32768).round().astype(np.int16)


@pytest.fixture(scope="module")
def meeting(speech) -> np.ndarray:
    """Speech, 5 s of silence, speech again, and 3 s of silence after it."""
    return np.concatenate([speech, silence(5), speech, silence(3)])


@pytest.fixture(scope="module")
def sentence(speech) -> np.ndarray:
    """The first one, without the silence around it."""
    loud = np.flatnonzero(np.abs(speech[: 3 * SAMPLE_RATE]) > 200)
    return speech[loud[0] : loud[-1] + 1]


def silence(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * SAMPLE_RATE), dtype=np.int16)


def what_the_library_finds(samples: np.ndarray) -> list[Clip]:
    found = get_speech_timestamps(samples.astype(np.float32) / 32768, min_silence_duration_ms=300)
    return [Clip(item["start"] / SAMPLE_RATE, item["end"] / SAMPLE_RATE) for item in found]


def in_blocks(samples: np.ndarray, length: int) -> Iterator[np.ndarray]:
    return (samples[first : first + length] for first in range(0, len(samples), length))


def find_in_blocks(blocks: Iterable[np.ndarray]) -> list[Clip]:
    finder = SpeechFinder()
    for block in blocks:
        finder.hear(block)
    return finder.finish()


@pytest.fixture
def pcm(tmp_path):
    def write(samples: np.ndarray) -> Path:
        path = tmp_path / "audio.pcm"
        path.write_bytes(samples.astype("<i2").tobytes())
        return path

    return write


def test_it_finds_what_faster_whisper_finds_in_the_whole_array(meeting, pcm):
    expected = what_the_library_finds(meeting)
    assert len(expected) == 10
    assert find_speech(pcm(meeting)) == expected


@pytest.mark.parametrize("seconds", [0.25, 0.9, 4.0, 13.99])
def test_it_finds_the_same_when_the_recording_ends_in_the_middle_of_speech(speech, pcm, seconds):
    part = speech[: round(seconds * SAMPLE_RATE)]
    assert find_speech(pcm(part)) == what_the_library_finds(part)


@pytest.mark.parametrize("extra", [0, 1, 449, 500, 511])
def test_it_finds_the_same_for_every_length_of_the_last_window(speech, pcm, extra):
    part = speech[: 60 * WINDOW_SAMPLES + extra]
    assert find_speech(pcm(part)) == what_the_library_finds(part)


@pytest.mark.parametrize("length", [100, 1000, WINDOW_SAMPLES, 16_000, 123_457])
def test_borders_of_blocks_in_the_middle_of_speech_change_nothing(meeting, length):
    assert find_in_blocks(in_blocks(meeting, length)) == what_the_library_finds(meeting)


def test_it_listens_to_a_file_while_that_is_written(meeting, tmp_path):
    path = tmp_path / "audio.pcm"
    data = meeting.astype("<i2").tobytes()
    heard = []
    with path.open("wb") as file:
        follower = SpeechFollower(path)
        for first in range(0, len(data), 300_001):  # also ends in the middle of a sample
            file.write(data[first : first + 300_001])
            file.flush()
            heard.append(follower.hear_more())
    assert all(heard)
    assert not follower.hear_more()
    assert follower.finish() == what_the_library_finds(meeting)


@pytest.mark.parametrize("windows", [1, 7, 100])
def test_the_state_goes_on_from_one_run_of_the_network_to_the_next(meeting, pcm, monkeypatch, windows):
    monkeypatch.setattr(vad, "BLOCK_WINDOWS", windows)
    assert find_speech(pcm(meeting)) == what_the_library_finds(meeting)


@pytest.mark.parametrize(("pause_seconds", "gap_seconds"), [(0.4, 0.0), (2.0, 1.2)])
def test_a_pause_divides_speech_and_is_part_of_it_as_far_as_the_padding_reaches(
    sentence, pcm, pause_seconds, gap_seconds
):
    first, second = find_speech(pcm(np.concatenate([sentence, silence(pause_seconds), sentence])))
    assert second.start - first.end == pytest.approx(gap_seconds, abs=0.15)


def test_a_breath_does_not_divide_speech(sentence, pcm):
    assert len(find_speech(pcm(np.concatenate([sentence, silence(0.1), sentence])))) == 1


@pytest.mark.parametrize("samples", [silence(0), silence(0.01), silence(30)])
def test_silence_holds_no_speech(samples, pcm):
    assert find_speech(pcm(samples)) == []


def test_noise_holds_no_speech(pcm):
    noise = np.random.default_rng(0).normal(scale=300, size=20 * SAMPLE_RATE).astype(np.int16)
    assert find_speech(pcm(noise)) == []


def test_a_file_that_ends_within_a_sample_is_read_to_its_last_whole_one(speech, pcm):
    path = pcm(speech)
    expected = find_speech(path)
    with path.open("ab") as file:
        file.write(b"\x01")
    assert find_speech(path) == expected


def test_the_caller_is_told_of_progress_and_may_end_the_work(meeting, pcm):
    beats = []

    def beat() -> None:
        beats.append(1)
        if len(beats) == 2:
            raise InterruptedError("stop")

    with pytest.raises(InterruptedError):
        find_speech(pcm(meeting), beat=beat)
    assert len(beats) == 2


def test_long_recordings_do_not_fill_the_memory():
    """Six minutes (23 MB as floats), in a process of its own, may take little more than half a minute does."""
    script = """
import resource, numpy as np
from jobs.audio.vad import SpeechFinder
def peak_megabytes(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
block = np.random.default_rng(0).integers(-3000, 3000, 160_000).astype(np.int16)
finder = SpeechFinder()
def hear(times):
    for _ in range(times): finder.hear(block)
hear(3)
before = peak_megabytes()
hear(36)
print(peak_megabytes() - before)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 15


def test_it_loads_neither_ctranslate2_nor_django():
    script = (
        "import sys, jobs.audio.vad\n"
        "print([name for name in ('ctranslate2', 'faster_whisper', 'django') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
