"""The words in which a resource type is declared once; routes, checks, audit and recycle bins follow from them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lavawall.emulator.store import DIRECTORY_OBJECT_TYPES, Json, Options, Record, Session
from lavawall.emulator.validation import WriteRules

if TYPE_CHECKING:
    from lavawall.emulator.presentation import View
    from lavawall.emulator.requests import Answer, Call

NO_PAGING = 1_000_000
"""The largest page of a collection that always comes whole."""

Permissions = tuple[str, ...]
"""Alternatives, any of which is enough; "A & B" needs both."""
VERSIONS = frozenset({"v1.0", "beta"})
BETA = frozenset({"beta"})


@dataclass
class Write:
    """One create or update while it is being checked: `after` may still be completed by a rule."""

    session: Session
    type: "EntityType"
    body: Json
    after: Json
    before: Json | None = None
    parent_id: str = ""

    @property
    def creating(self) -> bool:
        return self.before is None


@dataclass(frozen=True)
class Audit:
    """How Microsoft's directory audit names the writes of a type."""

    service: str
    category: str
    target_type: str
    create: str = ""
    update: str = ""
    delete: str = ""
    restore: str = ""
    purge: str = ""
    whole_value: str = ""


@dataclass(frozen=True)
class Link:
    """A navigation property that refers to directory objects (members, owners)."""

    name: str
    targets: tuple[str, ...]
    added: str
    removed: str
    category: str
    check_remove: Callable[[Session, Record, Record], None] | None = None
    check_add: Callable[[Session, Record, Record], None] | None = None
    after_remove: Callable[[Session, Record, str], None] | None = None
    read: Permissions = ()
    write: Permissions = ()


@dataclass(frozen=True)
class Action:
    """A route of a type that is none of the usual verbs. A path without leading slash is below one object."""

    method: str
    path: str
    handler: "Callable[[Call], Answer]"
    permissions: Permissions


@dataclass(frozen=True)
class Guard:
    """Permissions of its own that a property takes: to read it beside, to write it instead of those of its type."""

    read: Permissions
    write: Permissions


@dataclass(frozen=True)
class Licence:
    """A licence that a tenant may lack, and the refusal of everything that needs it."""

    name: str
    status: int
    code: str
    message: str


@dataclass(frozen=True)
class EntityType:
    """One resource type of the emulated cloud.

    `schema` names the published type where one type stands at two addresses under two names here. `client_key` is the
    property whose value the client chooses and that serves as id; `upsert` holds the methods that create an object
    at its address. `repeatable` properties may be sent with the value that they have, `merged` ones are completed
    by an update instead of replaced. A `singleton` named "{parent}" has the id of its parent, and ids of a type with
    `scoped_ids` are unique below their parent only. `beta_path` is the address in beta where that differs,
    `property_guards` hold permissions of single properties, `single_only` properties
    show on a single object only, `visible` says which objects the version that is spoken knows. `guards` are asked
    before any write to an existing object.
    """

    name: str
    path: str
    read: Permissions
    write: Permissions = ()
    verbs: frozenset[str] = frozenset({"list", "get", "create", "update", "delete"})
    service: str = "directory"
    rules: WriteRules = field(default_factory=WriteRules)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    audit: Audit | None = None
    links: tuple[Link, ...] = ()
    actions: tuple[Action, ...] = ()
    checks: tuple[Callable[[Write], None], ...] = ()
    guards: tuple[Callable[[Session, Record], None], ...] = ()
    delete_checks: tuple[Callable[[Session, Record], None], ...] = ()
    created: tuple[Callable[[Session, Record], None], ...] = ()
    updated: tuple[Callable[[Session, Record], None], ...] = ()
    deleted: tuple[Callable[[Session, Record], None], ...] = ()
    audit_writer: Callable[[Session, str, Record, Json | None], None] | None = None
    new_id: Callable[[Write], str] | None = None
    dates: tuple[str, ...] = ("createdDateTime",)
    modified: tuple[str, ...] = ()
    recycle: str = ""
    recycle_option: str = ""
    dependants: Callable[[Session, Record], list[Record]] | None = None
    default_select: frozenset[str] | None = None
    on_request: frozenset[str] = frozenset()
    filterable: frozenset[str] | None = None
    expand: Mapping[str, Callable[[Session, Record], Any]] = field(default_factory=dict)
    expands_together: bool = False
    present: "Callable[[View], None] | None" = None
    ordered: frozenset[str] = frozenset()
    parent: str = ""
    singleton: str = ""
    schema: str = ""
    client_key: str = ""
    upsert: frozenset[str] = frozenset()
    repeatable: frozenset[str] = frozenset()
    merged: frozenset[str] = frozenset()
    scoped_ids: bool = False
    shows_update: bool = False
    single_only: frozenset[str] = frozenset()
    visible: Callable[[Session, Record], bool] | None = None
    versions: frozenset[str] = VERSIONS
    beta_path: str = ""
    property_guards: Mapping[str, Guard] = field(default_factory=dict)
    licence: Licence | None = None
    alternate_keys: tuple[str, ...] = ()
    id_aliases: tuple[str, ...] = ()
    largest_page: int = 999

    @property
    def schema_name(self) -> str:
        return self.schema or self.name

    @property
    def is_directory_object(self) -> bool:
        return self.name in DIRECTORY_OBJECT_TYPES

    def has_bin(self, options: Options) -> bool:
        """Whether deleted objects of the type can be brought back; `recycle_option` names what decides it."""
        return bool(self.recycle) and (not self.recycle_option or bool(getattr(options, self.recycle_option)))
