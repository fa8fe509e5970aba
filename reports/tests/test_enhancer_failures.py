"""What can go wrong between the enhancer and a model: one error that says what to do, and never half a transcript."""

import logging
import time

import pytest

from jobs.tests.stubs import openai_answers as answers
from jobs.tests.stubs.openai_answers import chat_answer, error_answer
from jobs.tests.stubs.openai_server import STUB_KEY
from reports.enhancers.openai_api import OpenAIEnhancer
from reports.tests.enhancing import (
    ENGLISH_CLEAN,
    correcting,
    enhance,
    enhancer_on,
    failure_of,
    lines_in,
    texts_answer,
)
from reports.tests.openai_writer import sent_messages, spoken
from reports.writers.base import WriterConfig

FAULTS = {
    "401": (answers.INVALID_KEY, "unauthorized", "REPORT_API_KEY", 1),
    "404": (answers.NO_SUCH_MODEL, "unknown_model", "REPORT_MODEL", 1),
    "429": (answers.RATE_LIMITED, "busy", "later", 1),
    "quota": (answers.OUT_OF_QUOTA, "quota", "credit", 1),
    "500": (answers.SERVER_ERROR, "busy", "later", 1),
    "hang up": (answers.HANG_UP, "unreachable", "network", 1),
    "HTML": (answers.HTML, "bad_answer", "could not be read", 1),
    "empty body": (answers.EMPTY, "bad_answer", "could not be read", 1),
    "refusal": (chat_answer(None, refusal="I'm sorry."), "refused", "refused", 1),
    "cut": (chat_answer('{"lines": [{"num', finish_reason="length"), "truncated", "length limit", 1),
    "empty answer": (chat_answer(""), "bad_answer", "another model", 2),
    "prose": (chat_answer("They agreed to ship."), "bad_answer", "another model", 2),
    "no lines": (chat_answer({"lines": []}), "bad_answer", "another model", 2),
    "a report": (chat_answer(answers.GOOD_REPORT), "bad_answer", "another model", 2),
    "texts alone": (chat_answer({"lines": ENGLISH_CLEAN}), "bad_answer", "another model", 2),
    "all summarised": (texts_answer("A meeting about a date.", "Food.", "He agrees."), "unfaithful", "REPORT_MODEL", 1),
    "all translated": (texts_answer("Выпускаем в пятницу.", "Ресторан.", "Да."), "unfaithful", "REPORT_MODEL", 1),
    "all obedient": (texts_answer("HACKED", "HACKED", "HACKED"), "unfaithful", "REPORT_MODEL", 1),
}


@pytest.mark.parametrize(("answer", "reason", "says", "calls"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_one_error_that_says_what_to_do(stub, answer, reason, says, calls):
    stub.always(answer)
    error = failure_of(enhancer_on(stub))
    assert error.extra["reason"] == reason
    assert says in error.message
    assert len(stub.requests) == calls


def test_an_unusable_answer_is_sent_back_once_with_what_is_wrong(stub):
    stub.script(chat_answer({"lines": [{"text": "So"}]}), texts_answer(*ENGLISH_CLEAN))
    assert enhance(enhancer_on(stub)) == ENGLISH_CLEAN
    _, second = stub.requests
    assert "lines.0.number: Field required" in sent_messages(second)[3]
    assert '"number" and "text"' in sent_messages(second)[3]


def test_a_server_without_structured_output_is_asked_more_simply_and_that_is_remembered(stub):
    def answer(request):
        refused = "response_format" in request.json
        return error_answer(400, "response_format is unknown") if refused else texts_answer(*ENGLISH_CLEAN)

    stub.always(answer)
    enhancer = enhancer_on(stub)
    assert enhance(enhancer) == ENGLISH_CLEAN
    assert enhance(enhancer) == ENGLISH_CLEAN
    assert len(stub.requests) == 4


@pytest.mark.parametrize("answer", [answers.HANG, texts_answer(*ENGLISH_CLEAN, drip_seconds=0.2)], ids=["hang", "drip"])
def test_no_call_outlives_its_time(stub, answer):
    stub.always(answer)
    began = time.monotonic()
    assert failure_of(enhancer_on(stub, timeout_seconds=1.0)).extra["reason"] == "timeout"
    assert time.monotonic() - began < 2.0


def test_the_total_deadline_holds_over_all_parts(stub):
    meeting = spoken(*(f"this is sentence {n} of a very long meeting" for n in range(100)))
    stub.always(texts_answer("This is sentence 0 of a very long meeting", hang_seconds=0.7))
    began = time.monotonic()
    error = failure_of(enhancer_on(stub, part_characters=500, total_seconds=1.0), meeting)
    assert error.extra["reason"] == "timeout"
    assert time.monotonic() - began < 2.0


def test_one_part_that_fails_ends_all_of_it(stub):
    meeting = spoken(*(f"this is sentence {n} of a very long meeting" for n in range(100)))
    corrected = correcting()
    stub.always(lambda request: answers.RATE_LIMITED if 50 in lines_in(request) else corrected(request))
    assert failure_of(enhancer_on(stub, part_characters=1_000), meeting).extra["reason"] == "busy"


def test_a_missing_model_or_key_is_said_before_any_call(stub):
    assert "REPORT_MODEL" in failure_of(enhancer_on(stub, model="")).message
    without = failure_of(OpenAIEnhancer(WriterConfig(model="m"))).message
    assert all(name in without for name in ("OPENROUTER_API_KEY", "REPORT_API_KEY", "REPORT_BASE_URL"))
    assert stub.requests == []


def test_no_log_line_holds_the_key_or_what_was_said(stub, caplog):
    caplog.set_level(logging.DEBUG)
    stub.script(texts_answer("Canary words.", "invented canary"), chat_answer("canary prose"), answers.SERVER_ERROR)
    transcript = spoken("canary words", "and some more")
    assert enhance(enhancer_on(stub), transcript) == ["Canary words.", "and some more"]
    failure_of(enhancer_on(stub), transcript)
    assert "1 of 2 lines stay" in caplog.text
    assert STUB_KEY not in caplog.text
    assert "canary" not in caplog.text.lower()
