"""Performing a claimed execution: the steps, then the verification, then the rollback's final state.

Called with the lease of its run, by the worker or by the command line; safe to call again after a crash.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from rollbacks import proofs
from rollbacks.approvals import signatures
from rollbacks.approvals.signatures import NotApproved
from rollbacks.execution import own_writes, verification
from rollbacks.execution.context import ExecutionContext
from rollbacks.execution.executor import Executor
from rollbacks.execution.journal import Journal
from rollbacks.execution.outcomes import Stale, Stopped
from rollbacks.models import Execution
from rollbacks.plans import storage
from rollbacks.services import Expired
from rollbacks.states import State, move
from tenants.access.actors import Actor
from tenants.access.matrix import Action
from tenants.connections.onboarding import NoConnection, open_client
from tenants.microsoft.errors import MicrosoftError
from tenants.runs import leases
from tenants.runs.leases import Lease
from tenants.trust.ledger import Forged


def perform(lease: Lease, *, sleep: Callable[[float], None] = time.sleep) -> Execution:
    """The execution, ended in one of the final states. Raises LeaseLost where another worker took over."""
    execution = _execution_of(lease)
    if execution.finished_at is not None:
        return execution
    tenant = execution.plan.rollback.tenant
    try:
        with transaction.atomic():
            proofs.require_intact(execution.plan.rollback)
        steps = storage.check(execution.plan)
        _still_allowed(execution)
        with (
            closing(open_client(tenant, "reader", priority="high")) as reader,
            closing(open_client(tenant, "writer", priority="high")) as writer,
        ):
            executor = Executor(ExecutionContext(Journal(execution, lease), reader, writer, sleep))
            executor.run(steps)
            found = verification.verify(
                execution, steps, reader, executor.context.identifier, executor.undone
            )
    except Stale as stale:
        return _end(lease, execution, State.STALE, f"{stale} Nothing further was written. Plan again.", {})
    except (Stopped, Expired, NotApproved, MicrosoftError, NoConnection, storage.Altered, Forged) as error:
        return _end(lease, execution, State.FAILED, str(error), {})
    state, message = _outcome(found, len(steps))
    return _end(lease, execution, state, message, found)


def _execution_of(lease: Lease) -> Execution:
    """Whose first attempt, or one of whose resumptions, this run is."""
    its = Q(run_id=lease.run.pk) | Q(resumptions__run_id=lease.run.pk)
    return (
        Execution.objects.select_related("plan__rollback__tenant__customer", "started_by").distinct().get(its)
    )


def _outcome(found: Mapping[str, Any], steps: int) -> tuple[State, str]:
    """The state in which an execution ends that ran through all of its steps, and what to say about it."""
    refused, skipped, differs = (len(found[name]) for name in ("refused", "skipped", "differs"))
    if refused == steps - skipped:
        return State.FAILED, f"No step was completed. {found['refused'][0]['reason']}"
    if refused:
        first = found["refused"][0]
        done = steps - refused - skipped
        also = f" {differs} resources differ from the plan." if differs else ""
        return State.PARTLY, (
            f"{done} of {steps} steps were done, {refused} refused by Microsoft and {skipped} skipped.{also} "
            f"Step {first['order']} was refused: {first['reason']}"
        )
    if differs:
        return State.DIFFERS, f"{differs} resources differ from the plan."
    return State.VERIFIED, _verified(found)


def _verified(found: Mapping[str, Any]) -> str:
    equal, losses = len(found["equal"]), len(found["losses"])
    also = f", with {losses} announced loss{'' if losses == 1 else 'es'}" if losses else ""
    return f"{equal} resources match the plan{also}."


def _still_allowed(execution: Execution) -> None:
    """Checked again where this attempt has sent nothing yet: the run may have waited for hours. What was begun is
    brought to its end; that it was begun is known from records that the journal has sealed.

    Raises Expired or NotApproved.
    """
    resumption = execution.resumptions.last()
    since = Q() if resumption is None else Q(finished_at__gte=resumption.at) | Q(sent_at__gte=resumption.at)
    if execution.records.filter(since).exists():
        return
    plan = execution.plan
    if plan.expires_at <= timezone.now():
        raise Expired("The plan expired before its execution started. Re-plan it and get it approved again.")
    signatures.require_signatures(plan)


def _end(
    lease: Lease, execution: Execution, state: State, message: str, found: dict[str, object]
) -> Execution:
    rollback = execution.plan.rollback
    with transaction.atomic():
        leases.still_held(lease)
        Execution.objects.filter(pk=execution.pk).update(
            finished_at=timezone.now(), outcome=state, message=message, verification=found
        )
        move(rollback, state, needs=frozenset({State.EXECUTING}))
        own_writes.mark_undone(execution, found)
        proofs.record(
            Actor.system("execution", Action.EXECUTE_ROLLBACK),
            f"rollback:{state}",
            rollback,
            *proofs.end_of(execution),
            message=message,
            remapped=execution.remappings.count(),
        )
        leases.finish(lease, {"outcome": state})
    execution.refresh_from_db()
    return execution
