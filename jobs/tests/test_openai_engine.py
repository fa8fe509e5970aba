"""The ``openai`` engine against a stub server, through the real SDK."""

import numpy as np
import pytest

from jobs.engines.base import SAMPLE_RATE, Clip
from jobs.engines.catalog import WHISPER_LANGUAGES
from jobs.engines.language_names import LANGUAGE_NAMES, language_code
from jobs.engines.openai_api import MAX_PIECE_SECONDS
from jobs.engines.openai_upload import MAX_GAP_SECONDS, cut_pieces, encode_flac
from jobs.tests.openai_engine import ask, engine_on, run, tone
from jobs.tests.stubs.openai_answers import error_answer, json_answer, verbose_answer

# What is sent


def test_the_upload_is_a_flac_file_as_long_as_the_speech(stub):
    run(engine_on(stub), tone(4), speech=[Clip(0.5, 3.25)])
    (request,) = stub.requests
    assert request.file.startswith(b"fLaC")
    assert request.file_name == "audio.flac"
    assert request.file_seconds == pytest.approx(2.75)


def test_the_request_carries_what_the_user_asked_for(stub):
    run(engine_on(stub), language="ru", prompt="Имена: Иван", temperature=0.2, word_timestamps=True)
    fields = stub.requests[0].fields
    assert fields["model"] == ["whisper-1"]
    assert fields["language"] == ["ru"]
    assert fields["prompt"] == ["Имена: Иван"]
    assert fields["temperature"] == ["0.2"]
    assert fields["response_format"] == ["verbose_json"]
    assert fields["timestamp_granularities[]"] == ["segment", "word"]


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        ({"hotwords": "Grafana, Kubernetes"}, "Glossary: Grafana, Kubernetes"),
        ({"prompt": "A meeting.", "hotwords": "Grafana"}, "A meeting. Glossary: Grafana"),
    ],
)
def test_hotwords_end_the_prompt_of_every_piece(stub, options, sent):
    run(engine_on(stub, max_piece_seconds=2.5), tone(6), speech=[Clip(0, 2), Clip(3.5, 5.5)], **options)
    assert [request.fields["prompt"] for request in stub.requests] == [[sent], [sent]]


def test_there_is_nothing_to_batch(stub):
    run(engine_on(stub), batched=True)
    assert set(stub.requests[0].fields) == {"model", "response_format", "timestamp_granularities[]"}


def test_what_was_not_asked_for_is_not_sent(stub):
    run(engine_on(stub))
    assert set(stub.requests[0].fields) == {"model", "response_format", "timestamp_granularities[]"}


def test_ten_minutes_of_white_noise_stay_well_under_the_upload_limit():
    noise = np.random.default_rng(1).uniform(-1, 1, SAMPLE_RATE * 60).astype(np.float32)
    assert len(encode_flac(noise)) / 60 * MAX_PIECE_SECONDS < 20_000_000


def test_samples_beyond_the_scale_are_clipped_and_survive_the_way(stub):
    run(engine_on(stub), np.full(SAMPLE_RATE * 2, 3.0, dtype=np.float32))
    assert stub.requests[0].file_seconds == pytest.approx(2.0)


def test_a_piece_too_short_for_a_server_is_filled_up_and_its_times_are_held_to_it(stub):
    stub.script(verbose_answer([{"start": 0.0, "end": 1.0, "text": "Hm."}]))
    _, (segment,) = run(engine_on(stub), tone(0.05), speech=[Clip(0.0, 0.05)])
    assert stub.requests[0].file_seconds == pytest.approx(1.0)
    assert segment.end == pytest.approx(0.05)


# How the recording is cut


def test_pieces_are_cut_between_clips():
    speech = [Clip(0, 4), Clip(5, 8), Clip(9, 14), Clip(15, 16)]
    assert cut_pieces(tone(16), speech, 10) == [Clip(0, 8), Clip(9, 16)]


def test_a_clip_that_is_too_long_is_cut_at_its_quietest_moment():
    audio = tone(25)
    audio[round(9.4 * SAMPLE_RATE) : round(9.6 * SAMPLE_RATE)] = 0.0
    first, *_, last = pieces = cut_pieces(audio, [Clip(0, 25)], 10)
    assert first.end == pytest.approx(9.5, abs=0.1)
    assert all(piece.end - piece.start <= 10 for piece in pieces)
    assert [piece.start for piece in pieces[1:]] == [piece.end for piece in pieces[:-1]]
    assert last.end == 25


