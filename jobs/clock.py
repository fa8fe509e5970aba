"""The database's clock is the clock: workers on several machines need not agree on the time."""

from datetime import timedelta

from django.db.models import DateTimeField, Expression, ExpressionWrapper, Value
from django.db.models.functions import Now


def from_now(seconds: float) -> Expression:
    """An SQL expression: the database's present time plus ``seconds`` (which may be negative)."""
    return ExpressionWrapper(Now() + Value(timedelta(seconds=seconds)), output_field=DateTimeField())
