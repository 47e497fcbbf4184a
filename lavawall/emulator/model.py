"""The words in which a resource type is declared once; routes, checks, audit and recycle bins follow from them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lavawall.emulator.store import Json, Record, Session
from lavawall.emulator.validation import WriteRules

if TYPE_CHECKING:
    from lavawall.emulator.presentation import View
    from lavawall.emulator.requests import Answer, Call

Permissions = tuple[str, ...]
"""Alternatives, any of which is enough; "A & B" needs both."""


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
class EntityType:
    """One resource type of the emulated cloud."""

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
    delete_checks: tuple[Callable[[Session, Record], None], ...] = ()
    created: tuple[Callable[[Session, Record], None], ...] = ()
    updated: tuple[Callable[[Session, Record], None], ...] = ()
    deleted: tuple[Callable[[Session, Record], None], ...] = ()
    audit_writer: Callable[[Session, str, Record, Json | None], None] | None = None
    new_id: Callable[[Write], str] | None = None
    dates: tuple[str, ...] = ("createdDateTime",)
    modified: tuple[str, ...] = ()
    recycle: str = ""
    dependants: Callable[[Session, Record], list[Record]] | None = None
    default_select: frozenset[str] | None = None
    on_request: frozenset[str] = frozenset()
    filterable: frozenset[str] | None = None
    expand: Mapping[str, Callable[[Session, Record], Any]] = field(default_factory=dict)
    present: "Callable[[View], None] | None" = None
    ordered: frozenset[str] = frozenset()
    parent: str = ""
    singleton: str = ""
    alternate_keys: tuple[str, ...] = ()
    id_aliases: tuple[str, ...] = ()
    largest_page: int = 999

    @property
    def is_directory_object(self) -> bool:
        return self.name in {"user", "group", "application", "servicePrincipal"}
