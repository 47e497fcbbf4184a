"""How objects of a type are listed and read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from snapshots.catalog.spec.values import Document, Quirk, Service, WithQuirks


class ReadQuirk(Quirk):
    """Of a type's listing."""


class PartQuirk(Quirk):
    """Of a sub-collection."""


@dataclass(frozen=True)
class Nested(ReadQuirk):
    """The objects are an array inside a singleton's body, or inside each object of the listing."""

    items_at: str
    """Dotted path of the array."""
    inject: Mapping[str, str] = field(default_factory=dict)
    """Property of the document → dotted path in the object of the listing that holds the array."""


@dataclass(frozen=True)
class OnePerParent(ReadQuirk):
    """Each parent has at most one such object: the path answers with it, or with 404."""


@dataclass(frozen=True)
class AlsoListedAt(ReadQuirk):
    """The type has several listings."""

    paths: tuple[str, ...]
    path_key: str
    """The document's property that holds the last segment of the listing (`users`)."""


@dataclass(frozen=True)
class RepeatsId(ReadQuirk):
    """The type is something that another object has: a property of the document repeats that object's ID."""

    key: str


@dataclass(frozen=True)
class Headers(ReadQuirk):
    """Headers that the service wants with every read."""

    values: Mapping[str, str]


@dataclass(frozen=True)
class DerivedFrom(ReadQuirk, PartQuirk):
    """Objects, or elements of a part, that only repeat what another listing shows in full. They are not stored.

    Where the caller cannot read that listing, or has no licence for it, none are derived.
    """

    path: str
    by: tuple[str, ...]
    """Properties that both have: an object is derived if all of them agree. For elements of a part, the property of
    the other listing that names the element."""
    is_source: Callable[[Document], bool]
    """Given a raw object of the other listing: whether anything is derived from it."""
    params: Mapping[str, str] = field(default_factory=dict)
    """For a part, with `{id}` and other texts of the object that has it."""


@dataclass(frozen=True)
class Stream(ReadQuirk):
    """A property whose value is bytes (an image, a style sheet) at a URL of its own, for GET, PUT and DELETE."""

    name: str
    path: str
    present: Callable[[Document], bool]
    """Given the raw object: whether it has one. Only then it is read."""
    kind: str = "image/*"
    """The media type that the service takes. For an image, the bytes tell it more exactly."""
    removed_first: bool = False
    """The service refuses to delete an object that still has it."""


@dataclass(frozen=True)
class Secret(ReadQuirk):
    """Values in the elements of an array that are masked in answers and can be read at an address of their own."""

    items: str
    """Name of the array."""
    value: str
    """The property that is masked."""
    reference: str
    """The property that names the secret. Only elements that have it are read."""
    path: str
    """Where it is, with `{id}` and `{reference}`. Answers with `value`."""
    permission: str
    """What reading it needs beyond the type's own permissions."""
    key: str
    """The property that identifies an element."""
    masked: Callable[[Document], bool]
    """Given an element: whether it holds the mask."""


@dataclass(frozen=True, kw_only=True)
class Read(WithQuirks[ReadQuirk]):
    """How the objects of a type are listed.

    `path` is relative to the service's root. For Graph it includes the API version, for Azure `params` names it.
    With `parent` the path (or a parameter) holds `{parent}` and is read once for each object of that type; with
    `{subscription}` in it, once for each Azure subscription.
    """

    path: str
    service: Service = "directory"
    params: Mapping[str, str] = field(default_factory=dict)
    singleton: bool = False
    parent: str | None = None
    parent_key: str = ""
    """The document's property that holds the parent's ID, which the service's answer leaves out."""
    each: bool | Callable[[Document], bool] = False
    """The listing leaves state out: every object (or those for which this is true) is read again at `item_path`."""
    exists: Callable[[Document], bool] | None = None
    """Given a raw object: whether it is one of this type at all, or only what it would hang on."""
    find_params: Mapping[str, str] = field(default_factory=dict)
    """Parameters that narrow the listing to one object (`{property}` of it), where it has no address of its own."""
    item_path: str | None = None
    """One object, with `{id}` (and, as in every path of a type, `{property}` of its document where needed):
    used to confirm that an object missing from a list is really gone, and for the live read before a write.
    None: the object is found in the listing (by identity or natural key)."""
    item_params: Mapping[str, str] = field(default_factory=dict)

    @property
    def derived_from(self) -> DerivedFrom | None:
        return self.quirk(DerivedFrom)

    @property
    def items_at(self) -> str | None:
        nested = self.quirk(Nested)
        return None if nested is None else nested.items_at

    @property
    def inject(self) -> Mapping[str, str]:
        nested = self.quirk(Nested)
        return {} if nested is None else nested.inject

    @property
    def listings(self) -> tuple[str, ...]:
        """The paths of all listings."""
        also = self.quirk(AlsoListedAt)
        return (self.path,) if also is None else (self.path, *also.paths)

    @property
    def path_key(self) -> str:
        also = self.quirk(AlsoListedAt)
        return "" if also is None else also.path_key

    @property
    def id_key(self) -> str:
        repeats = self.quirk(RepeatsId)
        return "" if repeats is None else repeats.key

    @property
    def headers(self) -> Mapping[str, str]:
        headers = self.quirk(Headers)
        return {} if headers is None else headers.values

    @property
    def one_per_parent(self) -> bool:
        return self.quirk(OnePerParent) is not None
