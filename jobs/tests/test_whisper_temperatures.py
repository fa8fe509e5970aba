"""When the faster-whisper engine draws lots: on demand, and where nobody can have said what it hears."""

import numpy as np
import pytest

from jobs.engines.base import SAMPLE_RATE
from jobs.engines.faster_whisper import is_sayable
from jobs.engines.whisper_pieces import Piece
from jobs.tests.whisper_engine import make_engine, recording, text_of, transcribe
from jobs.transcript import Segment


@pytest.fixture(scope="module")
def engine():
    return make_engine()


@pytest.fixture(scope="module")
def english():
    return recording("english")


def test_a_temperature_is_taken_as_it_is(engine, english):
    _, segments = transcribe(engine, english, temperature=0.4)
    assert {segment.temperature for segment in segments} == {0.4}


def test_without_a_temperature_it_hears_the_same_each_time_also_where_it_is_unsure(engine, english):
    murmur = english[: 9 * SAMPLE_RATE].copy()
    murmur += np.random.default_rng(0).normal(scale=0.05, size=len(murmur)).astype(np.float32)
    _, at_zero = transcribe(engine, murmur, temperature=0.0, language="en")
    assert at_zero[0].avg_logprob < -1  # below this the library tries again
    heard = [transcribe(engine, murmur, temperature=None, language="en")[1] for _ in range(3)]
    assert all(segments == at_zero for segments in heard)


@pytest.mark.parametrize(
    ("text", "compression_ratio", "expected"),
    [
        ("sales are up by seven percent " * 3, 2.8, True),  # said in ten seconds
        ("thank you " * 60, 9.0, False),  # sixty times in ten seconds
        ("a very quick speaker who says much " * 10, 1.9, True),
    ],
)
def test_only_what_nobody_can_have_said_is_drawn_anew(text, compression_ratio, expected):
    piece = Piece(((0, 10 * SAMPLE_RATE),))
    segment = Segment(0.0, 10.0, text, avg_logprob=-1.5, compression_ratio=compression_ratio)
    assert is_sayable([segment], piece) is expected


def test_the_same_sentence_over_and_over_is_heard_the_same_each_time(engine, english):
    """It looks like a loop of the decoder, for which higher temperatures would draw lots."""
    sentence = english[: round(2.3 * SAMPLE_RATE)]
    audio = np.concatenate([sentence] * 8)
    heard = [text_of(transcribe(engine, audio, language="en", temperature=None)[1]) for _ in range(3)]
    assert heard[0]
    assert len(set(heard)) == 1
