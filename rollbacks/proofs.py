"""Proof that rollbacks are as the product wrote them.

The ledger entry of each act on a rollback holds a keyed digest of every part that the act wrote: the request, the
state, a plan with its steps, a signature, an execution's claim, its end, its journal. A later entry replaces the digest
of a part that was written again. While an execution runs, each row of its journal carries a seal of its own.

`faults` compares everything (verify); `require_intact` compares one rollback, before anything is done with it.
"""

import hmac
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from rollbacks.models import Approval, Execution, Plan, Remapping, Resumption, Rollback, Step, StepRecord
from rollbacks.plans import storage
from tenants.access.actors import Actor
from tenants.models import LedgerEntry, Tenant
from tenants.trust import ledger, proof

STATE = frozenset({"state", "plan_id", "closed_at"})
END = frozenset({"finished_at", "outcome", "message", "verification"})
PLANNED = ("rollback:plan", "rollback:replan")
Signed = tuple[int | None, str, str, str]
"""User, verdict, digest of the plan, comment."""
SIGNED = {"rollback:approve": Approval.Verdict.APPROVED, "rollback:reject": Approval.Verdict.REJECTED}


@dataclass(frozen=True, order=True)
class Part:
    """What one act writes at once, by the key of its row."""

    kind: str
    pk: int

    def __str__(self) -> str:
        return f"{self.kind}:{self.pk}"

    @classmethod
    def parse(cls, text: str) -> "Part":
        kind, _, pk = text.partition(":")
        return cls(kind, int(pk))

    def digest(self) -> str:
        """Read from the database again, because only what is stored counts."""
        return proof.digest_of(_ROWS[self.kind](self.pk))


def request_of(rollback: Rollback) -> Part:
    return Part("request", rollback.pk)


def plan_of(plan: Plan) -> Part:
    return Part("plan", plan.pk)


def signature_of(approval: Approval) -> Part:
    return Part("signature", approval.pk)


def claim_of(execution: Execution) -> tuple[Part, ...]:
    """Also says that the execution has not ended yet."""
    return Part("claim", execution.pk), Part("end", execution.pk)


def end_of(execution: Execution) -> tuple[Part, ...]:
    return Part("end", execution.pk), Part("journal", execution.pk)


def record(actor: Actor, action: str, rollback: Rollback, *written: Part, **detail: Any) -> LedgerEntry:
    """The ledger entry of an act, with the proof of what it wrote. The rollback's state always belongs to that."""
    parts = (Part("state", rollback.pk), *written)
    return ledger.record(
        actor,
        action,
        f"rollback {rollback.pk} of {rollback.tenant.name}",
        tenant=rollback.tenant,
        rollback=rollback.pk,
        proof={str(part): part.digest() for part in parts},
        **detail,
    )


def require_intact(rollback: Rollback) -> None:
    """Raises Forged unless the rollback, its plans, signatures and journal are what the ledger proves, and the ledger
    is whole from the current plan to its head. Must run inside a transaction.
    """
    entries = list(ledger.authentic(_entries_of(rollback)))
    planned = [entry.sequence for entry in entries if entry.action in PLANNED]
    if not planned:
        raise ledger.Forged(f"The ledger does not know that rollback {rollback.pk} was planned.")
    ledger.require_chain(planned[-1])
    for _, what in _faults(Rollback.objects.filter(pk=rollback.pk), entries):
        raise ledger.Forged(f"Rollback {rollback.pk}: {what}.")


def signers(plan: Plan) -> set[int | None]:
    """Whose approval of this plan the ledger proves. A row that somebody slipped into a table is no signature."""
    known = _Known(entry for entry in _entries_of(plan.rollback) if ledger.is_authentic(entry))
    parts = list(_parts_of_plan(plan, known))
    if any(known.flaw(each) for each in parts if each.part == plan_of(plan)):
        return set()
    proven = {each.part.pk for each in parts if each.part.kind == "signature" and known.flaw(each) is None}
    return set(
        plan.approvals.filter(pk__in=proven, verdict=Approval.Verdict.APPROVED).values_list(
            "approver_id", flat=True
        )
    )


