"""What makes a segment doubtful: signs that nobody said its words."""

from itertools import count
from pathlib import Path

import pytest

from jobs.engines.doubts import COMPRESSION, IMPROBABLE, LOOP, SIGNS, SILENCE, flag_doubtful, flags_of
from jobs.tests.whisper_engine import ASSETS, make_engine, recording, transcribe
from jobs.transcript import Segment

ROOT = Path(__file__).resolve().parents[2]

SURE = {"avg_logprob": -0.25, "no_speech_prob": 0.02, "compression_ratio": 1.6}

LOOPS = [
    "Thank you. Thank you. Thank you. Thank you.",
    "thank you thank you thank you thank you thank",
    "So we start. Thank you for watching. Thank you for watching. Thank you for watching. Thank you for watching.",
    "you you you you you you you you",
    "ha-ha-ha-ha-ha-ha-ha",
    "I'm going to go to the next one. I'm going to go to the next one. I'm going to go to the next one.",
    "Субтитры сделал DimaTorzok Субтитры сделал DimaTorzok Субтитры сделал DimaTorzok Субтитры сделал DimaTorzok",
    "Спасибо за просмотр! Спасибо за просмотр! Спасибо за просмотр! Спасибо за просмотр!",
    "и и и и и и и и и",
    "Мы идём дальше, и это, и это, и это, и это, и это",
    "ご視聴ありがとうございましたご視聴ありがとうございましたご視聴ありがとうございました",
]
SPEECH = [
    "No, no, no, that is not what I meant.",
    "No. No, no, no, no.",
    "It is very, very, very good, really very good.",
    "Thank you, thank you, thank you all for coming.",
    "I don't know, I don't know, I don't know what to say.",
    "Yeah, yeah, yeah. Knock, knock, knock. Come on, come on!",
    "The plan of the team, the plan of the board and the plan of the client are three plans.",
    "One hundred, two hundred, three hundred, four hundred, five hundred, six hundred.",
    "Call 0 800 0 800 0 today.",
    "We choose to go to the moon in this decade and do the other things, not because they are easy.",
    "Да, да, да, конечно, мы всё сделаем.",
    "Нет-нет-нет, это совсем не так.",
    "Очень, очень важно, чтобы все пришли вовремя.",
    "Раз, два, три, раз, два, три. Проверка звука.",
    "Спасибо, спасибо, спасибо большое, коллеги!",
    "哈哈哈, 你好你好。",
    "♪ ♪ ♪ ♪ ♪ ♪ ♪",
    "... ... ... ... ... ... ...",
    "",
]  # fmt: skip


def said(text: str, number: int = 0, **figures) -> Segment:
    return Segment(number * 2.0, number * 2.0 + 1.5, f" {text}", **figures)


def flags_in_a_row(*texts: str) -> list[tuple[str, ...]]:
    return [segment.flags for segment in flag_doubtful(said(text, number) for number, text in enumerate(texts))]


@pytest.mark.parametrize("text", LOOPS)
def test_a_phrase_that_comes_again_and_again_is_a_loop(text):
    assert flags_of(said(text, **SURE)) == (LOOP,)


@pytest.mark.parametrize("text", SPEECH)
def test_people_repeat_themselves_without_being_doubted(text):
    assert flags_of(said(text, **SURE)) == ()


def test_a_loop_is_seen_behind_an_hour_of_speech_in_one_segment():
    speech = " ".join(f"word{number}" for number in range(8000))
    assert flags_of(said(speech)) == ()
    assert flags_of(said(f"{speech} {'okay so ' * 4}")) == (LOOP,)


