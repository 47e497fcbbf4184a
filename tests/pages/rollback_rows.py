"""A rollback that waits for approval, as rows."""

import hashlib
from collections.abc import Sequence
from datetime import timedelta

from django.utils import timezone

from changes.models import Change
from rollbacks.models import Plan, Rollback, Step
from tenants.models import Tenant, User


def planned(tenant: Tenant, requester: User, changes: Sequence[Change], *, reason: str = "") -> Rollback:
    now = timezone.now()
    rollback = Rollback.objects.create(
        tenant=tenant, requester=requester, reason=reason, source="changes", state="awaiting_approval"
    )
    rollback.plan = Plan.objects.create(
        rollback=rollback, revision=1, base_snapshot=changes[0].snapshot,
        digest=hashlib.sha256(str(rollback.pk).encode()).hexdigest(), required_approvals=2, complete=True,
        applicable=True, warnings=[reason], planned_at=now, expires_at=now + timedelta(hours=24),
    )
    rollback.save(update_fields=["plan"])
    for order, change in enumerate(changes, 1):
        Step.objects.create(
            plan=rollback.plan, order=order, kind="update", resource_type=change.resource_type,
            resource_id=change.resource_id, display_name=change.display_name, explanation=f"Back: {change}", sealed=b"",
        )
    return rollback
