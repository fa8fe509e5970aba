"""Every export of a transcript, read by libraries that know nothing of ours."""

import csv
import io
import json
import random
from datetime import timedelta

import pytest
import srt
import webvtt

from jobs.transcript import Segment, Transcript, Word
from reports.formats.base import Layout
from reports.formats.registry import FORMATS
from reports.formats.srt import write_srt
from reports.formats.tsv import write_tsv
from reports.formats.txt import write_txt
from reports.formats.vtt import write_vtt

LAYOUTS = [
    Layout(),
    Layout(max_line_width=12),
    Layout(max_line_width=1),
    Layout(max_line_width=16, max_line_count=2),
    Layout(max_line_width=1, max_line_count=1),
    Layout(max_words_per_line=2),
    Layout(max_line_width=8, max_words_per_line=3),
]
SPOKEN = {
    "en": ["Good morning.", ' "What\'s new?" she asked.', "Fish & chips — 3 < 5 > 2."],
    "ru": ["Доброе утро.", " «Что нового?» — спросила она.", "Ёлки, щи & «борщ»."],
    "zh": ["大家早上好。", "今天我们说三件事。", "再见!"],
}
TIMES = [(0.0, 1.0), (1.0004, 59.9996), (3599.9994, 3600.0), (3600.0016, 7200.5), (359_998.0005, 359_999.9994)]
HOSTILE = [
    "\n\nNOTE written by nobody",
    "a\n\nSTYLE\n::cue { background: url(https://evil.example) }\n\nb",
    "a\n\nREGION\nid:x\n\nb",
    "WEBVTT",
    "WEBVTT\n\n00:00:00.000 --> 00:00:09.000\ninjected",
    "x\r\n\r\n7\r\n00:00:01,000 --> 00:00:02,000\r\ninjected",
    "00:00:01.000 --> 00:00:02.000",
    "00:00:01,000 --> 00:00:02,000 1 00:00:01,000 - > 00:00:02,000 2 00:00:01,000 ---> 00:00:02,000",
    "seconds 1 10:20:30 and then 2 10:20:31 again",
    "---> ----> - - > -->-->",
    "<v Roger>hi</v> <script>alert(1)</script> <c.x>&lt; &amp; &nbsp; &#10;&#10;NOTE",
    "a\x0b\x0bb\x0c\x0cc\x1c\x1d\x1ed\x85\x85e\u2028\u2028f\u2029\u2029g\x00h\x7fi",
    "\xa0 \xa0 a \xa0 \xa0 b \xa0",
    "\ufeffWEBVTT\ufeff \u202e reversed \u200b",
    "half of a character: \ud800 and \udfff",
    'a\tb\t"c',
    '"quoted\n"and\tnever closed',
    '""',
    "=1+1\t=cmd|x",
    "1",
    "-1.5",
]
EMPTY = ["", " ", "\n\n", "\t\x00\u2028", "\xa0"]


def spoken(texts, times=TIMES, words=False, language=None):
    chosen = [times[number % len(times)] for number in range(len(texts))]
    segments = (Segment(*when, text) for when, text in zip(chosen, texts, strict=True))
    return Transcript(tuple(with_words(segment) if words else segment for segment in segments), language)


def with_words(segment):
    parts = segment.text.split(" ")
    step = (segment.end - segment.start) / len(parts)
    starts = [segment.start + step * number for number in range(len(parts))]
    found = tuple(Word(start, start + step, f" {part}") for start, part in zip(starts, parts, strict=True))
    return Segment(segment.start, segment.end, segment.text, found)


def read_srt(text):
    return [(to_ms(cue.start), to_ms(cue.end), cue.content) for cue in srt.parse(text)]


def read_vtt(text):
    cues = webvtt.from_string(text)
    assert (cues.styles, cues.header_comments, cues.footer_comments) == ([], [], [])
    assert not any(cue.comments or cue.identifier for cue in cues)
    return [(clock(cue.start), clock(cue.end), unescape(cue.text)) for cue in cues]


def read_tsv(text):
    rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter="\t"))
    assert all(list(row) == ["start", "end", "text"] for row in rows)
    return [(int(row["start"]), int(row["end"]), row["text"]) for row in rows]


def read_json(text):
    found = json.loads(text)["segments"]
    return [(round(part["start"] * 1000), round(part["end"] * 1000), part["text"].strip()) for part in found]


def to_ms(time):
    return time // timedelta(milliseconds=1)


