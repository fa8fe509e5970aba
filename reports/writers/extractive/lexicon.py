"""The word lists under ``data/``: plain text, words between blanks, ``#`` opens a comment line."""

from collections.abc import Iterator
from pathlib import Path

DATA = Path(__file__).parent / "data"


def read_words(file_name: str) -> frozenset[str]:
    return frozenset(word for line in _lines(file_name) for word in line.split())


def read_valences(file_name: str) -> dict[str, float]:
    """A sentiment lexicon; every line is a valence and the words that carry it."""
    valences: dict[str, float] = {}
    for line in _lines(file_name):
        valence, *words = line.split()
        valences.update(dict.fromkeys(words, float(valence)))
    return valences


def _lines(file_name: str) -> Iterator[str]:
    text = (DATA / file_name).read_text(encoding="utf-8")
    return (line for line in text.splitlines() if line and not line.startswith("#"))
