"""Pieces recognised together: nothing but the time it takes may change."""

import numpy as np
import pytest

from jobs.engines.base import SAMPLE_RATE, Clip
from jobs.engines.faster_whisper import FasterWhisperEngine, Recogniser
from jobs.tests.whisper_engine import (
    MODEL,
    asking,
    error_rate,
    make_engine,
    prompts_of,
    recording,
    silence,
    text_of,
    transcribe,
)


@pytest.fixture(scope="module")
def engine() -> FasterWhisperEngine:
    return make_engine()


@pytest.fixture(scope="module")
def english() -> np.ndarray:
    return recording("english")


@pytest.fixture(scope="module")
def russian() -> np.ndarray:
    return recording("russian")


@pytest.fixture(autouse=True)
def short_pieces(monkeypatch):
    """Pieces of some sentences each, of which the small model counts as sure."""
    monkeypatch.setattr("jobs.engines.faster_whisper.PIECE_SECONDS", 10.0)
    monkeypatch.setattr("jobs.engines.faster_whisper.SURE_LOGPROB", -1.5)


@pytest.fixture
def batches(engine, monkeypatch) -> list[int]:
    """How many windows each call of the network had."""
    seen, model = [], engine.models.get(MODEL)
    encode = model.encode

    def watch(features):
        seen.append(1 if features.ndim == 2 else len(features))
        return encode(features)

    monkeypatch.setattr(model, "encode", watch)
    return seen


@pytest.fixture
def gaps(english) -> tuple[np.ndarray, list[Clip]]:
    """The recording three times between silences, and where it is."""
    audio = np.concatenate([silence(20), english, silence(30), english, silence(40), english, silence(5)])
    length = len(english) / SAMPLE_RATE
    begins = (20.0, 50.0 + length, 90.0 + 2 * length)
    return audio, [Clip(begin, begin + length) for begin in begins]


@pytest.mark.parametrize("word_timestamps", [False, True])
def test_it_hears_what_is_heard_one_by_one(engine, gaps, batches, word_timestamps):
    audio, speech = gaps
    options = {"speech": speech, "language": "en", "word_timestamps": word_timestamps}
    _, one_by_one = transcribe(engine, audio, **options)
    assert set(batches) == {1}
    batches.clear()
    _, together = transcribe(engine, audio, **options, batched=True)
    assert batches == [4, 2]
    assert [segment.text for segment in together] == [segment.text for segment in one_by_one]
    for found, expected in zip(together, one_by_one, strict=True):
        assert (found.start, found.end) == pytest.approx((expected.start, expected.end), abs=0.1)
        assert found.avg_logprob == pytest.approx(expected.avg_logprob, abs=0.01)
        assert (found.seek, found.tokens) == (expected.seek, expected.tokens)
        assert [word.word for word in found.words] == [word.word for word in expected.words]
    assert bool(together[0].words) == word_timestamps


def test_russian_is_found_and_heard(engine, russian, batches):
    info, segments = transcribe(engine, russian, batched=True)
    assert info.language == "ru"
    assert max(batches) > 1
    assert error_rate("russian", segments) <= 0.15


def test_pieces_come_in_groups_as_they_are_read(english, batches):
    engine = make_engine(batch_size=2)
    groups, decode = [], Recogniser._decode_together

    def watch(recogniser, pieces):
        groups.append(len(pieces))
        return decode(recogniser, pieces)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Recogniser, "_decode_together", watch)
        audio = np.concatenate([english] * 3)
        _, segments = engine.transcribe(audio, asking(audio, language="en", batched=True))
        assert groups == []
        next(segments)
        assert groups == [2]
        list(segments)
    assert groups == [2, 2, 1]


def test_a_piece_that_it_is_unsure_of_is_recognised_again_by_itself(engine, english, monkeypatch, batches):
    _, expected = transcribe(engine, english, language="en")
    batches.clear()
    monkeypatch.setattr("jobs.engines.faster_whisper.SURE_LOGPROB", 0.0)
    _, segments = transcribe(engine, english, language="en", batched=True)
    assert batches[0] == 2
    assert batches[1:].count(1) >= 2
    assert text_of(segments) == text_of(expected)


def test_the_prompt_is_for_the_first_piece_and_hotwords_are_for_all(engine, gaps, monkeypatch):
    audio, speech = gaps
    asked = prompts_of(engine, monkeypatch)
    options = {"speech": speech, "language": "en", "prompt": "budget", "hotwords": "client"}
    for batched in (False, True):
        asked.clear()
        transcribe(engine, audio, **options, batched=batched)
        assert all("client" in text for text in asked)
        assert ["budget" in text for text in asked] == [True] + [False] * (len(asked) - 1)


@pytest.mark.parametrize("batched", [False, True])
def test_in_the_middle_of_a_recording_there_is_no_prompt(engine, english, monkeypatch, batched):
    asked = prompts_of(engine, monkeypatch)
    options = {"language": "en", "prompt": "budget", "hotwords": "client", "batched": batched}
    transcribe(engine, english, **options, is_beginning=False)
    assert asked
    assert all("client" in text and "budget" not in text for text in asked)


def test_a_temperature_is_taken_as_it_is(engine, english, batches):
    _, segments = transcribe(engine, english, temperature=0.4, batched=True)
    assert {segment.temperature for segment in segments} == {0.4}
    assert set(batches) == {1}


def test_silence_is_a_success_without_segments(engine):
    assert transcribe(engine, silence(4), batched=True, language="en", word_timestamps=True)[1] == []
