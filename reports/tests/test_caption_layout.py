"""How captions are cut: the limits as openai-whisper means them."""

import pytest

from jobs.transcript import Segment, Transcript, Word
from reports.formats.base import Layout, milliseconds
from reports.formats.cues import cut_cues

TEXT = "one two three four five six"


def words(text, start, step=0.5):
    return tuple(Word(start + step * n, start + step * (n + 1), f" {word}") for n, word in enumerate(text.split()))


def told(first_text=TEXT, second_text="seven eight", second_start=3.0, words_of=words):
    segments = []
    for text, start in ((first_text, 0.0), (second_text, second_start)):
        spoken = words_of(text, start)
        segments.append(Segment(start, start + 0.5 * len(text.split()), f" {text}", spoken))
    return Transcript(tuple(segments), "en")


def shown(transcript, **limits):
    return [(cue.start_ms, cue.end_ms, *cue.lines) for cue in cut_cues(transcript, Layout(**limits))]


def test_without_limits_a_cue_is_a_segment_in_one_line():
    assert shown(told()) == [(0, 3000, TEXT), (3000, 4000, "seven eight")]


def test_a_width_alone_wraps_lines_and_leaves_cues_as_they_are():
    assert shown(told(), max_line_width=13) == [
        (0, 3000, "one two three", "four five six"),
        (3000, 4000, "seven eight"),
    ]


def test_a_line_count_alone_has_no_effect():
    assert shown(told(), max_line_count=1) == shown(told())


def test_width_and_count_together_fill_cues_across_segments():
    assert shown(told(), max_line_width=13, max_line_count=2) == [
        (0, 3000, "one two three", "four five six"),
        (3000, 4000, "seven eight"),
    ]
    assert shown(told(), max_line_width=9, max_line_count=2) == [
        (0, 1500, "one two", "three"),
        (1500, 3500, "four five", "six seven"),
        (3500, 4000, "eight"),
    ]
    assert shown(told(), max_line_width=15, max_line_count=1) == [
        (0, 1500, "one two three"),
        (1500, 3000, "four five six"),
        (3000, 4000, "seven eight"),
    ]
    assert shown(told(), max_line_width=20, max_line_count=1) == [
        (0, 2000, "one two three four"),
        (2000, 4000, "five six seven eight"),
    ]


def test_no_cue_reaches_over_a_long_pause():
    limits = {"max_line_width": 100, "max_line_count": 2}
    assert len(shown(told(second_start=6.0), **limits)) == 1
    assert shown(told(second_start=6.001), **limits) == [(0, 3000, TEXT), (6001, 7001, "seven eight")]


def test_a_number_of_words_cuts_each_segment_into_cues_at_the_words_times():
    assert shown(told(), max_words_per_line=4) == [
        (0, 2000, "one two three four"),
        (2000, 3000, "five six"),
        (3000, 4000, "seven eight"),
    ]


def test_words_and_a_width_give_cues_of_so_many_words_in_lines_of_that_width():
    assert shown(told(), max_words_per_line=4, max_line_width=9)[:2] == [
        (0, 2000, "one two", "three", "four"),
        (2000, 3000, "five six"),
    ]


def test_beside_width_and_count_the_number_of_words_has_no_effect():
    limits = {"max_line_width": 9, "max_line_count": 2}
    assert shown(told(), max_words_per_line=1, **limits) == shown(told(), **limits)


def test_a_word_longer_than_the_line_stays_whole():
    assert shown(told("a incomprehensibilities b"), max_line_width=5)[0][2:] == ("a", "incomprehensibilities", "b")


def test_without_word_times_a_segments_time_is_shared_out_by_characters():
    assert shown(told("aaaa aaaa aaaa", words_of=lambda *_: ()), max_words_per_line=1)[:3] == [
        (0, 500, "aaaa"),
        (500, 1000, "aaaa"),
        (1000, 1500, "aaaa"),
    ]


def test_chinese_is_cut_between_characters_and_never_before_a_full_stop():
    said = Transcript((Segment(0, 8, "大家早上好。再见!"),), "zh")
    assert [cue[2:] for cue in shown(said, max_line_width=5)] == [("大家早上", "好。再见!")]


def bare(text, start):
    """As OpenAI's own server gives them: without blanks and punctuation."""
    return tuple(
        Word(word.start, word.end, word.word.strip(' ".,—')) for word in words(text, start) if word.word != " —"
    )


def test_words_without_their_punctuation_find_it_in_the_text():
    said = told('He said: "No, never." — Well', words_of=lambda text, start: bare(text, start))
    assert [cue[2] for cue in shown(said, max_words_per_line=2)[:3]] == ["He said:", '"No, never." —', "Well"]


@pytest.mark.parametrize("heard", ["other words than these", "one two six five"])
def test_words_that_are_not_the_texts_are_not_believed(heard):
    said = told(words_of=lambda text, start: words(heard, start))
    assert shown(said, max_words_per_line=3) == shown(told(words_of=lambda *_: ()), max_words_per_line=3)


@pytest.mark.parametrize("step", [-0.4, 0.0, 9.0])
def test_words_with_times_that_cannot_be_stay_within_their_segment(step):
    said = told(words_of=lambda text, start: words(text, start, step))
    cues = shown(said, max_words_per_line=1)
    assert len(cues) == 8
    assert all(0 <= start <= end <= 3000 for start, end, _ in cues[:6])
    assert (cues[0][0], cues[5][1]) == (0, 3000)
    assert [cue[0] for cue in cues] == sorted(cue[0] for cue in cues)


@pytest.mark.parametrize(("seconds", "expected_ms"), [(0.0005, 1), (59.9996, 60_000), (-0.2, 0), (0.1 + 0.2, 300)])
def test_times_are_rounded_once_as_the_saved_ones_are(seconds, expected_ms):
    assert milliseconds(seconds) == expected_ms == max(0, round(seconds, 3) * 1000)
