"""Lists of the admin that stay quick however many rows a table has.

Nothing is counted, and no rows are skipped over: a page begins behind the last row of the page before it
(``?p=before-1234``), and one row more than it shows tells whether another page follows. The price is that pages have no
numbers and that rows always come newest first.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.admin.helpers import ActionForm
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.core.paginator import EmptyPage, Page, PageNotAnInteger, Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime


class LongChangeList(ChangeList):
    """A change list that pages by primary key. ``newer_page`` and ``older_page`` are addresses, or empty."""

    newer_page = ""
    older_page = ""
    is_first_page = True

    def get_results(self, request: HttpRequest) -> None:
        rows = self._read_page(*_cursor(request.GET.get(PAGE_VAR, "")))
        self.result_list = rows
        # Equal figures keep Django's templates from showing totals, and from offering to select all pages.
        self.result_count = self.full_result_count = len(rows)
        self.show_full_result_count = False
        self.show_admin_actions = bool(rows)
        self.can_show_all = self.multi_page = False
        self.paginator = Paginator(rows, self.list_per_page)

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """Newest first, whatever the address asks for: only the primary key's index serves every page alike."""
        return ["-pk"]

    def get_ordering_field_columns(self) -> dict[int, Any]:
        return {}

    def _read_page(self, direction: str, pk: int) -> list[Model]:
        """The rows to show: first their ids, then the rows, so that sorting and skipping touches ids only."""
        size = self.list_per_page
        ids = self.queryset.values_list("pk", flat=True)
        if direction == "after":
            found = list(ids.filter(pk__gt=pk).order_by("pk")[: size + 1])
            if len(found) > size:
                return self._show(found[:size][::-1], newer=True, older=True)
        if direction == "before":
            found = list(ids.filter(pk__lt=pk)[: size + 1])
            return self._show(found[:size], newer=True, older=len(found) > size)
        found = list(ids[: size + 1])
        return self._show(found[:size], newer=False, older=len(found) > size)

    def _show(self, ids: list[int], *, newer: bool, older: bool) -> list[Model]:
        self.is_first_page = not newer
        if ids:
            self.newer_page = self.get_query_string({PAGE_VAR: f"after-{ids[0]}"}) if newer else ""
            self.older_page = self.get_query_string({PAGE_VAR: f"before-{ids[-1]}"}) if older else ""
        return list(self.queryset.filter(pk__in=ids))


class LookAheadPaginator(Paginator):
    """Numbered pages without a count, for the autocomplete's short answers."""

    def validate_number(self, number: int | float | str) -> int:
        try:
            valid = int(number)
        except (TypeError, ValueError) as error:
            raise PageNotAnInteger("That page number is not a whole number.") from error
        if valid < 1:
            raise EmptyPage("Page numbers begin at 1.")
        return valid

    def page(self, number: int | str) -> "LookAheadPage":
        valid = self.validate_number(number)
        first = (valid - 1) * self.per_page
        return LookAheadPage(list(self.object_list[first : first + self.per_page + 1]), valid, self)


class LookAheadPage(Page):
    """A page that was handed one row more than it shows, where there was one."""

    def __init__(self, rows: list[Any], number: int, paginator: LookAheadPaginator) -> None:
        super().__init__(rows[: paginator.per_page], number, paginator)
        self._has_next = len(rows) > paginator.per_page

    def has_next(self) -> bool:
        return self._has_next

    def __iter__(self) -> Iterator[Any]:
        return iter(self.object_list)


class OnePageActionForm(ActionForm):
    """Actions reach the rows that are ticked on the page, never "all pages": that could be a million jobs."""

    def clean_select_across(self) -> bool:
        return False


class LongListMixin(admin.ModelAdmin):
    """What the admin of a table of any length has in common."""

    # With the form's other fields this stays below DATA_UPLOAD_MAX_NUMBER_FIELDS when a whole page is ticked.
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    ordering = ("-pk",)
    sortable_by = ()
    action_form = OnePageActionForm

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return LongChangeList

    def get_paginator(self, request: HttpRequest, queryset: Any, per_page: int, *args: Any, **kwargs: Any) -> Paginator:
        """Not for the page of an object's history, which shows its (short) total."""
        if queryset.model is self.model:
            return LookAheadPaginator(queryset, per_page, *args, **kwargs)
        return super().get_paginator(request, queryset, per_page, *args, **kwargs)


class ReadOnlyMixin(admin.ModelAdmin):
    """Rows that nobody changes by hand, superusers included."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def moment(at: datetime | None) -> SafeString | str:
    """A moment for a narrow column: date and time break apart where the column is short, and nowhere else."""
    if at is None:
        return "–"
    day, time = f"{localtime(at):%Y-%m-%d %H:%M:%S}".split()
    return format_html('<span class="nowrap">{}</span> <span class="nowrap">{}</span>', day, time)


def _cursor(value: str) -> tuple[str, int]:
    """``before-1234`` or ``after-1234`` as its two parts; an empty one means the first page."""
    direction, _, pk = value.partition("-")
    if not value:
        return "", 0
    if direction not in ("before", "after") or not (pk.isascii() and pk.isdigit()):
        raise IncorrectLookupParameters(f"not a page: {value[:40]}")
    return direction, int(pk[:30])
