"""The built-in report writer on whole conversations: what a person would expect to read, not golden copies."""

import subprocess
import sys
import time
from itertools import cycle, islice
from pathlib import Path

import pytest

from jobs.errors import ReportError
from jobs.transcript import Segment, Transcript
from reports.writers.base import ReportDraft, WriterConfig
from reports.writers.extractive import ExtractiveWriter
from reports.writers.extractive.language import guess_language, load_language
from reports.writers.extractive.sentences import split_sentences

TEXTS = Path(__file__).parent / "texts"
SPOKEN = [
    ("meeting_en", "en"),
    ("meeting_en_recogniser", "en"),
    ("lecture_en", "en"),
    ("complaint_en", "en"),
    ("meeting_ru", "ru"),
    ("news_ru", "ru"),
    ("complaint_ru", "ru"),
]
NEVER_TOPICS = {
    *("um", "uh", "okay", "ok", "yeah", "well", "thing", "things", "week", "monday", "thank", "thanks"),
    *("everyone", "the", "and", "that", "with"),
    *("ну", "вот", "как", "бы", "это", "коллеги", "вопрос", "спасибо", "понедельник", "рублей", "день"),
}


def transcript_of(lines: list[str], language: str | None) -> Transcript:
    """One segment per line, at two and a half words a second with short pauses."""
    segments, clock = [], 0.0
    for line in lines:
        end = clock + 0.4 * len(line.split())
        segments.append(Segment(clock, end, line))
        clock = end + 0.3
    return Transcript(tuple(segments), language)


def spoken(name: str, language: str | None) -> Transcript:
    return transcript_of((TEXTS / f"{name}.txt").read_text(encoding="utf-8").splitlines(), language)


def report_on(*lines: str, language: str | None = "en") -> ReportDraft:
    return ExtractiveWriter(WriterConfig()).write(transcript_of(list(lines), language))


def read(name: str, language: str | None) -> ReportDraft:
    return ExtractiveWriter(WriterConfig()).write(spoken(name, language))


def whole(report: ReportDraft) -> str:
    return " ".join([report.summary, *report.key_points])


every_text = pytest.mark.parametrize(("name", "language"), SPOKEN)


@every_text
def test_the_summary_is_a_few_sentences_from_all_over_the_recording(name, language):
    transcript = spoken(name, language)
    sentences = split_sentences(transcript, load_language(language))
    report = read(name, language)
    positions = [i for i, sentence in enumerate(sentences) if sentence in report.summary]

    assert 2 <= len(positions) <= 5
    assert positions != list(range(len(positions)))
    assert positions[-1] >= len(sentences) // 2
    assert report.summary == " ".join(sentences[i] for i in positions)


@every_text
def test_key_points_are_further_statements_and_not_the_summary_again(name, language):
    report = read(name, language)

    assert len(report.key_points) >= 3
    assert len(set(report.key_points)) == len(report.key_points)
    assert not [point for point in report.key_points if point in report.summary]
    assert not [point for point in report.key_points if point.endswith("?")]


@every_text
def test_topics_are_few_distinct_and_free_of_stop_words(name, language):
    topics = read(name, language).topics
    words = [word.lower() for topic in topics for word in topic.split()]

    assert 3 <= len(topics) <= 8
    assert not NEVER_TOPICS & set(words)
    assert len(set(words)) == len(words), f"two topics share a word: {topics}"


@every_text
def test_greetings_and_farewells_are_left_out(name, language):
    text = whole(read(name, language)).lower()

    for courtesy in (
        "good morning",
        "hear me",
        "thank you",
        "welcome",
        "доброе утро",
        "слышно",
        "здравствуйте",
        "пока.",
    ):
        assert courtesy not in text


def test_a_greeting_is_left_out_even_if_it_names_the_subject_and_a_date():
    report = report_on(
        "Good morning everyone, welcome to the budget meeting on Friday, March 3rd, about the new budget.",
        "The budget for the new kitchen is 40,000 euros.",
        "We decided to order the kitchen in April.",
        "The kitchen will be delivered in the last week of June.",
        "The old kitchen goes to the school in Hamburg.",
        "Peter will pay the first half of the budget on Monday.",
    )

    assert "Good morning" not in whole(report)
    assert "40,000 euros" in whole(report)


@every_text
def test_the_report_is_in_the_language_of_the_recording(name, language):
    report = read(name, language)
    cyrillic = sum("а" <= letter.lower() <= "я" or letter in "ёЁ" for letter in whole(report) + "".join(report.topics))

    assert (cyrillic > 100) if language == "ru" else cyrillic == 0


