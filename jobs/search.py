"""Search by words in file names and transcripts.

The databases keep the indexes themselves (migration ``0004_search``): PostgreSQL in generated columns, SQLite by
triggers of FTS5. So a transcript is found as soon as a part of it is saved, and not once it is gone, whoever did it.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

from django.db import connections
from django.db.models import Exists, F, Lookup, OuterRef, Q, QuerySet

from jobs.models import Job, TranscriptPart

Sql = tuple[str, list[Any]]


def words_of(query: str) -> list[str]:
    """The words to look for, each once: lower case, ``ё`` as ``е``, split where neither letter nor digit stands."""
    plain = unicodedata.normalize("NFC", query).lower().replace("ё", "е")
    return list(dict.fromkeys(re.findall(r"[^\W_]+", plain)))


def search_jobs(jobs: QuerySet[Job], words: Iterable[str]) -> QuerySet[Job]:
    """Those of ``jobs`` in whose file name or transcript each of the words begins a word; words as of ``words_of``."""
    find = _find_indexed if _is_indexed(jobs.db) else _find_unindexed
    for word in words:
        jobs = find(jobs, word)
    return jobs


class HasWord(Lookup):
    """Whether an indexed column, ``Job.filename`` or ``TranscriptPart.text``, has a word that begins like this."""

    prepare_rhs = False

    def as_sqlite(self, compiler: Any, connection: Any) -> Sql:
        column = self.lhs
        index = f"{column.target.model._meta.db_table}_words"
        table = compiler.quote_name_unless_alias(column.alias)
        sql = f'{table}."id" IN (SELECT rowid FROM {index} WHERE {index} MATCH %s)'  # noqa: S608 # nosec B608
        # Between quotes nothing is syntax, and a word has no quote in it.
        return sql, [f'"{self.rhs}"*']

    def as_postgresql(self, compiler: Any, connection: Any) -> Sql:
        query = "to_tsquery('simple', '''' || jobs_plain_words(%s) || ''':*')"
        return f"{compiler.quote_name_unless_alias(self.lhs.alias)}.words @@ {query}", [self.rhs]


def _find_indexed(jobs: QuerySet[Job], word: str) -> QuerySet[Job]:
    """Each word by itself: the words may stand in different parts of the transcript."""
    named = Job.objects.filter(HasWord(F("filename"), word)).order_by().values("pk")
    said = TranscriptPart.objects.filter(HasWord(F("text"), word)).order_by().values("job")
    return jobs.filter(pk__in=named.union(said))


def _find_unindexed(jobs: QuerySet[Job], word: str) -> QuerySet[Job]:
    """The same by reading all of the text of ``jobs``, for an SQLite without FTS5."""
    pattern = r"(?<![^\W_])" + word.replace("е", "[её]")
    said = TranscriptPart.objects.filter(job=OuterRef("pk"), text__iregex=pattern)
    return jobs.filter(Q(filename__iregex=pattern) | Exists(said))


def _is_indexed(alias: str) -> bool:
    connection = connections[alias]
    return connection.vendor != "sqlite" or f"{Job._meta.db_table}_words" in connection.introspection.table_names()
