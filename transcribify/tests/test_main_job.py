"""The main job over HTTP: a recording goes in, a transcript and a report come out, and it is charged once."""

import re
import wave
from pathlib import Path

import jiwer
import numpy as np
import pytest
from faster_whisper import WhisperModel, decode_audio

from transcribify.tests.client import Client
from transcribify.tests.conftest import ASSETS
from transcribify.tests.live_service import LiveService, wait_until


def words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def bare_transcript(path: Path) -> str:
    """What faster-whisper by itself makes of a recording, with the same options."""
    model = WhisperModel(str(ASSETS / "whisper-micro"), device="cpu", compute_type="int8", local_files_only=True)
    segments, _ = model.transcribe(decode_audio(str(path)), beam_size=5, vad_filter=True)
    return " ".join(segment.text for segment in segments)


@pytest.mark.parametrize("language", ["english", "russian"])
def test_a_recording_becomes_a_transcript_as_good_as_the_engines_own(client: Client, language: str) -> None:
    path = ASSETS / f"{language}.flac"
    reference = words((ASSETS / f"{language}.txt").read_text())
    job = client.transcribe(path)
    ours = jiwer.wer(reference, words(job["transcript"]))
    bare = jiwer.wer(reference, words(bare_transcript(path)))
    print(f"{language}: WER {ours:.3f}, bare faster-whisper {bare:.3f}")
    assert ours <= bare + 0.02
    assert ours <= 0.15
    assert (job["status"], job["language"]) == ("done", language[:2])
    assert (job["engine"], job["model"]) == ("faster-whisper", "whisper-micro")
    assert job["progress"] == 1
    assert job["report"]["summary"]


def test_the_segments_rise_and_make_up_the_transcript(client: Client, english_path: Path) -> None:
    job = client.transcribe(english_path, word_timestamps="true")
    segments = job["segments"]
    edges = [time for segment in segments for time in (segment["start"], segment["end"])]
    assert edges == sorted(edges)
    assert 0 <= edges[0] < edges[-1] <= job["duration_seconds"]
    assert job["transcript"].split() == " ".join(segment["text"] for segment in segments).split()
    assert [segment["id"] for segment in segments] == list(range(len(segments)))
    assert all(segment["words"] for segment in segments)


def test_the_decoded_seconds_are_charged_once(client: Client, english_path: Path) -> None:
    job = client.transcribe(english_path)
    decoded_seconds = len(decode_audio(str(english_path))) / 16_000
    usage = client.usage()
    assert abs(usage["used_seconds"] - decoded_seconds) <= 0.1
    assert usage["reserved_seconds"] == 0
    assert abs(job["duration_seconds"] - decoded_seconds) <= 0.1


def test_no_report_is_written_when_none_is_wanted(client: Client, english_path: Path) -> None:
    job = client.transcribe(english_path, report="false")
    assert (job["status"], job["report"]) == ("done", None)


def test_a_language_that_is_given_is_taken(client: Client, russian_path: Path) -> None:
    assert client.transcribe(russian_path, language="ru")["language"] == "ru"


def test_no_speech_is_a_success_without_segments(client: Client, tmp_path: Path) -> None:
    silence = tmp_path / "silence.wav"
    with wave.open(str(silence), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(np.zeros(48_000, dtype="<i2").tobytes())
    job = client.transcribe(silence)
    assert (job["status"], job["segments"], job["language"], job["transcript"]) == ("done", [], None, "")
    assert job["report"] is None
    assert [warning["code"] for warning in job["warnings"]] == ["no_speech"]
    assert client.usage()["used_seconds"] == 3.0


def test_a_damaged_recording_fails_with_a_reason_and_is_refunded(
    client: Client, english_path: Path, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged.flac"
    damaged.write_bytes(english_path.read_bytes()[:9_000].ljust(60_000, b"\0"))
    response = client.submit(damaged)
    if response.status_code == 202:
        job = client.wait(response.json()["id"])
        assert job["status"] in {"done", "failed"}
        assert job["status"] == "done" or job["error"]["message"]
        assert client.usage()["reserved_seconds"] == 0
    else:
        assert response.status_code == 415


def test_work_files_are_gone_and_the_recording_is_kept(
    client: Client, service: LiveService, english_path: Path
) -> None:
    uid = client.transcribe(english_path)["uid"]
    media = service.folder / "media"
    assert (media / "uploads" / uid / "source").is_file()
    wait_until(lambda: not list(media.glob(f"work/{uid}/*.pcm")), seconds=10, what="the decoded audio to be removed")
    assert not list((service.folder / "work").glob("*/*"))


def test_the_service_says_that_it_is_ready(client: Client, service: LiveService) -> None:
    assert client.http.get("/healthz").json() == {"status": "alive"}
    wait_until(lambda: client.http.get("/readyz").status_code == 200, seconds=30, what="readyz")