@every_text
def test_a_language_that_nobody_named_is_found_out(name, language):
    assert read(name, None) == read(name, language)


@pytest.mark.parametrize(
    ("name", "language", "facts"),
    [
        ("meeting_en", "en", ["April 2nd", "8,000 euros", "load test", "March 14th", "agency"]),
        ("meeting_en_recogniser", "en", ["price of the room", "ventilation", "three students", "parking lot"]),
        ("lecture_en", "en", ["less than one percent", "long-term solution", "coral reefs"]),
        ("complaint_en", "en", ["89 dollars", "cancel my contract", "modem"]),
        ("meeting_ru", "ru", ["до 15 мая", "аванс", "переезда склада", "обмен данными", "премию"]),
        ("news_ru", "ru", ["84 миллиарда", "120 тысяч", "42 рублей", "новая линия метро"]),
        ("complaint_ru", "ru", ["54 тысячи рублей", "холодильник", "в суд"]),
    ],
)
def test_the_facts_that_matter_are_in_the_report(name, language, facts):
    text = whole(read(name, language))

    assert [fact for fact in facts if fact not in text] == []


def test_a_moved_date_and_the_budget_are_told_even_in_a_short_meeting():
    report = report_on(
        "Good morning everyone. Today we need to make a decision about the new customer website.",
        "The design is finished. The payment service is still too slow. It takes four seconds.",
        "How much time do you need to fix the payment service? I need two weeks.",
        "Very good. The opening of the website moves from the third of March to the seventeenth of March.",
        "The budget remains fifty thousand dollars. There is one open question. Please run a test by Friday.",
    )

    assert "from the third of March to the seventeenth of March" in whole(report)
    assert "fifty thousand dollars" in whole(report)


@pytest.mark.parametrize(
    ("name", "language", "expected"),
    [
        ("meeting_en", "en", {"mobile app", "payment gateway", "load test"}),
        ("meeting_en_recogniser", "en", {"calendar", "booking page", "parking lot"}),
        ("lecture_en", "en", {"coral reefs", "algae", "carbon dioxide"}),
        ("meeting_ru", "ru", {"склад", "договор аренды", "программа учёта"}),
        ("news_ru", "ru", {"линия метро"}),
        ("complaint_ru", "ru", {"холодильник", "доставка"}),
    ],
)
def test_topics_name_the_subject_in_readable_words(name, language, expected):
    assert expected - set(read(name, language).topics) == set()


def test_russian_topics_are_in_the_nominative_and_adjectives_agree():
    report = report_on(
        "Мы обсудили мобильное приложение.",
        "В мобильном приложении не хватает чата.",
        "Разработку мобильного приложения закончим в мае.",
        language="ru",
    )

    assert "мобильное приложение" in report.topics


@pytest.mark.parametrize(
    ("language", "mood", "lines"),
    [
        ("en", "positive", ["I love the new office.", "The team did a fantastic job.", "The customers are delighted."]),
        ("en", "negative", ["I am not happy with this.", "The food was not good at all.", "We hate waiting."]),
        ("en", "neutral", ["The train leaves at nine.", "The office is on the third floor."]),
        (
            "en",
            "mixed",
            ["The staff were wonderful.", "The food was terrible.", "I loved the beach.", "Horrible flight."],
        ),
        ("ru", "positive", ["Это замечательный результат, я очень рад.", "Клиенты довольны.", "Нам всё понравилось."]),
        ("ru", "negative", ["Я не доволен сервисом.", "Это не хорошо.", "Мне совсем не понравилось."]),
        ("ru", "neutral", ["Поезд отправляется в девять.", "Офис находится на третьем этаже."]),
        ("ru", "neutral", ["Никаких проблем не было.", "Нет претензий, всё без ошибок."]),
        ("ru", "mixed", ["Персонал прекрасный.", "Еда отвратительная.", "Мы в восторге от пляжа.", "Перелёт ужасный."]),
    ],
)
def test_the_mood_of_clear_cases_is_right(language, mood, lines):
    assert report_on(*lines, language=language).sentiment == mood


@pytest.mark.parametrize(
    ("name", "language", "mood"),
    [
        ("complaint_en", "en", "negative"),
        ("complaint_ru", "ru", "negative"),
        ("meeting_en", "en", "neutral"),
        ("meeting_ru", "ru", "neutral"),
        ("lecture_en", "en", "neutral"),
        ("news_ru", "ru", "neutral"),
    ],
)
def test_an_angry_call_is_negative_and_a_sober_meeting_is_not(name, language, mood):
    assert read(name, language).sentiment == mood


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
