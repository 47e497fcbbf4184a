"""Proof that history is as it was written: a keyed digest of each snapshot's rows stands in the ledger.

Audit events prove themselves: what is kept of them in clear must follow from the record sealed beside it.
"""

import dataclasses
import hashlib
import hmac
from typing import Any

import orjson
from django.db.models import Model

from changes.audit import parse
from changes.models import AuditEvent, Change
from snapshots.models import Coverage, Snapshot, Version
from snapshots.store import Fault
from tenants import vault
from tenants.crypto import SealBroken
from tenants.models import LedgerEntry, Tenant

ACTION = "snapshot:seal"


def facts_of(snapshot: Snapshot) -> dict[str, Any]:
    """What the ledger keeps of a snapshot that was just sealed."""
    return {
        "snapshot": snapshot.pk,
        "number": snapshot.number,
        "root": snapshot.root,
        "digest": _digest(snapshot),
    }


def verify(tenant: Tenant) -> list[Fault]:
    """Every snapshot whose rows differ from what the ledger says was sealed, and every altered audit event."""
    sealed = {
        entry.detail["snapshot"]: entry.detail
        for entry in LedgerEntry.objects.filter(action=ACTION, tenant_id=tenant.pk)
    }
    faults = []
    for snapshot in Snapshot.objects.filter(tenant=tenant).order_by("id"):
        facts = sealed.pop(snapshot.pk, None)
        where = f"snapshot {snapshot.number}"
        if facts is None:
            faults.append(Fault(where, "the ledger does not know it"))
        elif facts["root"] != snapshot.root or not hmac.compare_digest(facts["digest"], _digest(snapshot)):
            faults.append(Fault(where, "its record, coverage, versions, changes or findings were altered"))
    faults += [Fault(f"snapshot {facts['number']}", "is missing") for facts in sealed.values()]
    return faults + _altered_events(tenant)


def _altered_events(tenant: Tenant) -> list[Fault]:
    events = AuditEvent.objects.filter(tenant=tenant).iterator(chunk_size=500)
    return [Fault(f"audit event {event.event_id}", "was altered") for event in events if _is_altered(event)]


def _is_altered(event: AuditEvent) -> bool:
    try:
        record = vault.unseal(event.tenant, event.sealed, f"audit-event:{event.event_id}")
    except SealBroken:
        return True
    facts = parse.audit_event(orjson.loads(record))
    if facts is None or event.targets != [target.to_json() for target in facts.targets]:
        return True
    names = [field.name for field in dataclasses.fields(facts) if field.name != "targets"]
    return any(getattr(event, name) != getattr(facts, name) for name in names)


def _digest(snapshot: Snapshot) -> str:
    rows: list[Any] = [_facts(snapshot)]
    rows += [_facts(row) for row in Coverage.objects.filter(snapshot=snapshot).order_by("resource_type")]
    rows += [
        _facts(row, but="last_snapshot_id")
        for row in Version.objects.filter(first_snapshot=snapshot).order_by("id")
    ]
    for change in Change.objects.filter(snapshot=snapshot).order_by("id").prefetch_related("findings"):
        rows.append([_facts(change), [_facts(finding) for finding in change.findings.all()]])
    content = orjson.dumps(rows, option=orjson.OPT_SORT_KEYS, default=str)
    return hmac.new(vault.ledger_key(), content, hashlib.sha256).hexdigest()


def _facts(row: Model, but: str = "") -> dict[str, Any]:
    names = (field.attname for field in type(row)._meta.concrete_fields if field.attname != but)
    return {name: getattr(row, name) for name in names}
