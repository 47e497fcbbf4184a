"""The ledger: one line for each act, written inside the caller's transaction and chained to the line before.

The chain's digest is keyed (HMAC), so that somebody who can write to the database but lacks the master key cannot
re-forge it. `verify` recomputes it all; who acts upon single entries asks `authentic` and `require_chain` first.
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import connection
from django.utils import timezone

from tenants.access.actors import Actor
from tenants.errors import DomainError
from tenants.locks import one_at_a_time
from tenants.models import Customer, LedgerEntry, LedgerHead, Tenant
from tenants.trust import os_accounts, vault

GENESIS = "0" * 64
LOCK_KEY = 0x1EDC
HEAD = LedgerHead.Chain.LEDGER
SECRET_WORDS = ("secret", "password", "token", "private", "credential_value", "assertion")


@dataclass(frozen=True)
class Fault:
    """One entry that does not verify."""

    sequence: int
    what: str


class Forged(DomainError):
    """A stored record that something rests on is not what the product wrote."""

    def __init__(self, message: str) -> None:
        super().__init__(message, remedy="Run verify, and find out who can write to the database.")


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
    one_at_a_time(LOCK_KEY)
    last = LedgerEntry.objects.order_by("-sequence").first()
    entry = LedgerEntry(
        sequence=last.sequence + 1 if last else 1,
        at=timezone.now(),
        actor=actor.label,
        actor_id=actor.user.pk if actor.user else None,
        via=actor.via,
        os_account=os_accounts.current(),
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


def authentic(entries: Iterable[LedgerEntry]) -> Iterator[LedgerEntry]:
    """The entries, each proven by its keyed digest. Raises Forged at the first that is not."""
    for entry in entries:
        if not is_authentic(entry):
            raise Forged(f"Ledger entry {entry.sequence} was altered after it was written.")
        yield entry


def is_authentic(entry: LedgerEntry) -> bool:
    return hmac.compare_digest(entry.digest, _digest(entry))


def require_chain(first: int) -> None:
    """Proves every entry from this one to the sealed head: none altered, removed, slipped in. Raises Forged."""
    before = LedgerEntry.objects.filter(sequence=first - 1).first()
    fault = next(_faults(first, before.digest if before else GENESIS), None)
    if fault is not None:
        raise Forged(f"Ledger entry {fault.sequence}: {fault.what}.")


def head() -> tuple[int, str]:
    """Sequence and digest of the newest entry, to be kept elsewhere as proof."""
    last = LedgerEntry.objects.order_by("-sequence").first()
    return (last.sequence, last.digest) if last else (0, GENESIS)


def _faults(first: int = 1, previous: str = GENESIS) -> Iterator[Fault]:
    """The head is read before the entries: what is written meanwhile is beyond it, and checked by its own digest."""
    head = LedgerHead.objects.filter(pk=HEAD).first()
    last, reached = first - 1, {first - 1: previous}
    for entry in (
        LedgerEntry.objects.filter(sequence__gte=first).order_by("sequence").iterator(chunk_size=2000)
    ):
        if entry.sequence != last + 1:
            yield Fault(last + 1, f"entries {last + 1} to {entry.sequence - 1} are missing")
        if entry.previous != previous:
            yield Fault(entry.sequence, "does not continue the entry before it")
        if not is_authentic(entry):
            yield Fault(entry.sequence, "was altered after it was written")
        last, previous = entry.sequence, entry.digest
        if head is not None and last == head.sequence:
            reached[last] = previous
    yield from _faults_of_head(head, last, reached)
    for stray in LedgerHead.objects.exclude(pk__in=LedgerHead.Chain.values):
        yield Fault(last, f"head {stray.pk} belongs to no chain")


def _faults_of_head(head: LedgerHead | None, last: int, reached: dict[int, str]) -> Iterator[Fault]:
    """Entries that were cut off the end are known by the head that they left behind."""
    if head is None:
        if last:
            yield Fault(last, "the ledger's head is missing")
        return
    if not hmac.compare_digest(head.seal, _head_seal(head.sequence, head.digest)):
        yield Fault(head.sequence, "the ledger's head was altered")
    elif head.sequence > last:
        yield Fault(last, f"the ledger ended with entry {head.sequence}: later entries are missing")
    elif reached.get(head.sequence) != head.digest:
        yield Fault(head.sequence, "is not the entry that the ledger's head names")
    elif head.sequence < last and not LedgerHead.objects.filter(pk=HEAD, sequence__gte=last).exists():
        yield Fault(last, "the ledger's head was put back to an earlier one")


def _head_seal(sequence: int, digest: str) -> str:
    return hmac.new(vault.ledger_key(), f"head:{sequence}:{digest}".encode(), hashlib.sha256).hexdigest()


def _digest(entry: LedgerEntry) -> str:
    facts = {
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
    }
    if entry.os_account is not None:  # entries of before this column existed have digests without it
        facts["os_account"] = entry.os_account
    content = orjson.dumps(facts, option=orjson.OPT_SORT_KEYS, default=str)
    return hmac.new(vault.ledger_key(), content, hashlib.sha256).hexdigest()


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
    for inside in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _keys(inside)
