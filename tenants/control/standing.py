"""Who administers which scope, and whether a second administrator exists."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q

from tenants.access.matrix import ROLES, Action, Role
from tenants.control.graph import EVERYWHERE, ControlScope, Kind, Log
from tenants.models import RoleBinding, User

ADMINISTERING = [role.value for role in Role if Action.BIND_ROLES in ROLES[role]]

Standing = frozenset[ControlScope]
"""The scopes on which an active account may bind roles."""


def of(user: User) -> Standing:
    """Reads the database instead of the caller's possibly outdated objects."""
    account = User.objects.get(pk=user.pk)
    if not account.is_active:
        return frozenset()
    bindings = RoleBinding.objects.filter(
        Q(user=user) | Q(group__user=user), role__in=ADMINISTERING
    ).select_related("tenant")
    scopes = {
        ControlScope(binding.tenant.customer_id, binding.tenant_id)
        if binding.tenant
        else ControlScope(binding.customer_id)
        for binding in bindings
    }
    return frozenset(scopes | ({EVERYWHERE} if account.is_superuser else set()))


def lost(before: Standing, after: Standing) -> Standing:
    """Scopes that no longer have an administrator."""
    return frozenset(
        control_scope
        for control_scope in before
        if not any(remaining.covers(control_scope) for remaining in after)
    )


def seconds(log: Log, actor: int, control_scope: ControlScope, now: datetime) -> frozenset[int]:
    """Other administrators of this scope who are independent of the actor. A removed administrator counts
    until the removal is confirmed, so that nobody becomes the only administrator by removing the others. A
    promoted one does not count until the promotion is confirmed, so that nobody creates their own second
    administrator. A person who alone controls the actor does not count either.
    """
    promoted = log.promoted(now)
    behind = log.controllers(actor, control_scope, since=now, now=now) - promoted
    alone = behind if len(behind) == 1 else frozenset()
    return ((_administrators(control_scope) - promoted) | removed(log, control_scope, now)) - {actor} - alone


def removed(log: Log, control_scope: ControlScope, now: datetime) -> frozenset[int]:
    """Users who lost administration of this scope through someone else's action that is not confirmed yet."""
    return frozenset(
        act.subject
        for act in log.acts
        if act.kind == Kind.REMOVE
        and not act.ended(now)
        and act.subject is not None
        and any(each.covers(control_scope) for each in from_json(act.detail["administered"]))
    )


def to_json(standing: Iterable[ControlScope]) -> list[list[int | None]]:
    return sorted(([control_scope.customer, control_scope.tenant] for control_scope in standing), key=str)


def from_json(stored: Iterable[list[int | None]]) -> Standing:
    return frozenset(ControlScope(customer, tenant) for customer, tenant in stored)


def _administrators(control_scope: ControlScope) -> frozenset[int]:
    on_it = Q(customer=None, tenant=None)
    if control_scope.customer is not None:
        on_it |= Q(customer=control_scope.customer, tenant=None)
    if control_scope.tenant is not None:
        on_it |= Q(tenant=control_scope.tenant)
    bindings = RoleBinding.objects.filter(on_it, role__in=ADMINISTERING)
    users = User.objects.filter(is_active=True).filter(
        Q(is_superuser=True) | Q(pk__in=bindings.values("user")) | Q(groups__in=bindings.values("group"))
    )
    return frozenset(users.values_list("pk", flat=True))
