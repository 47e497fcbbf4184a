"""Integrity of history: the ledger contains keyed digests of each snapshot's rows, and of each batch of audit
events, sign-ins, attributions, acknowledgements and resolutions.
"""

import hmac
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db.models import Model, QuerySet

from changes.models import Acknowledgement, Attribution, AuditEvent, Change, Resolution, SignIn
from snapshots.collection.capture import Sealed
from snapshots.models import Coverage, Snapshot, Version
from snapshots.store.content_store import Fault
from snapshots.store.intervals import Timeline
from tenants.chunks import CHUNK
from tenants.models import LedgerEntry, Tenant
from tenants.trust import ledger, proof

ACTION = "snapshot:seal"
FORMAT = 2
"""The first format had no number and one digest over everything except the ended versions."""
PARTS = {
    "record": "its record was altered",
    "coverage": "its coverage was altered",
    "versions": "the versions that begin with it were altered",
    "ended": "the versions that ended before it differ from those that it ended",
    "changes": "its changes or findings were altered",
}


def facts_of(sealed: Sealed) -> dict[str, Any]:
    """What the ledger records about a new snapshot."""
    snapshot = sealed.snapshot
    return {
        "format": FORMAT,
        "snapshot": snapshot.pk,
        "number": snapshot.number,
        "root": snapshot.root,
        "digests": _digests(snapshot, sealed.ended),
    }


def verify(tenant: Tenant) -> list[Fault]:
    """Snapshots whose rows differ from the digests in the ledger, impossible versions or changes, and altered
    audit events.
    """
    timeline = Timeline(tenant)
    return [
        *_broken_snapshots(tenant),
        *timeline.faults(),
        *_impossible_changes(tenant, timeline),
        *_broken_batches(tenant),
    ]


def _broken_snapshots(tenant: Tenant) -> Iterator[Fault]:
    sealed = {
        entry.detail["snapshot"]: entry.detail
        for entry in LedgerEntry.objects.filter(action=ACTION, tenant_id=tenant.pk)
        if ledger.is_authentic(entry)
    }
    previous: int | None = None
    for snapshot in Snapshot.objects.filter(tenant=tenant).order_by("id"):
        facts = sealed.pop(snapshot.pk, None)
        where = f"snapshot {snapshot.number}"
        if facts is None:
            yield Fault(where, "it is not recorded in the ledger")
        else:
            yield from (Fault(where, what) for what in _altered(snapshot, previous, facts))
        previous = snapshot.pk
    yield from (Fault(f"snapshot {facts['number']}", "is missing") for facts in sealed.values())


def _altered(snapshot: Snapshot, previous: int | None, facts: Mapping[str, Any]) -> Iterator[str]:
    if "format" not in facts:
        if facts["root"] != snapshot.root or not hmac.compare_digest(
            facts["digest"], _first_format(snapshot)
        ):
            yield "its record, coverage, versions, changes or findings were altered"
        return
    ended = Version.objects.filter(tenant_id=snapshot.tenant_id, last_snapshot_id=previous).order_by("id")
    found = _digests(snapshot, list(ended.values_list("id", flat=True)) if previous is not None else [])
    for part, what in PARTS.items():
        if not hmac.compare_digest(facts["digests"][part], found[part]):
            yield what


def _digests(snapshot: Snapshot, ended: Sequence[int]) -> dict[str, str]:
    rows: dict[str, Sequence[Any]] = {
        "record": [snapshot],
        "coverage": list(Coverage.objects.filter(snapshot=snapshot).order_by("resource_type")),
        "versions": _begun(snapshot),
        "ended": ended,
        "changes": _changes(snapshot),
    }
    return {part: proof.digest_of(rows[part]) for part in PARTS}


def _first_format(snapshot: Snapshot) -> str:
    coverage = Coverage.objects.filter(snapshot=snapshot).order_by("resource_type")
    return proof.digest_of([snapshot, *coverage, *_begun(snapshot), *_changes(snapshot)])


def _begun(snapshot: Snapshot) -> list[Any]:
    """Versions that begin with this snapshot. Their end is covered by the snapshot that ends them."""
    rows = Version.objects.filter(first_snapshot=snapshot).order_by("id")
    return [proof.facts(row, but=("last_snapshot_id",)) for row in rows]


def _changes(snapshot: Snapshot) -> list[Any]:
    rows: list[Any] = []
    for change in Change.objects.filter(snapshot=snapshot).order_by("id").prefetch_related("findings"):
        rows += [change, *change.findings.all()]
    return rows


def _impossible_changes(tenant: Tenant, timeline: Timeline) -> Iterator[Fault]:
    """Changes whose two sides do not match the versions. This finds versions that were ended to hide a
    change.
    """
    for change in Change.objects.filter(tenant=tenant).order_by("id"):
        key = (change.resource_type, change.resource_id)
        before = timeline.digest_at(change.previous_snapshot_id, key)
        after = timeline.digest_at(change.snapshot_id, key)
        if (before, after) != (change.before_digest, change.after_digest):
            yield Fault(f"change {change.pk}", "is not between the versions of its two snapshots")


def _broken_batches(tenant: Tenant) -> Iterator[Fault]:
    batched: tuple[tuple[type[Model], QuerySet[Any]], ...] = (
        (AuditEvent, AuditEvent.objects.filter(tenant=tenant)),
        (SignIn, SignIn.objects.filter(tenant=tenant)),
        (Attribution, Attribution.objects.filter(change__tenant=tenant)),
        (Acknowledgement, Acknowledgement.objects.filter(change__tenant=tenant)),
        (Resolution, Resolution.objects.filter(change__tenant=tenant)),
    )
    for model, rows in batched:
        for what in proof.faults(model, tenant, rows.iterator(chunk_size=CHUNK)):
            yield Fault("history", what)
