"""OpenAI's SDK gets what it asked for in each response format, as the types that it knows."""

import json
from pathlib import Path
from typing import Any

import jiwer
import pytest
import srt
import webvtt
from openai.types.audio import (
    Transcription,
    TranscriptionDiarized,
    TranscriptionSegment,
    TranscriptionVerbose,
    Translation,
    TranslationVerbose,
)

from jobs.transcript import Segment
from transcribify.openai_compat.formats import verbose_segment
from transcribify.tests.conftest import ASSETS
from transcribify.tests.openai_caller import Caller, silence
from transcribify.tests.test_main_job import words

FIVE_WORDS = " ".join(f"word {number}." for number in range(5))
"""What the obedient engine says in half a second."""


@pytest.fixture(scope="module")
def reader(service: Any) -> Any:
    """Somebody with the real engine and the test model."""
    with Caller(service.url, "reader@example.org") as caller:
        yield caller


def asset(name: str) -> tuple[str, bytes]:
    return name, (ASSETS / name).read_bytes()


def test_json_is_the_text_and_what_it_cost(caller, speech):
    answer = caller.ask(speech.wav(), prompt="sleep=0.5")
    assert type(answer) is Transcription
    assert answer.text == FIVE_WORDS
    assert answer.usage.to_dict() == {"type": "duration", "seconds": 3}


def test_the_job_is_an_ordinary_one_that_its_owner_finds_and_pays_for_once(caller, speech):
    answer = caller.raw(speech.wav(2.5))
    job = caller.job(int(answer.headers["x-transcribify-job-id"]))
    assert (job["status"], job["transcript"], job["filename"][:6]) == ("done", answer.parse().text, "speech")
    assert (caller.usage()["used_seconds"], caller.usage()["reserved_seconds"]) == (2.5, 0)


def test_text_is_not_quoted(caller, speech):
    answer = caller.raw(speech.wav(), response_format="text", prompt="sleep=0.5")
    assert answer.parse() == FIVE_WORDS + "\n"
    assert answer.headers["content-type"].startswith("text/plain")


def test_srt_is_read_by_another_library(caller, speech):
    answer = caller.ask(speech.wav(), response_format="srt", prompt="sleep=0.5")
    cues = list(srt.parse(answer))
    assert [cue.content for cue in cues] == [f"word {number}." for number in range(5)]
    assert cues[-1].end.total_seconds() == 3


def test_vtt_is_read_by_another_library(caller, speech):
    answer = caller.ask(speech.wav(), response_format="vtt", prompt="sleep=0.5")
    assert [cue.text for cue in webvtt.from_string(answer)] == [f"word {number}." for number in range(5)]


def test_verbose_json_has_all_of_whispers_figures(reader):
    answer = reader.ask(asset("english.flac"), response_format="verbose_json")
    assert type(answer) is TranscriptionVerbose
    assert (answer.task, answer.language, round(answer.duration, 1)) == ("transcribe", "english", 13.9)
    assert answer.usage.to_dict() == {"type": "duration", "seconds": 14}
    assert answer.words is None
    assert [segment.id for segment in answer.segments] == list(range(len(answer.segments)))
    assert all(segment.tokens and segment.avg_logprob < 0 < segment.compression_ratio for segment in answer.segments)
    heard = " ".join(segment.text.strip() for segment in answer.segments)
    assert heard == answer.text
    assert jiwer.wer(words((ASSETS / "english.txt").read_text()), words(heard)) <= 0.15


@pytest.mark.parametrize("engine_has_figures", [False, True])
def test_each_segment_has_every_field_that_openai_requires(caller, reader, speech, engine_has_figures):
    somebody = reader if engine_has_figures else caller
    segments = somebody.ask(speech.wav(), response_format="verbose_json").to_dict()["segments"]
    assert segments
    for segment in segments:
        assert {name: type(value) for name, value in segment.items()} == {
            "id": int, "seek": int, "start": float, "end": float, "text": str, "tokens": list, "temperature": float,
            "avg_logprob": float, "compression_ratio": float, "no_speech_prob": float,
        }  # fmt: skip


@pytest.mark.parametrize("granularities", [["word"], ["segment"], ["word", "segment"]], ids="+".join)
def test_the_granularities_that_are_asked_for_are_there_and_no_others(reader, speech, granularities):
    answer = reader.ask(speech.wav(), response_format="verbose_json", timestamp_granularities=granularities)
    assert (answer.words is not None, answer.segments is not None) == (
        "word" in granularities,
        "segment" in granularities,
    )
    if answer.words is not None:
        assert " ".join(word.word for word in answer.words) == answer.text
        edges = [edge for word in answer.words for edge in (word.start, word.end)]
        assert edges == sorted(edges)


@pytest.mark.parametrize("name", ["timestamp_granularities[]", "timestamp_granularities"])
def test_a_list_may_be_spelled_with_brackets_or_without(caller, speech, name):
    sent = {"model": "whisper-1", "response_format": "verbose_json", name: ["word"]}
    answer = caller.post(files={"file": speech.wav()}, **sent).json()
    assert ("words" in answer, "segments" in answer) == (True, False)


