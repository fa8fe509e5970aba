"""The plan of a recording: which stretches of it are recognised on their own, and that this changes no word."""

import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from jobs.audio.decode import to_audio
from jobs.audio.pcm import PcmFile
from jobs.audio.plan import Chunk, plan_chunks
from jobs.engines.base import SAMPLE_RATE, Audio, Clip
from jobs.engines.whisper_pieces import LONGEST_EXTENT_SECONDS, PIECE_SECONDS, Piece, cut_pieces, to_spans

MINUTE = 60


@pytest.fixture(scope="module")
def pcm(tmp_path_factory):
    """Writes a recording of so many seconds: noise that is quieter at random moments, so that every cut is its own."""

    @cache
    def write(seconds: float) -> Path:
        rng = np.random.default_rng(1)
        loudness = rng.uniform(300, 3000, round(seconds * 10))
        noise = rng.normal(size=(len(loudness), SAMPLE_RATE // 10)) * loudness[:, np.newaxis]
        path = tmp_path_factory.mktemp("noise") / "audio.pcm"
        path.write_bytes(noise.clip(-32_000, 32_000).astype("<i2").tobytes())
        return path

    return write


@pytest.fixture
def long_pcm(tmp_path):
    """Makes a recording of any length that takes no room on the disk."""

    def make(seconds: float) -> Path:
        path = tmp_path / "long.pcm"
        with path.open("wb") as file:
            file.truncate(round(seconds * SAMPLE_RATE) * 2)
        return path

    return make


def sentences(until: float, *, seed: int = 2, shortest_pause: float = 0.0, longest_pause: float = 2.0) -> list[Clip]:
    """Speech of 1 to 8 s with pauses, in whole samples as VAD finds it."""
    rng = np.random.default_rng(seed)
    found, time = [], rng.uniform(0, longest_pause)
    while time < until - 9:
        end = time + rng.uniform(1, 8)
        found.append(Clip(round(time * SAMPLE_RATE) / SAMPLE_RATE, round(end * SAMPLE_RATE) / SAMPLE_RATE))
        time = found[-1].end + rng.choice([0.0, rng.uniform(shortest_pause, longest_pause)])
    return found


def windows_of(pcm: Path, speech: Sequence[Clip]) -> list[Piece]:
    """What the engine recognises in one go when it has all of the recording."""
    audio = to_audio(np.fromfile(pcm, dtype="<i2"))
    return list(cut_pieces(audio, to_spans(audio, speech), PIECE_SECONDS))


def windows_chunk_by_chunk(pcm: Path, chunks: Sequence[Chunk]) -> list[Piece]:
    """What the engine recognises in one go when it has one chunk after the other, as in the whole recording."""
    found = []
    for chunk in chunks:
        audio = PcmFile(pcm)[chunk.start_sample : chunk.end_sample]
        for piece in cut_pieces(audio, to_spans(audio, chunk.speech), PIECE_SECONDS):
            moved = ((start + chunk.start_sample, end + chunk.start_sample) for start, end in piece.spans)
            found.append(Piece(tuple(moved)))
    return found


def seconds_of(chunk: Chunk) -> float:
    return (chunk.end_sample - chunk.start_sample) / SAMPLE_RATE


def clips_in_recording(chunks: Sequence[Chunk]) -> list[tuple[int, int]]:
    return [
        (chunk.start_sample + round(clip.start * SAMPLE_RATE), chunk.start_sample + round(clip.end * SAMPLE_RATE))
        for chunk in chunks
        for clip in chunk.speech
    ]


@pytest.mark.parametrize("chunk_seconds", [20, 60, 300, 10_000])
@pytest.mark.parametrize(
    "speech",
    [
        pytest.param(sentences(15 * MINUTE), id="sentences"),
        pytest.param([Clip(0.0, 15 * MINUTE)], id="no pause"),
        pytest.param([Clip(3.0, 70.0), Clip(70.0, 101.0), Clip(102.0, 140.5), Clip(600.0, 601.0)], id="long stretches"),
        pytest.param(sentences(15 * MINUTE, shortest_pause=20, longest_pause=90), id="sparse"),
    ],
)
def test_the_engine_hears_the_same_windows_however_the_recording_is_cut(pcm, speech, chunk_seconds):
    path = pcm(15 * MINUTE)
    chunks = plan_chunks(path, speech, chunk_seconds=chunk_seconds)
    assert [piece.spans for piece in windows_chunk_by_chunk(path, chunks)] == [
        piece.spans for piece in windows_of(path, speech)
    ]


def test_chunks_are_in_order_and_hold_all_of_the_speech_and_nothing_else(pcm):
    speech = sentences(10 * MINUTE)
    chunks = plan_chunks(pcm(10 * MINUTE), speech, chunk_seconds=MINUTE)
    assert clips_in_recording(chunks) == [(round(c.start * SAMPLE_RATE), round(c.end * SAMPLE_RATE)) for c in speech]
    assert all(before.end_sample - after.start_sample < SAMPLE_RATE // 100 for before, after in pairwise(chunks))
    for chunk in chunks:
        assert chunk.start_sample % (SAMPLE_RATE // 100) == 0
        assert 0 <= chunk.speech[0].start < 0.01
        assert chunk.speech[-1].end == seconds_of(chunk)


def test_chunks_are_about_as_long_as_wanted_and_shorter_towards_the_end(pcm):
    lengths = [
        seconds_of(chunk) for chunk in plan_chunks(pcm(30 * MINUTE), sentences(30 * MINUTE), chunk_seconds=2.5 * MINUTE)
    ]
    assert max(lengths) <= 150
    assert min(lengths[:8]) >= 0.7 * 150
    assert max(lengths[-3:]) <= 60


def test_a_recording_that_is_no_longer_than_a_chunk_is_one(pcm):
    (chunk,) = plan_chunks(pcm(5 * MINUTE), sentences(5 * MINUTE), chunk_seconds=5 * MINUTE)
    assert seconds_of(chunk) > 280


def test_without_speech_there_is_nothing_to_recognise(long_pcm):
    path = long_pcm(3 * 60 * MINUTE)
    assert plan_chunks(path, [], chunk_seconds=60) == []
    assert plan_chunks(path, [], chunk_seconds=60, everything=True) == []


def test_a_chunk_ends_in_the_longest_of_the_pauses_near_its_end(long_pcm):
    """A pause of half a second every 29 s, and two of six: one near the wanted end, one far before it."""
    starts = [29.0 * turn + 6 * (turn > 2) + 6 * (turn > 8) for turn in range(60)]
    speech = [Clip(start, start + 28.5) for start in starts]
    first, second, *_ = plan_chunks(long_pcm(30 * MINUTE), speech, chunk_seconds=300)
    assert (first.end_sample, second.start_sample) == (speech[8].end * SAMPLE_RATE, speech[9].start * SAMPLE_RATE)


def test_a_long_silence_is_in_no_chunk(long_pcm):
    speech = [Clip(0.0, 25.0), Clip(26.0, 50.0), Clip(3_000.0, 3_020.0), Clip(3_021.0, 3_045.0)]
    chunks = plan_chunks(long_pcm(3_600), speech, chunk_seconds=300)
    assert sum(map(seconds_of, chunks)) < 100


def test_speech_is_cut_only_where_it_goes_on_for_longer_than_a_chunk(pcm):
    spoken = [Clip(0.0, 8.0), Clip(8.5, 62.0), Clip(62.5, 112.0), Clip(112.5, 300.0), Clip(301.0, 305.0)]
    chunks = plan_chunks(pcm(310), spoken, chunk_seconds=64)
    borders = [(before.end_sample, after.start_sample) for before, after in pairwise(chunks)]
    divided = [before / SAMPLE_RATE for before, after in borders if before == after]
    assert divided
    assert all(112.5 < border < 300 for border in divided)


def test_a_window_reaches_over_a_limited_time(long_pcm):
    rare = [Clip(60.0 * minute, 60.0 * minute + 1) for minute in range(60)]
    path = long_pcm(60 * MINUTE)
    pieces = list(cut_pieces(PcmFile(path), [(round(c.start) * 16_000, round(c.end) * 16_000) for c in rare], 30.0))
    assert max(piece.end - piece.start for piece in pieces) <= LONGEST_EXTENT_SECONDS * SAMPLE_RATE
    assert len(pieces) == 20


@pytest.mark.parametrize("speech", [sentences(10 * MINUTE), [Clip(100.0, 104.0)], [Clip(0.0, 600.0)]])
def test_without_the_voice_filter_nothing_is_left_out(pcm, speech):
    path = pcm(10 * MINUTE)
    clips = clips_in_recording(plan_chunks(path, speech, chunk_seconds=MINUTE, everything=True))
    assert clips[0][0] == 0
    assert clips[-1][1] == 10 * MINUTE * SAMPLE_RATE
    assert all(before[1] == after[0] for before, after in pairwise(clips))


class Counting:
    """Silence of any length that knows how much of it was read."""

    def __init__(self) -> None:
        self.most_samples = 0

    def __getitem__(self, stretch: slice, /) -> Audio:
        self.most_samples = max(self.most_samples, stretch.stop - stretch.start)
        return np.zeros(stretch.stop - stretch.start, dtype=np.float32)


def test_only_what_a_cut_looks_at_is_read():
    audio = Counting()
    pieces = list(cut_pieces(audio, [(0, 600 * SAMPLE_RATE)], 30.0))
    assert len(pieces) <= 600 / 28
    assert audio.most_samples <= 10 * SAMPLE_RATE


def test_a_stretch_of_a_file_is_read_as_it_was_written(tmp_path):
    samples = np.arange(-500, 500, dtype="<i2")
    path = tmp_path / "audio.pcm"
    path.write_bytes(samples.tobytes() + b"\x01")
    file = PcmFile(path)
    assert len(file) == 1000
    assert np.array_equal(file[100:250], to_audio(samples[100:250]))
    assert np.array_equal(file[990:2000], to_audio(samples[990:]))
    assert len(file[2000:3000]) == 0


def test_ten_hours_are_planned_in_little_memory(long_pcm):
    """In a process of its own: twenty thousand short stretches, then ten hours without any pause."""
    script = """
import resource, sys
from pathlib import Path
from jobs.audio.plan import plan_chunks
from jobs.engines.base import Clip
def peak_megabytes(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
path, seconds = Path(sys.argv[1]), 36_000
sparse = [Clip(1.8 * turn, 1.8 * turn + 1) for turn in range(20_000)]
plan_chunks(path, sparse[:100], chunk_seconds=300)
before = peak_megabytes()
plans = [plan_chunks(path, speech, chunk_seconds=300) for speech in (sparse, [Clip(0.0, seconds)])]
assert all(len(plan) > 100 for plan in plans)
print(peak_megabytes() - before)
"""
    command = [sys.executable, "-c", script, str(long_pcm(36_000))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert float(done.stdout) < 15
