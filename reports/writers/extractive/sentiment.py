"""The mood of the whole, from the mood of its sentences."""

from collections.abc import Sequence
from typing import Literal

Sentiment = Literal["positive", "neutral", "negative", "mixed"]

FELT = 0.1
"""Mean strength per sentence (0..1) below which a mood is not worth a word."""
ONE_SIDED = 0.4
"""Share by which one side must outweigh the other to name the whole after it."""
CLEAR = 0.25
"""Valences closer to 0 than this are noise: a single mildly coloured word."""


def overall(valences: Sequence[float]) -> Sentiment:
    """The mood of sentences with these ``valences`` (-1..1)."""
    if not valences:
        return "neutral"
    good = sum(value for value in valences if value >= CLEAR) / len(valences)
    bad = -sum(value for value in valences if value <= -CLEAR) / len(valences)
    if max(good, bad) < FELT:
        return "neutral"
    balance = (good - bad) / (good + bad)
    if abs(balance) >= ONE_SIDED:
        return "positive" if balance > 0 else "negative"
    return "mixed" if min(good, bad) >= FELT else "neutral"