def test_a_segment_of_verbose_json_has_openais_fields_and_no_others():
    doubtful = Segment(0.0, 1.0, " Thank you.", avg_logprob=-1.2, flags=("improbable",))
    assert set(verbose_segment(0, doubtful)) == set(TranscriptionSegment.model_fields)


def test_diarized_json_has_one_speaker(caller, speech):
    answer = caller.ask(speech.wav(), response_format="diarized_json", chunking_strategy="auto", prompt="sleep=0.5")
    assert type(answer) is TranscriptionDiarized
    assert (answer.task, answer.duration, answer.text) == ("transcribe", 3.0, f"A: {FIVE_WORDS}")
    assert [(segment.id, segment.speaker, segment.text) for segment in answer.segments] == [
        (f"seg_00{number + 1}", "A", f"word {number}.") for number in range(5)
    ]
    assert {segment.type for segment in answer.segments} == {"transcript.text.segment"}
    assert answer.usage.to_dict() == {"type": "duration", "seconds": 3}


def test_russian_is_named_in_english_and_written_in_russian(reader):
    answer = reader.raw(asset("russian.flac"), response_format="verbose_json").parse()
    assert answer.language == "russian"
    assert jiwer.wer(words((ASSETS / "russian.txt").read_text()), words(answer.text)) <= 0.15


SDK_IS_LEAVING_IT = pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
"""OpenAI's SDK says so of translations; many clients still use them."""


@SDK_IS_LEAVING_IT
@pytest.mark.parametrize("response_format", ["json", "text", "srt", "verbose_json", "vtt"])
def test_a_translation_comes_in_each_of_its_formats(caller, speech, response_format):
    create = caller.openai.audio.translations.with_raw_response.create
    raw = create(file=speech.wav(), model="whisper-1", response_format=response_format, prompt="sleep=0.5")
    answer = raw.parse()
    match response_format:
        case "json":
            assert (type(answer), answer.text) == (Translation, FIVE_WORDS)
        case "text":
            assert answer == FIVE_WORDS + "\n"
        case "srt":
            assert len(list(srt.parse(answer))) == 5
        case "vtt":
            assert len(webvtt.from_string(answer)) == 5
        case "verbose_json":
            assert (type(answer), answer.language, len(answer.segments)) == (TranslationVerbose, "english", 5)
            assert (answer.task, answer.duration) == ("translate", 3.0)
    assert caller.job(int(raw.headers["x-transcribify-job-id"]))["options"]["task"] == "translate"


@SDK_IS_LEAVING_IT
def test_a_translation_from_russian_says_that_it_is_english(reader):
    create = reader.openai.audio.translations.create
    answer = create(file=asset("russian.flac"), model="whisper-1", response_format="verbose_json")
    assert answer.language == "english"


@pytest.mark.parametrize("response_format", ["json", "text", "srt", "verbose_json", "vtt", "diarized_json"])
def test_silence_is_an_empty_text_in_every_format(caller, response_format):
    answer = caller.ask(silence(), response_format=response_format)
    match response_format:
        case "text" | "srt":
            assert answer.strip() == ""
        case "vtt":
            assert answer.strip() == "WEBVTT"
        case "json":
            assert answer.text == ""
        case "verbose_json":
            assert (answer.text, answer.segments, answer.duration, answer.language) == ("", [], 2.0, "unknown")
        case "diarized_json":
            assert (answer.text, answer.segments) == ("", [])


@pytest.mark.parametrize("extension", ["mp3", "m4a", "webm", "ogg", "flac", "mp4"])
def test_recordings_come_in_each_of_openais_containers(caller, speech, tmp_path: Path, extension):
    assert caller.ask(speech.encoded(tmp_path, extension)).text == "word 0."


@pytest.mark.parametrize("name", ["recording", "встреча по бюджету.wav", "a/b\\c.wav"])
def test_a_file_may_have_any_name_or_none_that_tells_anything(caller, speech, name):
    _, content = speech.wav()
    job = caller.job_of((name, content))
    assert (job["status"], job["filename"]) == ("done", name.replace("\\", "/").rpartition("/")[2])


@pytest.mark.parametrize("accept", ["text/event-stream", "text/plain", "text/html", "image/png"])
def test_what_a_client_says_to_accept_changes_nothing(caller, speech, accept):
    """The form of the answer is a field of the request."""
    caller.http.headers["Accept"] = accept
    answer = caller.post(files={"file": speech.wav()}, model="whisper-1")
    assert (answer.status_code, json.loads(answer.text)["text"]) == (200, "word 0.")
    refused = caller.post(files={"file": speech.wav()})
    assert (refused.status_code, refused.headers["content-type"]) == (400, "application/json")
    assert refused.json()["error"]["param"] == "model"