def test_a_long_silence_is_not_sent():
    silence = MAX_GAP_SECONDS + 1
    speech = [Clip(0, 2), Clip(2 + silence, 4 + silence)]
    assert cut_pieces(tone(4 + silence), speech, 600) == speech


def test_clips_beyond_the_audio_are_held_to_it():
    assert cut_pieces(tone(2), [Clip(-1, 1), Clip(1.5, 9), Clip(10, 11)], 600) == [Clip(0, 2)]


def test_times_are_shifted_by_where_their_piece_begins(stub):
    stub.always(verbose_answer([{"start": 0.5, "end": 1.5, "text": " Hello.", "seek": 50}]))
    speech = [Clip(1.0, 3.0), Clip(4.5, 6.5), Clip(8.0, 10.0)]
    _, segments = run(engine_on(stub, max_piece_seconds=2.5), tone(11), speech=speech)
    assert [(segment.start, segment.end) for segment in segments] == [(1.5, 2.5), (5.0, 6.0), (8.5, 9.5)]
    assert [segment.seek for segment in segments] == [150, 500, 850]
    assert [request.file_seconds for request in stub.requests] == [pytest.approx(2.0)] * 3


def test_pieces_are_sent_only_as_the_segments_are_read(stub):
    engine = engine_on(stub, max_piece_seconds=2.5)
    _, segments = engine.transcribe(tone(9), ask(speech=[Clip(0, 2), Clip(3.5, 5.5), Clip(7, 9)]))
    assert len(stub.requests) == 1
    next(segments)
    assert len(stub.requests) == 1
    next(segments)
    assert len(stub.requests) == 2


# What comes back


def test_a_segment_keeps_what_the_server_knows_of_it(stub):
    stub.script(verbose_answer([{"start": 0.0, "end": 1.5, "text": " Hi.", "avg_logprob": -0.5, "tokens": [1, 2]}]))
    _, (segment,) = run(engine_on(stub))
    assert (segment.text, segment.avg_logprob, segment.tokens) == (" Hi.", -0.5, (1, 2))
    assert (segment.compression_ratio, segment.no_speech_prob, segment.temperature) == (1.1, 0.01, 0.0)


def test_words_of_the_whole_answer_go_to_the_segments_they_lie_in(stub):
    segments = [{"start": 0.0, "end": 0.9, "text": " One two"}, {"start": 1.0, "end": 2.0, "text": " three"}]
    words = [("One", 0.0, 0.4), ("two", 0.5, 1.0), ("three", 1.05, 1.9)]
    words = [{"word": word, "start": start, "end": end} for word, start, end in words]
    stub.always(verbose_answer(segments, words=words))
    _, found = run(engine_on(stub), tone(5), speech=[Clip(3.0, 5.0)], word_timestamps=True)
    assert [[word.word for word in segment.words] for segment in found] == [["One", "two"], ["three"]]
    assert (found[1].words[0].start, found[1].words[0].end) == (4.05, 4.9)


def test_words_within_segments_are_read_too(stub):
    words = [{"word": "Hi", "start": 0.1, "end": 0.4}]
    stub.script(verbose_answer([{"start": 0.0, "end": 0.9, "text": " Hi", "words": words}]))
    _, (segment,) = run(engine_on(stub), word_timestamps=True)
    assert [word.word for word in segment.words] == ["Hi"]


def test_segments_never_overlap_go_back_or_pass_the_end(stub):
    stub.script(
        verbose_answer(
            [
                {"start": -1.0, "end": 1.2, "text": " a"},
                {"start": 1.0, "end": 0.5, "text": " b"},
                {"start": 1.5, "end": 30.0, "text": " c"},
            ]
        )
    )
    _, segments = run(engine_on(stub))
    times = [time for segment in segments for time in (segment.start, segment.end)]
    assert times == sorted(times)
    assert (times[0], times[-1]) == (0.0, 2.0)
    assert [segment.text for segment in segments] == [" a", " b", " c"]


def test_a_server_without_segments_gives_one_for_each_piece_and_a_warning(stub):
    stub.always(json_answer({"text": "Hello there."}))
    info, segments = run(engine_on(stub, max_piece_seconds=2.5), tone(6), speech=[Clip(0.5, 2.5), Clip(4, 6)])
    assert [(s.start, s.end, s.text) for s in segments] == [(0.5, 2.5, "Hello there."), (4, 6, "Hello there.")]
    assert "no timestamps" in info.warnings[0]
    assert info.language is None


