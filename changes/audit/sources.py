"""Every log of Microsoft that we read, declared once: what it needs, how long it is kept, how it is understood.

Used by collect, by attribution and by the docs. A further log is a further declaration here and one in the catalogue
(`AuditLog`), which says which types' changes stand in it.
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
    """What the reader's app registration must hold, in words."""
    kept: timedelta
    """How long Microsoft keeps its records: no read begins before that."""
    first: timedelta
    """How far the first read looks back; no change is older than the first snapshot."""
    parse: Callable[[object], Facts | None]
    counts: Callable[[object], bool] = lambda _record: True
    """Whether a record is kept at all."""
    backfill_after_grant: bool = True
    """Whether what was forbidden meanwhile is read once it no longer is."""

    @property
    def per_subscription(self) -> bool:
        return "{subscription}" in self.log.path


DIRECTORY = Source(
    key="directoryAudit",
    title="directory audit log",
    log=audit.DIRECTORY_AUDITS,
    needs="the application permission AuditLog.Read.All, and admin consent in the tenant",
    kept=timedelta(days=30),
    first=timedelta(days=30),
    parse=parse.audit_event,
)
ATTRIBUTES = Source(
    key="attributeAudit",
    title="audit log of custom security attributes",
    log=audit.ATTRIBUTE_AUDITS,
    needs="the application permission CustomSecAttributeAuditLogs.Read.All, and admin consent in the tenant",
    kept=timedelta(days=30),
    first=timedelta(days=30),
    parse=parse.audit_event,
)
INTUNE = Source(
    key="intuneAudit",
    title="Intune audit log",
    log=audit.INTUNE_AUDITS,
    needs="the application permission DeviceManagementApps.Read.All, and admin consent in the tenant",
    kept=timedelta(days=365),
    first=timedelta(days=30),
    parse=planes.intune_event,
    counts=planes.is_intune_write,
)
AZURE = Source(
    key="azureActivity",
    title="Azure activity log",
    log=audit.AZURE_ACTIVITY,
    needs="the role Reader on the subscription",
    kept=timedelta(days=89),
    first=timedelta(days=14),
    parse=planes.azure_event,
    counts=planes.is_azure_outcome,
)
SIGN_INS = Source(
    key="signIn",
    title="sign-in log (it tells the countries)",
    log=audit.SIGN_INS,
    needs="the application permission AuditLog.Read.All, and admin consent in a tenant with Entra ID P1",
    kept=timedelta(days=30),
    first=timedelta(days=2),
    parse=parse.sign_in,
    backfill_after_grant=False,
)
"""A sign-in explains events for a day: looking further back would take hours in a large tenant and tell nothing."""

SOURCES: tuple[Source[parse.AuditEventFacts], ...] = (DIRECTORY, ATTRIBUTES, INTUNE, AZURE)
"""The logs in which changes stand."""
BY_KEY: Mapping[str, Source[parse.AuditEventFacts]] = MappingProxyType({each.key: each for each in SOURCES})

UNREAD: Mapping[AuditLog, str] = MappingProxyType(
    {
        "unifiedAudit": "Microsoft records changes of this type in the unified audit log of Microsoft Purview only, "
        "which is not read.",
    }
)
"""Logs of the catalogue that nobody reads → what is said of changes that stand in them."""
