"""The faster-whisper engine, on a real (very small) Whisper model."""

import math
from itertools import pairwise

import jiwer
import numpy as np
import pytest
from faster_whisper import WhisperModel

from jobs.audio.pcm import PcmFile
from jobs.audio.plan import plan_chunks
from jobs.audio.vad import find_speech
from jobs.engines.base import SAMPLE_RATE, Clip, EngineConfig
from jobs.engines.faster_whisper import FasterWhisperEngine, is_sure
from jobs.engines.registry import get_engine
from jobs.engines.whisper_pieces import Piece, cut_pieces
from jobs.errors import ConfigurationFault, InputFault, ResourceExceeded
from jobs.tests.whisper_engine import (
    ASSETS,
    MODEL,
    asking,
    error_rate,
    make_engine,
    recording,
    said,
    silence,
    text_of,
    transcribe,
)
from jobs.transcript import Segment


@pytest.fixture(scope="module")
def engine() -> FasterWhisperEngine:
    return make_engine()


@pytest.fixture(scope="module")
def english() -> np.ndarray:
    return recording("english")


@pytest.fixture(scope="module")
def russian() -> np.ndarray:
    return recording("russian")


def test_the_registry_knows_it():
    assert isinstance(get_engine("faster-whisper", EngineConfig(models_dir=ASSETS)), FasterWhisperEngine)


def test_it_says_the_language_before_it_recognises(engine, russian):
    info = engine.detect_language(russian, asking(russian))
    assert info.language == "ru"
    assert info == engine.transcribe(russian, asking(russian))[0]
    assert engine.detect_language(russian, asking(russian, language="en")).language == "en"


def test_it_recognises_english_without_being_told(engine, english):
    info, segments = transcribe(engine, english)
    assert info.language == "en"
    assert info.language_probability > 0.5
    assert error_rate("english", segments) <= 0.1


def test_it_recognises_russian_without_being_told(engine, russian):
    info, segments = transcribe(engine, russian)
    assert info.language == "ru"
    assert error_rate("russian", segments) <= 0.15


def test_it_takes_the_language_it_is_given(engine, english):
    info, segments = transcribe(engine, english, language="en")
    assert (info.language, info.language_probability) == ("en", None)
    assert error_rate("english", segments) <= 0.1


def test_it_finds_the_language_in_the_speech_not_in_the_silence_before_it(engine, russian):
    audio = np.concatenate([silence(40), russian])
    speech = (Clip(40.0, len(audio) / SAMPLE_RATE),)
    info, segments = transcribe(engine, audio, speech=speech, vad_filter=False)
    assert info.language == "ru"
    assert segments[0].start >= 0


def test_times_are_those_of_the_whole_recording(engine, english, russian):
    audio = np.concatenate([silence(20), english, silence(30), english, silence(5)])
    first, second = 20.0, 50.0 + len(english) / SAMPLE_RATE
    speech = [Clip(start, start + len(english) / SAMPLE_RATE) for start in (first, second)]
    _, segments = transcribe(engine, audio, speech=speech, language="en")
    assert text_of(segments).count("hello everyone") == 2
    assert segments[0].start == pytest.approx(first + 0.5, abs=0.5)
    starts = [segment.start for segment in segments if "hello" in segment.text]
    assert starts[1] == pytest.approx(second + 0.5, abs=0.5)
    assert all(any(clip.start <= item.start and item.end <= clip.end for clip in speech) for item in segments)
    assert [segment.seek / 100 for segment in segments if "hello" in segment.text] == pytest.approx([first, second])


def test_segments_rise_do_not_overlap_and_end_with_the_audio(engine, english, russian):
    audio = np.concatenate([russian, english, russian])
    _, segments = transcribe(engine, audio, word_timestamps=True)
    bounds = [time for segment in segments for time in (segment.start, segment.end)]
    assert len(segments) > 3
    assert bounds == sorted(bounds)
    assert bounds[0] >= 0
    assert bounds[-1] <= len(audio) / SAMPLE_RATE


