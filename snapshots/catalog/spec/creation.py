"""How an object is created."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from snapshots.catalog.spec.values import Document, Quirk, WithQuirks


class CreateQuirk(Quirk):
    """Of creating an object of the type."""


@dataclass(frozen=True)
class AfterCreate(CreateQuirk):
    """What a create does not take and the object has: it may name the object's own new ID."""

    paths: tuple[str, ...]
    """Dotted."""


@dataclass(frozen=True)
class NamedLater(CreateQuirk):
    """Arrays that name elements of another array of the same object: what is new there must be written first."""

    arrays: Mapping[str, str]
    """Dotted path of the array that names → path of the one that is named."""


@dataclass(frozen=True)
class AutoCreatedWith(CreateQuirk):
    """The object is created together with another one, and is then only updated."""

    property: str
    """Names that other object."""


@dataclass(frozen=True, kw_only=True)
class Create(WithQuirks[CreateQuirk]):
    path: str | None = None
    method: Literal["POST", "PUT", "PATCH"] = "POST"
    only: tuple[str, ...] = ()
    """Properties that a create takes and an update must not send; `id`, where the caller sends the one it chooses."""
    given: tuple[str, ...] = ()
    """Properties that documents hold and the service itself sets on a new object: never sent."""
    caller_chooses_id: bool = False
    """A recreated object has its old ID."""
    listing: str | None = None
    """Where objects like a created one are listed, if not at `path`."""
    shape: Callable[[Document], Document] | None = None
    """Adapts the body, where the service wants another form than it returns."""
    recreate_for: tuple[str, ...] = ()
    """Dotted paths of what only a new object can have otherwise: to change it, the object is deleted and recreated."""
    new_id_note: str = ""
    """What a new ID means for everything that referred to the old one."""

    @property
    def after(self) -> tuple[str, ...]:
        after = self.quirk(AfterCreate)
        return () if after is None else after.paths

    @property
    def named_later(self) -> Mapping[str, str]:
        named = self.quirk(NamedLater)
        return {} if named is None else named.arrays

    @property
    def auto_created_with(self) -> str:
        created = self.quirk(AutoCreatedWith)
        return "" if created is None else created.property
