"""Proof that changes are as they were written: their keyed digest stands in the ledger, snapshot by snapshot."""

import hashlib
import hmac
from typing import Any

import orjson
from django.db.models import Model

from changes.models import AuditEvent, Change
from snapshots.models import Coverage, Snapshot
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
    """Every snapshot whose record, coverage, changes or findings differ from what the ledger says was sealed."""
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
            faults.append(Fault(where, "its record, coverage, changes or findings were altered"))
    faults += [Fault(f"snapshot {facts['number']}", "is missing") for facts in sealed.values()]
    return faults + _altered_events(tenant)


def _altered_events(tenant: Tenant) -> list[Fault]:
    faults = []
    for event in AuditEvent.objects.filter(tenant=tenant).iterator(chunk_size=500):
        try:
            vault.unseal(tenant, event.sealed, f"audit-event:{event.event_id}")
        except SealBroken:
            faults.append(Fault(f"audit event {event.event_id}", "was altered"))
    return faults


def _digest(snapshot: Snapshot) -> str:
    rows: list[Any] = [_facts(snapshot)]
    rows += [_facts(row) for row in Coverage.objects.filter(snapshot=snapshot).order_by("resource_type")]
    for change in Change.objects.filter(snapshot=snapshot).order_by("id").prefetch_related("findings"):
        rows.append([_facts(change), [_facts(finding) for finding in change.findings.all()]])
    content = orjson.dumps(rows, option=orjson.OPT_SORT_KEYS, default=str)
    return hmac.new(vault.ledger_key(), content, hashlib.sha256).hexdigest()


def _facts(row: Model) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in type(row)._meta.concrete_fields}
