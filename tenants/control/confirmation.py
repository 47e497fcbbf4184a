"""Confirms control actions: who may confirm, and what is waiting for confirmation."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from tenants.access import permissions
from tenants.access.actors import Actor
from tenants.access.matrix import Action
from tenants.control import policy, record, standing
from tenants.control.graph import CONFIRMABLE, Act, Kind, Log
from tenants.errors import DomainError
from tenants.models import ControlAct, Customer, Tenant, User
from tenants.trust import ledger


class NothingToConfirm(DomainError):
    """The action has ended or was replaced by a later one."""


def confirm(actor: Actor, *, act: ControlAct) -> ControlAct:
    """Ends the control that this action gave, or applies the proposed policy. The confirming administrator
    vouches for the action. They must administer its scope, must not have taken part in it, and nobody may
    have unconfirmed control over their own account. The operator may always confirm. Raises Refused or
    NothingToConfirm.
    """
    try:
        with transaction.atomic():
            return _confirm(actor, act)
    except DomainError as error:
        with transaction.atomic():
            ledger.record(
                actor,
                "control:confirm-refused",
                str(act),
                tenant=act.tenant,
                customer=act.customer,
                reason=str(error),
            )
        raise


def obstacle(user: User, act: Act, log: Log, now: datetime) -> str | None:
    """Why this administrator may not confirm this action; None if they may."""
    if not log.intact:
        return "The record of control actions was altered. Run verify."
    if user.pk == act.actor:
        return "This was your own action. Another administrator must confirm it."
    if user.pk == act.subject:
        return "This action changed your own account. Another administrator must confirm it."
    if log.holding_upon(user.pk, act.control_scope, since=now, now=now):
        return "Your own account is waiting for confirmation. Another administrator must confirm this."
    if act.actor is not None and user.pk in log.controllers(
        act.actor, act.control_scope, since=act.at, now=now
    ):
        return "You controlled the account that did this. Another administrator must confirm it."
    return None


def may_administer(actor: Actor, act: ControlAct) -> bool:
    """Whether the actor administers the scope of the action."""
    try:
        _require_over(actor, act.tenant, act.customer)
    except permissions.Refused:
        return False
    return True


def visible_acts(actor: Actor) -> QuerySet[ControlAct]:
    """Control actions on scopes whose ledger the actor may read."""
    acts = ControlAct.objects.select_related("actor", "subject", "customer", "tenant")
    if permissions.can_everywhere(actor, Action.VIEW_LEDGER):
        return acts
    tenants = permissions.visible_tenants(actor, Action.VIEW_LEDGER)
    customers = permissions.whole_customers(actor, Action.VIEW_LEDGER)
    return acts.filter(
        Q(tenant__in=tenants.values("pk")) | Q(tenant__isnull=True, customer__in=customers.values("pk"))
    )


def waiting(actor: Actor, now: datetime | None = None) -> list[ControlAct]:
    """Visible actions that are waiting for confirmation or for the end of their cooling-off period."""
    return [row for row in _open(now).filter(pk__in=visible_acts(actor)) if not _is_moot(row, now)]


def cooling_off(now: datetime | None = None) -> QuerySet[ControlAct]:
    """Actions whose hold ends without confirmation; a notice is shown until then."""
    return _open(now).filter(cools_off_at__isnull=False, subject__is_active=True)


def _open(now: datetime | None) -> QuerySet[ControlAct]:
    unended = Q(cools_off_at__isnull=True) | Q(cools_off_at__gt=now or timezone.now())
    return (
        ControlAct.objects.filter(unended, kind__in=CONFIRMABLE, confirmation__isnull=True)
        .select_related("actor", "subject", "customer", "tenant")
        .order_by("number")
    )


def _is_moot(row: ControlAct, now: datetime | None) -> bool:
    """Whether confirming would currently have no effect."""
    if row.kind == Kind.LOWER:
        later = ControlAct.objects.filter(
            number__gt=row.number, tenant=row.tenant, kind__in=(Kind.LOWER, Kind.POLICY)
        )
        return policy.is_lapsed(row.at, now or timezone.now()) or later.exists()
    if row.subject is None:
        return True
    if row.kind == Kind.REMOVE:
        return not standing.lost(standing.from_json(row.detail["administered"]), standing.of(row.subject))
    return not row.subject.is_active


def _confirm(actor: Actor, row: ControlAct) -> ControlAct:
    _require_over(actor, row.tenant, row.customer)
    ControlAct.objects.select_for_update().get(pk=row.pk)
    log, now = record.load(), timezone.now()
    act = next((each for each in log.acts if each.number == row.number), None)
    if act is None or act.kind not in CONFIRMABLE:
        raise NothingToConfirm("This action needs no confirmation.")
    if act.ended(now):
        raise NothingToConfirm("This action was already confirmed, or its cooling-off period is over.")
    if actor.user is not None and (reason := obstacle(actor.user, act, log, now)):
        raise permissions.Refused(reason)
    if act.kind == Kind.LOWER:
        policy.require_current(act, log, now)
    entry = ledger.record(
        actor,
        "control:confirm",
        str(row.subject or row.tenant or ""),
        tenant=row.tenant,
        customer=row.customer,
        act=row.number,
        kind=row.kind,
        by=row.actor.get_username() if row.actor else "",
    )
    confirmation = record.append(
        Kind.CONFIRM, entry, subject=row.subject_id, control_scope=act.control_scope, confirms=row
    )
    if act.kind == Kind.LOWER and row.tenant is not None:
        policy.apply(row.tenant, act.detail["policy"])
    return confirmation


def _require_over(actor: Actor, tenant: Tenant | None, customer: Customer | None) -> None:
    if tenant is not None:
        permissions.require(actor, Action.BIND_ROLES, tenant)
    elif customer is not None:
        permissions.require_on_customer(actor, Action.BIND_ROLES, customer)
    else:
        permissions.require_everywhere(actor, Action.BIND_ROLES)
