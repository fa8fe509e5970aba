"""With ``stream=True`` the text comes while it is recognised, in the events that OpenAI's SDK knows."""

import asyncio
import json
import socket
import time
from typing import Any

import pytest
from openai import APIError

from transcribify.tests.live_service import wait_until
from transcribify.tests.openai_caller import Caller, as_form, head, in_background, silence
from transcribify.tests.raw_http import connect


def words(count: int) -> str:
    return " ".join(f"word {number}." for number in range(count))


def deltas(events: list[Any]) -> str:
    return "".join(event.delta for event in events if event.type == "transcript.text.delta")


def test_deltas_come_early_and_add_up_to_the_whole(caller: Caller, speech):
    events, times = [], []
    for event in caller.ask(speech.wav(), stream=True, prompt="sleep=2.5"):
        events.append(event)
        times.append(time.monotonic())
    *before, done = events
    assert {event.type for event in before} == {"transcript.text.delta"}
    assert (done.type, done.text, deltas(before)) == ("transcript.text.done", words(25), words(25))
    assert done.usage.to_dict() == {"type": "duration", "seconds": 3}
    assert times[-1] - times[0] > 1.5, "the first words came with the last ones"


def test_a_stream_of_verbose_json_carries_text_all_the_same(caller, speech):
    events = list(caller.ask(speech.wav(), stream=True, response_format="verbose_json"))
    assert [event.type for event in events] == ["transcript.text.delta", "transcript.text.done"]


def test_a_diarized_stream_has_a_segment_after_each_delta(caller, speech):
    events = list(caller.ask(speech.wav(), stream=True, response_format="diarized_json", prompt="sleep=0.3"))
    pair = ["transcript.text.delta", "transcript.text.segment"]
    assert [event.type for event in events] == [*pair * 3, "transcript.text.done"]
    segments = [event for event in events if event.type == "transcript.text.segment"]
    assert [event.segment_id for event in events[0:6:2]] == [segment.id for segment in segments]
    assert [(segment.id, segment.speaker, segment.text) for segment in segments] == [
        (f"seg_00{number + 1}", "A", f"word {number}.") for number in range(3)
    ]
    assert deltas(events) == events[-1].text == words(3)
    ends = [segment.end for segment in segments]
    assert ends == sorted(ends)
    assert 0 < ends[0] <= 1.5
    assert 2.5 < ends[-1] <= 3.0


def test_the_asynchronous_client_gets_the_same(caller, speech):
    async def read() -> list[Any]:
        async with caller.async_sdk() as client:
            create = client.audio.transcriptions.create
            stream = await create(file=speech.wav(), model="whisper-1", stream=True, prompt="sleep=0.5")
            return [event async for event in stream]

    events = asyncio.run(read())
    assert deltas(events) == events[-1].text == words(5)


def test_silence_streams_nothing_but_its_end(caller):
    (done,) = caller.ask(silence(), stream=True)
    assert (done.type, done.text) == ("transcript.text.done", "")


def test_who_joins_late_gets_the_text_from_its_beginning(caller, speech):
    recording = speech.wav()
    first = in_background(lambda: list(caller.ask(recording, stream=True, prompt="sleep=3")))
    caller.running_job()
    wait_until(lambda: caller.job(caller.running_job()["id"])["transcript"], seconds=10, what="the first words")
    events = list(caller.ask(recording, stream=True, prompt="sleep=3"))
    assert deltas(events) == deltas(first.result(timeout=10)) == words(30)
    assert len(caller.jobs()) == 1


def test_a_client_that_reads_slowly_gets_everything(caller, speech, obedient_service):
    body, content_type = as_form(speech.wav(), stream="true", prompt="sleep=1")
    with connect(obedient_service.web_port) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(head(caller.token, content_type, len(body)) + body)
        received = b""
        while block := connection.recv(50):
            received += block
            time.sleep(0.01)
            if b"[DONE]" in received:
                break
    text = [json.loads(line[6:]) for line in received.splitlines() if line.startswith(b"data: {")]
    assert "".join(event.get("delta", "") for event in text) == text[-1]["text"] == words(10)


@pytest.mark.parametrize(("fault", "code"), [("crash", "crashed_repeatedly"), ("memory_error", "resource_exceeded")])
def test_a_failure_after_the_beginning_is_an_error_with_its_code(caller, speech, fault, code):
    got: list[Any] = []
    with pytest.raises(APIError) as error:
        got.extend(caller.ask(speech.wav(), stream=True, prompt=f"sleep=1 do={fault}"))
    assert error.value.code == code
    assert all(event.type == "transcript.text.delta" for event in got)
    assert len(caller.sent) == 1


def test_a_job_that_another_worker_takes_over_streams_each_word_once(caller, speech, obedient_service):
    """Its parts are written anew, and cut at other places than those which were sent already."""
    stream = in_background(lambda: list(caller.ask(speech.wav(), stream=True, prompt="sleep=6")))
    job = caller.running_job()
    wait_until(lambda: len(caller.job(job["id"])["segments"]) > 5, seconds=20, what="two parts to be saved")
    obedient_service.signal("worker", 15)
    obedient_service.processes["worker"].wait(timeout=20)
    obedient_service.start_worker("worker", concurrency=4)
    events = stream.result(timeout=40)
    assert deltas(events) == events[-1].text == words(60)


@pytest.mark.parametrize("response_format", ["srt", "vtt"])
def test_subtitles_are_no_stream(caller, speech, response_format):
    answer = caller.post(
        files={"file": speech.wav()}, model="whisper-1", stream="true", response_format=response_format
    )
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "stream")
