"""Stores control actions: appends them in the transaction of the action, loads and verifies them. Rows are
chained by keyed digests and the end of the chain is sealed, so that a forged, altered or removed row is
detected whenever a decision depends on it. `faults` compares the rows with the ledger.
"""

import hashlib
import hmac
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import orjson
from django.db.models import Q

from tenants.control.graph import Act, ControlScope, Kind, Log
from tenants.models import ControlAct, LedgerEntry, LedgerHead, Tenant
from tenants.trust import vault
from tenants.trust.ledger import GENESIS
from tenants.trust.proof import facts

HEAD = LedgerHead.Chain.CONTROL
"""The row of LedgerHead that seals the end of this chain."""
LEDGER_KEY = "controls"
"""The key in a ledger entry's detail that lists the accounts over which its actor gained control."""


def append(
    kind: Kind,
    entry: LedgerEntry,
    *,
    subject: int | None = None,
    control_scope: ControlScope,
    promotes: bool = False,
    cools_off_at: datetime | None = None,
    confirms: ControlAct | None = None,
    **detail: Any,
) -> ControlAct:
    """Appends one action of the ledger entry's actor. The entry was just written, so no other writer is
    active.
    """
    last = ControlAct.objects.order_by("-number").first()
    row = ControlAct(
        number=last.number + 1 if last else 1,
        kind=kind.value,
        at=entry.at,
        actor_id=entry.actor_id,
        subject_id=subject,
        customer_id=control_scope.customer,
        tenant_id=control_scope.tenant,
        promotes=promotes,
        cools_off_at=cools_off_at,
        confirms=confirms,
        detail=detail,
        entry=entry.sequence,
        previous=last.digest if last else GENESIS,
    )
    row.digest = _digest(row)
    row.save(force_insert=True)
    LedgerHead.objects.update_or_create(
        pk=HEAD,
        defaults={"sequence": row.number, "digest": row.digest, "seal": _seal(row.number, row.digest)},
    )
    return row


def load() -> Log:
    rows = list(ControlAct.objects.select_related("confirms").order_by("number"))
    return Log(list(_acts(rows)), intact=not any(_faults_of_chain(rows)))


def faults() -> Iterator[str]:
    """Descriptions of every row that is not as it was written. Called by the verify command."""
    rows = list(ControlAct.objects.select_related("confirms").order_by("number"))
    yield from _faults_of_chain(rows)
    entries = {
        entry.sequence: entry
        for entry in LedgerEntry.objects.filter(
            Q(sequence__in=[row.entry for row in rows]) | Q(detail__has_key=LEDGER_KEY)
        )
    }
    for row in rows:
        entry = entries.get(row.entry)
        if entry is None or (row.actor_id, row.at) != (entry.actor_id, entry.at):
            yield f"action {row.number} does not match ledger entry {row.entry}"
    recorded = {(row.entry, row.subject_id) for row in rows}
    for sequence, entry in entries.items():
        for user in entry.detail.get(LEDGER_KEY, ()):
            if (sequence, user) not in recorded:
                yield f"the action of ledger entry {sequence} on user {user} is missing"


def control_scope_of(tenant: Tenant) -> ControlScope:
    return ControlScope(tenant.customer_id, tenant.pk)


def _acts(rows: list[ControlAct]) -> Iterator[Act]:
    confirmations = {row.confirms_id: row for row in rows if row.confirms_id is not None}
    for row in rows:
        confirmation = confirmations.get(row.pk)
        yield Act(
            number=row.number,
            kind=Kind(row.kind),
            at=row.at,
            actor=row.actor_id,
            subject=row.subject_id,
            control_scope=ControlScope(row.customer_id, row.tenant_id),
            promotes=row.promotes,
            cools_off_at=row.cools_off_at,
            confirmed_at=confirmation.at if confirmation else None,
            confirmed_by=confirmation.actor_id if confirmation else None,
            confirmation=confirmation.number if confirmation else None,
            detail=row.detail,
        )


def _faults_of_chain(rows: list[ControlAct]) -> Iterator[str]:
    previous = GENESIS
    for number, row in enumerate(rows, 1):
        if row.number != number or row.previous != previous:
            yield f"actions before action {row.number} are missing"
        if not _is_authentic(row):
            yield f"action {row.number} was altered"
        previous = row.digest
    head = LedgerHead.objects.filter(pk=HEAD).first()
    if head is None:
        if rows or LedgerEntry.objects.filter(detail__has_key=LEDGER_KEY).exists():
            yield "the seal of the control actions is missing"
    elif not hmac.compare_digest(head.seal, _seal(head.sequence, head.digest)):
        yield "the seal of the control actions was altered"
    elif (head.sequence, head.digest) != (len(rows), previous):
        yield f"the control actions should end with action {head.sequence}"


def _is_authentic(row: ControlAct) -> bool:
    """Confirmations of before act numbers were sealed are proven by the digest of their day."""
    wanted = [_digest(row)] if row.confirms_id is None else [_digest(row), _keyed(_content(row))]
    return any(hmac.compare_digest(row.digest, digest) for digest in wanted)


def _digest(row: ControlAct) -> str:
    """Over all columns but the row's own id; what a confirmation confirms is sealed by its number."""
    if row.confirms_id is None:
        return _keyed(_content(row))
    return _keyed({**_content(row), "confirmed": None if row.confirms is None else row.confirms.number})


def _content(row: ControlAct) -> dict[str, Any]:
    return {name: value for name, value in facts(row).items() if name not in ("id", "digest")}


def _keyed(content: dict[str, Any]) -> str:
    return hmac.new(
        vault.ledger_key(), orjson.dumps(content, option=orjson.OPT_SORT_KEYS), hashlib.sha256
    ).hexdigest()


def _seal(number: int, digest: str) -> str:
    return hmac.new(
        vault.ledger_key(), f"control-head:{number}:{digest}".encode(), hashlib.sha256
    ).hexdigest()
