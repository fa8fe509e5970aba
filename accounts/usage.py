"""What was charged, added up from the ledger: by day, by API key or by tag.

Each function gives rows of its ``COLUMNS``, in the order of the first of them: what they are grouped by, then
``charged_seconds`` and ``jobs``, how many jobs were charged. What staff adjusted is no use and does not count.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import TruncDate

from accounts.models import ApiKey, LedgerEntry

Row = dict[str, Any]

COLUMNS = {
    "day": ("day", "charged_seconds", "jobs"),
    "key": ("key_id", "key_name", "key_prefix", "charged_seconds", "jobs"),
    "tag": ("tag", "charged_seconds", "jobs"),
}


@dataclass(frozen=True, slots=True)
class Period:
    """UTC dates, both included; None is open."""

    since: date | None = None
    until: date | None = None


def usage_by_day(*, account_id: int, period: Period) -> list[Row]:
    """``day``: a UTC date on which something was charged."""
    charges = _charges(account_id, period).annotate(day=TruncDate("at", tzinfo=UTC))
    return _in_order({"day": row["day"], **_totals(row)} for row in _summed(charges, "day"))


def usage_by_key(*, account_id: int, period: Period) -> list[Row]:
    """``key_id``, ``key_name``, ``key_prefix``: all None without a key, name and prefix where the key is gone."""
    keys = {key.pk: key for key in ApiKey.objects.filter(owner_id=account_id)}
    rows = []
    for row in _summed(_charges(account_id, period), "api_key_id"):
        key = keys.get(row["api_key_id"])
        named = {"key_name": key and key.name, "key_prefix": key and key.prefix}
        rows.append({"key_id": row["api_key_id"], **named, **_totals(row)})
    return _in_order(rows)


def usage_by_tag(*, account_id: int, period: Period) -> list[Row]:
    """``tag``: None without any. A job with two tags counts under both: the rows can add up to more than the whole."""
    # The database adds up each set of tags: no SQL for lists in JSON is common to SQLite and PostgreSQL.
    found: dict[str | None, Row] = {}
    for row in _summed(_charges(account_id, period), "tags"):
        for tag in row["tags"] or [None]:
            total = found.setdefault(tag, {"total_ms": 0, "jobs": 0})
            total["total_ms"] += row["total_ms"]
            total["jobs"] += row["jobs"]
    return _in_order({"tag": tag, **_totals(total)} for tag, total in found.items())


GROUPINGS: dict[str, Callable[..., list[Row]]] = {"day": usage_by_day, "key": usage_by_key, "tag": usage_by_tag}


def _charges(account_id: int, period: Period) -> QuerySet[LedgerEntry]:
    """Without those of 0 ms, which close the run that only wrote a report again."""
    charges = LedgerEntry.objects.filter(account_id=account_id, kind=LedgerEntry.Kind.SETTLE, ms__gt=0)
    if period.since:
        charges = charges.filter(at__gte=datetime.combine(period.since, time.min, tzinfo=UTC))
    if period.until:
        charges = charges.filter(at__lte=datetime.combine(period.until, time.max, tzinfo=UTC))
    return charges


def _summed(charges: QuerySet[Any], column: str) -> QuerySet[Any, Row]:
    return charges.values(column).annotate(total_ms=Sum("ms"), jobs=Count("job_id", distinct=True))


def _totals(summed: Row) -> Row:
    return {"charged_seconds": summed["total_ms"] / 1000, "jobs": summed["jobs"]}


def _in_order(rows: Iterable[Row]) -> list[Row]:
    """By the first column, None last."""
    keyed = [(next(iter(row.values())), row) for row in rows]
    return [row for _, row in sorted(keyed, key=lambda pair: (pair[0] is None, pair[0]))]
