"""Filtering and pagination of lists. Lists of records, newest first, use keyset pagination: nothing is shown
twice while new records arrive, and every page costs the same. All other lists use numbered pages.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django import forms
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from tenants.web.input_limits import integer

Row = TypeVar("Row")
Record = TypeVar("Record", bound=Model)


@dataclass(frozen=True)
class Part(Generic[Row]):
    """One page of a list. `previous` and `next` are values for the query `parameter`; None if there is no
    such page.
    """

    rows: list[Row]
    parameter: str
    previous: int | str | None
    next: int | str | None
    first: int = 0
    """Number of the first row shown, from 1; 0 if rows are not counted."""
    total: int = 0

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1


class ListFilter(forms.Form):
    """A filter form with optional fields. Invalid input gives no rows and an error message. Subclasses define
    `_narrow`.
    """

    def __init__(self, data: Any, *, prefix: str | None = None) -> None:
        super().__init__(data, prefix=prefix, auto_id="filter-%s")
        for field in self.fields.values():
            field.required = False

    @property
    def is_active(self) -> bool:
        return any(self.data.get(field.html_name) for field in self.visible_fields())

    def narrow(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return self._narrow(rows, self.cleaned_data) if self.is_valid() else rows.none()

    def _narrow(self, rows: QuerySet[Any], asked: dict[str, Any]) -> QuerySet[Any]:
        raise NotImplementedError


def choose_from(field: forms.Field, rows: QuerySet[Any], unknown: str) -> None:
    """Sets the rows of a ModelChoiceField and the message for an invalid choice."""
    if isinstance(field, forms.ModelChoiceField):
        field.queryset = rows
        field.error_messages["invalid_choice"] = unknown


def numbered(
    request: HttpRequest, rows: QuerySet[Record] | Sequence[Any], size: int, *, parameter: str = "page"
) -> Part[Any]:
    """The page with the number from the query, or the nearest existing page."""
    shown = Paginator(rows, size).get_page(request.GET.get(parameter))
    return Part(
        list(shown.object_list),
        parameter,
        previous=shown.previous_page_number() if shown.has_previous() else None,
        next=shown.next_page_number() if shown.has_next() else None,
        first=shown.start_index(),
        total=shown.paginator.count,
    )


def newest_first(
    request: HttpRequest,
    rows: QuerySet[Record],
    size: int,
    *,
    parameter: str = "before",
    key: str = "pk",
) -> Part[Record]:
    """The records before the one given in the query. `key` must increase with every record."""
    older_than = integer(request.GET.get(parameter))
    if older_than is not None:
        rows = rows.filter(**{f"{key}__lt": older_than})
    found = list(rows.order_by(f"-{key}")[: size + 1])
    return Part(
        found[:size],
        parameter,
        previous="" if older_than is not None else None,
        next=getattr(found[size - 1], key) if len(found) > size else None,
    )
