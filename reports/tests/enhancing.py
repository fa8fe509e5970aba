"""The enhancer on a stub server, as the tests call it."""

import json

import pytest

from jobs.errors import ReportError
from jobs.tests.stubs.openai_answers import GOOD_REPORT, chat_answer
from jobs.tests.stubs.openai_server import STUB_KEY
from reports.enhancers.openai_api import OpenAIEnhancer
from reports.tests.openai_writer import material_in, spoken
from reports.writers.base import WriterConfig

ENGLISH = spoken("so we decided to ship on friday", " the second item is the rest around ", "yeah")
ENGLISH_CLEAN = ["So we decided to ship on Friday.", "The second item is the restaurant.", "Yeah."]
RUSSIAN = spoken("давайте обсудим бюжет на март", "ну и што будем делать", language="ru")
RUSSIAN_CLEAN = ["Давайте обсудим бюджет на март.", "Ну и что будем делать?"]


def enhancer_on(stub, *, part_characters=6_000, **options):
    settings = {"api_key": STUB_KEY, "base_url": stub.base_url, "model": "some/model", "timeout_seconds": 5.0}
    return OpenAIEnhancer(WriterConfig(**(settings | options)), part_characters=part_characters)


def enhance(enhancer, transcript=ENGLISH, beat=lambda: None):
    return enhancer.enhance(transcript, beat=beat)


def lines_in(request):
    """The numbered lines that were sent."""
    return {line["number"]: line["text"] for line in map(json.loads, material_in(request).splitlines())}


def lines_answer(lines, **options):
    """A model's answer that gives these texts to these numbers."""
    return chat_answer({"lines": [{"number": n, "text": text} for n, text in lines.items()]}, **options)


def texts_answer(*texts, **options):
    return lines_answer(dict(enumerate(texts, start=1)), **options)


def is_report(request):
    return "You write the report" in request.json["messages"][0]["content"]


def correcting(fix=str.capitalize):
    """A model that writes good reports, and corrects each line with ``fix``."""

    def answer(request):
        if is_report(request):
            return chat_answer(GOOD_REPORT)
        return lines_answer({number: fix(text) for number, text in lines_in(request).items()})

    return answer


def failure_of(enhancer, transcript=ENGLISH):
    with pytest.raises(ReportError) as caught:
        enhance(enhancer, transcript)
    return caught.value
