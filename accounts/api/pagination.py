"""Lists of any length, page by page."""

import re
from typing import Any

from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request


class NewestFirst(CursorPagination):
    """Pages of ``page_size`` rows by falling id. A cursor that is none of ours is HTTP 400."""

    ordering = "-id"
    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"

    def get_page_size(self, request: Request) -> int:
        """As asked for, up to the maximum. Raises ``ValidationError`` for what is no positive number."""
        asked = request.query_params.getlist("page_size")
        if not asked:
            return self.page_size
        if len(asked) > 1 or not re.fullmatch("0*[1-9][0-9]{0,8}", asked[0], re.ASCII):
            message = f"Give it once, as a number from 1 to {self.max_page_size}."
            raise ValidationError({"page_size": [message]}, code="invalid")
        return min(int(asked[0]), self.max_page_size)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        cursor, size = super().get_schema_operation_parameters(view)
        cursor["description"] = "From `next` or `previous` of another page."
        size["description"] = f"How many to a page, at most {self.max_page_size}; without it {self.page_size}."
        size["schema"] = {"type": "integer", "minimum": 1}
        return [cursor, size]

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
