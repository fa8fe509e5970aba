"""Tables for people who open them in a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet would calculate a cell that begins with one of these, whoever wrote it."""


def csv_text(*, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """RFC 4180, with ``columns`` as its first line. None is empty; what looks like a formula gets an apostrophe."""
    written = io.StringIO()
    table = csv.writer(written)
    table.writerow(columns)
    table.writerows([_cell(row[column]) for column in columns] for row in rows)
    return written.getvalue()


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value