def test_every_field_of_a_segment_is_filled(engine, english):
    _, segments = transcribe(engine, english)
    for segment in segments:
        figures = (segment.avg_logprob, segment.no_speech_prob, segment.compression_ratio, segment.temperature)
        assert all(isinstance(figure, float) for figure in figures)
        assert segment.tokens
        assert isinstance(segment.seek, int)
        assert segment.words == ()


def test_words_lie_inside_their_segments(engine, english):
    _, segments = transcribe(engine, english, word_timestamps=True)
    for segment in segments:
        times = [time for word in segment.words for time in (word.start, word.end)]
        assert times == sorted(times)
        assert segment.start <= times[0]
        assert times[-1] <= segment.end
        assert "".join(word.word for word in segment.words) == segment.text
        assert all(0 <= word.probability <= 1 for word in segment.words)


def test_speech_that_is_left_out_is_not_recognised(engine, english):
    _, all_segments = transcribe(engine, english)
    _, segments = transcribe(engine, english, speech=(Clip(0.0, 3.4),))
    assert text_of(segments) == "hello everyone welcome to the meeting"
    assert len(text_of(all_segments)) > len(text_of(segments))


def test_without_the_voice_filter_all_of_the_audio_is_recognised(engine, english):
    _, segments = transcribe(engine, english, speech=(Clip(0.0, 3.4),), vad_filter=False)
    assert error_rate("english", segments) <= 0.1


def test_it_takes_prompt_and_beam_size(engine, english):
    _, plain = transcribe(engine, english, beam_size=1, language="en")
    _, prompted = transcribe(engine, english, beam_size=1, language="en", prompt="project budget client")
    assert error_rate("english", plain) <= 0.15
    assert plain[0].avg_logprob != prompted[0].avg_logprob


def test_it_works_as_it_is_read(engine, english):
    audio = np.concatenate([english] * 4)
    _, segments = engine.transcribe(audio, asking(audio, language="en"))
    first = next(segments)
    audio[2 * len(english) :] = 0  # what was recognised before this is not touched by it
    read_later = [first, *segments]
    assert first.text.strip() == "hello everyone welcome to the meeting"
    assert 1 <= text_of(read_later).count("hello everyone") <= 2


def test_long_speech_is_cut_in_its_pauses_and_none_of_it_is_lost(english):
    audio = np.concatenate([english] * 5)
    for longest_seconds in (10.0, 30.0):
        pieces = list(cut_pieces(audio, [(0, len(audio))], longest_seconds))
        spans = [span for piece in pieces for span in piece.spans]
        assert spans[0][0] == 0
        assert spans[-1][1] == len(audio)
        assert all(end == start for (_, end), (start, _) in pairwise(spans))
        assert all(piece.seconds <= longest_seconds for piece in pieces)
        for _, end in spans[:-1]:
            assert np.abs(audio[end - 1600 : end + 1600]).max() < 0.01


def test_a_recording_in_chunks_has_the_same_text_as_in_one(engine, english, tmp_path):
    audio = np.concatenate([english, silence(2), english[: 9 * SAMPLE_RATE], english, silence(40), english, english])
    path = tmp_path / "audio.pcm"
    path.write_bytes((audio * 32768).round().astype("<i2").tobytes())
    speech = find_speech(path)
    (whole,), chunks = (plan_chunks(path, speech, chunk_seconds=seconds) for seconds in (1_000, 20))
    assert len(chunks) >= 3
    texts = [
        [
            text_of(transcribe(engine, PcmFile(path)[chunk.start_sample : chunk.end_sample], **options)[1])
            for chunk in plan
            for options in [{"speech": chunk.speech, "language": "en"}]
        ]
        for plan in ([whole], chunks)
    ]
    assert " ".join(texts[1]) == " ".join(texts[0])


