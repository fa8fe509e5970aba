"""A job whose client goes away is cancelled after its time of grace, but not one that somebody else waits for."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from transcribify.tests.conftest import new_caller
from transcribify.tests.faults.books import Books
from transcribify.tests.live_service import LiveService, wait_until
from transcribify.tests.openai_caller import OBEDIENT, Caller, Recording, as_form, head, in_background
from transcribify.tests.raw_http import connect

GRACE_SECONDS = float(OBEDIENT["ABANDONED_JOB_SECONDS"])
LONGER = "sleep=5"
"""Than the grace, by far."""


def goes_away(caller: Caller, recording: Recording) -> dict[str, Any]:
    caller.hang_up(recording, prompt="sleep=20")
    time.sleep(GRACE_SECONDS / 2)
    before = caller.jobs()[0]["status"]
    return {"before": before, "job": caller.wait(caller.jobs()[0]["id"])}


def leaves_a_stream(caller: Caller, recording: Recording) -> dict[str, Any]:
    stream = caller.ask(recording, stream=True, prompt="sleep=20")
    next(stream)
    stream.close()
    return {"job": caller.wait(caller.jobs()[0]["id"])}


def comes_back(caller: Caller, recording: Recording) -> dict[str, Any]:
    caller.hang_up(recording, prompt=LONGER)
    time.sleep(GRACE_SECONDS / 2)
    answer = caller.ask(recording, prompt=LONGER)
    return {"text": answer.text, "job": caller.wait(caller.jobs()[0]["id"])}


def one_of_two_leaves(caller: Caller, recording: Recording) -> dict[str, Any]:
    stays = in_background(caller.ask, recording, prompt=LONGER)
    caller.running_job()
    caller.hang_up(recording, prompt=LONGER)
    return {"text": stays.result(timeout=60).text, "job": caller.wait(caller.jobs()[0]["id"])}


def both_of_two_leave(caller: Caller, recording: Recording) -> dict[str, Any]:
    first = in_background(caller.hang_up, recording, after_seconds=2, prompt="sleep=20")
    caller.hang_up(recording, prompt="sleep=20")
    first.result(timeout=20)
    return {"job": caller.wait(caller.jobs()[0]["id"])}


def is_also_handed_in_over_rest(caller: Caller, recording: Recording) -> dict[str, Any]:
    caller.hang_up(recording, prompt=LONGER)
    joined = caller.post("/jobs", files={"file": recording}, prompt=LONGER, report="false")
    assert joined.json()["id"] == caller.jobs()[0]["id"]
    return {"job": caller.wait(joined.json()["id"])}


def joins_what_was_handed_in_over_rest(caller: Caller, recording: Recording) -> dict[str, Any]:
    job_id = caller.post("/jobs", files={"file": recording}, prompt=LONGER, report="false").json()["id"]
    caller.hang_up(recording, prompt=LONGER)
    return {"job": caller.wait(job_id)}


def is_gone_when_the_upload_ends(caller: Caller, recording: Recording) -> dict[str, Any]:
    body, content_type = as_form(recording, prompt="sleep=20")
    for wait_seconds in (0, 0.02, 0.1):  # before the view, within it, and after it
        with connect(int(caller.url.rpartition(":")[2])) as connection:
            connection.sendall(head(caller.token, content_type, len(body)) + body)
            time.sleep(wait_seconds)
    wait_until(caller.jobs, seconds=10, what="the last of them to become a job")
    return {"job": caller.wait(caller.jobs()[0]["id"]), "jobs": len(caller.jobs())}


LEAVERS = [
    goes_away, leaves_a_stream, comes_back, one_of_two_leaves, both_of_two_leave, is_also_handed_in_over_rest,
    joins_what_was_handed_in_over_rest, is_gone_when_the_upload_ends,
]  # fmt: skip

Outcome = Callable[[Callable[..., Any]], dict[str, Any]]


@pytest.fixture(scope="module")
def outcome(obedient_service: LiveService, speech: Any) -> Iterator[Outcome]:
    """What became of each of them; they all leave at the same time, as each takes its seconds."""
    obedient_service.start_worker("more", concurrency=4)
    obedient_service.wait_for_worker("more")
    people = [new_caller(obedient_service) for _ in LEAVERS]
    with ThreadPoolExecutor(len(LEAVERS)) as pool:
        told: dict[Any, Future[Any]] = {
            leaver: pool.submit(leaver, person, speech.wav()) for leaver, person in zip(LEAVERS, people, strict=True)
        }
        yield lambda leaver: told[leaver].result(timeout=90)
    for person in people:
        with person:
            pass
    obedient_service.signal("more", 15)
    obedient_service.processes.pop("more").wait(timeout=20)


@pytest.mark.parametrize(
    "leaver", [goes_away, leaves_a_stream, both_of_two_leave, is_gone_when_the_upload_ends], ids=lambda it: it.__name__
)
def test_a_job_that_nobody_waits_for_is_cancelled(outcome: Outcome, obedient_service: LiveService, leaver: Any):
    job = outcome(leaver)["job"]
    assert job["status"] == "cancelled"
    assert Books(obedient_service).events([job["id"]], "abandoned") == 1


def test_it_is_not_cancelled_at_once(outcome: Outcome):
    assert outcome(goes_away)["before"] in {"pending", "processing"}


def test_what_was_sent_several_times_was_one_job_all_the_same(outcome: Outcome):
    assert outcome(is_gone_when_the_upload_ends)["jobs"] == 1


@pytest.mark.parametrize(
    "leaver",
    [comes_back, one_of_two_leaves, is_also_handed_in_over_rest, joins_what_was_handed_in_over_rest],
    ids=lambda it: it.__name__,
)
def test_a_job_that_somebody_still_wants_goes_on(outcome: Outcome, obedient_service: LiveService, leaver: Any):
    told = outcome(leaver)
    assert told["job"]["status"] == "done"
    assert told.get("text", told["job"]["transcript"]).endswith("word 49.")
    assert Books(obedient_service).closings([told["job"]["id"]]) == [("settle", 3000)]
