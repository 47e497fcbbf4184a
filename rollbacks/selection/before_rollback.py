"""The state before a rollback was executed: what undoing it aims at. Reads the store only."""

from collections.abc import Iterator

from changes.models import Change
from rollbacks.execution.journal import sent
from rollbacks.execution.verification import present_ids
from rollbacks.models import Execution, Rollback
from rollbacks.planning.model import Key, PlannedStep, Target
from rollbacks.plans import storage
from rollbacks.selection.request import NothingToDo, Resolved
from tenants.models import Tenant


def before_rollback(tenant: Tenant, number: int) -> Resolved:
    """Each resource that the rollback wrote to, as its dry run saw it. Raises NothingToDo."""
    rollback = Rollback.objects.filter(tenant=tenant, pk=number).first()
    if rollback is None:
        raise NothingToDo(f"{tenant.name} has no rollback {number}.")
    if rollback.state == Rollback.State.EXECUTING:
        raise NothingToDo(f"Rollback {number} is still executing. Wait until it is finished.")
    targets: dict[Key, Target] = {}
    executions = Execution.objects.filter(plan__rollback=rollback).select_related("plan__rollback__tenant")
    for execution in executions.order_by("pk"):
        for target in _targets(execution):
            targets.setdefault(target.key, target)
    if not targets:
        raise NothingToDo(f"Rollback {number} wrote nothing to {tenant.name}, so there is nothing to undo.")
    changes = {pk for target in targets.values() for pk in target.changes}
    redone = Change.objects.filter(tenant=tenant, pk__in=changes).order_by("pk")
    return Resolved(list(targets.values()), list(redone))


def _targets(execution: Execution) -> Iterator[Target]:
    """By the ids that the resources have now; the first step on each knows what was there before."""
    present = present_ids(execution)
    written = sent(execution)
    steps = storage.check(execution.plan)
    touched = {step.key for step in steps if step.order in written}
    first: dict[Key, PlannedStep] = {}
    for step in steps:
        first.setdefault(step.key, step)
    for key, step in first.items():
        if key in touched:
            yield Target(
                step.resource_type,
                present.get(key, step.resource_id),
                wanted=step.expected,
                display_name=step.display_name,
                last_known=step.wanted or step.target,
                changes=step.changes,
            )
