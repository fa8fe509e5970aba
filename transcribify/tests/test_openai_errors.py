"""Every fault has OpenAI's shape: the SDK's class for it, ``.code``, ``.param``, ``.type`` and ``.request_id``."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import openai
import pytest

from transcribify.tests.client import Client
from transcribify.tests.conftest import ASSETS
from transcribify.tests.live_service import DATABASE, LiveService, wait_until
from transcribify.tests.openai_caller import Caller, in_background

INVALID = "invalid_request_error"
FRAME_START = b"\xff\xf8"
"""Of a FLAC file's samples."""

FROM_THE_FUTURE = '[{"id": 0, "start": 0.0, "end": 0.1, "text": "word 0.", "mood": "merry"}]'

ADDRESS = "/v1/audio/transcriptions"


def refusal(work: Callable[..., Any], *arguments: Any, **options: Any) -> openai.APIStatusError:
    with pytest.raises(openai.APIStatusError) as caught:
        work(*arguments, **options)
    error = caught.value
    assert error.request_id
    assert error.request_id.startswith("req_")
    assert isinstance(error.body, dict)
    assert set(error.body) == {"message", "type", "param", "code"}
    assert error.body["message"]
    return error


def facts(error: openai.APIStatusError) -> tuple[Any, ...]:
    return type(error), error.code, error.param, error.type


@pytest.mark.parametrize("key", ["sk-1234", "tk_1234", "eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyX2lkIjoxfQ.x"])
def test_a_wrong_key_is_401(caller: Caller, speech, key):
    error = refusal(caller.sdk(key=key).audio.transcriptions.create, file=speech.wav(), model="whisper-1")
    assert facts(error) == (openai.AuthenticationError, "invalid_api_key", None, INVALID)


