"""What the faster-whisper engine is told besides the language: to translate, and which words may come up."""

import numpy as np
import pytest

from jobs.engines.faster_whisper import FasterWhisperEngine
from jobs.errors import InputFault
from jobs.tests.whisper_engine import MODEL, error_rate, make_engine, prompts_of, recording, transcribe


@pytest.fixture(scope="module")
def engine() -> FasterWhisperEngine:
    return make_engine()


@pytest.fixture(scope="module")
def english() -> np.ndarray:
    return recording("english")


@pytest.fixture(scope="module")
def russian() -> np.ndarray:
    return recording("russian")


@pytest.mark.parametrize("batched", [False, True])
def test_a_translation_is_asked_for_and_the_language_stays_the_one_spoken(engine, russian, monkeypatch, batched):
    asked = prompts_of(engine, monkeypatch)
    info, _ = transcribe(engine, russian, task="translate", batched=batched)
    assert info.language == "ru"
    assert asked
    assert all("<|ru|><|translate|>" in text for text in asked)


def test_english_translated_is_what_was_said(engine, english):
    info, segments = transcribe(engine, english, task="translate")
    assert info.language == "en"
    assert error_rate("english", segments) <= 0.1


def test_a_model_that_knows_english_only_does_not_translate(engine, english, monkeypatch):
    class EnglishOnly:
        is_multilingual = False

    monkeypatch.setattr(engine.models.get(MODEL), "model", EnglishOnly())
    with pytest.raises(InputFault, match="multilingual model") as refused:
        transcribe(engine, english, task="translate", language="en")
    assert refused.value.code == "translation_not_supported"


def test_hotwords_change_what_is_heard(engine, english):
    _, plain = transcribe(engine, english, language="en")
    _, hinted = transcribe(engine, english, language="en", hotwords="budget, client")
    assert plain[0].avg_logprob != hinted[0].avg_logprob


@pytest.mark.parametrize("batched", [False, True])
def test_a_prompt_and_hotwords_of_any_length_share_the_room(engine, english, monkeypatch, batched):
    asked = prompts_of(engine, monkeypatch)
    for prompt, hotwords in (("client " * 400, "budget " * 400), ("client " * 400 + "end", "budget " * 3)):
        asked.clear()
        transcribe(engine, english, language="en", prompt=prompt, hotwords=hotwords, batched=batched)
        assert all("budget budget" in text for text in asked)
    assert "client end" in asked[0]
