"""The database's clock is the clock: workers on several machines need not agree on the time."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import DateTimeField, Expression, ExpressionWrapper, TextField, Value
from django.db.models.functions import Now


def from_now(seconds: float) -> Expression:
    """An SQL expression: the database's present time plus ``seconds`` (which may be negative).

    What is due at once is due from this very millisecond on: SQLite compares times as text, and there a sum, written
    with microseconds, comes after the same moment of ``Now()``, written with milliseconds.
    """
    if not seconds:
        return Now()
    return ExpressionWrapper(Now() + Value(timedelta(seconds=seconds)), output_field=DateTimeField())


class Moment(Value):
    """A moment to compare a stored one with, exactly: ``text`` as ``text_of_moment`` gives it, or read as text.

    A ``datetime`` is handed to SQLite with six digits behind its second and is stored there with three or six, so that
    as text it comes after the same moment.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text, output_field=TextField())

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        sql, params = self.as_sql(compiler, connection)
        return f"{sql}::timestamptz", params


def text_of_moment(moment: datetime) -> str:
    """The shortest text of a moment: in SQLite none that means the same comes before it."""
    text = moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ")
    return text.rstrip("0") if "." in text else text