def test_a_model_that_knows_plain_json_only_is_asked_for_it_and_remembered(stub):
    def newer_model(request):
        if request.fields["response_format"] == ["json"]:
            return json_answer({"text": "Hello.", "languages": [{"code": "en"}]})
        return error_answer(400, "response_format 'verbose_json' is not compatible with model 'gpt-4o-transcribe'.")

    stub.always(newer_model)
    info, segments = run(engine_on(stub, max_piece_seconds=2.5), tone(6), speech=[Clip(0, 2), Clip(3.5, 5.5)])
    assert [segment.text for segment in segments] == ["Hello.", "Hello."]
    assert info.language == "en"
    assert [request.fields["response_format"][0] for request in stub.requests] == ["verbose_json", "json", "json"]


def test_silence_is_a_success_without_segments(stub):
    stub.script(verbose_answer([]))
    info, segments = run(engine_on(stub))
    assert segments == []
    assert info.warnings == ()


def test_no_zero_byte_reaches_the_database(stub):
    stub.script(verbose_answer([{"start": 0.0, "end": 1.0, "text": " a\x00b"}]))
    assert run(engine_on(stub))[1][0].text == " ab"


# Languages


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("english", "en"), ("Russian", "ru"), ("de", "de"), ("pt-BR", "pt"), ("zh_TW", "zh"), ("mandarin", "zh"),
        ("haitian creole", "ht"), ("klingon", None), ("xx", None), ("", None), (None, None),
    ],
)  # fmt: skip
def test_a_servers_name_of_a_language_becomes_its_code(name, code):
    assert language_code(name) == code


def test_every_language_of_the_catalog_has_a_name():
    assert set(LANGUAGE_NAMES) == WHISPER_LANGUAGES


def test_the_language_is_found_once_and_then_asked_for(stub):
    stub.script(verbose_answer([{"start": 0.0, "end": 1.0, "text": " Привет."}], language="russian"))
    info, _ = run(engine_on(stub, max_piece_seconds=2.5), tone(6), speech=[Clip(0, 2), Clip(3.5, 5.5)])
    assert info.language == "ru"
    assert [request.fields.get("language") for request in stub.requests] == [None, ["ru"]]


def test_before_it_recognises_it_knows_no_other_language_than_the_one_asked_for(stub):
    assert engine_on(stub).detect_language(tone(2), ask()).language is None
    assert engine_on(stub).detect_language(tone(2), ask(language="de")).language == "de"
    assert stub.requests == []


def test_stretches_of_speech_with_a_short_pause_are_one(stub):
    run(engine_on(stub, max_piece_seconds=2.5), tone(5), speech=[Clip(0, 0.5), Clip(0.5, 1), Clip(2.1, 2.4)])
    assert [request.file_seconds for request in stub.requests] == [pytest.approx(2.4)]


def test_a_language_that_was_asked_for_is_not_overruled(stub):
    info, _ = run(engine_on(stub), language="de")
    assert info.language == "de"


# Translations


def test_a_translation_is_asked_of_its_own_address_with_the_fields_it_has(stub):
    options = {"task": "translate", "language": "ru", "prompt": "Budget.", "temperature": 0.2, "word_timestamps": True}
    info, segments = run(engine_on(stub), **options)
    (request,) = stub.requests
    assert request.path == "/v1/audio/translations"
    assert request.fields == {
        "model": ["whisper-1"],
        "prompt": ["Budget."],
        "temperature": ["0.2"],
        "response_format": ["verbose_json"],
    }
    assert [segment.text for segment in segments] == [" Hello."]
    assert info.language == "ru"


def test_the_language_of_a_translation_is_not_taken_for_the_one_spoken(stub):
    stub.always(verbose_answer([{"start": 0.0, "end": 1.0, "text": " Hello."}], language="english"))
    speech = [Clip(0, 2), Clip(3.5, 5.5)]
    info, _ = run(engine_on(stub, max_piece_seconds=2.5), tone(6), speech=speech, task="translate")
    assert info.language is None
    assert [request.path for request in stub.requests] == ["/v1/audio/translations"] * 2


def test_a_translation_as_plain_json_is_taken_too(stub):
    def plain_only(request):
        if request.fields["response_format"] == ["json"]:
            return json_answer({"text": "Hello."})
        return error_answer(400, "response_format 'verbose_json' is not compatible with this model.")

    stub.always(plain_only)
    _, (segment,) = run(engine_on(stub), task="translate")
    assert (segment.start, segment.end, segment.text) == (0.0, 2.0, "Hello.")
