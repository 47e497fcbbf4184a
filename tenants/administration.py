"""Acts of administrators on what is already there: a tenant's policy, a person's account."""

from typing import Any

from django.db import transaction

from tenants import access, accounts, ledger
from tenants.actions import Action
from tenants.actors import Actor
from tenants.models import Tenant, User

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
    """Sets some of POLICY; the ledger keeps both sides. Raises Refused or ValidationError."""
    access.require(actor, Action.MANAGE, tenant)
    unknown = values.keys() - set(POLICY)
    if unknown:
        raise ValueError(f"{', '.join(sorted(unknown))} is no part of a tenant's policy.")
    current = Tenant.objects.select_for_update().get(pk=tenant.pk)
    changed = {name: [getattr(current, name), value] for name, value in values.items()}
    changed = {name: [old, new] for name, (old, new) in changed.items() if old != new}
    for name, (_, new) in changed.items():
        setattr(current, name, new)
    if changed:
        current.full_clean()
        current.save(update_fields=list(changed))
        ledger.record(actor, "tenant:policy", current.name, tenant=current, changed=changed)
    return current


@transaction.atomic
def change_account(actor: Actor, *, user: User, email: str, is_active: bool) -> None:
    """Changes an account's address and whether it may sign in. Raises Refused."""
    access.require_over(actor, user)
    user.email, user.is_active = email, is_active
    user.full_clean(exclude=["password"])
    user.save(update_fields=["email", "is_active"])
    ledger.record(actor, "user:change", user.get_username(), email=email, is_active=is_active)


def may_bind(actor: Actor, scope: accounts.Scope) -> bool:
    """Whether the actor may bind and unbind roles on this scope."""
    if scope.tenant is not None:
        return access.can(actor, Action.BIND_ROLES, scope.tenant)
    if scope.customer is None:
        return access.can_everywhere(actor, Action.BIND_ROLES)
    try:
        access.require_on_customer(actor, Action.BIND_ROLES, scope.customer)
    except access.Refused:
        return False
    return True
