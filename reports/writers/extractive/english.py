"""English: TextBlob's part-of-speech tagger, Snowball's stemmer, VADER's sentiment lexicon.

All three ship their data inside the package; nothing is downloaded.
"""

import re
import warnings
from collections.abc import Sequence
from functools import lru_cache

import snowballstemmer
import textblob.en
from textblob.en.inflect import singularize
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from reports.writers.extractive.language import (
    Cues,
    Phrase,
    Token,
    TokenKind,
    most_said,
    stretches_ending_at,
)
from reports.writers.extractive.lexicon import read_words

_ADJECTIVE_ENDINGS = ("ous", "ful", "idic", "etic", "atic", "istic")

_VAGUE_NOUNS = read_words("en_vague_nouns.txt")
_VAGUE_ALONE = read_words("en_vague_alone.txt")
_VAGUE_ADJECTIVES = read_words("en_vague_adjectives.txt")
_LIGHT_VERBS = read_words("en_light_verbs.txt")
_COURTESY_WORDS = read_words("en_courtesy.txt")

_DATES = (
    r"monday|tuesday|wednesday|thursday|friday|saturday|sunday|january|february|april|june|july|august|september|"
    r"october|november|december|easter|christmas"
)
_CAPITALISED = re.compile(rf"\bi\b(?!\.)|\b(?:{_DATES}|english)\b")
_LOOSE_CONTRACTION = re.compile(r"(?<=\w) '(?=(?:s|m|d|t|re|ve|ll)\b)")

_CUES = Cues(
    courtesy=re.compile(
        r"\b(?:good (?:morning|afternoon|evening|night)|thank(?:s| you)|welcome|hello|hi|hey|bye|goodbye|nice day|"
        r"can (?:you|everyone|everybody) (?:all )?hear|hear me|share my screen|next slide|on the agenda|"
        r"let's (?:get started|start|begin|move on)|get started|before we (?:begin|start)|are we ready|"
        r"(?:any|any other|anybody) questions|anything else|no problem|that is all|that's all|"
        r"my name is|i'm \w+ and this is|how can i help|we are (?:just )?waiting|"
        r"does (?:every|any)(?:body|one)|sounds (?:good|reasonable|great))\b",
        re.IGNORECASE,
    ),
    outcome=re.compile(
        r"\b(?:decid(?:e|ed|ing)|decisions?|agreed?|approv\w+|propos\w+|suggest\w*|recommend\w*|plan(?:s|ned|ning)?|"
        r"deadline|due|responsible|postpone\w*|cancel\w*|refund\w*|hir(?:e|ed|ing)|action items?|"
        r"move[sd]? (?:from|to)|delay(?:s|ed)?|remains?|"
        rf"(?:by|until|before) (?:the end|next|tomorrow|{_DATES}))\b",
        re.IGNORECASE,
    ),
    emphasis=re.compile(
        r"\b(?:will|won't|going to|needs? to|have to|has to|must|should|wants? to|requires?|solutions?|because|"
        r"reasons?|result(?:s|ed)? in|causes?|is called|the (?:only|main|biggest|most important))\b",
        re.IGNORECASE,
    ),
    figure=re.compile(
        r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty|sixty|"
        rf"seventy|eighty|ninety|hundred|thousand|million|billion|percent|double|half|{_DATES}|"
        r"\w+(?:teen|tie)th|(?:first|second|third|\w+th) of \w+|(?:of|in|on|by|until|before|since) (?:march|may))\b",
        re.IGNORECASE,
    ),
    dangling=re.compile(
        r"^(?:it|that|this|these|those|they|them|he|she|him|her|his|and|but|or|so|because|then|which|who|there|here|"
        r"yes|yeah|no|right|what|why|if it|if that|on top|in return|like|also|such|where|be|"
        r"'?cause|the other)\b|\b(?:that|and|or|but|so|because|the|a|of|to|is|was)[.…]?$",
        re.IGNORECASE,
    ),
    rambling=re.compile(
        r"\b(?:i mean|you know|i guess|i suppose|i dunno|i don't know|sort of|kind of|or something|whatever)\b",
        re.IGNORECASE,
    ),
    acknowledgement=re.compile(
        r"^(?:(?:okay|ok|very good|good|great|fine|right|sure|yes|yeah|no|well|perfect|cool|all right|alright|"
        r"excellent)"
        r"[,.!?\s]+)+",
        re.IGNORECASE,
    ),
    filler=re.compile(
        r"(?:,\s*)?\b(?:u+h+m*|u+m+|erm*|h+m+|m{2,}(?:-h+m+)?|uh-huh)\b[,.]?"
        r"|,\s*(?:you know|i mean|like|sort of|kind of)(?=,)"
        r"|^(?:(?:(?:so|well|okay|ok|yeah|yes|right|now|all ?right|sure|fine|great|very good|oh|anyway|i mean|"
        r"you know|look),\s+|"
        r"(?:okay|ok|yeah|uh|um)\.?\s+)+)"
        r"|^(?:so|well|okay|now|and)\s+(?=(?:the|we|i|you|they|our|my|a|an|to)\b)",
        re.IGNORECASE,
    ),
)


