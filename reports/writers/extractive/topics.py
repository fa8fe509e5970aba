"""Key phrases: what is said in many sentences, in its longest form that is still said often (after C-value)."""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

from reports.writers.extractive.language import Language, Phrase
from reports.writers.extractive.ranking import Statement

MAX_TOPICS = 8
MIN_TOPICS = 3
WORDS_PER_TOPIC = 35
MAX_TOPIC_CHARACTERS = 60
MAX_FORMS = 50
EXTENDING_SHARE = 0.2
"""A word that stands in one and the same phrase this often is named by the phrase: "reef" as "coral reef"."""
LENGTH_BONUS = {1: 1.0, 2: 1.6, 3: 1.7}

Key = tuple[str, ...]


def key_phrases(statements: Sequence[Statement], language: Language) -> list[str]:
    """Up to ``MAX_TOPICS`` phrases, weightiest first; fewer for a short text, none where nothing is named."""
    occurrences: dict[Key, list[Phrase]] = defaultdict(list)
    spread: Counter[Key] = Counter()
    for statement in statements:
        if language.cues.courtesy.search(statement.text):
            continue
        in_sentence = {tuple(token.lemma for token in phrase): phrase for phrase in language.phrases(statement.tokens)}
        for key, phrase in in_sentence.items():
            spread[key] += 1
            if len(occurrences[key]) < MAX_FORMS:
                occurrences[key].append(phrase)
    words = sum(len(statement.tokens) for statement in statements)
    wanted = min(MAX_TOPICS, max(MIN_TOPICS, words // WORDS_PER_TOPIC))
    keys = _choose(_scores(spread, occurrences), spread, wanted)
    labels = [language.label(occurrences[key]) for key in keys]
    return list(dict.fromkeys(label for label in labels if len(label) <= MAX_TOPIC_CHARACTERS))


def _scores(spread: Counter[Key], occurrences: dict[Key, list[Phrase]]) -> dict[Key, float]:
    """A phrase counts in the sentences where it is not merely a part of a longer phrase that is a topic itself."""
    inside: Counter[Key] = Counter()
    for key, count in spread.items():
        if len(key) > 1 and count > 1:
            for part in _parts(key):
                inside[part] = max(inside[part], count)
    scores: dict[Key, float] = {}
    for key, count in spread.items():
        if len(key) == 1 and _is_spoken_to(occurrences[key]):
            continue
        alone = count - inside[key] + (0.3 if inside[key] else 0)
        familiarity = sum(math.log(1 + spread[(lemma,)]) for lemma in key) / len(key)
        names = sum(token.kind == "name" for token in occurrences[key][0]) / len(key)
        scores[key] = alone * (0.5 + familiarity) * LENGTH_BONUS[len(key)] * (1 - 0.4 * names)
        if count == 1 and len(key) == 1:
            scores[key] *= 0.5
    return scores


def _is_spoken_to(occurrences: Sequence[Phrase]) -> bool:
    """A name that mostly opens sentences: "Tom, please …"."""
    opening = sum(token.kind == "name" and token.is_first for (token,) in occurrences)
    return 2 * opening > len(occurrences)


def _choose(scores: dict[Key, float], spread: Counter[Key], wanted: int) -> list[Key]:
    """The best keys of which no two share a word."""
    longer = {key for key in scores if len(key) > 1 and spread[key] > 1}
    chosen: list[Key] = []
    for word in sorted(scores, key=lambda key: (-scores[key], key)):
        if len(chosen) == wanted:
            break
        key = _extended(word, longer, spread)
        if spread[key] == 1 and len(chosen) >= MIN_TOPICS:
            continue
        if all(set(key).isdisjoint(other) for other in chosen):
            chosen.append(key)
    return chosen


def _extended(key: Key, longer: set[Key], spread: Counter[Key]) -> Key:
    """The commonest of the ``longer`` phrases around a single word, if it is common enough."""
    if len(key) > 1:
        return key
    around = [phrase for phrase in longer if key[0] in phrase and spread[phrase] >= EXTENDING_SHARE * spread[key]]
    return max(around, key=lambda phrase: (spread[phrase], -len(phrase), phrase), default=key)


def _parts(key: Key) -> list[Key]:
    return [
        key[start:end] for start in range(len(key)) for end in range(start + 1, len(key) + 1) if end - start < len(key)
    ]
