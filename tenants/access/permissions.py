"""The permission checks used by admin, pages, API, commands and tasks. Access is denied by default. A tenant
that the actor cannot see raises NotVisible, as if it did not exist; one that the actor can see but not act on
raises Refused.
"""

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import QuerySet
from guardian.shortcuts import assign_perm, get_objects_for_user, remove_perm

from tenants.access.actors import Actor
from tenants.access.matrix import ROLES, Action, Role
from tenants.errors import DomainError
from tenants.models import (
    Customer,
    CustomerGroupObjectPermission,
    CustomerUserObjectPermission,
    RoleBinding,
    Tenant,
    TenantGroupObjectPermission,
    TenantUserObjectPermission,
    User,
)
from tenants.web.input_limits import integer


class Refused(DomainError):
    """The actor may not do this. The message says why and names nothing that the actor cannot see."""

    http_status = 403


class NotVisible(Refused):
    """The object does not exist, or the actor cannot see it."""

    http_status = 404


def visible_tenants(actor: Actor, action: Action = Action.VIEW) -> QuerySet[Tenant]:
    """The tenants on which the actor may do this."""
    if not actor.permits(action):
        return Tenant.objects.none()
    if actor.user is None:
        return Tenant.objects.all()
    tenants = Tenant.objects.filter(_scope_of(actor.user, action))
    if actor.token is not None and actor.token.customer_id is not None:
        tenants = tenants.filter(customer_id=actor.token.customer_id)
    return tenants


def visible_customers(actor: Actor, action: Action = Action.VIEW) -> QuerySet[Customer]:
    """Customers on which the actor may do this, or that own such a tenant."""
    if not actor.permits(action):
        return Customer.objects.none()
    through_tenants = Customer.objects.filter(tenants__in=visible_tenants(actor, action))
    if actor.user is None or (actor.token is None and _everywhere(actor.user, action)):
        return Customer.objects.all()
    own = get_objects_for_user(actor.user, action.value, Customer, accept_global_perms=False)
    if actor.token is not None and actor.token.customer_id is not None:
        own = own.filter(pk=actor.token.customer_id)
    return Customer.objects.filter(
        models.Q(pk__in=own.values("pk")) | models.Q(pk__in=through_tenants.values("pk"))
    )


def can(actor: Actor, action: Action, tenant: Tenant) -> bool:
    return visible_tenants(actor, action).filter(pk=tenant.pk).exists()


def require(actor: Actor, action: Action, tenant: Tenant) -> None:
    """Raises NotVisible if the actor cannot see the tenant, Refused if the actor may not do this there."""
    if can(actor, action, tenant):
        return
    if action == Action.VIEW or not can(actor, Action.VIEW, tenant):
        raise NotVisible("This tenant does not exist, or you do not have access to it.")
    raise Refused(
        f"{actor.label} may not {_verb(action)} on {tenant.name}. Ask an administrator for the role."
    )


def require_everywhere(actor: Actor, action: Action) -> None:
    """For actions that concern the whole MSP. Raises Refused."""
    if not can_everywhere(actor, action):
        raise Refused(f"{actor.label} may not {_verb(action)} for the whole MSP.")


def whole_customers(actor: Actor, action: Action) -> QuerySet[Customer]:
    """Customers on which the actor has the role as a whole; a role on a single tenant is not enough."""
    if can_everywhere(actor, action):
        return Customer.objects.all()
    if actor.user is None or not actor.permits(action):
        return Customer.objects.none()
    if _everywhere(actor.user, action):
        own = Customer.objects.all()
    else:
        granted = get_objects_for_user(actor.user, action.value, Customer, accept_global_perms=False)
        own = Customer.objects.filter(pk__in=granted.values("pk"))
    bound = actor.token.customer_id if actor.token is not None else None
    return own if bound is None else own.filter(pk=bound)


def require_on_customer(actor: Actor, action: Action, customer: Customer) -> None:
    """For actions on a customer as a whole. Raises Refused."""
    if not whole_customers(actor, action).filter(pk=customer.pk).exists():
        raise Refused(f"{actor.label} may not {_verb(action)} for the whole of this customer.")


def can_everywhere(actor: Actor, action: Action) -> bool:
    if not actor.permits(action):
        return False
    if actor.user is None:
        return True
    return _everywhere(actor.user, action) and (actor.token is None or actor.token.customer_id is None)