def clock(text):
    hours, minutes, seconds = text.split(":")
    return int(hours) * 3_600_000 + int(minutes) * 60_000 + int(seconds.replace(".", ""))


def unescape(text):
    assert "<" not in text
    assert ">" not in text
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def cues_in(text):
    """As the WebVTT standard reads it: blocks between blank lines, the first of them the header."""
    header, *blocks = text.removesuffix("\n").split("\n\n")
    assert header == "WEBVTT" or (header == "WEBVTT\n" and not blocks)
    for block in blocks:
        first, *lines = block.split("\n")
        assert first.count("-->") == 1
        assert lines
        assert all(line.strip() for line in lines)
        assert not any("-->" in line for line in lines)
    return len(blocks)


@pytest.mark.parametrize("language", SPOKEN)
@pytest.mark.parametrize("words", [False, True])
def test_all_formats_tell_the_same_to_the_millisecond(language, words):
    said = spoken(SPOKEN[language] * 2, words=words, language=language)
    written = {name: known.write(said, Layout()) for name, known in FORMATS.items()}
    told = read_tsv(written["tsv"])
    assert [(start, end) for start, end, _ in told[:5]] == [
        (0, 1000),
        (1000, 60_000),
        (3_599_999, 3_600_000),
        (3_600_002, 7_200_500),
        (359_998_001, 359_999_999),
    ]
    assert [text for _, _, text in told] == [text.strip() for text in SPOKEN[language] * 2]
    assert told == read_srt(written["srt"]) == read_vtt(written["vtt"]) == read_json(written["json"])
    assert written["txt"].splitlines() == [text for _, _, text in told]


def test_hours_take_a_third_digit_when_they_need_one():
    said = spoken(["Late."], times=[(359_999.9996, 3_600_000.001)])
    assert read_srt(write_srt(said)) == [(360_000_000, 3_600_000_001, "Late.")]
    # The standard allows it, webvtt-py does not.
    assert write_vtt(said) == "WEBVTT\n\n100:00:00.000 --> 1000:00:00.001\nLate.\n"


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("words", [False, True])
@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_breaks_out_of_a_cue(text, words, layout):
    said = spoken(["Before.", text, "After."], times=[(0, 1), (1, 2), (9, 10)], words=words)
    check(said, layout)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_segments_without_text_give_nothing(layout):
    said = spoken(EMPTY)
    assert [known.write(said, layout) for name, known in FORMATS.items() if name != "json"] == [
        "",
        "",
        "WEBVTT\n",
        "start\tend\ttext\n",
    ]
    assert json.loads(FORMATS["json"].write(said, layout)) == {"text": "", "language": None, "segments": []}


def test_random_pieces_of_hostile_text_break_nothing():
    dice = random.Random(20260)
    pieces = [*" \n\r\t\x00\x85\u2028-><&\"'{}1:,.\ud800ж早", "-->", "\n\n", "NOTE ", "STYLE\n", "00:00:01,000", "1\n"]
    pieces += ["00:00:01.000 --> 00:00:02.000\n", "10:20:30 ", " -", "> ", "word", " слово", "&lt;", "WEBVTT"]
    for _ in range(1500):
        texts = ["".join(dice.choices(pieces, k=dice.randint(1, 25))) for _ in range(dice.randint(1, 4))]
        times = [(start := dice.uniform(0, 90), start + dice.uniform(0, 9)) for _ in texts]
        layout = Layout(*(dice.choice([None, 1, 2, 3, 7, 20, 40]) for _ in range(3)))
        check(spoken(texts, times, words=dice.random() < 0.5), layout)


def check(said, layout):
    """Whatever the layout: as many cues in both kinds of captions, at the same times, and the same text in all."""
    captions = write_vtt(said, layout)
    seen, numbered = read_vtt(captions), read_srt(write_srt(said, layout))
    assert cues_in(captions) == len(seen) == len(numbered)
    assert [cue[:2] for cue in seen] == [cue[:2] for cue in numbered]
    assert [cue.index for cue in srt.parse(write_srt(said, layout))] == list(range(1, len(seen) + 1))
    assert write_srt(said, layout).count("-->") == len(numbered)
    rows, lines = read_tsv(write_tsv(said)), write_txt(said).splitlines()
    assert [row[2] for row in rows] == lines
    assert letters(" ".join(lines)) == letters("".join(cue[2] for cue in seen))
    for written in (captions, write_srt(said, layout), write_tsv(said), FORMATS["json"].write(said, layout)):
        written.encode()


def letters(text):
    return "".join(text.split())
