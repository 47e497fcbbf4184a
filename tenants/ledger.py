"""The ledger: one line for each act, written inside the caller's transaction and chained to the line before.

The chain's digest is keyed (HMAC), so that whoever can write to the database but lacks the master key cannot
re-forge it. `verify` recomputes it all.
"""

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import connection
from django.utils import timezone

from tenants import vault
from tenants.actors import Actor
from tenants.models import Customer, LedgerEntry, LedgerHead, Tenant

GENESIS = "0" * 64
LOCK_KEY = 0x1EDC
HEAD = 1
SECRET_WORDS = ("secret", "password", "token", "private", "credential_value", "assertion")


@dataclass(frozen=True)
class Fault:
    """One entry that does not verify."""

    sequence: int
    what: str


def record(
    actor: Actor,
    action: str,
    target: str,
    *,
    tenant: Tenant | None = None,
    customer: Customer | None = None,
    **detail: Any,
) -> LedgerEntry:
    """Appends one entry. Must run inside the transaction of the act it records: both stand, or neither."""
    if not connection.in_atomic_block:
        raise RuntimeError("ledger.record must run inside the transaction of the act that it records.")
    forbidden = [key for key in _keys(detail) if any(word in key.lower() for word in SECRET_WORDS)]
    if forbidden:
        raise ValueError(f"A ledger entry must not hold {', '.join(forbidden)}.")
    _one_writer_at_a_time()
    last = LedgerEntry.objects.order_by("-sequence").first()
    entry = LedgerEntry(
        sequence=last.sequence + 1 if last else 1,
        at=timezone.now(),
        actor=actor.label,
        actor_id=actor.user.pk if actor.user else None,
        via=actor.via,
        action=action,
        target=target[:200],
        tenant_id=tenant.pk if tenant else None,
        customer_id=tenant.customer_id if tenant else (customer.pk if customer else None),
        detail=detail,
        previous=last.digest if last else GENESIS,
    )
    entry.digest = _digest(entry)
    entry.save(force_insert=True)
    LedgerHead.objects.update_or_create(
        pk=HEAD,
        defaults={
            "sequence": entry.sequence,
            "digest": entry.digest,
            "seal": _head_seal(entry.sequence, entry.digest),
        },
    )
    return entry


def verify() -> list[Fault]:
    """Every entry whose place, link or content is not as it was written."""
    return list(_faults())


def head() -> tuple[int, str]:
    """Sequence and digest of the newest entry, to be kept elsewhere as proof."""
    last = LedgerEntry.objects.order_by("-sequence").first()
    return (last.sequence, last.digest) if last else (0, GENESIS)


def _faults() -> Iterator[Fault]:
    previous, expected = GENESIS, 1
    for entry in LedgerEntry.objects.order_by("sequence").iterator(chunk_size=2000):
        if entry.sequence != expected:
            yield Fault(expected, f"entries {expected} to {entry.sequence - 1} are missing")
        if entry.previous != previous:
            yield Fault(entry.sequence, "does not continue the entry before it")
        if not hmac.compare_digest(entry.digest, _digest(entry)):
            yield Fault(entry.sequence, "was altered after it was written")
        previous, expected = entry.digest, entry.sequence + 1
    yield from _faults_of_head(expected - 1, previous)


def _faults_of_head(sequence: int, digest: str) -> Iterator[Fault]:
    """Entries that were cut off the end are known by the head that they left behind."""
    row = LedgerHead.objects.filter(pk=HEAD).first()
    if row is None:
        if sequence:
            yield Fault(sequence, "the ledger's head is missing")
        return
    if not hmac.compare_digest(row.seal, _head_seal(row.sequence, row.digest)):
        yield Fault(row.sequence, "the ledger's head was altered")
    elif (row.sequence, row.digest) != (sequence, digest):
        yield Fault(sequence, f"the ledger ended with entry {row.sequence}: later entries are missing")


def _head_seal(sequence: int, digest: str) -> str:
    return hmac.new(vault.ledger_key(), f"head:{sequence}:{digest}".encode(), hashlib.sha256).hexdigest()


def _digest(entry: LedgerEntry) -> str:
    content = orjson.dumps(
        {
            "sequence": entry.sequence,
            "at": entry.at.isoformat(),
            "actor": entry.actor,
            "actor_id": entry.actor_id,
            "via": entry.via,
            "action": entry.action,
            "target": entry.target,
            "tenant_id": entry.tenant_id,
            "customer_id": entry.customer_id,
            "detail": entry.detail,
            "previous": entry.previous,
        },
        option=orjson.OPT_SORT_KEYS,
        default=str,
    )
    return hmac.new(vault.ledger_key(), content, hashlib.sha256).hexdigest()


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
    for inside in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _keys(inside)


def _one_writer_at_a_time() -> None:
    """SQLite's IMMEDIATE transactions already are; PostgreSQL takes an advisory lock until the commit."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK_KEY])