class English:
    empty_summary = "The recording holds no speech that could be summarised."
    cues = _CUES

    def __init__(self, code: str) -> None:
        self.code = code
        self._stem = lru_cache(maxsize=50_000)(snowballstemmer.stemmer("english").stemWord)
        self._singular = lru_cache(maxsize=50_000)(_singular)
        self._analyzer = SentimentIntensityAnalyzer()
        for word in _COURTESY_WORDS:
            self._analyzer.lexicon.pop(word, None)
        with warnings.catch_warnings():  # TextBlob leaves its lexicon file open while it loads
            warnings.simplefilter("ignore", ResourceWarning)
            textblob.en.tag("warm up")

    def tokens(self, sentence: str) -> list[Token]:
        # The tagger marks up its output with slashes, so a slash in the text would be read as one.
        tagged = textblob.en.tag(sentence.replace("/", " ").replace("’", "'"))
        return [self._token(word, tag, is_first=i == 0) for i, (word, tag) in enumerate(tagged)]

    def spell(self, text: str) -> str:
        text = _LOOSE_CONTRACTION.sub("'", text)
        return _CAPITALISED.sub(lambda match: match[0][0].upper() + match[0][1:], text)

    def phrases(self, tokens: Sequence[Token]) -> list[Phrase]:
        found: list[Phrase] = []
        for end, token in enumerate(tokens):
            if token.kind not in ("noun", "name"):
                continue
            found.extend(filter(self._is_topic, stretches_ending_at(tokens, end)))
        return found

    def label(self, occurrences: Sequence[Phrase]) -> str:
        return most_said(" ".join(_written(token) for token in phrase) for phrase in occurrences)

    def valence(self, sentence: str) -> float:
        opinion = _CUES.acknowledgement.sub("", _CUES.courtesy.sub(" ", sentence))
        return float(self._analyzer.polarity_scores(opinion)["compound"])

    def _is_topic(self, phrase: Phrase) -> bool:
        """Not opened by an adjective that says nothing or merely praises or blames, no vague noun in it."""
        opening = phrase[0].text.lower()
        if len(phrase) == 1 and opening in _VAGUE_ALONE:
            return False
        if phrase[0].kind == "adjective" and (opening in _VAGUE_ADJECTIVES or opening in self._analyzer.lexicon):
            return False
        return not any(token.text.lower() in _VAGUE_NOUNS for token in phrase)

    def _token(self, word: str, tag: str, *, is_first: bool) -> Token:
        lower = word.lower()
        kind = _kind(lower, tag)
        is_word = any(character.isalpha() for character in word)
        is_content = (
            is_word
            and len(lower) > 1
            and tag[:2] in ("NN", "VB", "JJ", "FW")
            and lower not in _LIGHT_VERBS
            and lower not in _VAGUE_NOUNS
        )
        lemma = self._singular(lower) if kind in ("noun", "name") else lower
        return Token(word, self._stem(lower), lemma, kind, is_content, is_first)


def _kind(lower: str, tag: str) -> TokenKind:
    if not lower[:1].isalpha() or len(lower.rstrip(".")) < 2 or lower in _LIGHT_VERBS or "'" in lower:
        return "other"
    if tag.startswith("NNP"):
        return "name"
    if tag == "NN" and lower.endswith(_ADJECTIVE_ENDINGS):
        return "adjective"  # unknown words are tagged as nouns
    if tag.startswith("NN"):
        return "noun"
    return "adjective" if tag.startswith("JJ") else "other"


def _written(token: Token) -> str:
    is_acronym = token.text.isupper() and len(token.text) > 1
    return token.text if is_acronym or (token.kind == "name" and not token.is_first) else token.text.lower()


def _singular(noun: str) -> str:
    return noun if noun.endswith(("ss", "us", "is")) else str(singularize(noun))
