"""The built-in report writer: picks sentences, topics and a mood out of the transcript. No key, no network.

sentences.py   segments -> sentences a person can read
language.py    what the writer asks of a language; english.py, russian.py and other.py answer
ranking.py     which sentences say most (LexRank), and how to pick without repeating (MMR)
topics.py      key phrases
sentiment.py   the mood of the whole from the mood of its sentences
writer.py      the four put together
"""

from reports.writers.extractive.writer import ExtractiveWriter

__all__ = ["ExtractiveWriter"]
