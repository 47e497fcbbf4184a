"""What every long list on a page shares: a form that narrows it, and pages.

Lists of records, newest first, go from id to id: nothing is shown twice while new records arrive, and no page costs
more than the first. All other lists count their pages.
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
    """One page of a list. `previous` and `next` are values of the query's `parameter`; None where there is none."""

    rows: list[Row]
    parameter: str
    previous: int | str | None
    next: int | str | None
    first: int = 0
    """Number of the first row shown, counted from 1; 0 where the rows are not counted."""
    total: int = 0

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1


class ListFilter(forms.Form):
    """Every field is optional; what does not parse narrows to nothing and says so. Subclasses give `_narrow`."""

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
    """Gives a ModelChoiceField its rows, and the words for one that is not among them."""
    if isinstance(field, forms.ModelChoiceField):
        field.queryset = rows
        field.error_messages["invalid_choice"] = unknown


def numbered(
    request: HttpRequest, rows: QuerySet[Record] | Sequence[Any], size: int, *, parameter: str = "page"
) -> Part[Any]:
    """The page whose number the query gives; the nearest one where there is no such page."""
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
    """The records before the one that the query gives. `key` grows with every record."""
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