@pytest.mark.parametrize("address", [ADDRESS, "/v1/audio/translations", "/v1/models", "/v1/models/base"])
def test_a_missing_key_is_401_everywhere(caller, address):
    del caller.http.headers["Authorization"]
    method = "POST" if "audio" in address else "GET"
    answer = caller.http.request(method, address)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")
    assert answer.headers["x-request-id"]
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("options", "code", "param"),
    [
        ({"model": ""}, "invalid_value", "model"),
        ({"response_format": "docx"}, "invalid_value", "response_format"),
        (
            {"response_format": "verbose_json", "timestamp_granularities": ["syllable"]},
            "invalid_value",
            "timestamp_granularities",
        ),
        ({"timestamp_granularities": ["word"]}, "invalid_value", "timestamp_granularities"),
        ({"language": "klingon"}, "unknown_language", "language"),
        ({"temperature": 1.5}, "invalid_value", "temperature"),
        ({"temperature": "nan"}, "invalid_value", "temperature"),
        ({"temperature": "warm"}, "invalid_value", "temperature"),
        ({"include": ["everything"]}, "invalid_value", "include"),
        ({"known_speaker_names": list("abcde")}, "invalid_value", "known_speaker_names"),
        ({"extra_body": {"stream": "perhaps"}}, "invalid_value", "stream"),
        ({"extra_body": {"beam_size": 99}}, "invalid_value", "beam_size"),
        ({"extra_body": {"tags": ["x" * 1000]}}, "invalid_value", "tags"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_value_that_makes_no_sense_is_400_and_named(caller, speech, options, code, param):
    error = refusal(caller.ask, speech.wav(), **options)
    assert facts(error) == (openai.BadRequestError, code, param, INVALID)
    assert caller.jobs() == []


def test_an_unknown_model_is_404(caller, speech):
    error = refusal(caller.ask, speech.wav(), model="whisper-99")
    assert facts(error) == (openai.NotFoundError, "model_not_found", "model", INVALID)
    assert "base" in error.message


@pytest.mark.parametrize("address", [ADDRESS, "/v1/audio/translations"])
@pytest.mark.parametrize(
    ("files", "data", "param"),
    [
        (True, {}, "model"),
        (False, {"model": "whisper-1"}, "file"),
        (False, {}, "file"),
        (False, {"model": "whisper-1", "file": "a string"}, "file"),
    ],
    ids=["no model", "no file", "nothing", "file without a file"],
)
def test_what_is_missing_is_named(caller, speech, address, files, data, param):
    answer = caller.post(address, files={"file": speech.wav()} if files else None, **data)
    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["type"]) == (400, param, INVALID)
    assert error["code"] == ("invalid_value" if "file" in data else "missing_required_parameter")


@pytest.mark.parametrize(
    ("recording", "code"),
    [
        (("talk.mp3", b"this is no recording" * 100), "unsupported_media"),
        (("talk.wav", b""), "invalid_value"),
        (("malware.exe", b"MZ"), "invalid_value"),
        (("list.m3u8", b"#EXTM3U"), "invalid_value"),
    ],
    ids=["no recording", "empty", "no name of a recording", "a playlist"],
)
def test_what_is_no_recording_is_400(caller, recording, code):
    error = refusal(caller.ask, recording)
    assert facts(error) == (openai.BadRequestError, code, "file", INVALID)


def test_a_recording_that_is_too_large_is_413_and_not_sent_again(caller, speech):
    error = refusal(caller.ask, ("talk.wav", bytes(6_000_000)))
    assert (error.status_code, error.code, error.param) == (413, "upload_too_large", "file")
    assert len(caller.sent) == 1


@pytest.mark.parametrize("address", ["/v1/chat/completions", "/v1/audio/speech", "/v1/", "/v1/audio/transcriptions/"])
def test_an_address_that_is_not_there_is_404_in_openais_shape(caller, address):
    answer = caller.http.post(address, json={})
    assert answer.status_code == 404
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
    assert answer.json()["error"]["code"] == "not_found"
    assert answer.headers["x-request-id"].startswith("req_")


@pytest.mark.parametrize(
    ("method", "address"), [("GET", ADDRESS), ("PUT", ADDRESS), ("DELETE", "/v1/models/base"), ("POST", "/v1/models")]
)
def test_a_wrong_method_is_405_in_openais_shape(caller, method, address):
    answer = caller.http.request(method, address)
    assert (answer.status_code, answer.json()["error"]["type"]) == (405, INVALID)
    assert answer.json()["error"]["code"] == "method_not_allowed"
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("address", "content", "headers", "status"),
    [
        (ADDRESS, b'{"model": "whisper-1"}', {"Content-Type": "application/json"}, 400),
        ("/v1/models", bytes(3_000_000), {"Content-Type": "application/json"}, 413),
        (ADDRESS, iter([bytes(1_000_000)] * 3), {"Content-Type": "application/json"}, 413),
        (ADDRESS, b"", {"Host": "elsewhere.example"}, 400),
        (ADDRESS, b"--x\r\nno form", {"Content-Type": "multipart/form-data; boundary=x"}, 400),
        (ADDRESS, b"--x\r\n", {"Content-Type": "multipart/form-data"}, 400),
    ],
    ids=["json", "large", "large and chunked", "another host", "broken form", "no boundary"],
)
def test_what_is_refused_before_a_view_sees_it_has_openais_shape(caller, address, content, headers, status):
    answer = caller.http.post(address, content=content, headers=headers)
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error"}
    assert answer.json()["error"]["message"]
    assert answer.headers["x-request-id"]


def test_a_file_that_the_decoder_breaks_over_is_400(caller):
    """A fine header, and nothing behind it that can be decoded."""
    content = (ASSETS / "english.flac").read_bytes()
    error = refusal(caller.ask, ("talk.flac", content[: content.index(FRAME_START)] + bytes(20_000)))
    assert facts(error) == (openai.BadRequestError, "undecodable", "file", INVALID)
    assert error.response.headers["x-should-retry"] == "false"
    assert caller.usage()["reserved_seconds"] == 0


