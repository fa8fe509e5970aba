"""The database's clock is the clock: workers on several machines need not agree on the time."""

from datetime import timedelta

from django.db.models import DateTimeField, Expression, ExpressionWrapper, Value
from django.db.models.functions import Now


def from_now(seconds: float) -> Expression:
    """An SQL expression: the database's present time plus ``seconds`` (which may be negative).

    What is due at once is due from this very millisecond on: SQLite compares times as text, and there a sum, written
    with microseconds, comes after the same moment of ``Now()``, written with milliseconds.
    """
    if not seconds:
        return Now()
    return ExpressionWrapper(Now() + Value(timedelta(seconds=seconds)), output_field=DateTimeField())
