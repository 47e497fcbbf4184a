"""Plans as sealed rows: storing a draft under its digest, reading its steps back, recomputing the digest.

The digest is keyed and covers everything that an approver signs: the tenant, the requester, every step with its
requests and preconditions, the policy, the expiry and the dry run.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from rollbacks.models import Plan, Rollback, Step
from rollbacks.planning.model import AnnouncedLoss, PlannedStep
from snapshots.catalog import registry
from snapshots.catalog.spec import Document
from snapshots.models import Snapshot
from snapshots.store import content_store
from tenants.errors import DomainError
from tenants.models import Tenant
from tenants.trust import vault
from tenants.trust.crypto import SealBroken


class Altered(DomainError):
    """A stored plan does not match its digest."""


@dataclass(frozen=True)
class NewPlan:
    """A plan before it is stored."""

    steps: Sequence[PlannedStep]
    warnings: tuple[str, ...]
    complete: bool
    applicable: bool
    base_snapshot: Snapshot
    required_approvals: int
    dry_run: dict[str, Any]
    planned_at: datetime
    expires_at: datetime
    losses: tuple[AnnouncedLoss, ...] = ()


def insert(rollback: Rollback, new: NewPlan) -> Plan:
    """The next revision. The caller's transaction makes it the rollback's current plan."""
    revision = rollback.plans.count() + 1
    plan = Plan(
        rollback=rollback,
        revision=revision,
        base_snapshot=new.base_snapshot,
        required_approvals=new.required_approvals,
        complete=new.complete,
        applicable=new.applicable,
        warnings=list(new.warnings),
        losses=[loss.to_json() for loss in new.losses],
        dry_run=new.dry_run,
        planned_at=new.planned_at,
        expires_at=new.expires_at,
    )
    plan.digest = _digest(plan, new.steps)
    plan.save(force_insert=True)
    for planned in new.steps:
        _insert_step(plan, planned)
    return plan


def steps_of(plan: Plan) -> list[PlannedStep]:
    """The planned steps, unsealed. Raises SealBroken where they were altered."""
    tenant = plan.rollback.tenant
    return [
        PlannedStep.from_json(orjson.loads(vault.unseal(tenant, step.sealed, _context(plan, step.order))))
        for step in plan.steps.all()
    ]


def losses_of(plan: Plan) -> list[AnnouncedLoss]:
    """The losses that the plan announces."""
    return [AnnouncedLoss.from_json(each) for each in plan.losses or ()]


def check(plan: Plan) -> list[PlannedStep]:
    """The steps of a plan that is exactly what was signed. Raises Altered."""
    try:
        steps = steps_of(plan)
    except SealBroken as error:
        raise Altered(_altered(plan)) from error
    if not hmac.compare_digest(plan.digest, _digest(plan, steps)):
        raise Altered(_altered(plan))
    return steps


def _altered(plan: Plan) -> str:
    return (
        f"Plan {plan.revision} of rollback {plan.rollback_id} was altered after it was created. Re-plan it."
    )


def _insert_step(plan: Plan, planned: PlannedStep) -> None:
    tenant = plan.rollback.tenant
    step = Step.objects.create(
        plan=plan,
        order=planned.order,
        kind=planned.kind.value,
        resource_type=planned.resource_type,
        resource_id=planned.resource_id,
        display_name=planned.display_name,
        explanation=planned.explanation,
        expected_digest=_digest_of(tenant, planned.resource_type, planned.expected),
        target_digest=_digest_of(tenant, planned.resource_type, planned.target),
        sealed=vault.seal(tenant, orjson.dumps(planned.to_json()), _context(plan, planned.order)),
    )
    step.changes.set(planned.changes)


def _digest_of(tenant: Tenant, resource_type: str, document: Document | None) -> str:
    return "" if document is None else content_store.digest_of(tenant, registry.get(resource_type), document)


def _digest(plan: Plan, steps: Sequence[PlannedStep]) -> str:
    rollback = plan.rollback
    content = {
        "tenant": rollback.tenant_id,
        "directory_id": str(rollback.tenant.directory_id),
        "rollback": rollback.pk,
        "requester": rollback.requester_id,
        "revision": plan.revision,
        "base_snapshot": plan.base_snapshot_id,
        "required_approvals": plan.required_approvals,
        "complete": plan.complete,
        "applicable": plan.applicable,
        "warnings": plan.warnings,
        "dry_run": plan.dry_run,
        "expires_at": plan.expires_at.isoformat(),
        "steps": [step.to_json() for step in steps],
    }
    if plan.losses:
        content["losses"] = plan.losses
    return hmac.new(
        vault.ledger_key(), orjson.dumps(content, option=orjson.OPT_SORT_KEYS), hashlib.sha256
    ).hexdigest()


def _context(plan: Plan, order: int) -> str:
    return f"step:{plan.rollback_id}:{plan.revision}:{order}"
