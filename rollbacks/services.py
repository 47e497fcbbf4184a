"""Every act on a rollback. Each asks `tenants.access` first, moves the state by rollbacks.states only, and writes its
ledger entry in the same transaction; a refused attempt is recorded in one of its own.
"""

import hmac
from collections.abc import Iterable
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from changes.models import Change
from rollbacks import proofs
from rollbacks.approvals import signatures
from rollbacks.models import Approval, Execution, Plan, Resumption, Rollback
from rollbacks.plans import preparation, storage
from rollbacks.selection.request import NothingToDo, RollbackSelection
from rollbacks.states import CLOSED, OPEN, REPLANNABLE, RESUMABLE, MovedOn, State, move
from tenants.access import permissions
from tenants.access.actors import Actor
from tenants.access.matrix import Action
from tenants.access.permissions import Refused
from tenants.errors import DomainError
from tenants.models import Run, Tenant, User
from tenants.runs import leases
from tenants.trust import ledger, os_accounts


class NotApplicable(DomainError):
    """The plan cannot be approved or executed; the message says why."""


class ReasonMissing(DomainError):
    """A rejection needs a reason for the requester."""

    http_status = 400


class Expired(DomainError):
    """The plan has expired and must be re-planned and approved again."""


def plan_rollback(
    actor: Actor,
    *,
    tenant: Tenant,
    changes: Iterable[Change] | None = None,
    actor_name: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    snapshot: int | None = None,
    resource_type: str = "",
    resource_id: str = "",
    undo: int | None = None,
    reason: str = "",
) -> Rollback:
    """Plans and dry-runs against the live tenant. Raises Refused, NothingToDo, NoConnection or MicrosoftError."""
    permissions.require(actor, Action.REQUEST_ROLLBACK, tenant)
    requester = _person(actor, "request a rollback")
    asked = list(changes or ())
    chosen = tuple(change.pk for change in asked)
    if any(change.tenant_id != tenant.pk for change in asked):
        raise NothingToDo("A rollback covers one tenant. Choose changes of one tenant only.")
    selection = RollbackSelection(
        chosen, actor_name, since, until, snapshot, resource_type, resource_id, undo
    )
    source = Rollback.Source.CHANGES
    if undo is not None:
        source = Rollback.Source.UNDO
    elif snapshot is not None:
        source = Rollback.Source.SNAPSHOT
    elif actor_name:
        source = Rollback.Source.ACTOR
    rollback = Rollback(
        tenant=tenant, requester=requester, reason=reason, source=source, parameters=selection.to_json()
    )
    prepared = preparation.prepare(rollback, selection, requester)
    with transaction.atomic():
        rollback.save(force_insert=True)
        _adopt_plan(actor, rollback, prepared, "rollback:plan")
    return rollback


def replan(actor: Actor, *, rollback: Rollback) -> Rollback:
    """A new revision against the tenant as it is now; approvals of the old one are void."""
    permissions.require(actor, Action.REQUEST_ROLLBACK, rollback.tenant)
    planner = _person(actor, "re-plan a rollback")
    if rollback.state not in REPLANNABLE:
        raise MovedOn(f"Rollback {rollback.pk} is {rollback.get_state_display()} and cannot be re-planned.")
    prepared = preparation.prepare(rollback, RollbackSelection.from_json(rollback.parameters), planner)
    with transaction.atomic():
        _locked(rollback)
        _adopt_plan(actor, rollback, prepared, "rollback:replan")
    return rollback


def approve(actor: Actor, *, rollback: Rollback, digest: str, comment: str = "") -> Approval:
    """Signs the plan with this digest, which the person has read.

    Raises Refused (own request, no permission, signed before), Expired, NotApplicable, or MovedOn where the current
    plan is another one.
    """
    return _sign(actor, rollback, Approval.Verdict.APPROVED, digest, comment)


def reject(actor: Actor, *, rollback: Rollback, digest: str, reason: str) -> Approval:
    """One approver's rejection of the plan with this digest ends the rollback.

    Raises ReasonMissing, and whatever `approve` raises.
    """
    if not reason.strip():
        raise ReasonMissing("A rejection needs a reason.", remedy="Enter the reason.")
    return _sign(actor, rollback, Approval.Verdict.REJECTED, digest, reason)


def execute(actor: Actor, *, rollback: Rollback) -> Execution:
    """Claims the one execution of an approved plan, or resumes it where it ended before all was done, and enqueues its
    run. Raises Refused, Expired, NotApproved or MovedOn.

    Signatures, permissions and the plan's expiry are checked again, against the database as it is now.
    """
    try:
        return _claim_execution(actor, rollback)
    except DomainError as error:
        _record_refusal(actor, rollback, "rollback:execute-refused", error)
        raise


