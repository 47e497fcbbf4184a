"""What our own executions wrote, known from their journal: so that their traces are never taken for somebody else's.

Called by the pipeline in the transaction that seals a snapshot, and before attribution.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from changes import services
from changes.attribution.linking import OwnWrites
from changes.models import Change, Resolution
from rollbacks.execution.live_step import ABSENT
from rollbacks.execution.verification import present_ids
from rollbacks.models import Execution, Rollback, StepRecord
from rollbacks.planning.model import Key
from tenants.access.actors import Actor
from tenants.models import Tenant

RECOGNITION = Actor.system("recognition")


def mark_undone(execution: Execution, found: Mapping[str, Any]) -> None:
    """The changes that the finished steps undid; `found` is the verification."""
    differs = {(each["resource_type"], each["resource_id"]) for each in found.get("differs", ())}
    moved = present_ids(execution)
    verified: dict[int, bool] = {}
    closed = list(_closed(execution).select_related("step").prefetch_related("step__changes"))
    unfinished = _unfinished(execution, [record.step_id for record in closed])
    for record in closed:
        key = (record.step.resource_type, record.step.resource_id)
        if key in unfinished:
            continue
        is_equal = bool(found) and (key[0], moved.get(key, key[1])) not in differs
        for change in record.step.changes.all():
            verified[change.pk] = verified.get(change.pk, True) and is_equal
    services.resolve(
        RECOGNITION,
        tenant=execution.plan.rollback.tenant,
        kind=_kind(execution.plan.rollback),
        rollback=execution.plan.rollback_id,
        verified=verified,
    )


def _kind(rollback: Rollback) -> Resolution.Kind:
    """To undo a rollback opens again what it had rolled back."""
    undone = rollback.parameters.get("undo")
    if undone is None:
        return Resolution.Kind.ROLLED_BACK
    was = _kind(Rollback.objects.get(pk=undone))
    return Resolution.Kind.REOPENED if was == Resolution.Kind.ROLLED_BACK else Resolution.Kind.ROLLED_BACK


def _unfinished(execution: Execution, closed: Iterable[int]) -> set[Key]:
    """The resources of which some step is not done."""
    left = execution.plan.steps.exclude(pk__in=closed).values_list("resource_type", "resource_id")
    return set(left)


def recognise(tenant: Tenant, changes: Sequence[Change]) -> None:
    """Marks the changes that our executions made: the resource is exactly what the journal says we left."""
    if not changes:
        return
    since = min(change.earliest_at for change in changes)
    for execution in _executions(tenant, since):
        left = _left(execution)
        made = [change for change in changes if left.get(_of(change)) == (change.after_digest or ABSENT)]
        services.resolve(
            RECOGNITION,
            tenant=tenant,
            kind=Resolution.Kind.EXPECTED,
            rollback=execution.plan.rollback_id,
            verified={change.pk: True for change in made},
        )


def of(tenant: Tenant, since: datetime) -> OwnWrites:
    """When our executions wrote to the tenant."""
    return OwnWrites(
        tuple(
            (began, ended or timezone.now())
            for execution in _executions(tenant, since)
            for began, ended in execution.attempts()
        )
    )


def _executions(tenant: Tenant, since: datetime) -> Iterable[Execution]:
    """Those that may have written after this moment."""
    of_tenant = Execution.objects.filter(plan__rollback__tenant=tenant).select_related("plan__rollback")
    return of_tenant.exclude(finished_at__lt=since).order_by("pk")


def _left(execution: Execution) -> dict[Key, str]:
    """Digest of each resource as the execution's last finished step on it left it, under its id now."""
    moved = present_ids(execution)
    left: dict[Key, str] = {}
    for record in _closed(execution).select_related("step").order_by("step__order"):
        record.require_seal()
        key = (record.step.resource_type, record.step.resource_id)
        left[(key[0], moved.get(key, key[1]))] = record.left_digest
        if key in moved:
            left[key] = ABSENT
    return left


def _closed(execution: Execution) -> QuerySet[StepRecord]:
    return execution.records.filter(closes_step=True)


def _of(change: Change) -> Key:
    return change.resource_type, change.resource_id
