"""Cursor pagination for all lists: pages are stable while rows arrive, and every page costs the same."""

from typing import Any

from django.core.exceptions import ValidationError as InvalidValue
from django.db.models import QuerySet
from rest_framework import pagination
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request

from tenants.web.input_limits import NUL

INVALID = {"cursor": ["This cursor is not valid. Use the next and previous links unchanged."]}


class CursorPagination(pagination.CursorPagination):
    """Ordered by the view's `ordering`, which must be unique."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"
    page_size_query_description = "Results per page, at most 200."
    cursor_query_description = "The cursor from the next or previous link of another page."

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        self._rows = queryset
        return super().paginate_queryset(queryset, request, view)

    def decode_cursor(self, request: Request) -> pagination.Cursor | None:
        """Raises ValidationError for a cursor that does not come from this list."""
        try:
            cursor = super().decode_cursor(request)
        except NotFound as error:
            raise ValidationError(INVALID) from error
        if cursor is not None and cursor.position is not None:
            self._check(cursor.position)
        return cursor

    def _check(self, position: Any) -> None:
        """Whether the position can be compared with the ordering column."""
        if NUL in str(position):
            raise ValidationError(INVALID)
        try:
            self._rows.filter(**{f"{self.ordering[0].removeprefix('-')}__gt": position})
        except (ValueError, InvalidValue) as error:
            raise ValidationError(INVALID) from error

    def get_page_size(self, request: Request) -> int:
        asked = request.query_params.get(self.page_size_query_param)
        if asked is None:
            return self.page_size
        if not (asked.isascii() and asked.isdigit() and int(asked) > 0):
            raise ValidationError(
                {self.page_size_query_param: ["This must be a whole number from 1 to 200."]}
            )
        return min(int(asked), self.max_page_size)

    def get_ordering(self, _request: Request, _queryset: QuerySet[Any], view: Any) -> tuple[str, ...]:
        return (view.ordering,)
