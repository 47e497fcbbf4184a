"""How an object is identified and named."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from snapshots.catalog.spec.values import Document, Quirk, WithQuirks, display_name


class IdentityQuirk(Quirk):
    """Of a type's identity."""


@dataclass(frozen=True)
class GraphEntity(IdentityQuirk):
    """Graph's entity type is not the type's key."""

    name: str


@dataclass(frozen=True)
class PrincipalIdentity(IdentityQuirk):
    """An object of the type is an object of another type too, and named there by another identifier."""

    paths: Mapping[str, tuple[str, str]]
    """Dotted path of that identifier → the other type and the property by which it is named there (a managed
    identity's `properties.principalId` is a service principal's ID)."""


@dataclass(frozen=True, kw_only=True)
class Identity(WithQuirks[IdentityQuirk]):
    properties: tuple[str, ...] = ("id",)
    """Properties that form the resource ID. Several are joined by `|`."""
    natural_key: tuple[str, ...] = ()
    """Properties by which a recreated object is recognised as the same one, IDs aside."""
    spelling: tuple[str, ...] = ()
    """Properties that say how the object's ID is spelled: an existing one keeps its own, and both are the same."""
    name: Callable[[Document], str] = display_name
    """Given the raw object: its name for people."""
