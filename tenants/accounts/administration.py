"""Acts of administrators on what is already there: a tenant's policy, a person's account."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from tenants.access import permissions
from tenants.access.actors import Actor
from tenants.access.matrix import Action
from tenants.accounts import user_accounts
from tenants.control import policy, record
from tenants.control.graph import Kind
from tenants.control.watch import Watch
from tenants.models import Tenant, User
from tenants.trust import ledger

POLICY = (
    "is_active",
    "snapshot_interval_minutes",
    "required_approvals",
    "required_approvals_critical",
    "plan_lifetime_hours",
)
"""What of a tenant an administrator may change at any time."""


@transaction.atomic
def change_policy(actor: Actor, *, tenant: Tenant, **values: Any) -> Tenant:
    """Sets some of POLICY; the ledger keeps both sides. Raises Refused or ValidationError.

    What weakens the approval policy is proposed only, and comes into force when a second administrator confirms it.
    The operator's changes are in force at once.
    """
    permissions.require(actor, Action.MANAGE, tenant)
    unknown = values.keys() - set(POLICY)
    if unknown:
        raise ValueError(f"{', '.join(sorted(unknown))} is no part of a tenant's policy.")
    current = Tenant.objects.select_for_update().get(pk=tenant.pk)
    changed = {name: [getattr(current, name), value] for name, value in values.items()}
    changed = {name: [old, new] for name, (old, new) in changed.items() if old != new}
    _require_valid(current, changed)
    proposed = {
        name: both for name, both in changed.items() if actor.user is not None and policy.weakens(name, *both)
    }
    made = {name: both for name, both in changed.items() if name not in proposed}
    control_scope = record.control_scope_of(current)
    if made:
        policy.apply(current, made)
        entry = ledger.record(actor, "tenant:policy", current.name, tenant=current, changed=made)
        if approvals := {name: both for name, both in made.items() if name in policy.STRICTER}:
            record.append(Kind.POLICY, entry, control_scope=control_scope, policy=approvals)
    if proposed:
        entry = ledger.record(actor, "tenant:policy-proposed", current.name, tenant=current, changed=proposed)
        record.append(Kind.LOWER, entry, control_scope=control_scope, policy=proposed)
    return Tenant.objects.get(pk=current.pk)


@transaction.atomic
def change_account(actor: Actor, *, user: User, email: str, is_active: bool) -> None:
    """Changes an account's address and whether it may sign in. Raises Refused."""
    permissions.require_account_admin(actor, user)
    current = User.objects.select_for_update().get(pk=user.pk)
    kinds = [Kind.ACTIVATE] if is_active and not current.is_active else []
    kinds += [Kind.EMAIL] if email != current.email else []
    watch = Watch(actor, [current])
    user.email, user.is_active = email, is_active
    user.full_clean(exclude=["password"])
    user.save(update_fields=["email", "is_active"])
    watch.record("user:change", user.get_username(), kinds, email=email, is_active=is_active)


def _require_valid(tenant: Tenant, changed: Mapping[str, list[Any]]) -> None:
    """The policy as it would be, proposals included. Raises ValidationError."""
    wanted = Tenant.objects.get(pk=tenant.pk)
    for name, (_, new) in changed.items():
        setattr(wanted, name, new)
    wanted.full_clean()


def may_bind(actor: Actor, scope: user_accounts.Scope) -> bool:
    """Whether the actor may bind and unbind roles on this scope."""
    if scope.tenant is not None:
        return permissions.can(actor, Action.BIND_ROLES, scope.tenant)
    if scope.customer is None:
        return permissions.can_everywhere(actor, Action.BIND_ROLES)
    try:
        permissions.require_on_customer(actor, Action.BIND_ROLES, scope.customer)
    except permissions.Refused:
        return False
    return True
