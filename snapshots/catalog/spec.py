"""The vocabulary in which a resource type is declared, once, as frozen data.

Collection, canonical form, diff, planning, permission lists and the docs table interpret these values;
nothing here does anything by itself, and nothing here knows Django, the network or the clock.

Paths into a document are dotted; `[]` steps into every element of a list and `*` matches any one key:
`conditions.users.includeUsers`, `appRoles[].id`, `grantControls.*`.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Document = dict[str, Any]

Service = Literal["conditional_access", "directory", "audit", "intune", "arm"]


@dataclass(frozen=True)
class Read:
    """How the objects of a type are listed.

    `path` is relative to the Graph root and includes the API version. With `items_at` the objects are an
    array inside a singleton's body. With `parent` the path holds `{parent}` and is read once for each object
    of that type.
    """

    path: str
    service: Service = "directory"
    params: Mapping[str, str] = field(default_factory=dict)
    singleton: bool = False
    items_at: str | None = None
    parent: str | None = None
    item_path: str | None = None
    """One object, with `{id}` (and, as in every path of a type, `{property}` of its document where needed):
    used to confirm that an object missing from a list is really gone, and for the live read before a write.
    None: the object is found in the listing (by identity or natural key)."""
    item_params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """A sub-collection that Graph serves on its own URL and the document holds as one keyed set."""

    name: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    key: str = "id"
    keep: tuple[str, ...] | None = None
    """The only keys kept of each element; None keeps all but the volatile ones."""
    only_when: Callable[[Document], bool] | None = None
    """Given the raw object: whether this part exists for it at all."""
    add_ref: str | None = None
    """POST path with `{id}` that takes `{"@odata.id": …/directoryObjects/{element id}}`."""
    remove_ref: str | None = None
    """DELETE path with `{id}` and `{element}`."""
    create_path: str | None = None
    """POST path with `{id}` for elements that are objects of their own (combination configurations)."""
    element_path: str | None = None
    """PATCH and DELETE path with `{id}` and `{element}` for such elements."""
    reference: str | None = None
    """The resource type that each element's key names, if it is a reference ("directoryObject" for any)."""


@dataclass(frozen=True)
class SetOf:
    """An array whose order means nothing. `key` names the elements' identity; None: the elements are whole
    values (scalars, or objects that nothing identifies)."""

    path: str
    key: str | tuple[str, ...] | None = None

    @property
    def key_names(self) -> tuple[str, ...]:
        return (self.key,) if isinstance(self.key, str) else self.key or ()


@dataclass(frozen=True)
class Reference:
    """A place in the document that names another resource, by `by` (its id unless said otherwise)."""

    path: str
    to: str
    by: str = "id"
    words: frozenset[str] = frozenset()
    """Special values that are not ids: All, None, GuestsOrExternalUsers, AllTrusted…"""
    prefix: str = ""
    """Literal text before the id, as in `/administrativeUnits/{id}`."""


@dataclass(frozen=True)
class Action:
    """A property that PATCH does not take and that has an action of its own."""

    property: str
    path: str
    body: Callable[[Any], Document]
    """Given the property's wanted value, the request body."""


@dataclass(frozen=True)
class ElementRemoval:
    """Removes one element of an array property by an action (`removePassword`)."""

    property: str
    path: str
    body: Callable[[Document], Document]


@dataclass(frozen=True)
class Undelete:
    """The soft-delete container of a type: where deleted objects are, and how they return with their ids."""

    item_path: str
    restore_path: str


@dataclass(frozen=True)
class Staged:
    """A property that is first written with a harmless value and raised to the wanted one in a last step."""

    property: str
    enforcing: frozenset[str]
    via: str


@dataclass(frozen=True)
class Loss:
    """Something that a rollback cannot bring back, said before the incident."""

    path: str
    what: str


