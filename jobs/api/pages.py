"""Pages of a list of jobs that lose and repeat no row, however many rows are alike.

Django REST framework's cursor knows one column: rows that are alike in it are skipped by counting, a thousand at most,
and a null ends the walk. Here a cursor names the last row of its page, by the value that is sorted by and by its id.

Rows without a value come last, and are asked for by themselves: so each question is answered by walking an index, and
a page takes no longer when there are more jobs.
"""

import base64
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from django.db.models import Q, QuerySet, TextField, Value
from django.db.models.functions import Cast
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from jobs.clock import Moment
from jobs.errors import InputFault

NEWEST_FIRST = "-created_at"
ORDERINGS = (NEWEST_FIRST, "created_at", "-duration_seconds", "duration_seconds", "-finished_at", "finished_at")
COLUMNS = {"created_at": "created_at", "duration_seconds": "duration_ms", "finished_at": "finished_at"}
NULLABLE = ("duration_ms", "finished_at")
PAGE_SIZE, MAX_PAGE_SIZE = 50, 200
MAX_CURSOR_CHARACTERS = 200

MAX_INTEGER = 2**63 - 1
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(\+00)?")


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page begins: behind the row with this id, whose ``key`` is the text of what it is sorted by.

    The key is empty where the row has nothing to be sorted by.
    """

    ordering: str
    backwards: bool
    pk: int
    key: str

    def __str__(self) -> str:
        text = f"{self.ordering} {'before' if self.backwards else 'after'} {self.pk} {self.key}"
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def read(cls, text: str, ordering: str) -> "Cursor":
        """Raises ``InputFault`` for what no list with this ordering has given out."""
        try:
            padded = text[:MAX_CURSOR_CHARACTERS] + "=" * (-len(text) % 4)
            its_ordering, side, pk, key = base64.b64decode(padded, b"-_", validate=True).decode("ascii").split(" ", 3)
            cursor = cls(its_ordering, {"before": True, "after": False}[side], _integer(pk), _checked(key, ordering))
        except (ValueError, KeyError) as error:
            raise _bad_cursor() from error
        if its_ordering != ordering:
            raise _bad_cursor()
        return cursor


class JobPages(CursorPagination):
    """Cursor pages in one of ``ORDERINGS``. What has no value to be sorted by comes last."""

    page_size = PAGE_SIZE
    max_page_size = MAX_PAGE_SIZE
    page_size_query_param = "page_size"
    ordering = NEWEST_FIRST

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        self.address = request.build_absolute_uri()
        self.ordering = request.query_params.get("ordering", NEWEST_FIRST)
        text = request.query_params.get(self.cursor_query_param)
        cursor = None if text is None else Cursor.read(text, self.ordering)
        size = self.get_page_size(request) or PAGE_SIZE
        rows = _walk(queryset, self.ordering, cursor, size + 1)
        more = len(rows) > size
        self.rows = rows[:size]
        if cursor and cursor.backwards:
            self.rows.reverse()
            self.has_previous, self.has_next = more, True
        else:
            self.has_previous, self.has_next = cursor is not None, more
        # Behind a page that has become empty nothing is known to begin: the walk starts again.
        self.has_previous, self.has_next = self.has_previous and bool(self.rows), self.has_next and bool(self.rows)
        return self.rows

    def get_next_link(self) -> str | None:
        return self._link(self.rows[-1], backwards=False) if self.has_next else None

    def get_previous_link(self) -> str | None:
        return self._link(self.rows[0], backwards=True) if self.has_previous else None

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        described = super().get_paginated_response_schema(schema)
        cursor = Cursor(NEWEST_FIRST, False, 7, "2026-01-31 09:30:00.125")
        for way in ("next", "previous"):
            described["properties"][way]["example"] = f"https://transcribe.example.org/jobs?cursor={cursor}"
        return described

    def _link(self, row: Any, *, backwards: bool) -> str:
        cursor = Cursor(self.ordering, backwards, row.pk, row.key_text)
        return replace_query_param(self.address, self.cursor_query_param, quote(str(cursor)))


def _walk(jobs: QuerySet[Any], ordering: str, cursor: Cursor | None, limit: int) -> list[Any]:
    """The first ``limit`` rows behind the cursor, in the order in which they are walked."""
    column = COLUMNS[ordering.removeprefix("-")]
    descending = ordering.startswith("-") != bool(cursor and cursor.backwards)
    known = _known(jobs, column, descending, cursor)
    unknown = _unknown(jobs, column, descending, cursor) if column in NULLABLE else None
    rows: list[Any] = []
    for part in (unknown, known) if cursor and cursor.backwards else (known, unknown):
        if part is not None and len(rows) < limit:
            rows += part[: limit - len(rows)]
    return rows


def _known(jobs: QuerySet[Any], column: str, descending: bool, cursor: Cursor | None) -> QuerySet[Any] | None:
    """What has a value and lies behind the cursor; None where the walk has passed all of that."""
    if column in NULLABLE:
        jobs = jobs.filter(**{f"{column}__isnull": False})
    jobs = jobs.annotate(key_text=Cast(column, TextField())).order_by(*_signed(descending, column, "pk"))
    if cursor is None:
        return jobs
    if not cursor.key:
        return jobs if cursor.backwards else None
    key = Value(int(cursor.key)) if column == "duration_ms" else Moment(cursor.key)
    way = "lt" if descending else "gt"
    # The first condition is all that an index needs; the second decides among equals.
    behind = Q(**{f"{column}__{way}": key}) | Q(**{f"pk__{way}": cursor.pk})
    return jobs.filter(Q(**{f"{column}__{way}e": key}), behind)


def _unknown(jobs: QuerySet[Any], column: str, descending: bool, cursor: Cursor | None) -> QuerySet[Any] | None:
    """What has no value and lies behind the cursor; None where the walk comes from there."""
    jobs = jobs.filter(**{f"{column}__isnull": True}).order_by(*_signed(descending, "pk"))
    jobs = jobs.annotate(key_text=Value("", output_field=TextField()))
    if cursor is None:
        return jobs
    if cursor.key:
        return None if cursor.backwards else jobs
    return jobs.filter(**{"pk__lt" if descending else "pk__gt": cursor.pk})


def _signed(descending: bool, *columns: str) -> list[str]:
    return [f"-{column}" for column in columns] if descending else list(columns)


def _integer(text: str) -> int:
    if not re.fullmatch("-?[0-9]{1,19}", text) or abs(int(text)) > MAX_INTEGER:
        raise ValueError(text)
    return int(text)


def _checked(key: str, ordering: str) -> str:
    """A key that the database can compare with; raises ``ValueError``."""
    column = COLUMNS[ordering.removeprefix("-")]
    if not key and column in NULLABLE:
        return key
    if column == "duration_ms":
        return str(_integer(key))
    if not MOMENT.fullmatch(key):
        raise ValueError(key)
    datetime.fromisoformat(key)
    return key


def _bad_cursor() -> InputFault:
    message = "This cursor is not from a list with this ordering. Follow the addresses in 'next' and 'previous'."
    return InputFault(message, code="bad_cursor")