@pytest.mark.parametrize(
    ("figures", "flags"),
    [
        ({"no_speech_prob": 0.91, "avg_logprob": -0.7}, (SILENCE,)),
        ({"no_speech_prob": 0.91, "avg_logprob": -0.3}, ()),  # Whisper is sure of the words: it takes music for silence
        ({"no_speech_prob": 0.4, "avg_logprob": -0.7}, ()),
        ({"compression_ratio": 2.8}, (COMPRESSION,)),
        ({"compression_ratio": 2.3}, ()),
        ({"avg_logprob": -1.3, "no_speech_prob": 0.1}, (IMPROBABLE,)),
        ({"avg_logprob": -0.95, "no_speech_prob": 0.1}, ()),
        ({"avg_logprob": -1.3, "no_speech_prob": 0.8, "compression_ratio": 3.0}, (SILENCE, COMPRESSION, IMPROBABLE)),
        ({"no_speech_prob": 0.99}, ()),
        ({}, ()),
    ],
)
@pytest.mark.parametrize("text", ["The budget for the new project is ready.", "Бюджет нового проекта готов."])
def test_the_engines_figures_are_signs(text, figures, flags):
    assert flags_of(said(text, **figures)) == flags


@pytest.mark.parametrize("text", ["Thank you.", "Продолжение следует...", "Субтитры создавал DimaTorzok", "谢谢观看"])
def test_the_same_text_in_three_segments_in_a_row_is_a_loop(text):
    before, after = "Good morning, everybody.", "Let us begin."
    assert flags_in_a_row(before, text, text, text, text, after) == [(), *[(LOOP,)] * 4, ()]
    assert flags_in_a_row(text, text, text) == [(LOOP,)] * 3
    assert flags_in_a_row(text, text, after, text, text) == [()] * 5


def test_case_and_punctuation_do_not_hide_a_loop():
    assert flags_in_a_row("Thank you.", "thank you", "Thank you!") == [(LOOP,)] * 3


def test_segments_without_words_are_no_loop():
    assert flags_in_a_row("♪", "♪", "♪", "", "", "", "...", "...", "...") == [()] * 9


def test_a_segment_keeps_all_of_its_signs_in_one_order():
    row = [said("Thank you.", number, avg_logprob=-1.2) for number in range(3)]
    assert [segment.flags for segment in flag_doubtful(row)] == [(IMPROBABLE, LOOP)] * 3
    assert list(flag_doubtful(flag_doubtful(row))) == list(flag_doubtful(row))
    assert list(SIGNS) == [SILENCE, COMPRESSION, IMPROBABLE, LOOP]


def test_nothing_but_the_flags_is_changed():
    row = [said(text, number, **SURE) for number, text in enumerate([*LOOPS, *SPEECH])]
    flagged = list(flag_doubtful(row))
    assert [(item.start, item.text, item.avg_logprob) for item in flagged] == [
        (item.start, item.text, item.avg_logprob) for item in row
    ]
    assert [bool(item.flags) for item in flagged] == [True] * len(LOOPS) + [False] * len(SPEECH)


def test_a_loop_without_end_is_given_on_as_it_comes():
    read = []

    def endless():
        for number in count():
            read.append(number)
            yield said("Thank you.", number)

    flagged = flag_doubtful(endless())
    for given in range(1, 50):
        assert next(flagged).flags == (LOOP,)
        assert len(read) <= max(3, given)


@pytest.mark.parametrize("name", ["english.txt", "russian.txt"])
def test_what_the_test_recordings_say_is_not_doubted(name):
    lines = (ASSETS / name).read_text().splitlines()
    assert flags_in_a_row(*lines) == [()] * len(lines)
    assert flags_of(said(" ".join(lines))) == ()


@pytest.mark.parametrize("path", [*(ROOT / "reports/tests/texts").glob("*.txt"), ROOT / "samples/meeting.txt"])
def test_long_texts_are_not_doubted(path):
    lines = path.read_text().splitlines()
    assert not any(flags_in_a_row(*lines))
    assert flags_of(said(" ".join(lines))) == ()


@pytest.mark.parametrize("name", ["english", "russian"])
def test_what_is_recognised_in_clear_speech_is_not_doubted(name):
    _, segments = transcribe(make_engine(), recording(name))
    assert not any(segment.flags for segment in flag_doubtful(segments))


def test_the_page_about_the_api_has_every_sign():
    page = (ROOT / "docs/rest.md").read_text()
    assert all(f"| `{sign}` | {meaning} |" in page for sign, meaning in SIGNS.items())
