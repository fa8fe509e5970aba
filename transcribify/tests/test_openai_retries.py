"""What OpenAI's SDK sends again by itself is transcribed and charged once."""

from concurrent.futures import ThreadPoolExecutor

import openai
import pytest

from transcribify.tests.faults.books import Books
from transcribify.tests.live_service import LiveService, wait_until
from transcribify.tests.openai_caller import Caller, in_background


def settled_once(caller: Caller, live: LiveService, *, seconds: float = 3.0) -> None:
    """The caller has one job, and paid for it once."""
    (job,) = caller.jobs()
    books = Books(live)
    assert (books.closings([job["id"]]), job["status"]) == ([("settle", seconds * 1000)], "done")
    assert (books.transcriptions([job["id"]]), caller.usage()["used_seconds"]) == (1, seconds)


def test_a_timed_out_upload_that_the_sdk_sends_again_joins_the_running_job(caller, speech, obedient_service):
    impatient = caller.sdk(timeout=2, max_retries=2)
    answer = impatient.audio.transcriptions.create(file=speech.wav(), model="whisper-1", prompt="sleep=3")
    assert answer.text == " ".join(f"word {number}." for number in range(30))
    counts = [request.headers["x-stainless-retry-count"] for request in caller.sent]
    assert counts[:2] == ["0", "1"]
    settled_once(caller, obedient_service)


@pytest.mark.parametrize("stream", [False, True])
def test_a_retry_that_comes_when_the_job_is_done_gets_its_text(caller, speech, obedient_service, stream):
    recording = speech.wav()
    caller.hang_up(recording, prompt="sleep=1")
    wait_until(lambda: caller.jobs()[0]["status"] == "done", seconds=20, what="the job to be done")
    retry = {"extra_headers": {"x-stainless-retry-count": "1"}, "prompt": "sleep=1"}
    if stream:
        *_, done = caller.ask(recording, stream=True, **retry)
        assert done.text.startswith("word 0. word 1.")
    else:
        assert caller.ask(recording, **retry).text.startswith("word 0. word 1.")
    settled_once(caller, obedient_service)


def test_who_asks_anew_and_is_not_retrying_gets_a_job_of_its_own(caller, speech):
    recording = speech.wav()
    first, second = caller.raw(recording), caller.raw(recording)
    assert first.headers["x-transcribify-job-id"] != second.headers["x-transcribify-job-id"]
    assert caller.usage()["used_seconds"] == 6


def test_another_format_of_the_same_recording_joins_it(caller, speech, obedient_service):
    recording = speech.wav()
    first = in_background(caller.ask, recording, prompt="sleep=1.5")
    caller.running_job()
    assert caller.ask(recording, prompt="sleep=1.5", response_format="text") == first.result(timeout=20).text + "\n"
    settled_once(caller, obedient_service)


def test_a_retry_after_a_failure_is_a_new_attempt(caller, speech):
    recording, prompt = speech.wav(), f"sleep=0.2 do=memory_error once {caller.email}"
    with pytest.raises(openai.BadRequestError):
        caller.ask(recording, prompt=prompt)
    assert caller.ask(recording, prompt=prompt, extra_headers={"x-stainless-retry-count": "1"}).text
    assert (len(caller.jobs()), caller.usage()["used_seconds"]) == (2, 3)


def test_identical_requests_at_the_same_moment_are_one_job(caller, speech, obedient_service):
    recording = speech.wav()
    with ThreadPoolExecutor(10) as pool:
        calls = [pool.submit(caller.raw, recording, prompt="sleep=1.5") for _ in range(10)]
        answers = [call.result(timeout=30) for call in calls]
    assert len({answer.headers["x-transcribify-job-id"] for answer in answers}) == 1
    assert len({answer.headers["x-request-id"] for answer in answers}) == 10
    assert len({answer.text for answer in answers}) == 1
    settled_once(caller, obedient_service)
