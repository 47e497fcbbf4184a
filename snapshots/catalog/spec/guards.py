"""What must never be written or deleted, and what cannot be brought back."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from snapshots.catalog.spec.values import Document, Quirk, WithQuirks


class Guard(Quirk):
    """Of writing an object of the type."""


@dataclass(frozen=True)
class NeverDeleted(Guard):
    """Objects that may be written but not deleted (defaults)."""

    reason: Callable[[Document], str | None]
    """Given the document: the reason, or None where it may be deleted."""


@dataclass(frozen=True)
class Irreplaceable(Guard):
    """Objects that cannot be recreated once they are gone, although others of the type can."""

    reason: Callable[[Document], str | None]
    """Given the document: the reason, or None where it can be recreated."""


@dataclass(frozen=True)
class EndsByItself(Guard):
    """Past an instant, the object has ended and cannot be brought back."""

    path: str
    """Dotted path of that instant."""


@dataclass(frozen=True, kw_only=True)
class Guards(WithQuirks[Guard]):
    protected: Callable[[Document], str | None] | None = None
    """The reason why this object must never be written (built-in, synchronised on-premises…), or None."""

    @property
    def ends_at(self) -> str | None:
        ends = self.quirk(EndsByItself)
        return None if ends is None else ends.path

    def never_deleted(self, document: Document) -> str | None:
        guard = self.quirk(NeverDeleted)
        return None if guard is None else guard.reason(document)

    def irreplaceable(self, document: Document) -> str | None:
        guard = self.quirk(Irreplaceable)
        return None if guard is None else guard.reason(document)


@dataclass(frozen=True)
class Loss:
    """Something that a rollback cannot bring back, announced before it is needed."""

    path: str
    what: str
    fixed: bool | Callable[[Any], bool] = False
    """An existing object keeps what it has at this (dotted) path, or those values for which the function is true.
    Only a new object can have another value."""
    recreated_only: bool = False
    """Only a recreated object lacks it. An existing one cannot lose it."""
    items: Callable[[Document], list[str]] | None = None
    """Given the document: what exactly is lost, item by item (secrets by name, key ID and expiry). None: nothing is."""

    def keeps(self, value: Any) -> bool:
        """Whether an object that has this value keeps it."""
        return self.fixed(value) if callable(self.fixed) else self.fixed
