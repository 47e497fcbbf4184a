"""The vocabulary in which a resource type is declared, once, as frozen data.

Collection, canonical form, diff, planning, permission lists and the docs table interpret these values;
nothing here does anything by itself, and nothing here knows Django, the network or the clock.

Paths into a document are dotted; `[]` steps into every element of a list and `*` matches any one key:
`conditions.users.includeUsers`, `appRoles[].id`, `grantControls.*`. In paths of references `**` matches any number of
keys and elements: `settings[].settingInstance.**.simpleSettingValue.value`.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Document = dict[str, Any]

GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_STEP = re.compile(r"@odata\.type|[^.]+")
AZURE_ID = re.compile(r"/(subscriptions|providers)/", re.IGNORECASE)
"""How the id of a resource in Azure begins; the letter case of such ids means nothing."""

Service = Literal["conditional_access", "directory", "audit", "intune", "arm"]


@dataclass(frozen=True)
class DerivedFrom:
    """Objects, or elements of a part, that only show what another listing says in full: no state of their own.

    Where the caller may not read that listing, or has no licence for it, there are none.
    """

    path: str
    by: tuple[str, ...]
    """Properties that both have: an object is a shadow where all of them agree. For elements of a part, the property
    of the other listing that names the element."""
    is_source: Callable[[Document], bool]
    """Given a raw object of the other listing: whether it casts a shadow at all."""
    params: Mapping[str, str] = field(default_factory=dict)
    """For a part, with `{id}` and other texts of the object that has it."""


@dataclass(frozen=True)
class Read:
    """How the objects of a type are listed.

    `path` is relative to the service's root; for Graph it includes the API version, for Azure `params` names it.
    With `items_at` the objects are an array inside a singleton's body, or inside each object of the listing where
    `inject` says what else of that object they need. With `parent` the path (or a parameter) holds `{parent}` and
    is read once for each object of that type; with `{subscription}` in it, once for each Azure subscription.
    """

    path: str
    service: Service = "directory"
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    singleton: bool = False
    items_at: str | None = None
    """Dotted path of the array."""
    inject: Mapping[str, str] = field(default_factory=dict)
    """Property of the document → dotted path in the object of the listing that holds the array."""
    parent: str | None = None
    parent_key: str = ""
    """The document's property that holds the parent's id, which the service's answer leaves out."""
    single: bool = False
    """Each parent has one such object at most: the path answers with it, or with 404."""
    also: tuple[str, ...] = ()
    """Further listings of the same type."""
    path_key: str = ""
    """The document's property that holds the last segment of the listing (`users`), where there are several."""
    id_key: str = ""
    """The document's property that repeats the object's id, where the type is something that another object has."""
    each: bool | Callable[[Document], bool] = False
    """The listing leaves state out: every object (or those of which this is true) is read again at `item_path`."""
    exists: Callable[[Document], bool] | None = None
    """Given a raw object: whether it is one of this type at all, or only what it would hang on."""
    derived_from: DerivedFrom | None = None
    find_params: Mapping[str, str] = field(default_factory=dict)
    """Parameters that narrow the listing to one object (`{property}` of it), where it has no address of its own."""
    item_path: str | None = None
    """One object, with `{id}` (and, as in every path of a type, `{property}` of its document where needed):
    used to confirm that an object missing from a list is really gone, and for the live read before a write.
    None: the object is found in the listing (by identity or natural key)."""
    item_params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """A sub-collection that Graph serves on its own URL and the document holds as one set.

    It is written element by element, unless its name is an action's property or writable: then as a whole.
    """

    name: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    key: str | None = "id"
    """None: nothing names the elements, they are whole values."""
    inner: tuple["Part", ...] = ()
    """Sub-collections of each element, on URLs with `{id}` and `{element}`."""
    chosen_keys: bool = False
    """The caller chooses the elements' keys, so that they are state and sent."""
    retire: Mapping[str, Any] = field(default_factory=dict)
    """What is written to an element instead of removing it, where Graph cannot."""
    replaced: bool = False
    """Graph has no PATCH for an element: a changed one is removed and made anew."""
    projected_fields: tuple[str, ...] | None = None
    """The only keys kept of each element; None keeps all but the volatile ones."""
    only_when: Callable[[Document], bool] | None = None
    """Given the raw object: whether this part exists for it at all."""
    add_ref: str | None = None
    """POST path with `{id}` that takes `{"@odata.id": …/directoryObjects/{element id}}`."""
    remove_ref: str | None = None
    """DELETE path with `{id}` and `{element}`."""
    holders: Mapping[str, str] = field(default_factory=dict)
    """Where it is the elements that refer to the object: their `@odata.type` → the collection that they are in, which
    is `{holder}` in both paths. The body of the POST then names the object, which is at `holds`."""
    holds: str = ""
    create_path: str | None = None
    """POST path with `{id}` for elements that are objects of their own (combination configurations)."""
    element_path: str | None = None
    """PATCH and DELETE path with `{id}` and `{element}` for such elements."""
    derived_from: DerivedFrom | None = None
    reference: str | None = None
    """The resource type that each element's key names, if it is a reference ("directoryObject" for any)."""

    @property
    def named_by(self) -> str:
        """The key of an element. Raises ValueError where nothing names one."""
        if self.key is None:
            raise ValueError(f"Nothing names the elements of {self.name}.")
        return self.key


