"""What can go wrong between the ``openai`` engine and a server, and what must never leak."""

import logging
import time

import pytest

from jobs.engines.base import Clip, EngineConfig
from jobs.engines.openai_api import OpenAIEngine
from jobs.errors import ConfigurationFault, InputFault, TransientFault
from jobs.tests.openai_engine import ask, engine_on, run, tone
from jobs.tests.stubs import openai_answers as answers
from jobs.tests.stubs.openai_answers import Answer, error_answer, json_answer, verbose_answer
from jobs.tests.stubs.openai_server import STUB_KEY, OpenAIStub

# What can go wrong

WRONG_TYPES = json_answer({"text": 5, "segments": "none"})
MOVED = Answer(status=307, headers={"Location": "/v1/elsewhere"})
ENDLESS_TIME = Answer(b'{"text": "a", "segments": [{"start": 0, "end": Infinity, "text": "a"}]}')

FAULTS = [
    (answers.INVALID_KEY, ConfigurationFault, "provider_refused_key", "OPENAI_API_KEY"),
    (answers.FORBIDDEN, ConfigurationFault, "provider_refused_key", "GROQ_API_KEY"),
    (answers.NO_SUCH_MODEL, ConfigurationFault, "provider_model_unknown", "'whisper-1' at this address. Check OPENAI_"),
    (answers.OUT_OF_QUOTA, ConfigurationFault, "provider_quota_exhausted", "credit"),
    (error_answer(402, "Insufficient credits"), ConfigurationFault, "provider_quota_exhausted", "credit"),
    (error_answer(400, "Audio file is corrupted"), InputFault, "provider_rejected", "Audio file is corrupted"),
    (error_answer(413, "Maximum content size exceeded"), InputFault, "provider_rejected", "Maximum content size"),
    (error_answer(422, "bad language"), InputFault, "provider_rejected", "bad language"),
    (answers.RATE_LIMITED, TransientFault, "provider_busy", "Rate limit reached"),
    (answers.SERVER_ERROR, TransientFault, "provider_busy", "had an error"),
    (answers.UNAVAILABLE, TransientFault, "provider_busy", "later"),
    (answers.HANG_UP, TransientFault, "provider_unreachable", "127.0.0.1"),
    (answers.BROKEN_JSON, TransientFault, "provider_bad_answer", "no sense"),
    (answers.HTML, TransientFault, "provider_bad_answer", "no sense"),
    (answers.EMPTY, TransientFault, "provider_bad_answer", "no sense"),
    (WRONG_TYPES, TransientFault, "provider_bad_answer", "no sense"),
    (ENDLESS_TIME, TransientFault, "provider_bad_answer", "no sense"),
    (json_answer(["text"]), TransientFault, "provider_bad_answer", "no sense"),
    (json_answer({}), TransientFault, "provider_bad_answer", "no sense"),
    (MOVED, TransientFault, "provider_bad_answer", "moved"),
    (answers.ERROR_UNDER_200, TransientFault, "provider_bad_answer", "Upstream error"),
    (answers.BUSY_UNDER_200, TransientFault, "provider_busy", "Provider returned error"),
]


@pytest.mark.parametrize(("answer", "fault", "code", "says"), FAULTS)
def test_a_failure_is_named_by_whose_fault_it_is_after_one_call(stub, answer, fault, code, says):
    stub.always(answer)
    with pytest.raises(fault) as caught:
        run(engine_on(stub))
    assert caught.value.code == code
    assert says in caught.value.message
    assert len(stub.requests) == 1


def test_a_busy_server_says_when_to_come_back(stub):
    stub.script(answers.RATE_LIMITED)
    with pytest.raises(TransientFault) as caught:
        run(engine_on(stub))
    assert caught.value.extra == {"retry_after_seconds": 7}


