"""Two customers that must not see each other, people with each role on the first, and clients for them."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import DjangoDbBlocker
from rest_framework.test import APIClient

from changes.audit import records
from changes.models import Attribution, AuditEvent, Change
from rollbacks.models import Rollback
from tenants.access.actors import Actor
from tenants.access.matrix import Role, TokenScope
from tenants.accounts import user_accounts
from tenants.models import ControlAct, Customer, Run, Tenant, User
from tenants.runs import leases
from tenants.trust import ledger
from tests.factories import rollbacks as rollback_factory
from tests.factories.changes import disabled_mfa
from tests.factories.tenants import CustomerFactory, TenantFactory, UserFactory, person, role_bound
from tests.shared_rows import undone

EVERY_SCOPE = frozenset(TokenScope)


@pytest.fixture(autouse=True)
def _without_static_files(settings: Any) -> None:
    """The API serves none, and looking for them costs each client a walk through the static folders."""
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if "whitenoise" not in each]


@dataclass
class Side:
    """A customer with one tenant in which something happened."""

    customer: Customer
    tenant: Tenant
    change: Change
    event: AuditEvent
    run: Run
    rollback: Rollback
    act: ControlAct


class People(dict[Role, User]):
    """The person with each role on a customer, made when first asked for."""

    def __init__(self, customer: Customer) -> None:
        super().__init__()
        self.customer = customer

    def __missing__(self, role: Role) -> User:
        self[role] = person(role, customer=self.customer, username=role.value)
        return self[role]


@dataclass
class World:
    ours: Side
    foreign: Side
    people: People

    def client(self, role: Role) -> APIClient:
        """A client with an API token of the person who has this role, with all scopes."""
        return bearer(self.people[role])


def bearer(
    user: User,
    scopes: frozenset[TokenScope] = EVERY_SCOPE,
    customer: Customer | None = None,
    life: timedelta = timedelta(days=1),
) -> APIClient:
    _token, text = user_accounts.issue_token(
        Actor.person(user, "test"), user=user, name="test", scopes=scopes, customer=customer, life=life
    )
    return with_token(text)


def with_token(text: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
    return client


def side(name: str) -> Side:
    customer = CustomerFactory(name=f"{name} Ltd")
    tenant = TenantFactory(name=name, customer=customer)
    change = disabled_mfa(tenant)
    event = audit_event(tenant, f"admin@{name.lower()}.example")
    Attribution.objects.create(
        change=change,
        event=event,
        confidence="high",
        score=95,
        why=["same object", "same property"],
        country="NL",
        country_source="sign-in",
        made_at=timezone.now(),
    )
    run = leases.create(tenant, Run.Kind.COLLECT, requested_by="test")
    with transaction.atomic():
        ledger.record(Actor.system("test"), "test:act", f"something of {name}", tenant=tenant)
    return Side(customer, tenant, change, event, run, planned(tenant, change), role_bound(tenant))


def planned(tenant: Tenant, change: Change, requester: User | None = None) -> Rollback:
    """A rollback that waits for approval."""
    return rollback_factory.planned(tenant, requester or UserFactory(), [change])


def audit_event(tenant: Tenant, actor_name: str) -> AuditEvent:
    return AuditEvent.objects.create(
        tenant=tenant,
        event_id=f"Directory_{actor_name}",
        activity="Update conditional access policy",
        category="Policy",
        occurred_at=timezone.now() - timedelta(minutes=5),
        actor_type="user",
        actor_id="11111111-2222-3333-4444-555555555555",
        actor_name=actor_name,
        ip="203.0.113.7",
        targets=[{"id": "x", "name": "Require MFA", "type": "Policy", "properties": ["State"]}],
        sealed=records.sealed(tenant, f"Directory_{actor_name}", {"initiatedBy": actor_name}),
        received_at=timezone.now(),
    )


@pytest.fixture(scope="module")
def sides(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[tuple[Side, Side]]:
    """The rows of both customers, which the tests of a module share."""
    with undone(django_db_blocker):
        yield side("Contoso"), side("Fabrikam")


@pytest.fixture
def db(sides: tuple[Side, Side], django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with undone(django_db_blocker):
        yield


@pytest.fixture
def world(db: None, sides: tuple[Side, Side]) -> World:
    ours, foreign = deepcopy(sides)
    return World(ours, foreign, People(ours.customer))


@pytest.fixture
def engineer(world: World) -> APIClient:
    return world.client(Role.ENGINEER)
