"""Stretches of speech joined, stretched and cut."""

import numpy as np
import pytest

from jobs.engines.base import SAMPLE_RATE, Clip
from jobs.engines.cutting import fill_pauses, join_close, quietest_sample


def test_stretches_that_touch_or_lie_close_are_joined():
    speech = [Clip(0.2, 1.0), Clip(1.0, 2.0), Clip(3.1, 4.0), Clip(5.2, 6.0)]
    assert join_close(speech) == [Clip(0.2, 4.0), Clip(5.2, 6.0)]


@pytest.mark.parametrize("end_samples", range(10_240, 10_240 + 40 * 256, 256))
def test_a_pause_of_two_seconds_parts_them_however_its_times_are_rounded(end_samples):
    before, after = Clip(0.0, end_samples / SAMPLE_RATE), Clip((end_samples + 19_200) / SAMPLE_RATE, 9.0)
    assert join_close([before, after]) == [before, after]


def test_speech_stretched_over_everything_meets_in_the_middle_of_its_pauses():
    filled = fill_pauses([Clip(1.0, 2.0), Clip(4.0, 5.0), Clip(5.0, 6.0)], 10.0)
    assert filled == [Clip(0.0, 3.0), Clip(3.0, 5.0), Clip(5.0, 10.0)]
    assert fill_pauses(filled, 10.0) == filled
    assert fill_pauses([], 10.0) == [Clip(0.0, 10.0)]


def test_a_cut_lies_in_the_last_of_the_pauses_where_that_is_wanted():
    audio = np.random.default_rng(1).normal(scale=0.1, size=10 * SAMPLE_RATE).astype(np.float32)
    for pause, loudness in ((2, 0.010), (6, 0.012), (8, 0.5)):
        audio[pause * SAMPLE_RATE : round((pause + 0.3) * SAMPLE_RATE)] *= loudness
    assert 2.0 < quietest_sample(audio, quiet_seconds=0.2) / SAMPLE_RATE < 2.3
    assert 6.0 < quietest_sample(audio, quiet_seconds=0.2, prefer_last=True) / SAMPLE_RATE < 6.3


def test_digital_silence_is_cut_at_its_beginning_or_near_its_end():
    silence = np.zeros(10 * SAMPLE_RATE, dtype=np.float32)
    assert quietest_sample(silence, quiet_seconds=0.2) == SAMPLE_RATE // 10
    assert quietest_sample(silence, quiet_seconds=0.2, prefer_last=True) == round(9.65 * SAMPLE_RATE)


def test_a_short_pause_is_cut_in_its_middle():
    audio = np.ones(5 * SAMPLE_RATE, dtype=np.float32)
    audio[3 * SAMPLE_RATE : 3 * SAMPLE_RATE + SAMPLE_RATE * 4 // 10] = 0
    assert quietest_sample(audio, quiet_seconds=0.2, prefer_last=True) / SAMPLE_RATE == pytest.approx(3.2, abs=0.02)