@pytest.mark.parametrize(
    "answer",
    [
        answers.HANG,
        Answer(b'{"text": "' + b"a" * 100 + b'"}', drip_seconds=0.2),
        Answer(b"{}", headers={"X-Slow": "a" * 100}, drip_seconds=0.2, drip_headers=True),
        error_answer(400, "response_format is slow too", drip_seconds=0.2),
    ],
    ids=["hang", "drip", "drip in the headers", "drip of a refusal"],
)
def test_no_call_outlives_its_time_even_one_byte_at_a_time(stub, answer):
    stub.always(answer)
    began = time.monotonic()
    with pytest.raises(TransientFault) as caught:
        run(engine_on(stub, timeout_seconds=1.0))
    assert caught.value.code == "provider_timeout"
    assert time.monotonic() - began < 2.0
    assert len(stub.requests) == 1


def test_nobody_at_the_address_is_transient():
    engine = OpenAIEngine(EngineConfig(api_key=STUB_KEY, base_url="http://user:hunter2@127.0.0.1:9/v1"))
    with pytest.raises(TransientFault) as caught:
        run(engine)
    assert caught.value.code == "provider_unreachable"
    assert "hunter2" not in caught.value.message


@pytest.mark.parametrize("base_url", ["http://[broken", "no-scheme", "ftp://127.0.0.1/"])
def test_an_address_that_is_none_is_named(base_url):
    with pytest.raises(TransientFault) as caught:
        run(OpenAIEngine(EngineConfig(api_key=STUB_KEY, base_url=base_url)))
    assert caught.value.code == "provider_unreachable"


def test_a_failure_of_a_later_piece_comes_after_the_segments_of_the_first(stub):
    stub.script(verbose_answer([{"start": 0.0, "end": 1.0, "text": " Hello."}]), answers.UNAVAILABLE)
    engine = engine_on(stub, max_piece_seconds=2.5)
    _, segments = engine.transcribe(tone(6), ask(speech=[Clip(0, 2), Clip(3.5, 5.5)]))
    assert next(segments).text == " Hello."
    with pytest.raises(TransientFault):
        next(segments)


# Keys


def test_a_wrong_key_is_named_by_its_setting_and_not_shown(stub):
    with pytest.raises(ConfigurationFault) as caught:
        run(engine_on(stub, api_key="sk-some-wrong-key"))
    assert caught.value.code == "provider_refused_key"
    assert "sk-" not in caught.value.message


@pytest.mark.parametrize("api_key", ["sk-with\nbreak", "ключ"])
def test_a_key_that_no_header_can_carry_is_refused_here(stub, api_key):
    with pytest.raises(ConfigurationFault) as caught:
        run(engine_on(stub, api_key=api_key))
    assert caught.value.code == "provider_refused_key"
    assert stub.requests == []


def test_a_host_of_ones_own_may_want_no_key():
    with OpenAIStub(api_key="none") as stub:
        engine = engine_on(stub, api_key="")
        engine.load("whisper-1")
        assert run(engine)[1]


def test_openai_itself_wants_a_key():
    with pytest.raises(ConfigurationFault) as caught:
        OpenAIEngine(EngineConfig()).load("whisper-1")
    assert caught.value.code == "provider_key_missing"


def test_a_servers_message_is_cut_and_any_key_in_it_blotted_out():
    with OpenAIStub(api_key="plain-canary") as stub:
        stub.script(error_answer(400, "rejected plain-canary and sk-other-1234567 " + "blah\n" * 200))
        with pytest.raises(InputFault) as caught:
            run(engine_on(stub, api_key="plain-canary"))
    message = caught.value.message
    assert "rejected … and …" in message
    assert "\n" not in message
    assert len(message) < 300


def test_no_log_line_holds_the_key_the_prompt_or_the_words(stub, caplog):
    caplog.set_level(logging.DEBUG)
    stub.script(verbose_answer([{"start": 0.0, "end": 1.0, "text": " canary-words"}]), answers.INVALID_KEY)
    engine = engine_on(stub)
    run(engine, prompt="canary-prompt")
    with pytest.raises(ConfigurationFault):
        run(engine)
    assert caplog.records
    for canary in (STUB_KEY, "canary-words", "canary-prompt"):
        assert canary not in caplog.text
    assert STUB_KEY not in repr(engine._provider)