@pytest.mark.parametrize(("fault", "status"), [("crash", 500), ("memory_error", 400)])
def test_a_job_that_fails_says_why_and_is_not_sent_again(caller, speech, fault, status):
    error = refusal(caller.ask, speech.wav(), prompt=f"sleep=0.2 do={fault}")
    assert error.status_code == status
    assert error.code == {"crash": "crashed_repeatedly", "memory_error": "resource_exceeded"}[fault]
    assert error.type == ("server_error" if status == 500 else INVALID)
    assert error.response.headers["x-should-retry"] == "false"
    assert (len(caller.sent), caller.usage()["used_seconds"]) == (1, 0)
    assert caller.job(int(error.response.headers["x-transcribify-job-id"]))["status"] == "failed"


@pytest.mark.parametrize(
    ("method", "address", "expected"),
    [("POST", "/jobs/{}/cancel", (409, "cancelled")), ("DELETE", "/jobs/{}", (404, "job_deleted"))],
)
def test_an_owner_who_ends_the_job_ends_the_wait(caller, speech, method, address, expected):
    call = in_background(refusal, caller.ask, speech.wav(), prompt="sleep=20")
    assert caller.http.request(method, address.format(caller.running_job()["id"])).status_code < 300
    error = call.result(timeout=20)
    assert (error.status_code, error.code) == expected
    assert len(caller.sent) == 1


def test_a_spent_budget_is_429_and_not_tried_again(caller, speech, obedient_service: LiveService):
    query = f"QuotaAccount.objects.filter(user__email='{caller.email}')"
    code = f"from accounts.models import QuotaAccount; {query}.update(limit_ms=4000)"
    obedient_service.manage("shell", "-v0", "-c", code)
    assert caller.ask(speech.wav()).text
    caller.sent.clear()
    error = refusal(caller.ask, speech.wav())
    assert facts(error) == (openai.RateLimitError, "insufficient_quota", None, "insufficient_quota")
    assert len(caller.sent) == 1
    assert (caller.usage()["used_seconds"], len(caller.jobs())) == (3, 1)


@pytest.mark.parametrize("stream", [False, True])
def test_what_nobody_foresaw_is_500_too(caller, speech, obedient_service: LiveService, stream):
    """A transcript that cannot be read, as if a later version had written it."""
    prompt = "sleep=1"
    call = in_background(lambda: list(caller.ask(speech.wav(), stream=stream, prompt=prompt)))
    job_id = caller.running_job()["id"]
    wait_until(lambda: caller.job(job_id)["segments"], seconds=20, what="the first part")
    with closing(sqlite3.connect(obedient_service.folder / DATABASE, timeout=30)) as database, database:
        database.execute(f"UPDATE jobs_transcriptpart SET segments = '{FROM_THE_FUTURE}' WHERE job_id = {job_id}")
    with pytest.raises(openai.APIError) as caught:
        call.result(timeout=60)
    assert (caught.value.code, caught.value.type) == ("internal_error", "server_error")
    assert len(caller.jobs()) == 1
    assert stream or isinstance(caught.value, openai.InternalServerError)


def test_an_idempotency_key_belongs_to_one_request(caller, speech):
    recording, key = speech.wav(), {"Idempotency-Key": "monday"}
    first = caller.raw(recording, extra_headers=key)
    again = caller.raw(recording, extra_headers=key)
    assert again.headers["x-transcribify-job-id"] == first.headers["x-transcribify-job-id"]
    error = refusal(caller.ask, speech.wav(), extra_headers=key)
    assert (type(error), error.code) == (openai.UnprocessableEntityError, "idempotency_key_reused")
    assert caller.usage()["used_seconds"] == 3


def test_success_has_a_request_id_and_a_job_id_too(caller, speech):
    answer = caller.raw(speech.wav())
    assert answer.headers["x-request-id"].startswith("req_")
    assert int(answer.headers["x-transcribify-job-id"])
    assert answer.parse()._request_id == answer.headers["x-request-id"]


def test_elsewhere_errors_keep_our_own_shape(client: Client):
    assert set(client.http.get("/jobs/999999").json()) == {"detail", "code"}
    assert "x-request-id" not in client.http.get("/jobs").headers
