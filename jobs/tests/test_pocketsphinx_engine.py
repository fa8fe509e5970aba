"""The built-in engine, for real: its own model on excerpts of the sample meeting."""

import subprocess
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from jobs.engines.base import SAMPLE_RATE, Clip, EngineConfig, TranscriptionRequest
from jobs.engines.catalog import POCKETSPHINX_MODEL
from jobs.engines.pocketsphinx import Decoder, DictionaryEntry, PocketSphinxEngine, map_in_order, split_speech
from jobs.errors import InputFault

MEETING = Path(__file__).resolve().parents[2] / "samples" / "meeting.flac"


def excerpt(start, end):
    """Seconds ``start`` to ``end`` of the sample meeting, float32."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-ss", str(start), "-to", str(end), "-i", str(MEETING)]
    raw = subprocess.run([*command, "-f", "s16le", "-"], check=True, capture_output=True).stdout
    return np.frombuffer(raw, np.int16).astype(np.float32) / 32768


def make_request(*speech, **options):
    return TranscriptionRequest(model=POCKETSPHINX_MODEL, speech=speech or (Clip(0.0, 1.0),), **options)


def recognise(engine, audio, request):
    info, segments = engine.transcribe(audio, request)
    return info, list(segments)


@pytest.fixture(scope="module")
def engine():
    return PocketSphinxEngine(EngineConfig(cpu_threads=2))


@pytest.fixture(scope="module")
def two_sentences():
    """The sentence about the budget, then the two about the open question."""
    return excerpt(43.7, 53.9)


@pytest.fixture(scope="module")
def budget():
    return excerpt(43.7, 47.1)


@pytest.fixture(scope="module")
def segments(engine, two_sentences):
    speech = (Clip(0.0, 3.3), Clip(3.3, 10.3))  # the last one ends after the audio
    return recognise(engine, two_sentences, make_request(*speech, language="en", word_timestamps=True))[1]


def test_it_hears_what_was_said(segments):
    said = " ".join(segment.text for segment in segments).split()

    assert {"budget", "fifty", "thousand", "dollars", "question", "customers", "website"} <= set(said)


def test_a_pause_begins_a_new_segment(segments):
    assert segments[0].text.endswith("dollars")
    assert segments[1].text.startswith("there is one")


def test_the_text_holds_words_only(segments):
    for segment in segments:
        assert not set("<>[]()+") & set(segment.text)
        assert segment.text == " ".join(word.word for word in segment.words)


def test_times_rise_and_never_overlap_or_pass_the_end_of_the_audio(segments, two_sentences):
    words = [word for segment in segments for word in segment.words]
    times = [moment for word in words for moment in (word.start, word.end)]

    assert times == sorted(times)
    assert all(word.start < word.end for word in words)
    assert times[-1] <= len(two_sentences) / SAMPLE_RATE
    for segment in segments:
        assert (segment.start, segment.end) == (segment.words[0].start, segment.words[-1].end)


def test_times_are_those_of_the_recording(segments):
    """The second sentence begins 3.7 seconds into the excerpt."""
    assert segments[1].start == pytest.approx(3.7, abs=0.3)


def test_probabilities_lie_between_0_and_1(segments):
    probabilities = [word.probability for segment in segments for word in segment.words]

    assert all(0 < probability <= 1 for probability in probabilities)
    assert min(probabilities) < max(probabilities)


def test_the_number_of_threads_does_not_change_the_result(segments, two_sentences):
    speech = (Clip(0.0, 3.3), Clip(3.3, 10.3))
    one_thread = PocketSphinxEngine(EngineConfig(cpu_threads=1))

    again = recognise(one_thread, two_sentences, make_request(*speech, language="en", word_timestamps=True))[1]

    assert again == segments


def test_without_vad_all_of_the_audio_is_recognised_and_words_come_only_on_request(engine, budget):
    _, segments = recognise(engine, budget, make_request(Clip(0.0, 0.1), vad_filter=False))

    assert "thousand dollars" in segments[0].text
    assert segments[0].words == ()


@pytest.mark.parametrize("vad_filter", [True, False])
def test_silence_has_no_segments(engine, vad_filter):
    silence = np.zeros(3 * SAMPLE_RATE, np.float32)

    assert recognise(engine, silence, make_request(Clip(0.0, 3.0), vad_filter=vad_filter))[1] == []


def test_faint_noise_has_no_segments(engine):
    noise = np.random.default_rng(1).normal(0, 0.005, 2 * SAMPLE_RATE).astype(np.float32)

    assert recognise(engine, noise, make_request(vad_filter=False))[1] == []


def test_no_audio_has_no_segments(engine):
    assert recognise(engine, np.zeros(0, np.float32), make_request(vad_filter=False))[1] == []


def test_a_transcript_says_who_recognised_it_and_that_nobody_asked_for_the_language(engine, budget):
    unknown, _ = engine.transcribe(budget, make_request())
    english, _ = engine.transcribe(budget, make_request(language="en"))

    assert (unknown.language, english.language) == ("en", "en")
    assert engine.detect_language(budget, make_request()) == unknown
    assert unknown.warnings == ("recognised_by_pocketsphinx", "language_not_detected")
    assert english.warnings == ("recognised_by_pocketsphinx",)


def test_it_refuses_russian_and_says_what_to_do(engine, budget):
    for refuse in (engine.transcribe, engine.detect_language):
        with pytest.raises(InputFault, match=r"pocketsphinx.*English only.*ru.*Leave the language out") as refusal:
            refuse(budget, make_request(language="ru"))

        assert refusal.value.code == "language_not_supported"


def test_what_it_has_no_counterpart_for_changes_nothing(engine, budget):
    plain = recognise(engine, budget, make_request(language="en", vad_filter=False))
    hinted = make_request(
        language="en", vad_filter=False, task="translate", hotwords="website", prompt="customers", batched=True
    )

    assert recognise(engine, budget, hinted) == plain


def test_it_refuses_the_model_of_another_engine(engine):
    with pytest.raises(InputFault, match=r"en-us, and not large-v3") as refusal:
        engine.load("large-v3")

    assert refusal.value.code == "unknown_model"


def test_reading_the_first_segment_does_not_recognise_everything(budget, monkeypatch):
    decoded = []
    decode = Decoder.decode
    monkeypatch.setattr(Decoder, "decode", lambda self, audio: decoded.append(len(audio)) or decode(self, audio))
    engine = PocketSphinxEngine(EngineConfig(cpu_threads=1))
    speech = tuple(Clip(start, start + 3.4) for start in np.arange(0, 34, 3.4))

    _, segments = engine.transcribe(np.tile(budget, 10), make_request(*speech))
    assert decoded == []
    next(segments)
    segments.close()

    assert len(decoded) <= 3


def test_other_threads_run_while_a_piece_is_recognised(engine, budget):
    ticks, done = [], threading.Event()

    def tick():
        while not done.wait(0.01):
            ticks.append(time.monotonic())

    ticker = threading.Thread(target=tick)
    ticker.start()
    recognise(engine, budget, make_request(vad_filter=False))
    done.set()
    ticker.join()

    assert len(ticks) >= 10


def test_nothing_is_printed(budget, capfd):
    engine = PocketSphinxEngine(EngineConfig(cpu_threads=1))
    recognise(engine, budget[:SAMPLE_RATE], make_request(vad_filter=False))

    assert capfd.readouterr() == ("", "")


def test_a_long_stretch_is_cut_where_it_is_quiet():
    audio = np.random.default_rng(1).normal(0, 0.1, 64 * SAMPLE_RATE).astype(np.float32)
    for pause in (18, 33, 47):
        audio[pause * SAMPLE_RATE : (pause + 1) * SAMPLE_RATE] *= 0.01

    pieces = split_speech(audio, [Clip(1.0, 3.0), Clip(4.0, 99.0)])

    assert pieces[0] == Clip(1.0, 3.0)
    assert [piece.start for piece in pieces[2:]] == [piece.end for piece in pieces[1:-1]]
    assert [int(piece.start) for piece in pieces[2:]] == [18, 33, 47]
    assert (pieces[1].start, pieces[-1].end) == (4.0, 64.0)


def test_pieces_stay_short_where_nobody_pauses():
    audio = np.random.default_rng(1).normal(0, 0.1, 200 * SAMPLE_RATE).astype(np.float32)

    lengths = [piece.end - piece.start for piece in split_speech(audio, [Clip(0.0, 200.0)])]

    assert sum(lengths) == pytest.approx(200)
    assert 5 <= min(lengths) <= max(lengths) <= 20


def test_work_stays_close_to_its_reader_and_in_order():
    started = []
    numbers = map_in_order(lambda number: started.append(number) or number * number, range(1000), threads=2)

    assert [next(numbers) for _ in range(5)] == [0, 1, 4, 9, 16]
    numbers.close()

    assert len(started) <= 5 + 3


def test_an_error_in_a_thread_reaches_the_reader():
    with pytest.raises(ZeroDivisionError):
        list(map_in_order(lambda number: 1 // number, [1, 0, 1], threads=2))


@pytest.mark.parametrize("entry", ["<s>", "</s>", "<sil>", "[NOISE]", "[SPEECH]", "++um++"])
def test_silences_and_noises_are_not_words(entry):
    assert not DictionaryEntry(entry, 0.0, 1.0, 1.0).is_word


def test_the_mark_of_an_alternative_pronunciation_is_dropped():
    entry = DictionaryEntry("read(2)", 0.0, 1.0, 1.0)

    assert entry.is_word
    assert entry.word == "read"
