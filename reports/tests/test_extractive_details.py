"""The built-in report writer on odd, short and endless transcripts."""

import subprocess
import sys
import time
from itertools import cycle, islice

import pytest

from jobs.errors import ReportError
from reports.tests.spoken_texts import TEXTS, report_on, whole
from reports.writers.extractive.language import guess_language


def test_sentences_that_segments_cut_in_two_are_joined_again():
    report = report_on("We decided to move the", "office to Lisbon in", "May. The rent is 900", "euros a month.")

    assert report.summary == "We decided to move the office to Lisbon in May. The rent is 900 euros a month."


def test_text_without_punctuation_is_read_pause_by_pause_and_tidied():
    report = report_on("uh we decided to move the office", "i will call the the landlord on friday")

    assert report.summary == "We decided to move the office. I will call the landlord on Friday."


def test_repeated_sentences_are_told_once():
    report = report_on(
        *["The budget is 500 dollars."] * 30, *["We buy the printer on Monday."] * 20, "Thank you. " * 40
    )

    assert report.summary.count("500 dollars") == 1
    assert whole(report).count("Monday") == 1


def test_a_sentence_said_twice_in_a_short_recording_is_told_once():
    assert report_on("We meet on Friday.", "We meet on Friday.", "We meet on Friday.").summary == "We meet on Friday."


def test_a_rarer_longer_form_of_a_topic_is_not_a_second_topic():
    report = report_on(
        *(f"The board moved the budget {fate}." for fate in ("up", "down", "again", "twice", "slowly", "quickly")),
        *(f"Our budget {fate}." for fate in ("grew", "shrank", "stayed", "was spent", "was lost", "was kept")),
        "The marketing budget is tight.",
        "The marketing budget ends in June.",
    )

    assert [topic for topic in report.topics if "budget" in topic] == ["budget"]


@pytest.mark.parametrize("line", ["...", "♪♪", "[Music]", "😀", "? !", "Субтитры сделал DimaTorzok"])
@pytest.mark.parametrize("language", ["en", "ru", "de", None])
def test_a_recording_without_speech_still_has_a_report(line, language):
    report = report_on(line, language=language)

    assert report.summary
    assert (report.key_points, report.topics, report.sentiment) == ([], [], "neutral")


@pytest.mark.parametrize(
    ("line", "summary"), [("hello", "Hello."), ("we meet at ten o'clock", "We meet at ten o'clock.")]
)
def test_a_few_words_are_their_own_summary(line, summary):
    assert report_on(line).summary == summary


@pytest.mark.parametrize(
    ("language", "line"),
    [
        (
            "de",
            "Das Budget beträgt 50000 Euro. Die Abteilung sucht zwei Mitarbeiter. Herr Müller schreibt die Anzeige.",
        ),
        ("zh", "大家好，今天我们讨论项目的进度。预算是五百万元。我们决定在五月发布产品。测试还没有完成。"),
        ("ar", "مرحبا بكم في الاجتماع. الميزانية خمسة ملايين. قررنا إطلاق المنتج في مايو."),
        ("haw", "Aloha kākou. E hele kākou i ka hālāwai."),
    ],
)
def test_other_languages_get_their_own_sentences_and_no_mood(language, line):
    report = report_on(*[line] * 4, language=language)

    assert report.summary.split(".")[0].split("。")[0] in line
    assert report.sentiment == "neutral"


@pytest.mark.parametrize(
    "line", ["a" * 100_000, "word," * 30_000, "a\x00b \ud83d c", "w/NN/NNP and/or ///", "very " * 9_000]
)
def test_odd_input_keeps_within_the_limits_of_a_report(line):
    report = report_on(line)

    assert len(report.summary) <= 4_000
    assert "\x00" not in report.summary


def test_the_same_recording_gives_the_same_report_in_every_process():
    program = (
        "from reports.tests.test_extractive_writer import read; "
        "print([read(name, name[-2:]).model_dump_json() for name in ('meeting_en', 'meeting_ru')])"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path), "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert len(printed) == 1


@pytest.mark.parametrize(
    ("name", "language"), [("meeting_en", "en"), ("meeting_en_recogniser", "en"), ("meeting_ru", "ru")]
)
def test_ten_hours_of_speech_take_seconds(name, language):
    lines = (TEXTS / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    lines = [f"{line} {i}" for i, line in enumerate(islice(cycle(lines), 8_000))]
    started = time.perf_counter()

    report = report_on(*lines, language=language)

    assert time.perf_counter() - started < 40  # 5 to 9 s on a quiet core; CI machines are not quiet
    assert len(report.key_points) <= 7


def test_a_failure_inside_is_a_report_error(monkeypatch):
    monkeypatch.setattr("reports.writers.extractive.writer.split_sentences", lambda *_: 1 / 0)

    with pytest.raises(ReportError, match="ZeroDivisionError") as caught:
        report_on("hello")

    assert caught.value.code == "report_failed"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("So what do we do with the budget?", "en"),
        ("А что мы будем делать?", "ru"),
        ("Der Zug ist weg.", "und"),
        ("", "und"),
    ],
)
def test_only_english_and_russian_are_guessed(text, code):
    assert guess_language(text) == code
