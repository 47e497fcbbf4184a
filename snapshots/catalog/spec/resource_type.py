"""The declaration of one resource type, in groups."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from snapshots.catalog.spec.access import LOG_OF_SERVICE, AuditHints, AuditLog, Permissions
from snapshots.catalog.spec.comparison import Comparison
from snapshots.catalog.spec.creation import Create
from snapshots.catalog.spec.deletion import Delete
from snapshots.catalog.spec.guards import Guards, Loss
from snapshots.catalog.spec.identity import GraphEntity, Identity, PrincipalIdentity
from snapshots.catalog.spec.listing import Read, Secret, Stream
from snapshots.catalog.spec.order import Order
from snapshots.catalog.spec.parts import Part
from snapshots.catalog.spec.references import Reference
from snapshots.catalog.spec.undelete import Undelete
from snapshots.catalog.spec.update import Update

EVERYTHING = ("*",)
"""For `Restore.writable`: everything that the document holds and nothing else declares; for families of many types."""


@dataclass(frozen=True, kw_only=True)
class Restore:
    """How a type is written back."""

    writable: tuple[str, ...] = ()
    """Top-level properties that a create and an update send."""
    params: Mapping[str, str] = field(default_factory=dict)
    """Query parameters of every write (Azure's `api-version`)."""
    typed: bool = False
    """The body must contain `@odata.type`."""
    create: Create = field(default_factory=Create)
    update: Update = field(default_factory=Update)
    delete: Delete = field(default_factory=Delete)
    undelete: Undelete | None = None
    order: Order = field(default_factory=Order)
    guards: Guards = field(default_factory=Guards)
    losses: tuple[Loss, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class ResourceType:
    """The declaration of one resource type (the glossary's *spec*).

    Equal only to itself, so that what is derived from it can be cached.
    """

    key: str
    label: str
    plural: str
    area: str
    read: Read
    permissions: Permissions
    restore: Restore
    identity: Identity = field(default_factory=Identity)
    comparison: Comparison = field(default_factory=Comparison)
    parts: tuple[Part, ...] = ()
    references: tuple[Reference, ...] = ()
    not_references: Mapping[str, str] = field(default_factory=dict)
    """Path (`**` for any depth) of what looks like an ID and names nothing that a rollback could bring back under
    another one → what it is instead. See also `identifiers.NEVER_REFERENCES`."""
    audit: AuditHints = field(default_factory=AuditHints)
    licence: str = ""
    notes: tuple[str, ...] = ()
    """Facts for the docs table: quirks, and what is unverified and how we adapt."""

    @property
    def entity(self) -> str:
        """Graph's name of the type."""
        entity = self.identity.quirk(GraphEntity)
        return self.key if entity is None else entity.name

    @property
    def principal_identity(self) -> Mapping[str, tuple[str, str]]:
        principal = self.identity.quirk(PrincipalIdentity)
        return {} if principal is None else principal.paths

    @property
    def streams(self) -> tuple[Stream, ...]:
        return self.read.quirks_of(Stream)

    @property
    def secrets(self) -> tuple[Secret, ...]:
        return self.read.quirks_of(Secret)

    @property
    def audit_log(self) -> AuditLog:
        return self.audit.log or LOG_OF_SERVICE.get(self.read.service, "directoryAudit")

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
        otherwise = {action.property for action in restore.update.actions} | {
            each.property for each in restore.update.removals
        }
        otherwise |= {part.name for part in self.parts} | {stream.name for stream in self.streams}
        otherwise |= {*restore.create.only} | self.addressing
        otherwise |= {"id", *self.comparison.volatile, *self.comparison.computed}
        return name not in otherwise and not name.startswith("@")

    def creates_with(self, name: str) -> bool:
        """Whether a create sends the top-level property."""
        return (self.writes(name) or name in self.restore.create.only) and name not in self.addressing
