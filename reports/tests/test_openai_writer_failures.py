"""What can go wrong between the ``openai`` report writer and a server, and what must never leak."""

import logging
import time

import pytest

from jobs.tests.stubs import openai_answers as answers
from jobs.tests.stubs.openai_answers import GOOD_REPORT, chat_answer, error_answer, json_answer
from jobs.tests.stubs.openai_server import STUB_KEY
from reports.tests.openai_writer import MEETING, REPORT_JSON, failure_of, sent_messages, spoken, writer_on
from reports.writers.base import ReportDraft, WriterConfig
from reports.writers.openai_api import OpenAIWriter

# Servers that do not know structured output


def knows_only(*formats):
    def answer(request):
        asked = request.json.get("response_format", {"type": "none"})["type"]
        return chat_answer(GOOD_REPORT) if asked in formats else error_answer(400, f"{asked} is not supported")

    return answer


@pytest.mark.parametrize(("known", "calls"), [("json_schema", 1), ("json_object", 2), ("none", 3)])
def test_a_refused_response_format_gives_way_to_a_simpler_one(stub, known, calls):
    stub.always(knows_only(known))
    writer = writer_on(stub)
    assert writer.write(MEETING).topics == ["release"]
    assert len(stub.requests) == calls
    writer.write(MEETING)
    assert len(stub.requests) == calls + 1, "the second report must begin with what worked"


def test_a_server_that_rejects_everything_is_asked_three_times_at_most(stub):
    stub.always(error_answer(400, "no such thing"))
    error = failure_of(writer_on(stub))
    assert error.extra["reason"] == "rejected"
    assert "no such thing" in error.message
    assert len(stub.requests) == 3


def test_a_transcript_too_long_for_the_model_is_not_sent_again(stub):
    stub.always(error_answer(400, "maximum context length is 8192 tokens", "context_length_exceeded"))
    assert "maximum context length" in failure_of(writer_on(stub)).message
    assert len(stub.requests) == 1


# One repair round

UNUSABLE = {
    "prose": ("I cannot help with that.", "no complete JSON object"),
    "empty": ("", "it is empty"),
    "null": (None, "it is empty"),
    "cut": (REPORT_JSON[:60], "no complete JSON object"),
    "only thoughts": ("<think>What a long recording", "it is empty"),
    "wrong types": (GOOD_REPORT | {"summary": 5, "key_points": "one"}, "summary: Input should be a valid string"),
    "wrong items": (GOOD_REPORT | {"topics": [{"name": "release"}]}, "topics.0: Input should be a valid string"),
    "extra keys": (GOOD_REPORT | {"action": "mail"}, "action: Extra inputs are not permitted"),
    "missing keys": ({"summary": "A meeting."}, "key_points: Field required"),
    "unknown sentiment": (GOOD_REPORT | {"sentiment": "thrilled"}, "sentiment: Input should be 'positive'"),
    "only a picture": (
        GOOD_REPORT | {"summary": "![](https://evil.example/x)"},
        "summary: String should have at least",
    ),
    "deep": ('{"summary":' * 30_000, "no complete JSON object"),
}


@pytest.mark.parametrize(("content", "problem"), UNUSABLE.values(), ids=UNUSABLE)
def test_an_unusable_answer_is_sent_back_once_with_what_is_wrong(stub, content, problem):
    stub.script(chat_answer(content), chat_answer(GOOD_REPORT))
    assert writer_on(stub).write(MEETING) == ReportDraft(**GOOD_REPORT)
    first, second = stub.requests
    assert second.json["messages"][:2] == first.json["messages"]
    assert [message["role"] for message in second.json["messages"][2:]] == ["assistant", "user"]
    assert problem in sent_messages(second)[3]


@pytest.mark.parametrize("content", [content for content, _ in UNUSABLE.values()], ids=UNUSABLE)
def test_a_second_unusable_answer_ends_it(stub, content):
    stub.always(chat_answer(content))
    assert failure_of(writer_on(stub)).extra["reason"] == "bad_answer"
    assert len(stub.requests) == 2


def test_refused_formats_and_repair_together_stay_within_three_calls(stub):
    stub.script(error_answer(400, "json_schema is unknown"))
    stub.always(chat_answer("prose"))
    assert failure_of(writer_on(stub)).extra["reason"] == "bad_answer"
    assert len(stub.requests) == 3


