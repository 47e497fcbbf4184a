"""Sub-collections of an object that are read and written at their own URLs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from snapshots.catalog.spec.listing import DerivedFrom, PartQuirk
from snapshots.catalog.spec.values import Document, WithQuirks


@dataclass(frozen=True)
class Inner(PartQuirk):
    """Sub-collections of each element, on URLs with `{id}` and `{element}`."""

    parts: tuple["Part", ...]


@dataclass(frozen=True)
class ChosenKeys(PartQuirk):
    """The caller chooses the elements' keys, so they are state and are sent."""


@dataclass(frozen=True)
class RetiredElements(PartQuirk):
    """An element cannot be removed; these values are written to it instead."""

    values: Mapping[str, Any]


@dataclass(frozen=True)
class ReplacedElements(PartQuirk):
    """Graph has no PATCH for an element: a changed one is removed and created again."""


@dataclass(frozen=True)
class OnlyWhen(PartQuirk):
    """Not every object has the part."""

    has_part: Callable[[Document], bool]
    """Given the raw object."""


@dataclass(frozen=True)
class Part(WithQuirks[PartQuirk]):
    """A sub-collection that Graph serves on its own URL and the document holds as one set.

    It is written element by element, unless its name is an action's property or writable: then as a whole.
    """

    name: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    key: str | None = "id"
    """None: the elements have no key, they are whole values."""
    projected_fields: tuple[str, ...] | None = None
    """The only keys of each element that are stored. None: all but the volatile ones."""
    add_ref: str | None = None
    """POST path with `{id}` that takes `{"@odata.id": …/directoryObjects/{element id}}`."""
    remove_ref: str | None = None
    """DELETE path with `{id}` and `{element}`."""
    holders: Mapping[str, str] = field(default_factory=dict)
    """Where the elements refer to the object: their `@odata.type` → the collection that they are in, which is
    `{holder}` in both paths. The body of the POST then names the object, which is at `holds`."""
    holds: str = ""
    create_path: str | None = None
    """POST path with `{id}` for elements that are objects of their own (combination configurations)."""
    element_path: str | None = None
    """PATCH and DELETE path with `{id}` and `{element}` for such elements."""
    reference: str | None = None
    """The resource type that each element's key names, if it is a reference ("directoryObject" for any)."""

    @property
    def named_by(self) -> str:
        """The key of an element. Raises ValueError where the elements have none."""
        if self.key is None:
            raise ValueError(f"The elements of {self.name} have no key.")
        return self.key

    @property
    def inner(self) -> tuple["Part", ...]:
        inner = self.quirk(Inner)
        return () if inner is None else inner.parts

    @property
    def caller_chooses_keys(self) -> bool:
        return self.quirk(ChosenKeys) is not None

    @property
    def retired_with(self) -> Mapping[str, Any]:
        """What is written to an element instead of removing it; empty where it can be removed."""
        retired = self.quirk(RetiredElements)
        return {} if retired is None else retired.values

    @property
    def replaces_elements(self) -> bool:
        return self.quirk(ReplacedElements) is not None

    @property
    def derived_from(self) -> DerivedFrom | None:
        return self.quirk(DerivedFrom)

    def exists_for(self, raw: Document) -> bool:
        only_when = self.quirk(OnlyWhen)
        return only_when is None or only_when.has_part(raw)