@dataclass(frozen=True)
class Stream:
    """A property whose value is bytes (an image, a style sheet) at a URL of its own, for GET, PUT and DELETE."""

    name: str
    path: str
    present: Callable[[Document], bool]
    """Given the raw object: whether it has one. Only then it is read."""
    kind: str = "image/*"
    """The media type that the service takes; of an image, the bytes tell it more exactly."""
    removed_first: bool = False
    """The service refuses to delete an object that still has it."""


def _at(value: Any, steps: list[str]) -> Any:
    for step in steps:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


@dataclass(frozen=True)
class Secret:
    """Values in the elements of an array that answers mask and an address of their own gives out."""

    items: str
    """Name of the array."""
    value: str
    """The property that is masked."""
    reference: str
    """The property that names the secret; only elements that have it are asked for."""
    path: str
    """Where it is, with `{id}` and `{reference}`: answers with `value`."""
    permission: str
    """What reading it needs beyond the type's own permissions."""
    key: str
    """The property by which an element is the same one."""
    masked: Callable[[Document], bool]
    """Given an element: whether it holds the mask."""


@dataclass(frozen=True)
class SetOf:
    """An array whose order means nothing. `key` names the elements' identity; None: the elements are whole
    values (scalars, or objects that nothing identifies)."""

    path: str
    key: str | tuple[str, ...] | None = None
    """A dotted name is inside the element: `settingInstance.settingDefinitionId`."""

    @property
    def key_names(self) -> tuple[str, ...]:
        return (self.key,) if isinstance(self.key, str) else self.key or ()

    def key_of(self, element: Any) -> tuple[Any, ...]:
        """The value of each key's name in an element; None where it lacks that."""
        return tuple(_at(element, _STEP.findall(name)) for name in self.key_names)


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
    suffix: str = ""
    """Literal text after the id, as in `/groups/{id}/members`."""
    continues: bool = False
    """A path may follow the id: `api://{id}/anything`."""
    within: re.Pattern[str] | None = None
    """The place is a text (a rule, an address): every GUID in the stretches that match is an id."""
    guids: bool = False
    """The place holds other texts as well: only what is a GUID is an id."""
    if_gone: Literal["left out", "told", "kept"] = "left out"
    """What a plan does with the id of something that does not exist: Microsoft refuses to be told of it, so that it is
    left out with a warning; or takes it, though it has no effect, so that a warning tells; or it may well be of
    another tenant, so that nothing is said."""

    def named(self, value: object) -> tuple[str, ...]:
        """The identifiers in a value at this place; none where it is a word or something else."""
        if not isinstance(value, str) or value in self.words:
            return ()
        if self.within is not None:
            stretches = (found[0] for found in self.within.finditer(value))
            return tuple(dict.fromkeys(each[0].lower() for text in stretches for each in GUID.finditer(text)))
        found = self._only(value)
        return () if found is None else (found,)

    def renamed(self, value: str, present: Callable[[str], str]) -> str:
        """The value with other identifiers in the place of those that it names; `present` tells them."""
        if self.within is not None:
            return self.within.sub(lambda stretch: GUID.sub(_other(present), stretch[0]), value)
        named = self._only(value)
        if named is None:
            return value
        rest = value[len(self.prefix) + len(named) :]
        return f"{self.prefix}{present(named)}{rest}"

    def _only(self, value: str) -> str | None:
        if value in self.words or not (value.startswith(self.prefix) and value.endswith(self.suffix)):
            return None
        named = value.removeprefix(self.prefix).removesuffix(self.suffix)
        named = named.partition("/")[0] if self.continues else named
        is_path = "/" in named and not AZURE_ID.match(named)
        return None if not named or is_path or (self.guids and not GUID.fullmatch(named)) else named


