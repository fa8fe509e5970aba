"""Any other language: Snowball's stemmer and stopwordsiso's stop words where they know it.

No parts of speech, so a topic is a run of words between stop words; no sentiment lexicon, so the mood is neutral.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

import snowballstemmer
import stopwordsiso

from reports.writers.extractive.language import Cues, Phrase, Token, most_said, stretches_ending_at

MIN_TOPIC_LETTERS = 4

_SNOWBALL = {
    "ar": "arabic", "hy": "armenian", "eu": "basque", "ca": "catalan", "cs": "czech", "da": "danish", "nl": "dutch",
    "eo": "esperanto", "et": "estonian", "fi": "finnish", "fr": "french", "de": "german", "el": "greek", "hi": "hindi",
    "hu": "hungarian", "id": "indonesian", "ga": "irish", "it": "italian", "lt": "lithuanian", "ne": "nepali",
    "no": "norwegian", "nn": "norwegian", "fa": "persian", "pl": "polish", "pt": "portuguese", "ro": "romanian",
    "sr": "serbian", "es": "spanish", "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip

_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
"""Thai, Lao, Burmese, Khmer, kana and Han: written without spaces, so two characters stand for a word."""
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|\d+")
_NEVER = re.compile(r"(?!)")
_CUES = Cues(
    courtesy=_NEVER,
    outcome=_NEVER,
    emphasis=_NEVER,
    figure=re.compile(r"\d"),
    dangling=_NEVER,
    rambling=_NEVER,
    acknowledgement=_NEVER,
    filler=re.compile(r"\b(?:u+h+m*|u+m+|h+m+)\b[,.]?", re.IGNORECASE),
)


class Other:
    empty_summary = "…"
    cues = _CUES

    def __init__(self, code: str) -> None:
        self.code = code
        stem = snowballstemmer.stemmer(_SNOWBALL[code]).stemWord if code in _SNOWBALL else str
        self._stem = lru_cache(maxsize=50_000)(stem)
        self._stop_words = frozenset(stopwordsiso.stopwords(code)) if stopwordsiso.has_lang(code) else frozenset()

    def tokens(self, sentence: str) -> list[Token]:
        words: list[str] = []
        for run in _WORD.findall(sentence):
            pairs = [run[i : i + 2] for i in range(len(run) - 1)]
            words.extend(pairs if pairs and _UNSPACED.search(run) else [run])
        return [self._token(word, is_first=i == 0) for i, word in enumerate(words)]

    def spell(self, text: str) -> str:
        return text

    def phrases(self, tokens: Sequence[Token]) -> list[Phrase]:
        return [phrase for end in range(len(tokens)) for phrase in stretches_ending_at(tokens, end)]

    def label(self, occurrences: Sequence[Phrase]) -> str:
        return most_said(" ".join(token.text for token in phrase) for phrase in occurrences)

    def valence(self, sentence: str) -> float:
        return 0.0

    def _token(self, word: str, *, is_first: bool) -> Token:
        lower = word.lower()
        is_content = lower not in self._stop_words and (len(lower) > 2 or bool(_UNSPACED.search(lower)))
        # Without a stop-word list every "the" would be a topic; in unspaced scripts a pair of characters is no phrase.
        can_be_topic = bool(self._stop_words) and is_content and len(lower) >= MIN_TOPIC_LETTERS
        is_noun = can_be_topic and not _UNSPACED.search(lower) and not lower.isdigit()
        return Token(word, self._stem(lower), lower, "noun" if is_noun else "other", is_content, is_first)
