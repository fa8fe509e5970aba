"""Pages of a list of jobs that lose and repeat no row, however many rows are alike.

Django REST framework's cursor knows one column: rows that are alike in it are skipped by counting, a thousand at most,
and a null ends the walk. Here a cursor names the last row of its page, by the value that is sorted by and by its id.
"""

import base64
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from django.db.models import DateTimeField, Expression, F, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Coalesce
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from jobs.clock import Moment
from jobs.errors import InputFault

NEWEST_FIRST = "-created_at"
ORDERINGS = (NEWEST_FIRST, "created_at", "-duration_seconds", "duration_seconds", "-finished_at", "finished_at")
PAGE_SIZE, MAX_PAGE_SIZE = 50, 200
MAX_CURSOR_CHARACTERS = 200

MAX_INTEGER = 2**63 - 1
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(\+00)?")


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page begins: behind the row with this id, whose ``key`` is the text of what it is sorted by."""

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
        rows = list(_from(queryset, self.ordering, cursor)[: size + 1])
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


def _from(jobs: QuerySet[Any], ordering: str, cursor: Cursor | None) -> QuerySet[Any]:
    """The rows behind the cursor, in the order in which they are walked."""
    descending = ordering.startswith("-")
    jobs = jobs.alias(key=_sort_key(ordering)).annotate(key_text=Cast("key", TextField()))
    if cursor is None:
        return _sorted(jobs, descending)
    smaller = descending != cursor.backwards
    key = Value(int(cursor.key)) if "duration" in ordering else Moment(cursor.key)
    # The first condition is all that an index needs; the second decides among equals.
    if smaller:
        jobs = jobs.filter(Q(key__lte=key), Q(key__lt=key) | Q(pk__lt=cursor.pk))
    else:
        jobs = jobs.filter(Q(key__gte=key), Q(key__gt=key) | Q(pk__gt=cursor.pk))
    return _sorted(jobs, smaller)


def _sorted(jobs: QuerySet[Any], descending: bool) -> QuerySet[Any]:
    return jobs.order_by("-key", "-pk") if descending else jobs.order_by("key", "pk")


def _sort_key(ordering: str) -> Expression | F:
    """What a job is sorted by: never null, so that every row has its place."""
    descending = ordering.startswith("-")
    if "duration" in ordering:
        return Coalesce("duration_ms", Value(-1 if descending else MAX_INTEGER))
    if "finished" in ordering:
        never = Moment("1000-01-01 00:00:00" if descending else "9999-01-01 00:00:00")
        return Coalesce("finished_at", never, output_field=DateTimeField())
    return F("created_at")


def _integer(text: str) -> int:
    if not re.fullmatch("-?[0-9]{1,19}", text) or abs(int(text)) > MAX_INTEGER:
        raise ValueError(text)
    return int(text)


def _checked(key: str, ordering: str) -> str:
    """A key that the database can compare with; raises ``ValueError``."""
    if "duration" in ordering:
        return str(_integer(key))
    if not MOMENT.fullmatch(key):
        raise ValueError(key)
    datetime.fromisoformat(key)
    return key


def _bad_cursor() -> InputFault:
    message = "This cursor is not from a list with this ordering. Follow the addresses in 'next' and 'previous'."
    return InputFault(message, code="bad_cursor")
