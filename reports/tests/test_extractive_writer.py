"""The built-in report writer on whole conversations: what a person would expect to read, not golden copies."""

import pytest

from reports.tests.spoken_texts import NEVER_TOPICS, every_text, read, report_on, spoken, whole
from reports.writers.extractive.language import load_language
from reports.writers.extractive.sentences import split_sentences


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
