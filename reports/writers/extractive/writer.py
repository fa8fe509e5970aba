"""The report without a language model: sentences, phrases and mood taken out of the transcript."""

from collections.abc import Sequence

import numpy as np

from jobs.errors import ReportError
from jobs.transcript import Segment, Transcript
from reports.writers.base import ReportDraft, WriterConfig
from reports.writers.extractive import ranking, sentiment, topics
from reports.writers.extractive.language import Language, guess_language, load_language
from reports.writers.extractive.ranking import Ranking, Statement
from reports.writers.extractive.sentences import split_sentences

MAX_SENTENCE_CHARACTERS = 500
MIN_KEY_POINTS = 3
MAX_KEY_POINTS = 7
LEAST_FACT = 0.35
"""Share of the best key point's score below which a statement is no key point."""
OPENING_SENTENCES = 3.0
"""The first sentences that say something usually say what it is about; after this many the bonus has faded to 1/e."""
SENTENCES_PER_KEY_POINT = 4
SUMMARY_SENTENCES = ((40, 5), (16, 4), (8, 3), (4, 2))
"""(from this many sentences on, this many in the summary); fewer than the last are all summary."""


class ExtractiveWriter:
    """Built in: no key, no network. English and Russian in full; any other language without a mood."""

    name = "extractive"

    def __init__(self, config: WriterConfig) -> None:
        """``config`` is the registry's common argument; nothing in it applies here."""

    def load(self) -> None:
        """Read the English and Russian word lists and dictionaries, ahead of the first report."""
        for code, text in (("en", "The team met on Monday."), ("ru", "Команда встретилась в понедельник.")):
            self.write(Transcript((Segment(0.0, 1.0, text),), code))

    def write(self, transcript: Transcript) -> ReportDraft:
        """Report on ``transcript`` in its own language. Deterministic. A 100,000-word transcript takes seconds."""
        try:
            language = load_language(transcript.language or guess_language(transcript.text))
            return _draft(transcript, language)
        except Exception as error:
            message = f"The built-in report writer failed on this transcript ({type(error).__name__}). Choose another."
            raise ReportError(message) from error


def _draft(transcript: Transcript, language: Language) -> ReportDraft:
    sentences = split_sentences(transcript, language)
    statements = [
        Statement(position, sentence, tuple(language.tokens(sentence))) for position, sentence in enumerate(sentences)
    ]
    if not statements:
        return ReportDraft(summary=language.empty_summary, key_points=[], topics=[], sentiment="neutral")
    summary, key_points = _summary_and_key_points(statements, language)
    return ReportDraft(
        summary=" ".join(_clip(statement.text) for statement in summary),
        key_points=[_clip(statement.text) for statement in key_points],
        topics=topics.key_phrases(statements, language),
        sentiment=sentiment.overall([language.valence(sentence) for sentence in sentences]),
    )


def _summary_and_key_points(
    statements: Sequence[Statement], language: Language
) -> tuple[list[Statement], list[Statement]]:
    """The sentences most others lean on, and further ones that hold a decision, a duty or a figure."""
    distinct = _without_repeats(statements)
    count = next((count for least, count in SUMMARY_SENTENCES if len(distinct) >= least), 0)
    if count == 0:
        return distinct[:3], []
    ranked = ranking.rank(distinct, language.cues)
    opening = np.exp(-np.arange(len(ranked.candidates)) / OPENING_SENTENCES)
    gist = ranked.quality * (0.6 * ranked.centrality + 0.25 * ranked.outcome + 0.15 * ranked.figure + 0.2 * opening)
    chosen = ranking.pick(ranked, gist, count)
    if not chosen:
        return distinct[:count], []
    facts = ranked.quality * (0.4 * ranked.centrality + 0.35 * ranked.outcome + 0.25 * ranked.figure)
    facts[facts < LEAST_FACT * facts.max()] = 0
    wanted = min(MAX_KEY_POINTS, max(len(distinct) // SENTENCES_PER_KEY_POINT, MIN_KEY_POINTS), len(distinct) - count)
    further = ranking.pick(ranked, facts, wanted, taken=chosen, diversity=0.35)
    return _in_order(ranked, chosen), _in_order(ranked, further)


def _without_repeats(statements: Sequence[Statement]) -> list[Statement]:
    """The first of every group of sentences with the same words."""
    first: dict[str, Statement] = {}
    for statement in statements:
        first.setdefault(" ".join(token.text.lower() for token in statement.tokens), statement)
    return list(first.values())


def _in_order(ranked: Ranking, rows: Sequence[int]) -> list[Statement]:
    return [ranked.candidates[row] for row in sorted(rows)]


def _clip(text: str) -> str:
    """At most ``MAX_SENTENCE_CHARACTERS``, cut between words."""
    if len(text) <= MAX_SENTENCE_CHARACTERS:
        return text
    return text[: MAX_SENTENCE_CHARACTERS - 1].rsplit(maxsplit=1)[0].rstrip(",;:") + "…"