def _other(present: Callable[[str], str]) -> Callable[[re.Match[str]], str]:
    """What stands in the place of a GUID, which keeps its letter case where it stays the same."""

    def replacement(found: re.Match[str]) -> str:
        name = found[0].lower()
        other = present(name)
        return found[0] if other == name else other

    return replacement


@dataclass(frozen=True)
class Action:
    """A property that PATCH does not take and that has an action of its own."""

    property: str
    path: str
    body: Callable[[Any, Any], Document | None]
    """Given the property's wanted and its live value, the request body; None where there is nothing to send."""


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
    method: Literal["POST", "PUT"] = "POST"
    body: Callable[[Document], Document] | None = None
    """Given the wanted document: what the restore is told."""
    days: int | None = None
    """For how long Microsoft keeps what was deleted, where it says so."""
    doubt: str = ""
    """Why it may not be there: a sentence. What the container does not have is made anew."""
    note: str = ""
    """What does not come back with the object."""


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
    fixed: bool | Callable[[Any], bool] = False
    """An existing object keeps what it has at this (dotted) path, or those values for which the function is true;
    only a new one can have another value."""
    anew: bool = False
    """Only an object made anew lacks it; nobody can take it from an existing one."""
    items: Callable[[Document], list[str]] | None = None
    """Given the document: what exactly is lost, item by item (secrets by name, key id and expiry); none: nothing is."""

    def keeps(self, value: Any) -> bool:
        """Whether an object that has this value keeps it."""
        return self.fixed(value) if callable(self.fixed) else self.fixed


EVERYTHING = ("*",)
"""For `Restore.writable`: whatever the document holds and nothing else declares; for families of many types."""


