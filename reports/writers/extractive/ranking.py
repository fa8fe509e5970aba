"""Which sentences say most (LexRank, Erkan and Radev 2004), and how to pick without repeating (MMR).

A ten-hour recording has some ten thousand sentences; only ``MAX_CANDIDATES`` of them, spread over the recording, are
compared with one another, so the largest matrix is 600 by 600.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reports.writers.extractive.language import Cues, Token

MAX_CANDIDATES = 600
BLOCKS = 30
DAMPING = 0.85
SAME_SENTENCE = 0.8
CROWDING = 0.15
NEIGHBOURHOOD = 0.1
"""Share of the recording within which two picked sentences count as neighbours."""

Scores = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence with its words. ``position`` counts from 0 through the whole transcript."""

    position: int
    text: str
    tokens: tuple[Token, ...]

    @property
    def stems(self) -> list[str]:
        return [token.stem for token in self.tokens if token.is_content]


@dataclass(frozen=True, slots=True)
class Ranking:
    """Candidates in order of time; ``score`` and the rows of ``similarity`` (cosine, 0..1) follow their order."""

    candidates: list[Statement]
    centrality: Scores
    quality: Scores
    outcome: Scores
    figure: Scores
    similarity: Matrix


def rank(statements: Sequence[Statement], cues: Cues) -> Ranking:
    """Score the ``statements`` worth comparing. Every score is 0..1."""
    frequency = Counter(stem for statement in statements for stem in set(statement.stems))
    candidates = _candidates(statements, frequency, cues)
    vectors = _tf_idf(candidates, frequency, len(statements))
    similarity = vectors @ vectors.T
    weight = np.array([_weight(statement, frequency) for statement in candidates])
    return Ranking(
        candidates=candidates,
        centrality=0.5 * _scaled(_lexrank(similarity)) + 0.5 * _scaled(weight),
        quality=np.array([readability(statement, cues) for statement in candidates]),
        outcome=np.array([_outcome(statement, cues) for statement in candidates]),
        figure=np.array([float(bool(cues.figure.search(statement.text))) for statement in candidates]),
        similarity=similarity,
    )


def pick(
    ranking: Ranking, score: Scores, count: int, *, taken: Sequence[int] = (), diversity: float = 0.5
) -> list[int]:
    """Up to ``count`` rows by maximal marginal relevance (Carbonell and Goldstein 1998), best first.

    None repeats another one or a row of ``taken``, in words or, as a softer rule, by standing next to it, so that the
    picks cover the whole recording. Rows with a score of 0 are never picked.
    """
    chosen: list[int] = []
    likeness, nearness = np.zeros(len(score)), np.zeros(len(score))
    rows = np.arange(len(score))
    free = score > 0
    waiting = list(taken)
    while True:
        for row in waiting:
            likeness = np.maximum(likeness, ranking.similarity[:, row])
            nearness = np.maximum(nearness, np.exp(-np.abs(rows - row) / (NEIGHBOURHOOD * len(rows))))
            free[row] = False
        allowed = free & (likeness < SAME_SENTENCE)
        if len(chosen) == count or not allowed.any():
            return chosen
        gain = score - diversity * likeness - CROWDING * nearness
        waiting = [int(np.argmax(np.where(allowed, gain, -np.inf)))]
        chosen += waiting


def readability(statement: Statement, cues: Cues) -> float:
    """How well a sentence stands alone, 0..1: long enough, not too long, no greeting, no question, no dangling "it"."""
    words = len(statement.tokens)
    content = len(set(statement.stems)) + min(2, len(cues.figure.findall(statement.text)))
    if content < 2:
        return 0.0
    value = min(1.0, words / 8) * min(1.0, content / 4) * min(1.0, 36 / max(words, 1))
    if statement.text.rstrip("\"'»”)").endswith(("?", "？", "؟")):
        value *= 0.25
    if cues.courtesy.search(statement.text):
        value *= 0.25
    if cues.dangling.search(statement.text):
        value *= 0.65
    if cues.rambling.search(statement.text):
        value *= 0.6
    return value


def _outcome(statement: Statement, cues: Cues) -> float:
    if cues.outcome.search(statement.text):
        return 1.0
    return 0.5 if cues.emphasis.search(statement.text) else 0.0


def _candidates(statements: Sequence[Statement], frequency: Counter[str], cues: Cues) -> list[Statement]:
    """All readable statements, or the weightiest of each of ``BLOCKS`` stretches if there are too many."""
    readable = [statement for statement in statements if statement.stems]
    if len(readable) <= MAX_CANDIDATES:
        return readable
    kept: list[Statement] = []
    for block in np.array_split(np.arange(len(readable)), BLOCKS):
        members = [readable[i] for i in block]
        members.sort(key=lambda member: -readability(member, cues) * _weight(member, frequency))
        kept += members[: MAX_CANDIDATES // BLOCKS]
    return sorted(kept, key=lambda statement: statement.position)


def _weight(statement: Statement, frequency: Counter[str]) -> float:
    """How much of what the whole talks about is in this sentence: mean log frequency of its content words."""
    stems = set(statement.stems)
    return float(sum(np.log(frequency[stem]) for stem in stems) / (len(stems) + 2)) if stems else 0.0


def _tf_idf(candidates: Sequence[Statement], frequency: Counter[str], total: int) -> Matrix:
    """One unit vector per candidate, shape ``(n_candidates, n_stems)``."""
    columns: dict[str, int] = {}
    for candidate in candidates:
        for stem in candidate.stems:
            columns.setdefault(stem, len(columns))
    vectors = np.zeros((len(candidates), len(columns)))
    for row, candidate in enumerate(candidates):
        for stem, count in Counter(candidate.stems).items():
            vectors[row, columns[stem]] = (1 + np.log(count)) * np.log(1 + total / frequency[stem])
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1)


def _lexrank(similarity: Matrix) -> Scores:
    """The stationary distribution of a walk from sentence to similar sentence."""
    count = len(similarity)
    if count == 0:
        return np.zeros(0)
    links = similarity.copy()
    np.fill_diagonal(links, 0.0)
    sums = links.sum(axis=1, keepdims=True)
    walk = np.where(sums > 0, links / np.where(sums > 0, sums, 1), 1 / count)
    score = np.full(count, 1 / count)
    for _ in range(50):
        score = (1 - DAMPING) / count + DAMPING * (walk.T @ score)
    return score


def _scaled(values: Scores) -> Scores:
    """``values`` moved to 0..1; all 0.5 if they are equal."""
    if len(values) == 0:
        return values
    low, high = values.min(), values.max()
    return (values - low) / (high - low) if high > low else np.full(len(values), 0.5)
