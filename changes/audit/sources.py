"""Declares every Microsoft log that Lavawall reads: required permissions, retention, parser. Used by collect,
attribution and the docs. To add a log, add a declaration here and one in the catalogue (`AuditLog`), which
defines the types whose changes it records.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Generic, TypeVar

from changes.audit import parse, planes
from snapshots.catalog.spec import AuditLog
from tenants.microsoft import audit

Facts = TypeVar("Facts")


@dataclass(frozen=True)
class Source(Generic[Facts]):
    """One log. `key` names it in the database."""

    key: str
    title: str
    log: audit.Log
    needs: str
    """What the reader's app registration needs, as text."""
    retained: timedelta
    """Microsoft's retention: no read starts before that."""
    first: timedelta
    """How far back the first read goes. No change is older than the first snapshot."""
    parse: Callable[[object], Facts | None]
    counts: Callable[[object], bool] = lambda _record: True
    """Whether a record is stored at all."""
    backfill_after_grant: bool = True
    """Whether records from a time without permission are read once the permission is granted."""

    @property
    def per_subscription(self) -> bool:
        return "{subscription}" in self.log.path


DIRECTORY = Source(
    key="directoryAudit",
    title="directory audit log",
    log=audit.DIRECTORY_AUDITS,
    needs="the application permission AuditLog.Read.All, and admin consent in the tenant",
    retained=timedelta(days=30),
    first=timedelta(days=30),
    parse=parse.audit_event,
)
ATTRIBUTES = Source(
    key="attributeAudit",
    title="audit log of custom security attributes",
    log=audit.ATTRIBUTE_AUDITS,
    needs="the application permission CustomSecAttributeAuditLogs.Read.All, and admin consent in the tenant",
    retained=timedelta(days=30),
    first=timedelta(days=30),
    parse=parse.audit_event,
)
INTUNE = Source(
    key="intuneAudit",
    title="Intune audit log",
    log=audit.INTUNE_AUDITS,
    needs="the application permission DeviceManagementApps.Read.All, and admin consent in the tenant",
    retained=timedelta(days=365),
    first=timedelta(days=30),
    parse=planes.intune_event,
    counts=planes.is_intune_write,
)
AZURE = Source(
    key="azureActivity",
    title="Azure activity log",
    log=audit.AZURE_ACTIVITY,
    needs="the role Reader on the subscription",
    retained=timedelta(days=89),
    first=timedelta(days=14),
    parse=planes.azure_event,
    counts=planes.is_azure_outcome,
)
SIGN_INS = Source(
    key="signIn",
    title="sign-in log (for countries)",
    log=audit.SIGN_INS,
    needs="the application permission AuditLog.Read.All, and admin consent in a tenant with Entra ID P1",
    retained=timedelta(days=30),
    first=timedelta(days=2),
    parse=parse.sign_in,
    backfill_after_grant=False,
)
"""A sign-in can explain events for one day. Reading further back would take hours in a large tenant without
benefit.
"""

SOURCES: tuple[Source[parse.AuditEventFacts], ...] = (DIRECTORY, ATTRIBUTES, INTUNE, AZURE)
"""The logs that record changes."""
BY_KEY: Mapping[str, Source[parse.AuditEventFacts]] = MappingProxyType({each.key: each for each in SOURCES})

UNREAD: Mapping[AuditLog, str] = MappingProxyType(
    {
        "unifiedAudit": "Microsoft records changes of this type in the unified audit log of Microsoft "
        "Purview only, "
        "which is not read.",
    }
)
"""Logs in the catalogue that are not read → explanation for changes recorded in them."""