@dataclass(frozen=True)
class Restore:
    """How a type is written back. `writable` is an allow-list of top-level properties (create and update)."""

    writable: tuple[str, ...] = ()
    create_only: tuple[str, ...] = ()
    """Properties that a create takes and an update must not send; `id`, where the caller sends the one it chooses."""
    after_create: tuple[str, ...] = ()
    """Dotted paths of what a create does not take and the object does: it may name the object's own new id."""
    given: tuple[str, ...] = ()
    """Properties that documents hold and the service itself gives to a new object: nobody sends them."""
    named_later: Mapping[str, str] = field(default_factory=dict)
    """Dotted path of an array that names elements of another one of the same object → path of that one: what is new
    there must be written before, with or after the create."""
    create_path: str | None = None
    create_method: Literal["POST", "PUT", "PATCH"] = "POST"
    update_path: str | None = None
    update_method: Literal["PATCH", "PUT", "POST"] = "PATCH"
    delete_path: str | None = None
    delete_method: Literal["DELETE", "POST", "PATCH"] = "DELETE"
    params: Mapping[str, str] = field(default_factory=dict)
    """Query parameters of every write (Azure's `api-version`)."""
    caller_chooses_id: bool = False
    """The caller chooses the id: what is created anew is under its old one."""
    listing: str | None = None
    """Where objects like a created one are listed, if not at `create_path`."""
    auto_created_with: str = ""
    """The property that names the object with which this one comes into being by itself, and is then only written."""
    retire: Mapping[str, Any] = field(default_factory=dict)
    """What is written instead of a delete, where the service has none."""
    delete_resets_to_default: Callable[[Document], bool] | None = None
    """Given the document: whether a delete only takes it back to Microsoft's default."""
    recreate_for: tuple[str, ...] = ()
    """Dotted paths of what only a new object can have otherwise: for it the object is deleted and created anew."""
    before_delete: Mapping[str, Any] = field(default_factory=dict)
    """Properties that Graph wants changed before it accepts the delete, with the value to send."""
    emptied_first: tuple[str, ...] = ()
    """Parts whose elements must be removed before the service accepts the delete."""
    moved_by_neighbours: tuple[str, ...] = ()
    """Properties that a write to a neighbour moves too (ranks): no sign that somebody else was there."""
    typed: bool = False
    """The body must carry `@odata.type`."""
    switched_off_first: tuple[str, ...] = ()
    """Dotted paths of keyed arrays whose elements must have `isEnabled` false before a later write takes them away."""
    actions: tuple[Action, ...] = ()
    removals: tuple[ElementRemoval, ...] = ()
    undelete: Undelete | None = None
    staged: Staged | None = None
    protected: Callable[[Document], str | None] | None = None
    """The reason why this object must never be written (built-in, synchronised on-premises…), or None."""
    deletion_guard: Callable[[Document], str | None] | None = None
    """The reason why this object must never be deleted though it may be written (a default), or None."""
    irreplaceable: Callable[[Document], str | None] | None = None
    """The reason why this object, once gone, cannot be created anew although others of its type can, or None."""
    losses: tuple[Loss, ...] = ()
    new_id_note: str = ""
    """What recreating under a new id means for whoever referred to the object."""
    shape_create: Callable[[Document], Document] | None = None
    """Last touch on a create body, where the service wants another form than it returns."""
    shape_update: Callable[[Document, Document], Document] | None = None
    """The same for an update: given the body and the wanted document."""
    repeats: Callable[[Document, Document], Document] | None = None
    """The same for an update that must repeat what documents do not hold (references of secrets): given the body
    and the raw live object."""
    shape_delete: Callable[[Document], Document] | None = None
    """The body of a delete that wants one: given the live document."""
    write_first: Callable[[Document | None, Document | None], bool] | None = None
    """Given the live and the wanted document: whether that is written before everything else, which it stands in the
    way of."""
    write_last: Callable[[Document], bool] | None = None
    """Given the wanted document: whether it is written after everything else, deletions included."""
    order: int = 50
    """Rank among the steps of one plan where references alone do not decide (lower is earlier)."""
    rank_within_type: Callable[[Document], int] | None = None
    """Given the wanted document: rank among the steps of its own type."""
    ends: str | None = None
    """Dotted path of the instant at which the object ends by itself: past that, nothing can bring it back."""


AuditLog = Literal["directoryAudit", "attributeAudit", "intuneAudit", "azureActivity", "unifiedAudit"]
"""In which of Microsoft's logs changes stand: of the directory, of custom security attributes, of Intune, of an Azure
subscription, of Microsoft Purview."""

_LOG_OF_SERVICE: Mapping[str, AuditLog] = {"intune": "intuneAudit", "arm": "azureActivity"}


@dataclass(frozen=True)
class AuditHints:
    """How Microsoft's audit log names changes of this type."""

    log: AuditLog | None = None
    """Where changes of this type stand, if not in the log of the service that reads it."""
    activities: tuple[str, ...] = ()
    """Activity display names in lower case; Microsoft's dashes vary, here each is a hyphen."""
    services: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    """Document paths whose values, besides the object's own id, may be the audit event's target id."""
    singleton: bool = False
    """The event's target id is not the object's: match on activity and modified properties."""


