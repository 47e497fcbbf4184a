"""Proof that history is as it was written: a keyed digest of each snapshot's rows stands in the ledger, and one of
each batch of audit events, sign-ins, attributions and acknowledgements.
"""

import hmac
from collections.abc import Iterator
from typing import Any

from django.db.models import Model, QuerySet

from changes.models import Acknowledgement, Attribution, AuditEvent, Change, SignIn
from snapshots.models import Coverage, Snapshot, Version
from snapshots.store import Fault
from tenants import proof
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
    return [*faults, *_broken_batches(tenant)]


def _broken_batches(tenant: Tenant) -> Iterator[Fault]:
    batched: tuple[tuple[type[Model], QuerySet[Any]], ...] = (
        (AuditEvent, AuditEvent.objects.filter(tenant=tenant)),
        (SignIn, SignIn.objects.filter(tenant=tenant)),
        (Attribution, Attribution.objects.filter(change__tenant=tenant)),
        (Acknowledgement, Acknowledgement.objects.filter(change__tenant=tenant)),
    )
    for model, rows in batched:
        for what in proof.faults(model, tenant, rows.iterator(chunk_size=proof.CHUNK)):
            yield Fault("history", what)


def _digest(snapshot: Snapshot) -> str:
    rows: list[Any] = [snapshot, *Coverage.objects.filter(snapshot=snapshot).order_by("resource_type")]
    rows += [
        proof.facts(row, but=("last_snapshot_id",))
        for row in Version.objects.filter(first_snapshot=snapshot).order_by("id")
    ]
    for change in Change.objects.filter(snapshot=snapshot).order_by("id").prefetch_related("findings"):
        rows += [change, *change.findings.all()]
    return proof.digest_of(rows)