def test_without_the_voice_filter_it_cuts_in_the_pauses_that_were_found(engine, english, monkeypatch):
    found = []
    monkeypatch.setattr(
        "jobs.engines.faster_whisper.cut_pieces", lambda _audio, spans, _longest: found.append(list(spans)) or []
    )
    audio = silence(20)
    transcribe(engine, audio, speech=(Clip(2.0, 5.0), Clip(7.0, 9.0)), vad_filter=False, language="en")
    assert found == [[(0, 6 * SAMPLE_RATE), (6 * SAMPLE_RATE, 20 * SAMPLE_RATE)]]


def test_short_stretches_of_speech_share_a_piece():
    audio = silence(100)
    spans = [(first * SAMPLE_RATE, (first + 4) * SAMPLE_RATE) for first in (10, 20, 30, 40)]
    assert [len(piece.spans) for piece in cut_pieces(audio, spans, 12.0)] == [3, 1]


def test_what_it_is_unsure_of_it_tries_again_in_shorter_pieces(engine, english, monkeypatch):
    audio = np.concatenate([english] * 2)
    _, segments = transcribe(engine, audio, language="en")
    monkeypatch.setattr("jobs.engines.faster_whisper.SURE_LOGPROB", -math.inf)
    _, in_one_go = transcribe(engine, audio, language="en")
    reference = f"{said('english')} {said('english')}"
    assert in_one_go[0].avg_logprob < segments[0].avg_logprob
    assert jiwer.wer(reference, text_of(segments)) < jiwer.wer(reference, text_of(in_one_go))


def test_speech_that_was_passed_over_is_a_doubt():
    piece = Piece(((0, 10 * SAMPLE_RATE), (60 * SAMPLE_RATE, 70 * SAMPLE_RATE)))
    heard = Segment(0.0, 9.0, " first", avg_logprob=-0.1), Segment(62.0, 66.0, " second", avg_logprob=-0.1)
    assert is_sure(heard, piece)
    assert not is_sure(heard[:1], piece)
    assert not is_sure(heard[1:], piece)
    assert not is_sure((), piece)


def test_it_is_as_good_as_the_library_alone(engine, english, russian):
    bare = WhisperModel(str(ASSETS / MODEL), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True)
    for name, audio in (("english", english), ("russian", russian)):
        segments, _ = bare.transcribe(audio, beam_size=5, vad_filter=True, temperature=0.0)
        assert error_rate(name, transcribe(engine, audio)[1]) <= error_rate(name, segments) + 0.02


def test_a_language_that_the_model_does_not_know_is_refused(engine, english):
    with pytest.raises(InputFault) as refused:
        transcribe(engine, english, language="xx")
    assert refused.value.code == "language_not_supported"


def test_an_english_model_refuses_other_languages(engine, english, monkeypatch):
    class EnglishOnly:
        is_multilingual = False

    model = engine.models.get(MODEL)
    monkeypatch.setattr(model, "model", EnglishOnly())
    with pytest.raises(InputFault) as refused:
        transcribe(engine, english, language="ru")
    assert refused.value.code == "language_not_supported"
    info, _ = engine.transcribe(english, asking(english))
    assert info.language == "en"


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (RuntimeError("CUDA failed with error out of memory"), ResourceExceeded),
        (RuntimeError("std::bad_alloc"), ResourceExceeded),
        (MemoryError(), ResourceExceeded),
        (RuntimeError("Library libcublas.so.12 is not found or cannot be loaded"), ConfigurationFault),
    ],
)
def test_running_out_of_memory_is_said_as_such(engine, english, monkeypatch, raised, expected):
    def fail(*_args: object) -> None:
        raise raised

    _, segments = engine.transcribe(english, asking(english, language="en"))
    monkeypatch.setattr(engine.models.get(MODEL), "encode", fail)
    with pytest.raises(expected):
        next(segments)
