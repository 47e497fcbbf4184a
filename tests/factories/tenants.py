"""Customers, tenants, people and their roles."""

from collections.abc import Iterable
from uuid import uuid4

import factory
from factory.django import DjangoModelFactory

from tenants.access import permissions
from tenants.access.actors import Actor
from tenants.access.matrix import Action, Role
from tenants.accounts import user_accounts
from tenants.connections import onboarding
from tenants.connections.onboarding import NewConnection
from tenants.microsoft.connection import SecretCredential
from tenants.models import ControlAct, Customer, RoleBinding, Tenant, User


class CustomerFactory(DjangoModelFactory[Customer]):
    class Meta:
        model = Customer

    name = factory.Sequence(lambda n: f"Customer {n}")


class TenantFactory(DjangoModelFactory[Tenant]):
    class Meta:
        model = Tenant

    customer = factory.SubFactory(CustomerFactory)
    name = factory.Sequence(lambda n: f"Tenant {n}")
    directory_id = factory.LazyFunction(uuid4)


class UserFactory(DjangoModelFactory[User]):
    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"user{n}")
    password = factory.django.Password("correct horse battery staple")


def person(
    role: Role | None = None,
    *,
    tenant: Tenant | None = None,
    customer: Customer | None = None,
    **facts: object,
) -> User:
    """A user with a role on a tenant, on a customer, or (neither given) on the whole MSP."""
    user: User = UserFactory(**facts)
    if role is not None:
        bind(user, role, tenant=tenant, customer=customer)
    return user


def bind(user: User, role: Role, *, tenant: Tenant | None = None, customer: Customer | None = None) -> None:
    RoleBinding.objects.create(user=user, role=role.value, tenant=tenant, customer=customer)
    permissions.sync_grants(user)


def give_writer(tenant: Tenant, granted: Iterable[str]) -> None:
    """A writer connection whose last test saw these permissions."""
    new = NewConnection(client_id=uuid4(), credential=SecretCredential("a secret"), granted=tuple(granted))
    onboarding.connect(Actor.system("test", Action.MANAGE), tenant=tenant, purpose="writer", new=new)


def role_bound(tenant: Tenant) -> ControlAct:
    """The act by which an administrator of the tenant bound a role, which a second one has yet to confirm."""
    administrator, subject = (
        person(Role.ADMINISTRATOR, tenant=tenant),
        person(username=f"new at {tenant.name}"[:150]),
    )
    person(Role.ADMINISTRATOR, tenant=tenant)
    user_accounts.bind_role(
        Actor.person(administrator, "test"),
        subject=subject,
        role=Role.AUDITOR,
        scope=user_accounts.Scope(tenant=tenant),
    )
    return ControlAct.objects.get(subject=subject)
