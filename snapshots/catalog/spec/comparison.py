"""What of an object is compared, and which differences mean nothing: the input of the canonical form."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from snapshots.catalog.spec.values import Document, Quirk, WithQuirks

_STEP = re.compile(r"@odata\.type|[^.]+")


class ComparisonQuirk(Quirk):
    """Of a type's canonical form."""


@dataclass(frozen=True)
class NormaliseRaw(ComparisonQuirk):
    """One spelling of an object for which the service knows several. The function is idempotent."""

    function: Callable[[Document], Document]


@dataclass(frozen=True)
class Defaults(ComparisonQuirk):
    """What an absent value means: the canonical form leaves it out, and a write sends it."""

    values: Mapping[str, Any]
    """By path."""


@dataclass(frozen=True)
class AppendedByPolicy(ComparisonQuirk):
    """Maps of texts to which a policy of the customer may add entries whenever the object is written."""

    properties: tuple[str, ...]


@dataclass(frozen=True)
class TypedValues(ComparisonQuirk):
    """Annotations that name a neighbour's type (`Project@odata.type`) are part of the state and of every write."""


def _at(value: Any, steps: list[str]) -> Any:
    for step in steps:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


@dataclass(frozen=True)
class SetOf:
    """An array whose order has no meaning. `key` names the elements' identity; None: the elements are whole
    values (scalars, or objects without an identity)."""

    path: str
    key: str | tuple[str, ...] | None = None
    """A dotted name is inside the element: `settingInstance.settingDefinitionId`."""

    @property
    def key_names(self) -> tuple[str, ...]:
        return (self.key,) if isinstance(self.key, str) else self.key or ()

    def key_of(self, element: Any) -> tuple[Any, ...]:
        """The value of each key's name in an element; None where it lacks that."""
        return tuple(_at(element, _STEP.findall(name)) for name in self.key_names)


@dataclass(frozen=True, kw_only=True)
class Comparison(WithQuirks[ComparisonQuirk]):
    version: int = 2
    """Raised when the canonical form or what is stored with it changes. Part of every digest."""
    first_read: Mapping[str, int] = field(default_factory=dict)
    """Dotted path of what older versions did not read → the version that reads it. Seeing it for the first time is
    no change."""
    volatile: tuple[str, ...] = ()
    """Not stored: values that change by themselves."""
    computed: tuple[str, ...] = ()
    """Not stored: values that the service derives from others."""
    nested_fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """For a nested object: the only keys that are state (`grantControls.authenticationStrength`: `id`)."""
    sets: tuple[SetOf, ...] = ()
    ordered: tuple[str, ...] | None = None
    """Names of the arrays whose order has a meaning, where every other array of the type is a set."""
    element_keys: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    """Name of a set, at any depth → the key of its elements, for sets that `sets` does not declare."""
    normalise: Mapping[str, str] = field(default_factory=dict)
    """Path → name of a value normaliser (`cidr`, `space_set`, `json`…)."""
    unread: Mapping[str, str] = field(default_factory=dict)
    """Settings that only the beta version of the API shows, where the type is read at v1.0: dotted path → why. They are
    neither compared nor restored; the docs and a plan that recreates the object say so."""

    def normalise_raw(self, raw: Document) -> Document:
        normalise = self.quirk(NormaliseRaw)
        return raw if normalise is None else normalise.function(raw)

    @property
    def defaults(self) -> Mapping[str, Any]:
        defaults = self.quirk(Defaults)
        return {} if defaults is None else defaults.values

    @property
    def appended_by_policy(self) -> tuple[str, ...]:
        appended = self.quirk(AppendedByPolicy)
        return () if appended is None else appended.properties

    @property
    def typed_values(self) -> bool:
        return self.quirk(TypedValues) is not None
