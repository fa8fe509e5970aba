"""Lists of any length, page by page."""

import re
from typing import Any

from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request


class NewestFirst(CursorPagination):
    """Pages of ``page_size`` rows by falling id. A cursor that is none of ours is HTTP 400 ``invalid_cursor``."""

    ordering = "-id"
    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"

    def decode_cursor(self, request: Request) -> Any:
        try:
            cursor: Cursor | None = super().decode_cursor(request)
        except NotFound as error:
            raise _invalid_cursor() from error
        if cursor and cursor.position is not None and not re.fullmatch("[0-9]+", str(cursor.position)):
            raise _invalid_cursor()
        return cursor


def _invalid_cursor() -> ValidationError:
    message = "Take the cursor from 'next' or 'previous' of another page; without one, the first page is shown."
    return ValidationError({"cursor": [message]}, code="invalid_cursor")
