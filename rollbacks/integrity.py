"""Proof that plans and signatures are as they were made. Called by the verify command."""

from collections import Counter
from collections.abc import Iterator

from rollbacks import plan_store
from rollbacks.models import Approval, Plan
from snapshots.store import Fault
from tenants.crypto import SealBroken
from tenants.models import LedgerEntry, Tenant

Signature = tuple[int, int | None, str, str, str]
"""Rollback, id of the user, verdict, digest, comment."""

ACTS = {"rollback:approve": Approval.Verdict.APPROVED, "rollback:reject": Approval.Verdict.REJECTED}


def verify(tenant: Tenant) -> list[Fault]:
    """Every altered plan, and every signature that the ledger and the table do not agree on."""
    return [*_altered_plans(tenant), *_doubtful_signatures(tenant)]


def _altered_plans(tenant: Tenant) -> Iterator[Fault]:
    for plan in (
        Plan.objects.filter(rollback__tenant=tenant).select_related("rollback__tenant").order_by("pk")
    ):
        try:
            plan_store.check(plan)
        except (plan_store.Altered, SealBroken):
            yield Fault(f"rollback {plan.rollback_id}", f"its plan {plan.revision} was altered")


def _doubtful_signatures(tenant: Tenant) -> Iterator[Fault]:
    kept: Counter[Signature] = Counter(
        (row.plan.rollback_id, row.approver_id, str(row.verdict), row.plan_digest, row.comment)
        for row in Approval.objects.filter(plan__rollback__tenant=tenant).select_related("plan")
    )
    recorded: Counter[Signature] = Counter(_recorded(tenant))
    for rollback, who, verdict, _, _ in kept - recorded:
        yield Fault(f"rollback {rollback}", f"the ledger does not know that user {who} {verdict} it")
    for rollback, who, verdict, _, _ in recorded - kept:
        yield Fault(
            f"rollback {rollback}", f"user {who} {verdict} it, and the signature is missing or altered"
        )


def _recorded(tenant: Tenant) -> Iterator[Signature]:
    for entry in LedgerEntry.objects.filter(tenant_id=tenant.pk, action__in=ACTS):
        detail = entry.detail
        yield (
            detail["rollback"],
            entry.actor_id,
            str(ACTS[entry.action]),
            detail["digest"],
            detail["comment"],
        )
