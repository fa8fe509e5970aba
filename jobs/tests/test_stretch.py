"""Played faster or slower: as many samples as the speed says, and every moment where it belongs."""

from pathlib import Path

import numpy as np
import pytest

from jobs.audio import ffmpeg
from jobs.audio.stretch import stretch_pcm
from jobs.audio.timeline import Timeline
from jobs.engines.base import SAMPLE_RATE
from jobs.errors import TranscribifyError
from jobs.transcript import Segment, Word

SPEEDS = [0.5, 0.75, 1.25, 2.0, 3.0, 4.0]
CLICKS_SECONDS = [0.7, 7.3, 14.1, 21.9, 29.5]
SECONDS = 30.01


@pytest.fixture(scope="module")
def clicks(tmp_path_factory) -> Path:
    """Short tones over faint noise."""
    samples = np.random.default_rng(0).normal(0, 30, round(SECONDS * SAMPLE_RATE))
    tone = 12_000 * np.sin(np.arange(800) * 0.5) * np.hanning(800)
    for second in CLICKS_SECONDS:
        first = round(second * SAMPLE_RATE) - 400
        samples[first : first + 800] = tone
    path = tmp_path_factory.mktemp("clicks") / "clicks.pcm"
    samples.astype("<i2").tofile(path)
    return path


def heard_at(samples: np.ndarray, around_seconds: float) -> float:
    """The centre of the sound within half a second of a moment."""
    first = max(0, round((around_seconds - 0.5) * SAMPLE_RATE))
    power = np.square(samples[first : first + SAMPLE_RATE].astype(float))
    return float((first + np.average(np.arange(len(power)), weights=power)) / SAMPLE_RATE)


@pytest.mark.parametrize("speed", SPEEDS)
def test_the_samples_are_the_sources_divided_by_the_speed(clicks, tmp_path, speed):
    target = tmp_path / "out.pcm"
    samples = stretch_pcm(clicks, target, speed=speed)
    assert samples == round(SECONDS * SAMPLE_RATE / speed) == target.stat().st_size / 2


@pytest.mark.parametrize("speed", SPEEDS)
def test_every_moment_is_found_again(clicks, tmp_path, speed):
    target = tmp_path / "out.pcm"
    samples = stretch_pcm(clicks, target, speed=speed)
    timeline = Timeline(5.0, SECONDS, samples / SAMPLE_RATE)
    stretched = np.fromfile(target, dtype="<i2")
    errors = []
    for second in CLICKS_SECONDS:
        heard = heard_at(stretched, second / speed)
        errors.append(timeline.place(Segment(heard, heard, "")).start - 5.0 - second)
    print(f"speed {speed}: at most {max(map(abs, errors)):.3f} s off")
    assert max(map(abs, errors)) < 0.1


@pytest.mark.parametrize("speed", SPEEDS)
def test_a_moment_of_sound_can_be_stretched(tmp_path, speed):
    source, target = tmp_path / "in.pcm", tmp_path / "out.pcm"
    for count in (1, 100):
        source.write_bytes(bytes(2 * count))
        assert stretch_pcm(source, target, speed=speed) == max(1, round(count / speed))


def test_a_high_speed_is_shared_by_two_filters(tmp_path):
    def tempos(speed):
        return " ".join(ffmpeg.stretch_command(tmp_path, tmp_path, speed=speed, samples=1)).count("atempo=")

    assert [tempos(speed) for speed in SPEEDS] == [1, 1, 1, 1, 2, 2]


def test_it_beats_while_it_works_and_stops_when_told(clicks, tmp_path):
    def beat() -> None:
        raise TranscribifyError("stop")

    with pytest.raises(TranscribifyError, match="stop"):
        stretch_pcm(clicks, tmp_path / "out.pcm", speed=2, beat=beat)


def test_all_times_of_a_segment_are_placed_and_none_lies_after_the_end():
    words = Word(1.0, 1.5, " a", 0.9), Word(4.5, 5.2, " b", 0.8)
    heard = Segment(1.0, 5.2, " a b", words, avg_logprob=-0.1, seek=100)
    placed = Timeline(start_seconds=3.0, length_seconds=10.0, heard_seconds=5.0).place(heard)
    assert (placed.start, placed.end, placed.seek) == (5.0, 13.0, 500)
    assert [(word.start, word.end, word.word, word.probability) for word in placed.words] == [
        (5.0, 6.0, " a", 0.9),
        (12.0, 13.0, " b", 0.8),
    ]
    assert (placed.text, placed.avg_logprob) == (" a b", -0.1)


def test_a_whole_recording_at_its_own_speed_keeps_its_times():
    segment = Segment(0.123, 4.567, " a", (Word(0.123, 4.567, " a"),), seek=12)
    assert Timeline(0.0, 5.0001, 5.0001).place(segment) == segment
