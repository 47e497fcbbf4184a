"""Reads the audit and sign-in logs of a tenant since the last time, and keeps what is new. Called by the pipeline.

Events arrive at Microsoft late and out of order: each read overlaps the last one, and reading twice changes nothing.
"""

import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from changes.audit import parse
from changes.models import AuditCursor, AuditEvent, SignIn
from tenants import proof, vault
from tenants.actors import Actor
from tenants.microsoft.audit import iter_directory_audits, iter_sign_ins
from tenants.microsoft.client import GraphClient
from tenants.microsoft.errors import LicenceMissing, MicrosoftError, PermissionMissing
from tenants.models import Tenant

OVERLAP = timedelta(hours=2)
KEPT_BY_MICROSOFT = timedelta(days=30)
FIRST_SIGN_INS = timedelta(days=2)
"""A sign-in explains events for a day, and there is no change older than the first snapshot: a longer look back would
take hours in a large tenant and tell nothing."""

COLLECTION = Actor.system("collection")

_BATCH = 500
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ingested:
    """How many new records were kept, and in words why it was not everything."""

    events: int = 0
    sign_ins: int = 0
    error: str = ""


def ingest(tenant: Tenant, client: GraphClient, *, now: datetime) -> Ingested:
    """Reads both logs up to `now`. Where a read breaks off, the cursor stays and the next read begins at it."""
    cursor = AuditCursor.objects.filter(tenant=tenant).first()
    oldest = now - KEPT_BY_MICROSOFT
    since = oldest if cursor is None else max(oldest, cursor.read_until - OVERLAP)
    sign_ins_since = max(since, now - FIRST_SIGN_INS) if cursor is None else since
    reading = _Reading(tenant, now)
    complete = reading.events(iter_directory_audits(client, since, now))
    complete &= reading.sign_ins(iter_sign_ins(client, sign_ins_since, now))
    error = " ".join(reading.errors)
    read_until = now if complete else oldest if cursor is None else cursor.read_until
    AuditCursor.objects.update_or_create(tenant=tenant, defaults={"read_until": read_until, "error": error})
    return Ingested(reading.new_events, reading.new_sign_ins, error)


def original(event: AuditEvent) -> dict[str, Any]:
    """The whole record as Microsoft gave it. Raises tenants.crypto.SealBroken where it was altered."""
    record: dict[str, Any] = json.loads(vault.unseal(event.tenant, event.sealed, _context(event.event_id)))
    return record


class _Reading:
    """One pass over the logs of a tenant."""

    def __init__(self, tenant: Tenant, now: datetime) -> None:
        self.tenant = tenant
        self.now = now
        self.new_events = 0
        self.new_sign_ins = 0
        self.errors: list[str] = []

    def events(self, records: Iterator[dict[str, Any]]) -> bool:
        """Whether the log was read to its end."""
        try:
            for batch in _batches(records):
                self.new_events += self._keep_events(batch)
        except MicrosoftError as error:
            self.errors.append(f"The directory audit log was not read: {error}")
            return False
        return True

    def sign_ins(self, records: Iterator[dict[str, Any]]) -> bool:
        """Whether the log was read to its end, or there is none for us to read: then countries stay unknown."""
        try:
            for batch in _batches(records):
                self.new_sign_ins += self._keep_sign_ins(batch)
        except (PermissionMissing, LicenceMissing) as error:
            self.errors.append(f"Countries cannot be told by sign-ins: {error}")
        except MicrosoftError as error:
            self.errors.append(f"The sign-in log was not read: {error}")
            return False
        return True

    def _keep_events(self, records: list[dict[str, Any]]) -> int:
        found: dict[str, tuple[parse.AuditEventFacts, dict[str, Any]]] = {}
        for record in records:
            if facts := parse.audit_event(record):
                found.setdefault(facts.event_id, (facts, record))
            else:
                self._skipped("audit event")
        known = AuditEvent.objects.filter(tenant=self.tenant, event_id__in=found)
        for event_id in known.values_list("event_id", flat=True):
            del found[event_id]
        rows = [self._event(facts, record) for facts, record in found.values()]
        return proof.append(COLLECTION, self.tenant, rows, ignore_conflicts=True)

    def _event(self, facts: parse.AuditEventFacts, record: dict[str, Any]) -> AuditEvent:
        whole = json.dumps(record, separators=(",", ":")).encode()
        return AuditEvent(
            tenant=self.tenant,
            event_id=facts.event_id,
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
            sealed=vault.seal(self.tenant, whole, _context(facts.event_id)),
            received_at=self.now,
        )

    def _keep_sign_ins(self, records: list[dict[str, Any]]) -> int:
        found: dict[str, parse.SignInFacts] = {}
        for record in records:
            if facts := parse.sign_in(record):
                found.setdefault(facts.event_id, facts)
            else:
                self._skipped("sign-in")
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
        return proof.append(COLLECTION, self.tenant, rows, ignore_conflicts=True)

    def _skipped(self, what: str) -> None:
        _log.warning("Tenant %s: a record without id or time was left out as it is no %s.", self.tenant, what)


def _batches(records: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    iterator = iter(records)
    while batch := list(islice(iterator, _BATCH)):
        yield batch


def _context(event_id: str) -> str:
    return f"audit-event:{event_id}"
