"""A stored rollback that waits for approval, without any tenant to read from."""

from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from changes.models import Change
from changes.selectors import difference_of, documents_of
from rollbacks import proofs, states
from rollbacks.models import Plan, Rollback
from rollbacks.planning.model import Effect, EffectKind, PlannedRequest, PlannedStep, StepKind
from rollbacks.plans import storage
from rollbacks.selection.request import RollbackSelection
from tenants.access.actors import Actor
from tenants.microsoft.request import Request
from tenants.models import Tenant, User


def planned(
    tenant: Tenant,
    requester: User,
    changes: Sequence[Change],
    *,
    reason: str = "",
    required_approvals: int = 2,
) -> Rollback:
    now = timezone.now()
    rollback = Rollback.objects.create(
        tenant=tenant,
        requester=requester,
        reason=reason,
        source=Rollback.Source.CHANGES,
        parameters=RollbackSelection(tuple(change.pk for change in changes)).to_json(),
    )
    new = storage.NewPlan(
        steps=[_step(order, change) for order, change in enumerate(changes, 1)],
        warnings=(f"Mind this: {reason}",),
        complete=True,
        applicable=True,
        base_snapshot=changes[0].snapshot,
        required_approvals=required_approvals,
        dry_run={
            "writes": 0,
            "requests": len(changes),
            "steps": [{"order": 1, "ready": True, "message": "1 requests would be sent"}],
        },
        planned_at=now,
        expires_at=now + timedelta(hours=24),
    )
    adopt(rollback, new)
    return Rollback.objects.select_related("plan", "tenant", "requester").get(pk=rollback.pk)


def adopt(rollback: Rollback, new: storage.NewPlan) -> Plan:
    """Makes it the current plan, with its ledger entry, as planning does."""
    written = [] if rollback.plans.exists() else [proofs.request_of(rollback)]
    with transaction.atomic():
        plan = storage.insert(rollback, new)
        Rollback.objects.filter(pk=rollback.pk).update(plan=plan)
        states.move(rollback, states.State.AWAITING_APPROVAL)
        requester = Actor.person(rollback.requester, "test")
        proofs.record(
            requester, "rollback:plan", rollback, *written, proofs.plan_of(plan), digest=plan.digest
        )
    return plan


def digest_of(rollback: Rollback) -> str:
    """The digest of the current plan, as a person reads it."""
    return Plan.objects.get(current_of=rollback).digest


def _step(order: int, change: Change) -> PlannedStep:
    before, after = documents_of(change)
    body = {"state": "enabled", "description": change.display_name}
    return PlannedStep(
        order=order,
        kind=StepKind.UPDATE,
        resource_type=change.resource_type,
        resource_id=change.resource_id,
        display_name=change.display_name,
        explanation=f"Sets {change.display_name} back.",
        requests=(
            PlannedRequest(
                Request("PATCH", f"/v1.0/policies/{change.resource_id}", body=body, why="test"),
                Effect(EffectKind.SET, values=body),
            ),
        ),
        target=before,
        wanted=before,
        expected=after,
        fields=tuple(
            {
                "path": each.path,
                "label": each.label,
                "kind": each.kind,
                "before": each.after,
                "after": each.before,
                "added": list(each.removed),
                "removed": list(each.added),
            }
            for each in difference_of(change).fields
        ),
        changes=(change.pk,),
    )