def accounts_that_asked(plan: Plan) -> frozenset[str]:
    """The operating-system accounts from which the rollback was requested, or this plan made, on the command line."""
    return frozenset(
        account
        for entry, account in _typed(plan, PLANNED)
        if entry.action == "rollback:plan" or entry.detail["digest"] == plan.digest
    )


def accounts_that_signed(plan: Plan) -> dict[int, str]:
    """The operating-system account behind each signature that was given on the command line, by the signature's key."""
    return {
        part.pk: account
        for entry, account in _typed(plan, SIGNED)
        for part in map(Part.parse, entry.detail["proof"])
        if part.kind == "signature"
    }


def faults(tenant: Tenant) -> Iterator[tuple[int, str]]:
    """Rollback, and what is wrong with it in words, for everything of the tenant that the ledger does not prove."""
    entries = LedgerEntry.objects.filter(tenant_id=tenant.pk, action__startswith="rollback:").order_by(
        "sequence"
    )
    authentic = (entry for entry in entries if ledger.is_authentic(entry))
    yield from _faults(Rollback.objects.filter(tenant=tenant), authentic)


@dataclass(frozen=True)
class _Stored:
    """A part that has a row."""

    part: Part
    name: str
    is_legacy: bool = False
    """Ledger entries of before there were proofs vouch for it."""


class _Known:
    """What ledger entries say about rollbacks. Those of before there were proofs say less."""

    def __init__(self, entries: Iterable[LedgerEntry]) -> None:
        self.digests: dict[Part, tuple[int, str]] = {}
        self.legacy_plans: set[str] = set()
        self.legacy_claims: set[str] = set()
        self.legacy_signatures: list[tuple[int, Signed]] = []
        for entry in entries:
            self._learn(entry)

    def _learn(self, entry: LedgerEntry) -> None:
        detail = entry.detail
        if "proof" in detail:
            for text, digest in detail["proof"].items():
                self.digests[Part.parse(text)] = (detail["rollback"], digest)
        elif entry.action in PLANNED:
            self.legacy_plans.add(detail["digest"])
        elif entry.action == "rollback:execute":
            self.legacy_claims.add(detail["digest"])
        elif entry.action in SIGNED:
            signed = (entry.actor_id, str(SIGNED[entry.action]), detail["digest"], detail["comment"])
            self.legacy_signatures.append((detail["rollback"], signed))

    def flaw(self, stored: _Stored) -> str | None:
        """What is wrong with it, in words; None if nothing is."""
        proven = self.digests.get(stored.part)
        if proven is not None:
            return None if hmac.compare_digest(proven[1], stored.part.digest()) else "was altered"
        return None if stored.is_legacy else "is not known to the ledger"

    def take_legacy_signature(self, approval: Approval) -> bool:
        """Each such entry stands for one row."""
        signed = (approval.approver_id, str(approval.verdict), approval.plan_digest, approval.comment)
        for each in self.legacy_signatures:
            if each[1] == signed:
                self.legacy_signatures.remove(each)
                return True
        return False


def _faults(rollbacks: QuerySet[Rollback], entries: Iterable[LedgerEntry]) -> Iterator[tuple[int, str]]:
    known = _Known(entries)
    seen: set[Part] = set()
    for rollback in rollbacks.order_by("pk"):
        for stored in _parts_of(rollback, known):
            seen.add(stored.part)
            what = None if _is_being_written(stored.part, rollback) else known.flaw(stored)
            if what is not None:
                yield rollback.pk, f"{stored.name} {what}"
        for execution in Execution.objects.filter(plan__rollback=rollback).select_related("plan"):
            if execution.plan.digest not in known.legacy_claims:
                yield from ((rollback.pk, what) for what in _broken_seals(execution))
    for part, (number, _) in known.digests.items():
        if part not in seen:
            yield number, f"its {_NAMES[part.kind]} is missing"
    for number, (who, verdict, *_) in known.legacy_signatures:
        yield number, f"user {who} {verdict} it, and the signature is missing or altered"


