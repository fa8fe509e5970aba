"""What the model is taught to hear: some 120 English and 60 Russian words, in sentences and in plain word strings."""

import random

LANGUAGES = ("en", "ru")

ENGLISH_WORDS = (
    "the meeting starts on monday tuesday wednesday thursday friday at one two three four five six seven eight "
    "nine ten we need to send report team client will call tomorrow today please open close new project budget is "
    "ready not good bad time plan for next week our product launch in june july sales are up down by percent i "
    "think you can help with this thank everyone welcome hello first second question answer price and"
)
RUSSIAN_WORDS = (
    "привет команда встреча начинается в понедельник вторник среду четверг пятницу один два три четыре пять шесть "
    "семь восемь девять десять мы отправим отчет клиенту завтра сегодня новый проект бюджет готов не хорошо плохо "
    "время план на неделю наш продукт продажи выросли спасибо всем вопрос ответ цена и будет позвонит как дела все "
    "отлично клиент первый"
)
WORDS = {"en": ENGLISH_WORDS.split(), "ru": RUSSIAN_WORDS.split()}

TEMPLATES = {
    "en": (
        "the meeting starts on {day} at {number}",
        "we need to send the report to the client {when}",
        "the budget for the new project is {verdict}",
        "our product launch is in {month}",
        "sales are {direction} by {number} percent",
        "hello everyone welcome to the meeting",
        "please call the client {when}",
        "thank you everyone",
        "i think the plan is {verdict}",
        "the team will call you on {day}",
        "first question is the price",
        "this is the answer to the {ordinal} question",
    ),
    "ru": (
        "встреча начинается в {day}",
        "мы отправим отчет клиенту {when}",
        "бюджет {verdict}",
        "привет команда как дела",
        "все отлично спасибо",
        "продажи выросли на {number}",
        "наш новый проект {verdict}",
        "клиент позвонит {when}",
        "план на неделю готов",
        "спасибо всем",
        "первый вопрос цена",
    ),
}

SLOTS = {
    "en": {
        "day": ["monday", "tuesday", "wednesday", "thursday", "friday"],
        "number": ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"],
        "when": ["today", "tomorrow", "next week"],
        "verdict": ["ready", "not ready", "good", "bad"],
        "month": ["june", "july"],
        "direction": ["up", "down"],
        "ordinal": ["first", "second"],
    },
    "ru": {
        "day": ["понедельник", "вторник", "среду", "четверг", "пятницу"],
        "number": ["один", "два", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять", "десять"],
        "when": ["завтра", "сегодня"],
        "verdict": ["готов", "не готов"],
    },
}

TEMPLATE_SHARE = 0.35
LONGEST_WORD_STRING = {"en": 8, "ru": 6}


def make_sentence(language: str, rng: random.Random) -> str:
    """A sentence to teach or test with: by template, or (more often) words in no order, so that none is guessed."""
    if rng.random() < TEMPLATE_SHARE:
        return make_grammatical_sentence(language, rng)
    length = rng.randint(1, LONGEST_WORD_STRING[language])
    return " ".join(rng.choice(WORDS[language]) for _ in range(length))


def make_grammatical_sentence(language: str, rng: random.Random) -> str:
    """A sentence that somebody might say in a meeting."""
    template = rng.choice(TEMPLATES[language])
    return template.format(**{slot: rng.choice(choices) for slot, choices in SLOTS[language].items()})
