"""A small world for the pages: two customers, one tenant each, with everything that a page can show."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from changes.audit import records
from changes.models import Attribution, AuditEvent, Change
from rollbacks.models import Rollback
from snapshots.models import Principal, Snapshot
from tenants.access.actors import Actor
from tenants.access.matrix import Role
from tenants.models import ControlAct, Run, Tenant, User
from tenants.trust import ledger
from tests.factories.changes import detected, mfa_policy
from tests.factories.rollbacks import planned
from tests.factories.tenants import TenantFactory, person, role_bound
from tests.shared_rows import undone

HOSTILE = "<script>alert(1)</script>"
MALLORY = "0b7d4a52-7a0d-4d51-8c5f-3a6fb8a8d001"
POLICY = "6f1f0b0e-6a1c-4b8e-9b58-0d4b2f6f9a01"


@dataclass(frozen=True)
class Scene:
    """One tenant with a change, its audit event, two snapshots, a run and a rollback awaiting approval."""

    tenant: Tenant
    change: Change
    event: AuditEvent
    before: Snapshot
    after: Snapshot
    run: Run
    rollback: Rollback
    engineer: User
    approver: User
    act: ControlAct
    """An administrator of the tenant bound a role."""


def make_scene() -> Scene:
    tenant = TenantFactory(name=f"tenant {HOSTILE} {Tenant.objects.count()}")
    now = timezone.now()
    Principal.objects.create(
        tenant=tenant, object_id=MALLORY, kind="user", display_name=f"Mallory {HOSTILE}", seen_at=now
    )
    policy = {"displayName": f"MFA {HOSTILE}"}
    excluding = {
        "users": {"includeRoles": ["62e90394-69f5-4237-9190-012177145e10"], "excludeUsers": [MALLORY]},
        "applications": {"includeApplications": ["All"]},
        "clientAppTypes": ["all"],
    }
    (change,) = detected(
        tenant,
        {"conditionalAccessPolicy": {POLICY: mfa_policy(**policy)}},
        {"conditionalAccessPolicy": {POLICY: mfa_policy(**policy, state="disabled", conditions=excluding)}},
    )
    event = AuditEvent.objects.create(
        tenant=tenant,
        event_id=f"event {HOSTILE}",
        activity=f"Update policy {HOSTILE}",
        occurred_at=now,
        actor_type="user",
        actor_name=f"gina{HOSTILE}@contoso.example",
        ip="203.0.113.77",
        targets=[{"id": POLICY, "name": HOSTILE, "type": "Policy", "properties": []}],
        sealed=records.sealed(tenant, f"event {HOSTILE}", {"activityDisplayName": f"Update {HOSTILE}"}),
        received_at=now,
    )
    Attribution.objects.create(
        change=change,
        event=event,
        confidence="high",
        score=90,
        why=[f"because {HOSTILE}"],
        country="NL",
        country_source="sign-in",
        made_at=now,
    )
    engineer, approver = person(Role.ENGINEER, tenant=tenant), person(Role.APPROVER, tenant=tenant)
    with transaction.atomic():
        ledger.record(
            Actor.person(engineer, "page"), "test:act", f"on {HOSTILE}", tenant=tenant, note=HOSTILE
        )
    run = Run.objects.create(
        tenant=tenant, kind=Run.Kind.COLLECT, requested_by=f"by {HOSTILE}", error=HOSTILE
    )
    return Scene(
        tenant=tenant,
        change=change,
        event=event,
        before=change.previous_snapshot,
        after=change.snapshot,
        run=run,
        rollback=planned(tenant, engineer, [change], reason=f"Because {HOSTILE}"),
        engineer=engineer,
        approver=approver,
        act=role_bound(tenant),
    )


@pytest.fixture(scope="module")
def scenes(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[tuple[Scene, Scene]]:
    """The rows of two customers, which the tests of a module share."""
    with undone(django_db_blocker):
        yield make_scene(), make_scene()


@pytest.fixture
def db(scenes: tuple[Scene, Scene], django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    cache.clear()
    with undone(django_db_blocker):
        yield


@pytest.fixture
def scene(db: None, scenes: tuple[Scene, Scene]) -> Scene:
    return deepcopy(scenes[0])


@pytest.fixture
def foreign(db: None, scenes: tuple[Scene, Scene]) -> Scene:
    return deepcopy(scenes[1])


@pytest.fixture
def signed_in() -> Callable[[User], Client]:
    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return sign_in
