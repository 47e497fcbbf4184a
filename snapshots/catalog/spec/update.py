"""How an existing object is updated."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from snapshots.catalog.spec.values import Document, Quirk, WithQuirks


class UpdateQuirk(Quirk):
    """Of updating an object of the type."""


@dataclass(frozen=True)
class Action:
    """A property that PATCH does not take and that has an action of its own."""

    property: str
    path: str
    body: Callable[[Any, Any], Document | None]
    """Given the property's wanted and its live value, the request body; None where there is nothing to send."""


@dataclass(frozen=True)
class ElementRemoval(UpdateQuirk):
    """Removes one element of an array property by an action (`removePassword`)."""

    property: str
    path: str
    body: Callable[[Document], Document]


@dataclass(frozen=True)
class Staged(UpdateQuirk):
    """A property that is first written with a harmless value and raised to the wanted one in a last step."""

    property: str
    enforcing: frozenset[str]
    via: str


@dataclass(frozen=True)
class RepeatsLive(UpdateQuirk):
    """An update must repeat what documents do not hold (references of secrets)."""

    body: Callable[[Document, Document], Document]
    """Given the body and the raw live object."""


@dataclass(frozen=True)
class SwitchedOffFirst(UpdateQuirk):
    """Elements must have `isEnabled` false before a later write removes them."""

    paths: tuple[str, ...]
    """Dotted paths of keyed arrays."""


@dataclass(frozen=True)
class MovedByNeighbours(UpdateQuirk):
    """A write to a neighbour moves these properties too (ranks): no sign that somebody else changed them."""

    properties: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Update(WithQuirks[UpdateQuirk]):
    path: str | None = None
    method: Literal["PATCH", "PUT", "POST"] = "PATCH"
    actions: tuple[Action, ...] = ()
    shape: Callable[[Document, Document], Document] | None = None
    """Adapts the body, where the service wants another form than it returns: given the body and the wanted document."""

    @property
    def removals(self) -> tuple[ElementRemoval, ...]:
        return self.quirks_of(ElementRemoval)

    def repeated(self, body: Document, raw: Document) -> Document:
        """The body with what it must repeat of the raw live object."""
        repeats = self.quirk(RepeatsLive)
        return body if repeats is None else repeats.body(body, raw)

    @property
    def staged(self) -> Staged | None:
        return self.quirk(Staged)

    @property
    def moved_by_neighbours(self) -> tuple[str, ...]:
        moved = self.quirk(MovedByNeighbours)
        return () if moved is None else moved.properties

    @property
    def switched_off_first(self) -> tuple[str, ...]:
        switched_off = self.quirk(SwitchedOffFirst)
        return () if switched_off is None else switched_off.paths
