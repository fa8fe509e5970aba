"""How much of what was said a transcript has wrong, counted by jiwer in normalised words and characters."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import reduce
from typing import Any

import jiwer

_APOSTROPHES = str.maketrans("’ʼ`´", "''''")
_LONE_APOSTROPHE = re.compile(r"(?<!\w)'|'(?!\w)")


@dataclass(frozen=True, slots=True)
class Normalisation:
    """What is done to both texts before they are compared. ``yo_is_ye``: the Russian ё counts as е."""

    yo_is_ye: bool = True

    @property
    def description(self) -> str:
        ye = "ё is taken for е" if self.yo_is_ye else "ё and е are two letters"
        return (
            "Unicode NFKC; case is ignored; punctuation and symbols are blanks (so are hyphens), apostrophes inside of "
            f"words stay; {ye}. Numbers are not spelled out: 5 is not five"
        )

    def of(self, text: str) -> str:
        """The words of ``text`` with one blank between them, in any script."""
        text = unicodedata.normalize("NFKC", text).translate(_APOSTROPHES).casefold()
        if self.yo_is_ye:
            text = text.replace("ё", "е")
        text = "".join(char if char == "'" or unicodedata.category(char)[0] in "LMN" else " " for char in text)
        return " ".join(_LONE_APOSTROPHE.sub(" ", text).split())


@dataclass(frozen=True, slots=True)
class Counts:
    """Edits that turn the reference into the transcript, in words or in characters."""

    hits: int = 0
    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(mine + theirs for mine, theirs in zip(self._all, other._all, strict=True)))

    @property
    def _all(self) -> tuple[int, ...]:
        return self.hits, self.substitutions, self.deletions, self.insertions

    @property
    def errors(self) -> int:
        return self.substitutions + self.deletions + self.insertions

    @property
    def length(self) -> int:
        """Of the reference."""
        return self.hits + self.substitutions + self.deletions

    @property
    def rate(self) -> float | None:
        """Errors per word (or character) of the reference; None where the reference has none."""
        return self.errors / self.length if self.length else None


@dataclass(frozen=True, slots=True)
class Score:
    """Of one transcript, or of many together: then errors and words are added up, not the rates."""

    words: Counts = Counts()
    characters: Counts = Counts()

    def __add__(self, other: "Score") -> "Score":
        return Score(self.words + other.words, self.characters + other.characters)

    @property
    def wer(self) -> float | None:
        return self.words.rate

    @property
    def cer(self) -> float | None:
        return self.characters.rate

    def as_json(self) -> dict[str, Any]:
        return {"wer": self.wer, "cer": self.cer, "words": asdict(self.words), "characters": asdict(self.characters)}


def compare(reference: str, transcript: str) -> tuple[Score, str]:
    """The score of two normalised texts, and where they differ, for people to read."""
    words = jiwer.process_words(reference, transcript)
    characters = jiwer.process_characters(reference, transcript)
    differences = jiwer.visualize_alignment(words, show_measures=False, skip_correct=False, line_width=100)
    return Score(_counts(words), _counts(characters)), differences


def pooled(scores: Iterable[Score]) -> Score | None:
    """All of them as one; None for none."""
    scores = list(scores)
    return reduce(Score.__add__, scores) if scores else None


def _counts(found: jiwer.WordOutput | jiwer.CharacterOutput) -> Counts:
    return Counts(found.hits, found.substitutions, found.deletions, found.insertions)
