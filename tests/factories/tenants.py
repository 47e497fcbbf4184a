"""Customers, tenants, people and their roles."""

from uuid import uuid4

import factory
from factory.django import DjangoModelFactory

from tenants import access
from tenants.actions import Role
from tenants.models import Customer, RoleBinding, Tenant, User


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
    access.sync_grants(user)