# What ends at once

FAULTS = {
    "401": (answers.INVALID_KEY, "unauthorized", "OPENROUTER_API_KEY"),
    "403": (answers.FORBIDDEN, "unauthorized", "REPORT_API_KEY"),
    "404": (answers.NO_SUCH_MODEL, "unknown_model", "REPORT_MODEL"),
    "429": (answers.RATE_LIMITED, "busy", "later"),
    "quota": (answers.OUT_OF_QUOTA, "quota", "credit"),
    "500": (answers.SERVER_ERROR, "busy", "later"),
    "503": (answers.UNAVAILABLE, "busy", "later"),
    "hang up": (answers.HANG_UP, "unreachable", "network"),
    "broken JSON": (answers.BROKEN_JSON, "bad_answer", "could not be read"),
    "HTML": (answers.HTML, "bad_answer", "could not be read"),
    "empty body": (answers.EMPTY, "bad_answer", "could not be read"),
    "no choices": (answers.NO_CHOICES, "bad_answer", "could not be read"),
    "null choices": (answers.NULL_CHOICES, "bad_answer", "could not be read"),
    "content of the wrong type": (json_answer({"choices": [{"message": {"content": 5}}]}), "bad_answer", "not be read"),
    "error under 200": (answers.ERROR_UNDER_200, "bad_answer", "Upstream error"),
    "429 under 200": (answers.BUSY_UNDER_200, "busy", "Provider returned error"),
    "refusal": (chat_answer(None, refusal="I'm sorry, I can't assist."), "refused", "refused"),
    "content filter": (chat_answer("", finish_reason="content_filter"), "refused", "refused"),
    "truncated": (chat_answer(REPORT_JSON[:40], finish_reason="length"), "truncated", "length limit"),
}


@pytest.mark.parametrize(("answer", "reason", "says"), FAULTS.values(), ids=FAULTS)
def test_a_fault_of_the_server_is_one_report_error_after_one_call(stub, answer, reason, says):
    stub.always(answer)
    error = failure_of(writer_on(stub))
    assert error.extra["reason"] == reason
    assert says in error.message
    assert len(stub.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [answers.HANG, chat_answer(GOOD_REPORT, drip_seconds=0.2)],
    ids=["hang", "drip"],
)
def test_no_call_outlives_its_time_even_one_byte_at_a_time(stub, answer):
    stub.always(answer)
    began = time.monotonic()
    assert failure_of(writer_on(stub, timeout_seconds=1.0)).extra["reason"] == "timeout"
    assert time.monotonic() - began < 2.0
    assert len(stub.requests) == 1


def test_the_total_deadline_holds_over_several_calls(stub):
    stub.always(chat_answer("prose", hang_seconds=0.7))
    began = time.monotonic()
    assert failure_of(writer_on(stub, total_seconds=1.0)).extra["reason"] == "timeout"
    assert time.monotonic() - began < 2.0
    assert len(stub.requests) == 2


def test_nobody_at_the_address_is_unreachable():
    writer = OpenAIWriter(WriterConfig(api_key=STUB_KEY, base_url="http://127.0.0.1:9/v1", model="m"))
    assert failure_of(writer).extra["reason"] == "unreachable"


def test_a_missing_model_or_key_is_said_before_any_call(stub):
    assert failure_of(writer_on(stub, model="")).extra["reason"] == "unknown_model"
    assert failure_of(OpenAIWriter(WriterConfig(model="m"))).extra["reason"] == "unauthorized"
    assert stub.requests == []


# Keys


def test_a_refused_key_is_not_quoted(stub):
    error = failure_of(writer_on(stub, api_key="sk-some-wrong-key"))
    assert error.extra["reason"] == "unauthorized"
    assert "sk-" not in error.message


def test_no_log_line_holds_the_key_the_transcript_or_the_report(stub, caplog):
    caplog.set_level(logging.DEBUG)
    stub.script(
        chat_answer(GOOD_REPORT | {"summary": "canary-report"}), chat_answer("canary-prose"), answers.SERVER_ERROR
    )
    writer = writer_on(stub)
    writer.write(spoken("canary-words"))
    failure_of(writer, spoken("canary-words"))
    assert caplog.records
    for canary in (STUB_KEY, "canary-words", "canary-report", "canary-prose"):
        assert canary not in caplog.text
