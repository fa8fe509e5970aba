"""What the extractive writer asks of a language, and which module answers for it.

Languages are registered by dotted path and imported on first use: their dictionaries take a second to load.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pkgutil import resolve_name
from typing import Literal, Protocol

from reports.writers.extractive.lexicon import read_words

TokenKind = Literal["noun", "name", "adjective", "other"]


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a sentence.

    ``stem`` is what the forms of related words share (for comparing sentences), ``lemma`` what the forms of one word
    share (for counting phrases). ``is_content`` is False for stop words and fillers; ``is_first`` marks the first
    word of a sentence, whose capital letter says nothing.
    """

    text: str
    stem: str
    lemma: str
    kind: TokenKind = "other"
    is_content: bool = False
    is_first: bool = False


Phrase = tuple[Token, ...]


@dataclass(frozen=True, slots=True)
class Cues:
    """Patterns, searched in a sentence, that tell what kind of sentence it is.

    ``courtesy``: greetings, thanks and the running of the meeting. ``outcome``: decisions, proposals, deadlines;
    ``emphasis``: weaker signs that it matters: duties, reasons, solutions. ``figure``: numbers, sums, dates.
    ``dangling``: leans on the sentence before. ``rambling``: thinking aloud. ``acknowledgement``: "Okay, good." at the
    start, which is no opinion. ``filler``: hesitations to leave out when reading.
    """

    courtesy: re.Pattern[str]
    outcome: re.Pattern[str]
    emphasis: re.Pattern[str]
    figure: re.Pattern[str]
    dangling: re.Pattern[str]
    rambling: re.Pattern[str]
    acknowledgement: re.Pattern[str]
    filler: re.Pattern[str]


class Language(Protocol):
    """One language's knowledge. Instances are built once per process and hold their dictionaries."""

    code: str
    cues: Cues
    empty_summary: str

    def tokens(self, sentence: str) -> list[Token]:
        """The words of ``sentence``, in order."""

    def spell(self, text: str) -> str:
        """``text`` with the capital letters that the language asks for wherever the word stands."""

    def phrases(self, tokens: Sequence[Token]) -> list[Phrase]:
        """Every stretch of ``tokens`` that could be a topic, parts of longer stretches included."""

    def label(self, occurrences: Sequence[Phrase]) -> str:
        """How to write a topic that was said in these forms."""

    def valence(self, sentence: str) -> float:
        """The mood of ``sentence``: -1 (bad) .. 1 (good), 0 where nothing tells."""


LANGUAGES = {
    "en": "reports.writers.extractive.english.English",
    "ru": "reports.writers.extractive.russian.Russian",
}
OTHER_LANGUAGE = "reports.writers.extractive.other.Other"

MAX_PHRASE_WORDS = 3

_COMMON_WORDS = {"en": read_words("en_common.txt"), "ru": read_words("ru_common.txt")}


@lru_cache(maxsize=8)
def load_language(code: str) -> Language:
    """The knowledge of language ``code`` (ISO 639-1); of any other one, what can be said without a dictionary."""
    language: Language = resolve_name(LANGUAGES.get(code, OTHER_LANGUAGE))(code)
    return language


def stretches_ending_at(tokens: Sequence[Token], end: int) -> Iterator[Phrase]:
    """``tokens[end]`` alone, then with the tokens before it, for as long as each of them could be part of a topic."""
    for start in range(end, max(end - MAX_PHRASE_WORDS, -1), -1):
        if tokens[start].kind == "other":
            return
        yield tuple(tokens[start : end + 1])


def most_said(spellings: Iterable[str]) -> str:
    """The commonest of ``spellings``; of equally common ones, the last in the alphabet."""
    counts = Counter(spellings)
    return max(counts, key=lambda spelling: (counts[spelling], spelling))


def guess_language(text: str) -> str:
    """``en`` or ``ru`` if a tenth of the words are that language's commonest ones, else ``und`` (undetermined)."""
    counts = Counter(re.findall(r"\w+", text[:20_000].lower()))
    total = counts.total()
    shares = {code: sum(counts[word] for word in words) / max(total, 1) for code, words in _COMMON_WORDS.items()}
    best = max(shares, key=lambda code: shares[code])
    return best if shares[best] >= 0.1 else "und"
