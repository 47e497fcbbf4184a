"""Cursor pagination for every list: pages stay stable while rows arrive, and any page costs the same."""

from typing import Any

from django.core.exceptions import ValidationError as InvalidValue
from django.db.models import QuerySet
from rest_framework import pagination
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request

from tenants.given import NUL

INVALID = {"cursor": ["This cursor is not valid. Follow the next and previous links as they are."]}


class CursorPagination(pagination.CursorPagination):
    """Ordered by the view's `ordering`, which must be unique."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"
    page_size_query_description = "Results per page, at most 200."
    cursor_query_description = "From the next or previous link of another page."

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        try:
            return super().paginate_queryset(queryset, request, view)
        except (ValueError, OverflowError, InvalidValue, NotFound) as error:
            raise ValidationError(INVALID) from error

    def decode_cursor(self, request: Request) -> pagination.Cursor | None:
        cursor = super().decode_cursor(request)
        if cursor is not None and NUL in str(cursor.position):
            raise ValidationError(INVALID)
        return cursor

    def get_ordering(self, _request: Request, _queryset: QuerySet[Any], view: Any) -> tuple[str, ...]:
        return (view.ordering,)
