"""Whether a cleaned-up line still says what was said.

A model that summarises, translates, answers, obeys the recording or adds to it changes more letters, or more in one
place, than commas, capitals and misheard words need. Measured on the sentences of the test texts and on made-up ones:
corrected lines keep 0.76 of their letters and more, summaries and answers 0.55 at most, other sentences of the same
recording 0.52, close paraphrases 0.69, and translations between close languages (Spanish to Portuguese, Russian to
Ukrainian) up to 0.81, but few words whole. What stays open is one short word more, less or in the place of another:
nobody can tell a correction from a falsification there.
"""

import re
import unicodedata
from itertools import groupby

from rapidfuzz.distance import Levenshtein

MIN_LETTERS_KEPT = 0.75
MIN_WORDS_KEPT = 0.4
ALL_BUT_EQUAL = 0.9
"""With so many letters kept, words need not be: they may have been glued together or torn apart."""

MAX_LETTERS_GROWN = 6
MAX_LETTERS_EDITED = 12
"""In one place, between two words that stay: about one word more or less, and two words misheard."""


def is_faithful(original: str, cleaned: str) -> bool:
    """Whether ``cleaned`` differs from ``original`` in no more than punctuation, case and misheard words."""
    before, after = _words(original), _words(cleaned)
    if _digits(before) != _digits(after):
        return False
    letters_kept = Levenshtein.normalized_similarity("".join(before), "".join(after))
    if letters_kept < MIN_LETTERS_KEPT:
        return False
    if letters_kept < ALL_BUT_EQUAL and Levenshtein.normalized_similarity(before, after) < MIN_WORDS_KEPT:
        return False
    return all(_is_small(old, new) for old, new in _changes(before, after))


def _words(text: str) -> list[str]:
    text = unicodedata.normalize("NFKC", text).casefold().replace("ё", "е")
    return re.findall(r"\w+", re.sub(r"(?<=\w)['’](?=\w)", "", text))


def _digits(words: list[str]) -> str:
    return "".join(character for word in words for character in word if character.isdigit())


def _changes(before: list[str], after: list[str]) -> list[tuple[str, str]]:
    """What stood and what stands in each place that was changed, without spaces."""
    changes = []
    for is_equal, group in groupby(Levenshtein.opcodes(before, after), key=lambda code: code.tag == "equal"):
        if not is_equal:
            codes = list(group)
            old = before[codes[0].src_start : codes[-1].src_end]
            new = after[codes[0].dest_start : codes[-1].dest_end]
            changes.append(("".join(old), "".join(new)))
    return changes


def _is_small(old: str, new: str) -> bool:
    return abs(len(new) - len(old)) <= MAX_LETTERS_GROWN and Levenshtein.distance(old, new) <= MAX_LETTERS_EDITED
