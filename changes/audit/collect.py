"""Reads the logs of a tenant since the last read and stores new records. Called by the pipeline. Microsoft's
events arrive late and out of order, so each read overlaps the previous one; reading a record twice has no
effect.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from changes.audit import records
from changes.audit.parse import AuditEventFacts, SignInFacts
from changes.audit.records import Record
from changes.audit.sources import SIGN_INS, SOURCES, Source
from changes.models import AuditCursor, AuditEvent, SignIn
from tenants.access.actors import Actor
from tenants.chunks import chunked
from tenants.microsoft.audit import read
from tenants.microsoft.client import GraphClient
from tenants.microsoft.errors import LicenceMissing, MicrosoftError, PermissionMissing
from tenants.models import Tenant
from tenants.trust import proof

Facts = TypeVar("Facts", AuditEventFacts, SignInFacts)

OVERLAP = timedelta(hours=2)

COLLECTION = Actor.system("collection")

_BATCH = 500
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ingested:
    """The number of new records, and messages about logs that could not be read."""

    events: int = 0
    sign_ins: int = 0
    error: str = ""


def ingest(tenant: Tenant, client: GraphClient, *, now: datetime) -> Ingested:
    """Reads every log up to `now`, each with its own cursor. A failing log does not stop the others."""
    reading = _Reading(tenant, client, now)
    for source in SOURCES:
        for subscription in tenant.subscriptions if source.per_subscription else [""]:
            reading.read(source, partial(reading.keep_events, source), subscription)
    reading.read(SIGN_INS, reading.keep_sign_ins)
    return Ingested(reading.new_events, reading.new_sign_ins, " ".join(reading.errors))


class _Reading:
    """One pass over the logs of a tenant."""

    def __init__(self, tenant: Tenant, client: GraphClient, now: datetime) -> None:
        self.tenant = tenant
        self.client = client
        self.now = now
        self.new_events = 0
        self.new_sign_ins = 0
        self.errors: list[str] = []

    def read(
        self, source: Source[Facts], store: Callable[[list[Record]], None], subscription: str = ""
    ) -> None:
        """If a read fails, the cursor stays and the next read starts there."""
        cursor = AuditCursor.objects.filter(
            tenant=self.tenant, source=source.key, subscription=subscription
        ).first()
        reached = self.now - source.first if cursor is None else cursor.read_until
        since = reached if cursor is None else max(self.now - source.retained, reached - OVERLAP)
        error = ""
        try:
            received = read(self.client, source.log, since, self.now, subscription=subscription)
            for batch in chunked((record for record in received if source.counts(record)), _BATCH):
                store(batch)
            reached = self.now
        except MicrosoftError as refusal:
            error = _describe_refusal(source, subscription, refusal)
            self.errors.append(error)
            if isinstance(refusal, PermissionMissing | LicenceMissing) and not source.backfill_after_grant:
                reached = self.now
        AuditCursor.objects.update_or_create(
            tenant=self.tenant,
            source=source.key,
            subscription=subscription,
            defaults={"read_until": reached, "error": error},
        )

    def keep_events(self, source: Source[AuditEventFacts], batch: list[Record]) -> None:
        found: dict[str, tuple[AuditEventFacts, Record]] = {}
        for record in batch:
            if facts := source.parse(record):
                found.setdefault(facts.event_id, (facts, record))
            else:
                self._skipped(source)
        known = AuditEvent.objects.filter(tenant=self.tenant, source=source.key, event_id__in=found)
        for event_id in known.values_list("event_id", flat=True):
            del found[event_id]
        rows = [self._event(source.key, facts, record) for facts, record in found.values()]
        self.new_events += proof.append(COLLECTION, self.tenant, rows, ignore_conflicts=True)

    def _event(self, source: str, facts: AuditEventFacts, record: Record) -> AuditEvent:
        return AuditEvent(
            tenant=self.tenant,
            event_id=facts.event_id,
            source=source,
            activity=facts.activity,
            category=facts.category,
            service=facts.service,
            result=facts.result,
            occurred_at=facts.occurred_at,
            correlation_id=facts.correlation_id,
            actor_type=facts.actor_type,
            actor_id=facts.actor_id,
            actor_name=facts.actor_name,
            actor_app_id=facts.actor_app_id,
            ip=facts.ip,
            targets=[target.to_json() for target in facts.targets],
            sealed=records.sealed(self.tenant, facts.event_id, record),
            received_at=self.now,
        )

    def keep_sign_ins(self, batch: list[Record]) -> None:
        found: dict[str, SignInFacts] = {}
        for record in batch:
            if facts := SIGN_INS.parse(record):
                found.setdefault(facts.event_id, facts)
            else:
                self._skipped(SIGN_INS)
        known = SignIn.objects.filter(tenant=self.tenant, event_id__in=found)
        for event_id in known.values_list("event_id", flat=True):
            del found[event_id]
        rows = [
            SignIn(
                tenant=self.tenant,
                event_id=facts.event_id,
                principal_id=facts.principal_id,
                user_principal_name=facts.user_principal_name,
                app_id=facts.app_id,
                ip=facts.ip,
                country=facts.country,
                city=facts.city,
                occurred_at=facts.occurred_at,
            )
            for facts in found.values()
        ]
        self.new_sign_ins += proof.append(COLLECTION, self.tenant, rows, ignore_conflicts=True)

    def _skipped(self, source: Source[Facts]) -> None:
        _log.warning(
            "Tenant %s: a record of the %s without ID or time was skipped.", self.tenant, source.title
        )


def _describe_refusal(source: Source[Facts], subscription: str, refusal: MicrosoftError) -> str:
    """What was not read, why, and the remedy."""
    of = f" of subscription {subscription}" if subscription else ""
    remedy = f"The reader needs {source.needs}." if isinstance(refusal, PermissionMissing) else refusal.remedy
    return f"The {source.title}{of} was not read: {refusal.what}. {remedy}"