@transaction.atomic
def cancel(actor: Actor, *, rollback: Rollback) -> Rollback:
    """Cancels a rollback before anything was written."""
    permissions.require(actor, Action.REQUEST_ROLLBACK, rollback.tenant)
    move(rollback, State.CANCELLED, needs=OPEN)
    proofs.record(actor, "rollback:cancel", rollback)
    return rollback


def expire_overdue(now: datetime | None = None) -> list[int]:
    """Closes rollbacks whose plan has expired. Returns their IDs."""
    now = now or timezone.now()
    expired = []
    for rollback in Rollback.objects.filter(state__in=OPEN, plan__expires_at__lte=now).select_related(
        "tenant"
    ):
        with transaction.atomic():
            try:
                move(rollback, State.EXPIRED, needs=OPEN, plan_id=rollback.plan_id or 0)
            except MovedOn:
                continue
            proofs.record(Actor.system("schedule"), "rollback:expire", rollback)
            expired.append(rollback.pk)
    return expired


def close_abandoned() -> list[int]:
    """Ends rollbacks whose run was given up in the middle, so that they can be planned again; returns their ids."""
    executing = Execution.objects.filter(plan__current_of__state=State.EXECUTING).select_related(
        "plan__rollback__tenant"
    )
    given_up = Run.objects.filter(state__in=(Run.State.FAILED, Run.State.QUARANTINED))
    closed = []
    for execution in executing:
        if not given_up.filter(pk=execution.present_run).exists():
            continue
        rollback = execution.plan.rollback
        message = "The execution was interrupted. Resume it, or check its steps and plan again."
        with transaction.atomic():
            try:
                move(rollback, State.FAILED, needs=frozenset({State.EXECUTING}))
            except MovedOn:
                continue
            Execution.objects.filter(pk=execution.pk, finished_at__isnull=True).update(
                finished_at=timezone.now(), outcome=State.FAILED, message=message
            )
            proofs.record(Actor.system("schedule"), "rollback:failed", rollback, *proofs.end_of(execution))
            closed.append(rollback.pk)
    return closed


def _adopt_plan(actor: Actor, rollback: Rollback, prepared: preparation.Prepared, act: str) -> None:
    is_new = not rollback.plans.exists()
    plan = storage.insert(rollback, prepared.new)
    Rollback.objects.filter(pk=rollback.pk).update(plan=plan)
    move(rollback, State.AWAITING_APPROVAL if plan.applicable else State.DRAFT, needs=REPLANNABLE)
    proofs.record(
        actor,
        act,
        rollback,
        *([proofs.request_of(rollback)] if is_new else []),
        proofs.plan_of(plan),
        digest=plan.digest,
        revision=plan.revision,
        steps=len(prepared.new.steps),
        changes=[change.pk for change in prepared.undone],
        required_approvals=plan.required_approvals,
    )


def _sign(actor: Actor, rollback: Rollback, verdict: Approval.Verdict, digest: str, comment: str) -> Approval:
    try:
        with transaction.atomic():
            return _signed(actor, rollback, verdict, digest, comment)
    except DomainError as error:
        if isinstance(error, Expired):
            expire_overdue()
        _record_refusal(actor, rollback, f"rollback:{_verb(verdict)}-refused", error)
        raise


def _signed(
    actor: Actor, rollback: Rollback, verdict: Approval.Verdict, digest: str, comment: str
) -> Approval:
    permissions.require(actor, Action.VIEW, rollback.tenant)
    approver = _person(actor, "approve a rollback")
    if approver.pk == rollback.requester_id:
        raise Refused("You requested this rollback, so someone else must approve it.")
    permissions.require(actor, Action.APPROVE_ROLLBACK, rollback.tenant)
    _locked(rollback)
    plan = _open_plan(rollback)
    dependence = signatures.dependence(approver, plan, os_accounts.current())
    if dependence is not None:
        raise Refused(dependence)
    if not hmac.compare_digest(digest.encode(), plan.digest.encode()):
        raise MovedOn(
            "The plan changed after you viewed it, or the digest is wrong. Review it again before you sign."
        )
    storage.check(plan)
    proofs.require_intact(rollback)
    try:
        with transaction.atomic():
            approval = Approval.objects.create(
                plan=plan,
                plan_digest=plan.digest,
                approver=approver,
                requester=rollback.requester,
                verdict=verdict,
                comment=comment,
                at=timezone.now(),
            )
    except IntegrityError as error:
        raise Refused("You have already signed this plan. Another person must sign.") from error
    if verdict == Approval.Verdict.REJECTED:
        move(rollback, State.REJECTED, needs=OPEN, plan_id=plan.pk)
    proofs.record(
        actor,
        f"rollback:{_verb(verdict)}",
        rollback,
        proofs.signature_of(approval),
        digest=plan.digest,
        comment=comment,
    )
    if rollback.state == State.AWAITING_APPROVAL and signatures.tally(plan).is_enough:
        move(rollback, State.APPROVED, needs=frozenset({State.AWAITING_APPROVAL}), plan_id=plan.pk)
        proofs.record(actor, "rollback:approved", rollback)
    return approval