def _parts_of(rollback: Rollback, known: _Known) -> Iterator[_Stored]:
    plans = list(Plan.objects.filter(rollback=rollback).select_related("rollback__tenant").order_by("pk"))
    is_legacy = any(plan.digest in known.legacy_plans for plan in plans)
    yield _Stored(request_of(rollback), "its request", is_legacy)
    yield _Stored(Part("state", rollback.pk), "its state", is_legacy)
    for plan in plans:
        yield from _parts_of_plan(plan, known)


def _parts_of_plan(plan: Plan, known: _Known) -> Iterator[_Stored]:
    is_legacy = plan.digest in known.legacy_plans and _is_unaltered(plan)
    yield _Stored(plan_of(plan), f"its plan {plan.revision}", is_legacy)
    for approval in Approval.objects.filter(plan=plan).order_by("pk"):
        part = signature_of(approval)
        is_legacy = part not in known.digests and known.take_legacy_signature(approval)
        yield _Stored(part, f"the signature of user {approval.approver_id}", is_legacy)
    for execution in Execution.objects.filter(plan=plan):
        for part in (Part(kind, execution.pk) for kind in ("claim", "end", "journal")):
            yield _Stored(part, f"its {_NAMES[part.kind]}", plan.digest in known.legacy_claims)


def _is_unaltered(plan: Plan) -> bool:
    try:
        storage.check(plan)
    except storage.Altered:
        return False
    return True


def _is_being_written(part: Part, rollback: Rollback) -> bool:
    """The rows of a running execution's journal carry seals of their own."""
    return part.kind == "journal" and rollback.state == Rollback.State.EXECUTING


def _broken_seals(execution: Execution) -> Iterator[str]:
    for row in _journal_rows(execution.pk):
        if not row.has_seal():
            yield f"{row.label} in its execution's journal was not written by the product"


def _entries_of(rollback: Rollback) -> QuerySet[LedgerEntry]:
    digests = list(rollback.plans.values_list("digest", flat=True))
    return LedgerEntry.objects.filter(
        Q(detail__rollback=rollback.pk) | Q(detail__digest__in=digests),
        tenant_id=rollback.tenant_id,
        action__startswith="rollback:",
    ).order_by("sequence")


def _typed(plan: Plan, actions: Iterable[str]) -> Iterator[tuple[LedgerEntry, str]]:
    """The rollback's entries of these acts that were typed on the command line, with the account that did so.

    One that was altered is left out here, and voids the signature or plan that it stands for (`signers`).
    """
    for entry in _entries_of(plan.rollback).filter(action__in=actions):
        if entry.os_account is not None and ledger.is_authentic(entry):
            yield entry, entry.os_account


def _plan_rows(pk: int) -> list[Any]:
    changes = Step.changes.through.objects.filter(step__plan_id=pk).order_by("pk")
    return [*Plan.objects.filter(pk=pk), *Step.objects.filter(plan_id=pk).order_by("pk"), *changes]


def _journal_rows(pk: int) -> list[Any]:
    return [
        *StepRecord.objects.filter(execution_id=pk).order_by("pk"),
        *Remapping.objects.filter(execution_id=pk).order_by("pk"),
        *Resumption.objects.filter(execution_id=pk).order_by("pk"),
    ]


_ROWS: Mapping[str, Callable[[int], list[Any]]] = {
    "request": lambda pk: [proof.facts(row, but=STATE) for row in Rollback.objects.filter(pk=pk)],
    "state": lambda pk: [proof.facts(row, only=STATE) for row in Rollback.objects.filter(pk=pk)],
    "plan": _plan_rows,
    "signature": lambda pk: list(Approval.objects.filter(pk=pk)),
    "claim": lambda pk: [proof.facts(row, but=END) for row in Execution.objects.filter(pk=pk)],
    "end": lambda pk: [proof.facts(row, only=END) for row in Execution.objects.filter(pk=pk)],
    "journal": _journal_rows,
}
_NAMES = {
    "request": "request",
    "state": "state",
    "plan": "plan",
    "signature": "signature",
    "claim": "execution",
    "end": "execution's end",
    "journal": "execution's journal",
}
