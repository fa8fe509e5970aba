"""From segments to sentences that a person can read.

Whisper punctuates but cuts segments anywhere, so its text is joined and split anew. Other recognisers write bare
lower-case words; there a segment, a stretch between two pauses, is the best sentence there is.
"""

import re
from collections.abc import Iterator, Sequence

import sentencex

from jobs.transcript import Segment, Transcript
from reports.writers.extractive.language import Language
from reports.writers.extractive.lexicon import read_words

TERMINALS = ".!?…。！？।؟"
WORDS_PER_SENTENCE_END = 45
"""Fewer sentence ends than one in so many words, and the text counts as not punctuated."""
MAX_SENTENCE_WORDS = 80
MAX_SPOKEN_WORDS = 40
"""Longer sentences are cut: those a recogniser punctuated, and those between two pauses."""
MIN_SPOKEN_WORDS = 4
MAX_CREDIT_WORDS = 10
MAX_JOINING_GAP_SECONDS = 0.7

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_SOUND_TAG = re.compile(r"\[[^\]]{1,40}\]|\((?:[a-zа-яё ]{1,30})\)|[♪♫🎵]+|<[^>]{1,20}>", re.IGNORECASE)
_SUBTITLE_CREDIT = re.compile(
    r"(?:субтитры (?:сделал|создавал|подготовил|подогнал)|редактор субтитров|корректор [а-яё]\.|"
    r"subtitles by|transcribed by|captions by|amara\.org|thanks for watching|продолжение следует)",
    re.IGNORECASE,
)
"""What Whisper hears in silence: the credits of the films it learnt from."""
_STUTTER = re.compile(
    r"\b(?!(?:that|had|very|really|no|bye|так|очень|да|нет)\b)([\w']+)(?:,?\s+\1\b)+|\b([\w']+)(?:[,.]?\s+\2\b){2,}",
    re.IGNORECASE,
)
"""A word said twice by mistake ("the the"), or three times and more whatever it is."""
_SPACE = re.compile(r"\s+")
_CLAUSE_STARTS = read_words("clause_starts.txt")


def split_sentences(transcript: Transcript, language: Language) -> list[str]:
    """Everything said, as tidy sentences in order; sounds, hesitations and empty segments are left out."""
    segments = [(segment, text) for segment in transcript.segments if (text := _speech_of(segment.text))]
    raw = _split_punctuated(segments, language) if _is_punctuated(segments) else _split_at_pauses(segments)
    tidied = (tidy(sentence, language) for sentence in raw)
    return [sentence for sentence in tidied if has_words(sentence)]


def has_words(text: str) -> bool:
    return any(character.isalnum() for character in text)


def tidy(sentence: str, language: Language) -> str:
    """``sentence`` without hesitations and stutter, with a capital letter and a full stop."""
    text = sentence
    for _ in range(3):  # "Um, okay, so the budget": each one uncovers the next
        text = language.cues.filler.sub("", text).strip()
    text = language.spell(_STUTTER.sub(lambda match: match[1] or match[2], text))
    text = _SPACE.sub(" ", text).strip(" ,;:-–—")
    text = re.sub(r"\s+([,.!?;:])", r"\1", text)
    text = re.sub(r"[\s,;:–—-]+([.!?])$", r"\1", text)
    if not has_words(text):
        return ""
    text = text[0].upper() + text[1:]
    return text if text[-1] in TERMINALS + "\"'»”)" else text + "."


def _speech_of(text: str) -> str:
    """The words of a segment without sound tags; empty if it holds none or is a credit heard in silence."""
    text = _SPACE.sub(" ", _SOUND_TAG.sub(" ", _UNPRINTABLE.sub(" ", text))).strip()
    if len(text.split()) <= MAX_CREDIT_WORDS and _SUBTITLE_CREDIT.search(text):
        return ""
    return text if has_words(text) else ""


def _is_punctuated(segments: Sequence[tuple[Segment, str]]) -> bool:
    """Whether sentence ends are marked about as often as people end sentences."""
    text = " ".join(text for _, text in segments)
    ends = sum(text.count(mark) for mark in TERMINALS)
    return ends * WORDS_PER_SENTENCE_END >= len(text.split()) and ends > 0


def _split_punctuated(segments: Sequence[tuple[Segment, str]], language: Language) -> Iterator[str]:
    text = " ".join(text for _, text in segments)
    code = language.code if language.code != "und" else "en"
    for sentence in sentencex.segment(code, text):
        yield from _cut_long(sentence.split(), MAX_SENTENCE_WORDS)


def _split_at_pauses(segments: Sequence[tuple[Segment, str]]) -> Iterator[str]:
    """One sentence per segment; a scrap of a few words joins the one before if the pause between is short."""
    held: list[str] = []
    held_end = 0.0
    for segment, text in segments:
        words = text.split()
        is_scrap = min(len(held), len(words)) < MIN_SPOKEN_WORDS
        if held and not (is_scrap and segment.start - held_end <= MAX_JOINING_GAP_SECONDS):
            yield from _cut_long(held, MAX_SPOKEN_WORDS)
            held = []
        held, held_end = held + words, segment.end
    yield from _cut_long(held, MAX_SPOKEN_WORDS)


def _cut_long(words: list[str], limit: int) -> Iterator[str]:
    """``words`` as one piece, or halved until every piece is readable, before a conjunction where there is one."""
    if len(words) <= limit:
        yield " ".join(words)
        return
    middle = len(words) // 2
    reach = range(len(words) // 4, 3 * len(words) // 4)
    clause_starts = [i for i in reach if words[i].lower() in _CLAUSE_STARTS or words[i - 1][-1] in ",;:—"]
    cut = min(clause_starts, key=lambda i: abs(i - middle), default=middle)
    yield from _cut_long(words[:cut], limit)
    yield from _cut_long(words[cut:], limit)