def may_administer(actor: Actor, user: User) -> bool:
    """Only superusers and the operator may act on a superuser's account, since control over it gives
    superuser rights.
    """
    if user.is_superuser and actor.user is not None and not actor.user.is_superuser:
        return False
    return can_everywhere(actor, Action.BIND_ROLES)


def require_account_admin(actor: Actor, user: User) -> None:
    """For actions on another person's account. Raises Refused."""
    require_everywhere(actor, Action.BIND_ROLES)
    if not may_administer(actor, user):
        raise Refused("Only a superuser may act on a superuser's account.")


def tenant_named(actor: Actor, name: str, action: Action = Action.VIEW) -> Tenant:
    """The tenant with this name or id. Raises NotVisible or Refused."""
    tenants = visible_tenants(actor)
    tenant = tenants.filter(name=name).first()
    if tenant is None and (pk := integer(name)) is not None:
        tenant = tenants.filter(pk=pk).first()
    if tenant is None:
        raise NotVisible(f"There is no tenant called {name}, or you do not have access to it.")
    require(actor, action, tenant)
    return tenant


def sync_grants(subject: User | Group) -> None:
    """Synchronises the guardian grants of a user or group with its role bindings."""
    wanted: set[tuple[str, Customer | Tenant | None]] = set()
    for binding in _bindings(subject):
        scope = binding.tenant or binding.customer
        wanted |= {(action.value, scope) for action in ROLES[Role(binding.role)]}
    present = _granted(subject)
    for codename, scope in wanted - present:
        if scope is None:
            _everywhere_permissions(subject).add(_everywhere_permission(codename))
        else:
            assign_perm(codename, subject, scope)
    for codename, scope in present - wanted:
        if scope is None:
            _everywhere_permissions(subject).remove(_everywhere_permission(codename))
        else:
            remove_perm(codename, subject, scope)


def _scope_of(user: User, action: Action) -> models.Q:
    if _everywhere(user, action):
        return models.Q()
    tenants = get_objects_for_user(user, action.value, Tenant, accept_global_perms=False)
    customers = get_objects_for_user(user, action.value, Customer, accept_global_perms=False)
    return models.Q(pk__in=tenants.values("pk")) | models.Q(customer__in=customers.values("pk"))


def _everywhere(user: User, action: Action) -> bool:
    """Queries the database each time. Django caches permissions on the user object, which would outlive an
    unbinding.
    """
    if user.is_superuser:
        return True
    mine = models.Q(user=user) | models.Q(group__user=user)
    return Permission.objects.filter(
        mine, content_type=ContentType.objects.get_for_model(Tenant), codename=action.value
    ).exists()


def _everywhere_permission(codename: str) -> Permission:
    """Customer and Tenant declare the same codenames; the Tenant permission represents the whole MSP."""
    return Permission.objects.get(content_type=ContentType.objects.get_for_model(Tenant), codename=codename)


def _everywhere_permissions(subject: User | Group) -> Any:
    return subject.user_permissions if isinstance(subject, User) else subject.permissions


def _bindings(subject: User | Group) -> QuerySet[RoleBinding]:
    owner = {"user": subject} if isinstance(subject, User) else {"group": subject}
    return RoleBinding.objects.filter(**owner).select_related("customer", "tenant")


def _granted(subject: User | Group) -> set[tuple[str, Customer | Tenant | None]]:
    known = {action.value for action in Action}
    grant_models: tuple[Any, Any]
    owner: dict[str, User | Group]
    if isinstance(subject, User):
        grant_models = (TenantUserObjectPermission, CustomerUserObjectPermission)
        owner = {"user": subject}
    else:
        grant_models = (TenantGroupObjectPermission, CustomerGroupObjectPermission)
        owner = {"group": subject}
    everywhere = _everywhere_permissions(subject).all()
    rows = [
        row
        for model in grant_models
        for row in model.objects.filter(**owner).select_related("permission", "content_object")
    ]
    granted: set[tuple[str, Customer | Tenant | None]] = {
        (permission.codename, None) for permission in everywhere if permission.codename in known
    }
    return granted | {(row.permission.codename, row.content_object) for row in rows}


def _verb(action: Action) -> str:
    return action.value.replace("_", " ")
