"""How an object is deleted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from snapshots.catalog.spec.values import Document, Quirk, WithQuirks


class DeleteQuirk(Quirk):
    """Of deleting an object of the type."""


@dataclass(frozen=True)
class Retired(DeleteQuirk):
    """The service has no delete: these values are written instead."""

    values: Mapping[str, Any]


@dataclass(frozen=True)
class ResetsToDefault(DeleteQuirk):
    """A delete only takes the object back to Microsoft's default."""

    applies: Callable[[Document], bool]
    """Given the document."""


@dataclass(frozen=True)
class PreparedWith(DeleteQuirk):
    """Properties that Graph wants changed before it accepts the delete, with the value to send."""

    values: Mapping[str, Any]


@dataclass(frozen=True)
class EmptiedFirst(DeleteQuirk):
    """Parts whose elements must be removed before the service accepts the delete."""

    parts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Delete(WithQuirks[DeleteQuirk]):
    path: str | None = None
    method: Literal["DELETE", "POST", "PATCH"] = "DELETE"
    shape: Callable[[Document], Document] | None = None
    """The body of a delete that wants one: given the live document."""

    @property
    def retired_with(self) -> Mapping[str, Any]:
        """What is written instead; empty where the service has a delete."""
        retired = self.quirk(Retired)
        return {} if retired is None else retired.values

    @property
    def prepared_with(self) -> Mapping[str, Any]:
        prepared = self.quirk(PreparedWith)
        return {} if prepared is None else prepared.values

    @property
    def emptied_first(self) -> tuple[str, ...]:
        emptied = self.quirk(EmptiedFirst)
        return () if emptied is None else emptied.parts

    def resets_to_default(self, document: Document) -> bool:
        resets = self.quirk(ResetsToDefault)
        return resets is not None and resets.applies(document)