@dataclass(frozen=True)
class Restore:
    """How a type is written back. `writable` is an allow-list of top-level properties (create and update)."""

    writable: tuple[str, ...] = ()
    create_only: tuple[str, ...] = ()
    """Properties that a create takes and an update must not send."""
    create_path: str | None = None
    update_path: str | None = None
    update_method: Literal["PATCH", "PUT"] = "PATCH"
    delete_path: str | None = None
    before_delete: Mapping[str, Any] = field(default_factory=dict)
    """Properties that Graph wants changed before it accepts the delete, with the value to send."""
    typed: bool = False
    """The body must carry `@odata.type`."""
    actions: tuple[Action, ...] = ()
    removals: tuple[ElementRemoval, ...] = ()
    undelete: Undelete | None = None
    staged: Staged | None = None
    protected: Callable[[Document], str | None] | None = None
    """The reason why this object must never be written (built-in, synchronised on-premises…), or None."""
    losses: tuple[Loss, ...] = ()
    new_id_note: str = ""
    """What recreating under a new id means for whoever referred to the object."""
    shape_create: Callable[[Document], Document] | None = None
    """Last touch on a create body, where Graph wants another form than it returns."""
    order: int = 50
    """Rank among the steps of one plan where references alone do not decide (lower is earlier)."""


@dataclass(frozen=True)
class AuditHints:
    """How Microsoft's audit log names changes of this type."""

    activities: tuple[str, ...] = ()
    """Activity display names in lower case; Microsoft's dashes vary, here each is a hyphen."""
    services: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    """Document paths whose values, besides the object's own id, may be the audit event's target id."""
    singleton: bool = False
    """The event's target id is not the object's: match on activity and modified properties."""


@dataclass(frozen=True)
class Permissions:
    """Application permissions: the least that does (all of them), and wider ones of which any one does."""

    read: tuple[str, ...]
    write: tuple[str, ...] = ()
    read_also: tuple[str, ...] = ()
    write_also: tuple[str, ...] = ()

    def may_read(self, granted: Collection[str]) -> bool:
        return _suffices(granted, self.read, self.read_also)

    def may_write(self, granted: Collection[str]) -> bool:
        return bool(self.write) and _suffices(granted, self.write, self.write_also)


def _suffices(granted: Collection[str], least: tuple[str, ...], wider: tuple[str, ...]) -> bool:
    return all(permission in granted for permission in least) or any(name in granted for name in wider)


def display_name(raw: Document) -> str:
    return str(raw.get("displayName") or raw.get("id") or "")


@dataclass(frozen=True, eq=False)
class ResourceType:
    """The frozen declaration of one resource type (the glossary's *spec*).

    Equal only to itself, so that what is derived from it can be cached.
    """

    key: str
    label: str
    plural: str
    area: str
    read: Read
    permissions: Permissions
    restore: Restore
    entity: str | None = None
    """Graph's entity type, where it is not `key`."""
    version: int = 1
    """Raised when the canonical form changes; part of every digest."""
    name: Callable[[Document], str] = display_name
    identity: tuple[str, ...] = ("id",)
    """Properties that form the resource id; more than one makes a natural key, joined by `|`."""
    natural_key: tuple[str, ...] = ()
    """Properties by which a recreated object is recognised as the same one, ids aside."""
    volatile: tuple[str, ...] = ()
    computed: tuple[str, ...] = ()
    keep_only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """For a nested object: the only keys that are state (`grantControls.authenticationStrength`: `id`)."""
    sets: tuple[SetOf, ...] = ()
    normalise: Mapping[str, str] = field(default_factory=dict)
    """Path → name of a value normaliser of the canonical form (`cidr`, `space_set`, `comma_set`, `lower`)."""
    meaningful_null: tuple[str, ...] = ()
    """Paths where null says something that a missing key does not."""
    parts: tuple[Part, ...] = ()
    references: tuple[Reference, ...] = ()
    audit: AuditHints = AuditHints()
    licence: str = ""
    notes: tuple[str, ...] = ()
    """Facts for the docs table: quirks, and what is unverified and how we adapt."""