@transaction.atomic
def _claim_execution(actor: Actor, rollback: Rollback) -> Execution:
    permissions.require(actor, Action.EXECUTE_ROLLBACK, rollback.tenant)
    starter = _person(actor, "execute a rollback")
    _locked(rollback)
    plan = _open_plan(rollback, but=RESUMABLE)
    storage.check(plan)
    signatures.require_signatures(plan)
    proofs.require_intact(rollback)
    if rollback.state in RESUMABLE:
        return _resume(actor, starter, rollback, plan)
    if rollback.state != State.APPROVED:
        raise signatures.NotApproved(
            f"Rollback {rollback.pk} is {rollback.get_state_display()}, not approved."
        )
    move(rollback, State.EXECUTING, needs=frozenset({State.APPROVED}), plan_id=plan.pk)
    run = leases.enqueue(
        rollback.tenant, Run.Kind.EXECUTE, requested_by=actor.label, parameters={"rollback": rollback.pk}
    )
    execution = Execution.objects.create(
        plan=plan, started_by=starter, run_id=run.pk, started_at=timezone.now()
    )
    proofs.record(actor, "rollback:execute", rollback, *proofs.claim_of(execution), digest=plan.digest)
    return execution


def _resume(actor: Actor, starter: User, rollback: Rollback, plan: Plan) -> Execution:
    """Steps that are done stay done; the executor checks before each of the others that the tenant did not move."""
    execution = Execution.objects.filter(plan=plan).first()
    if execution is None or execution.finished_at is None:
        raise MovedOn(f"The plan of rollback {rollback.pk} was never executed. Re-plan it.")
    move(rollback, State.EXECUTING, needs=RESUMABLE, plan_id=plan.pk)
    run = leases.enqueue(
        rollback.tenant, Run.Kind.EXECUTE, requested_by=actor.label, parameters={"rollback": rollback.pk}
    )
    Resumption(
        execution=execution,
        run_id=run.pk,
        resumed_by=starter,
        at=timezone.now(),
        ended_at=execution.finished_at,
        outcome=execution.outcome,
        message=execution.message,
    ).save(force_insert=True)
    Execution.objects.filter(pk=execution.pk).update(
        finished_at=None, outcome="", message="", verification={}
    )
    proofs.record(actor, "rollback:resume", rollback, *proofs.end_of(execution), digest=plan.digest)
    execution.refresh_from_db()
    return execution


def _open_plan(rollback: Rollback, but: frozenset[State] = frozenset()) -> Plan:
    """The current plan of a rollback that can still be signed or executed; `but` these closed states are open too."""
    if rollback.state in CLOSED - but or rollback.state == State.EXECUTING:
        raise MovedOn(f"Rollback {rollback.pk} is {rollback.get_state_display()}.")
    plan = rollback.plan
    if plan is None or not plan.applicable:
        raise NotApplicable(f"The plan of rollback {rollback.pk} cannot be executed; its warnings say why.")
    if plan.expires_at <= timezone.now():
        raise Expired(f"The plan of rollback {rollback.pk} expired. Re-plan it and get it approved again.")
    return plan


def _locked(rollback: Rollback) -> None:
    """Locks the row until the transaction ends, and reads it again. On SQLite, IMMEDIATE transactions lock."""
    fresh = (
        Rollback.objects.select_for_update(of=("self",)).select_related("plan", "tenant").get(pk=rollback.pk)
    )
    rollback.state, rollback.plan, rollback.tenant = fresh.state, fresh.plan, fresh.tenant


def _person(actor: Actor, what: str) -> User:
    if actor.user is None:
        raise Refused(f"Only a person can {what}.")
    return actor.user


def _record_refusal(actor: Actor, rollback: Rollback, act: str, error: DomainError) -> None:
    with transaction.atomic():
        ledger.record(actor, act, _label(rollback), tenant=rollback.tenant, reason=str(error))


def _verb(verdict: Approval.Verdict) -> str:
    return "approve" if verdict == Approval.Verdict.APPROVED else "reject"


def _label(rollback: Rollback) -> str:
    return f"rollback {rollback.pk} of {rollback.tenant.name}"