@dataclass(frozen=True)
class Permissions:
    """Application permissions: the least that does (all of them), and wider ones of which any one does.

    For types in Azure subscriptions they are Azure roles.
    """

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
    version: int = 2
    """Raised when the canonical form or what is kept with it changes; part of every digest."""
    first_read: Mapping[str, int] = field(default_factory=dict)
    """Dotted path of what older versions did not read → the version that reads it: to see it for the first time is no
    change."""
    name: Callable[[Document], str] = display_name
    identity: tuple[str, ...] = ("id",)
    """Properties that form the resource id; more than one makes a natural key, joined by `|`."""
    natural_key: tuple[str, ...] = ()
    """Properties by which a recreated object is recognised as the same one, ids aside."""
    volatile: tuple[str, ...] = ()
    computed: tuple[str, ...] = ()
    nested_fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """For a nested object: the only keys that are state (`grantControls.authenticationStrength`: `id`)."""
    sets: tuple[SetOf, ...] = ()
    normalise: Mapping[str, str] = field(default_factory=dict)
    """Path → name of a value normaliser of the canonical form (`cidr`, `space_set`, `json`…)."""
    ordered: tuple[str, ...] | None = None
    """Names of the arrays whose order means something, where every other array of the type is a set."""
    element_keys: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    """Name of a set, wherever it stands → the key of its elements; for sets that nothing else declares one for."""
    meaningful_null: tuple[str, ...] = ()
    """Paths where null says something that a missing key does not."""
    normalise_raw: Callable[[Document], Document] | None = None
    """One spelling of an object for which the service knows several; a fixed point."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Path → what an absent value means: the canonical form leaves it out, and a write says it."""
    id_spelling: tuple[str, ...] = ()
    """Properties that tell how the object's id is spelled: an existing one keeps its own, and both are the same."""
    appended: tuple[str, ...] = ()
    """Properties, maps of texts, to which a policy of the customer may add entries whenever the object is written."""
    typed_values: bool = False
    """Annotations that name a neighbour's type (`Project@odata.type`) are part of the state and of every write."""
    parts: tuple[Part, ...] = ()
    streams: tuple[Stream, ...] = ()
    secrets: tuple[Secret, ...] = ()
    unread: Mapping[str, str] = field(default_factory=dict)
    """Settings that only the beta version of the API shows, where the type is read at v1.0: dotted path → why. They are
    neither compared nor restored; whoever reads docs or a plan that makes the object anew is told."""
    references: tuple[Reference, ...] = ()
    not_references: Mapping[str, str] = field(default_factory=dict)
    """Path (`**` for any depth) of what looks like an id and names nothing that a rollback could bring back under
    another one → what it is instead. See also `identifiers.NEVER_REFERENCES`."""
    principal_identity: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Dotted path of an identifier that this resource has as an object of another type → that type and the property
    by which it is named there (a managed identity's `properties.principalId` is a service principal's id)."""
    audit: AuditHints = AuditHints()
    licence: str = ""
    notes: tuple[str, ...] = ()
    """Facts for the docs table: quirks, and what is unverified and how we adapt."""

    @property
    def audit_log(self) -> AuditLog:
        return self.audit.log or _LOG_OF_SERVICE.get(self.read.service, "directoryAudit")

    @property
    def on_azure(self) -> bool:
        """In a subscription, where Azure roles decide and no permissions of Microsoft Graph."""
        return self.read.service == "arm"

    @property
    def addressing(self) -> frozenset[str]:
        """Properties of the document that say where the object is; the service's bodies do not hold them."""
        read = self.read
        return frozenset({read.parent_key, read.path_key, read.id_key, *read.inject} - {""})

    def writes(self, name: str) -> bool:
        """Whether an update may send the top-level property."""
        restore = self.restore
        if restore.writable != EVERYTHING:
            return name in restore.writable
        otherwise = {action.property for action in restore.actions} | {
            each.property for each in restore.removals
        }
        otherwise |= {part.name for part in self.parts} | {stream.name for stream in self.streams}
        otherwise |= {*restore.create_only} | self.addressing
        otherwise |= {"id", *self.volatile, *self.computed}
        return name not in otherwise and not name.startswith("@")

    def creates_with(self, name: str) -> bool:
        """Whether a create sends the top-level property."""
        return (self.writes(name) or name in self.restore.create_only) and name not in self.addressing
