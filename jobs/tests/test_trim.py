"""The stretch that is decoded: exact to the sample, counted in sound and not in time stamps, and cheap to reach."""

import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from jobs.audio.decode import EVERYTHING, decode_pcm
from jobs.audio.trim import Trim, trimmed_seconds
from jobs.errors import InputFault
from jobs.tests.conftest import run_ffmpeg

CAP_SECONDS = 3_700


@pytest.fixture(scope="module")
def recordings(tmp_path_factory, meeting_path) -> dict[str, Path]:
    """Ten seconds of the meeting: an MP3 of varying bit rate, a film, and a WebM whose sound begins at 7 s."""
    folder = tmp_path_factory.mktemp("recordings")
    paths = {"flac": "a.flac", "vbr": "a.mp3", "film": "a.mp4", "late": "late.webm"}
    found = {name: folder / path for name, path in paths.items()}
    cut = ("-t", "10", "-i", str(meeting_path))
    run_ffmpeg(*cut, str(found["flac"]))
    run_ffmpeg(*cut, "-ar", "44100", "-ac", "2", "-q:a", "6", str(found["vbr"]))
    run_ffmpeg(*cut, "-f", "lavfi", "-i", "testsrc=duration=10:size=64x48", "-ar", "48000", str(found["film"]))
    run_ffmpeg("-itsoffset", "7", *cut, "-c:a", "libopus", str(found["late"]))
    return found


@pytest.fixture(scope="module")
def hour_path(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("hour")
    minute, hour = folder / "minute.ogg", folder / "hour.ogg"
    run_ffmpeg("-f", "lavfi", "-i", "anoisesrc=r=48000:duration=60", "-c:a", "libopus", "-b:a", "16k", str(minute))
    run_ffmpeg("-stream_loop", "59", "-i", str(minute), "-c", "copy", str(hour))
    return hour


def samples_of(source: Path, target: Path, trim: Trim = EVERYTHING, cap_seconds: float = CAP_SECONDS) -> np.ndarray:
    decoded = decode_pcm(source, target, cap_seconds=cap_seconds, trim=trim)
    samples = np.fromfile(target, dtype="<i2")
    assert (len(samples), decoded.is_whole) == (decoded.samples, True)
    return samples


@pytest.mark.parametrize("name", ["flac", "vbr", "film", "late"])
def test_a_stretch_is_the_same_samples_as_in_the_whole(recordings, tmp_path, name):
    whole = samples_of(recordings[name], tmp_path / "whole.pcm")
    stretch = samples_of(recordings[name], tmp_path / "stretch.pcm", Trim(1.5, 2))
    assert len(stretch) == 32_000
    assert np.array_equal(stretch, whole[24_000:56_000])


def test_without_a_length_it_reaches_to_the_end(recordings, tmp_path):
    whole = samples_of(recordings["vbr"], tmp_path / "whole.pcm")
    assert np.array_equal(samples_of(recordings["vbr"], tmp_path / "rest.pcm", Trim(7.25)), whole[116_000:])


def test_without_a_start_it_begins_at_the_beginning(recordings, tmp_path):
    whole = samples_of(recordings["film"], tmp_path / "whole.pcm")
    assert np.array_equal(samples_of(recordings["film"], tmp_path / "first.pcm", Trim(0, 3)), whole[:48_000])


def test_a_stretch_that_reaches_past_the_end_is_what_there_is(recordings, tmp_path):
    assert len(samples_of(recordings["flac"], tmp_path / "last.pcm", Trim(9, 600))) == 16_000


@pytest.mark.parametrize("start_seconds", [10, 10.5, 3_000])
def test_a_start_at_or_past_the_end_is_refused_with_the_true_length(recordings, tmp_path, start_seconds):
    with pytest.raises(InputFault, match=r"only 10\.00 s long") as refusal:
        decode_pcm(recordings["flac"], tmp_path / "none.pcm", cap_seconds=60, trim=Trim(start_seconds, 2))
    assert refusal.value.code == "trim_start_past_end"


def test_a_file_without_a_sample_in_it_is_still_called_undecodable(tmp_path):
    empty = tmp_path / "empty.wav"
    run_ffmpeg("-f", "lavfi", "-i", "sine=duration=1", "-t", "0", str(empty))
    with pytest.raises(InputFault) as refusal:
        decode_pcm(empty, tmp_path / "none.pcm", cap_seconds=60, trim=Trim(1))
    assert refusal.value.code == "undecodable"


def test_a_few_seconds_of_an_hour_are_not_an_hour_of_work(hour_path, tmp_path):
    started = time.monotonic()
    samples = samples_of(hour_path, tmp_path / "few.pcm", Trim(30, 5), cap_seconds=11)
    seconds = time.monotonic() - started
    print(f"5 s from second 30 of an hour in {seconds:.2f} s")
    assert len(samples) == 80_000
    whole = time.monotonic()
    subprocess.run(["ffmpeg", "-v", "error", "-i", str(hour_path), "-f", "null", "-"], check=True)
    assert seconds < (time.monotonic() - whole) / 2


def test_the_end_of_an_hour_is_reached_within_a_small_cap(hour_path, tmp_path, monkeypatch):
    monkeypatch.setattr("jobs.audio.decode.START_SECONDS", 0)  # what is skipped has a share of the clocks
    assert len(samples_of(hour_path, tmp_path / "end.pcm", Trim(3_590, 5), cap_seconds=11)) == 80_000


def test_the_cap_bounds_what_is_taken(recordings, tmp_path):
    decoded = decode_pcm(recordings["flac"], tmp_path / "a.pcm", cap_seconds=1, trim=Trim(2))
    assert 16_000 <= decoded.samples < 16_000 * 3


@pytest.mark.parametrize(
    ("trim", "taken"), [((0, None), 60), ((15, None), 45), ((15, 20), 20), ((50, 20), 10), ((0, 20), 20)]
)
def test_how_much_is_taken_is_known_beforehand(trim, taken):
    assert trimmed_seconds(60.0, *trim) == taken


@pytest.mark.parametrize("start_seconds", [60, 61])
def test_a_start_past_the_headers_end_is_refused(start_seconds):
    with pytest.raises(InputFault, match=r"60\.00 s long.*earlier start") as refusal:
        trimmed_seconds(60.0, start_seconds, None)
    assert refusal.value.code == "trim_start_past_end"
