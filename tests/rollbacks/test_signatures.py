"""Which signatures count, and what is said of those that do not: on the page, in the API and on the command line."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from rollbacks import selectors, services
from rollbacks.approvals import signatures
from rollbacks.models import Rollback
from tenants.access.matrix import Role
from tenants.models import Tenant, User
from tests.factories.changes import disabled_mfa
from tests.factories.rollbacks import planned
from tests.factories.tenants import TenantFactory, bind, person
from tests.rollbacks.conftest import acting


@pytest.fixture
def tenant(db: None) -> Tenant:
    tenant: Tenant = TenantFactory()
    return tenant


def request_of(tenant: Tenant) -> Rollback:
    return planned(tenant, person(Role.ENGINEER, tenant=tenant), [disabled_mfa(tenant)])


def sign(user: User, rollback: Rollback) -> None:
    fresh = Rollback.objects.select_related("plan").get(pk=rollback.pk)
    assert fresh.plan is not None
    services.approve(acting(user), rollback=fresh, digest=fresh.plan.digest)


def verdicts(rollback: Rollback) -> dict[str, tuple[bool, str]]:
    assert rollback.plan is not None
    return {
        each.approval.approver.username: (each.counts, each.reason)
        for each in signatures.tally(rollback.plan).signatures
    }


@pytest.mark.parametrize("elsewhere", [Role.APPROVER, Role.ENGINEER, Role.ADMINISTRATOR])
def test_a_staff_role_at_another_customer_makes_no_staff_of_a_portal_approver(
    tenant: Tenant, elsewhere: Role
) -> None:
    rollback = request_of(tenant)
    portal = [person(Role.PORTAL_APPROVER, customer=tenant.customer) for _ in range(2)]
    for each in portal:
        bind(each, elsewhere, tenant=TenantFactory())
        sign(each, rollback)
    assert verdicts(rollback) == {
        portal[0].username: (True, signatures.INDEPENDENT),
        portal[1].username: (False, "Only one approval from the customer's portal counts."),
    }


@pytest.mark.parametrize("scope", ["tenant", "customer", "msp"])
def test_a_staff_role_that_covers_the_tenant_makes_one_staff(tenant: Tenant, scope: str) -> None:
    rollback = request_of(tenant)
    scopes: dict[str, dict[str, Any]] = {
        "tenant": {"tenant": tenant},
        "customer": {"customer": tenant.customer},
        "msp": {},
    }
    for _ in range(2):
        both = person(Role.PORTAL_APPROVER, customer=tenant.customer)
        bind(both, Role.APPROVER, **scopes[scope])
        sign(both, rollback)
    assert [counts for counts, _ in verdicts(rollback).values()] == [True, True]


def test_the_command_says_of_each_signature_whether_it_counts(tenant: Tenant) -> None:
    rollback = request_of(tenant)
    first, second = (person(Role.PORTAL_APPROVER, customer=tenant.customer) for _ in range(2))
    sign(first, rollback)
    out = StringIO()
    assert rollback.plan is not None
    call_command("approve", rollback.pk, username=second.username, digest=rollback.plan.digest, stdout=out)
    assert "awaiting_approval: 1 of 2 approvals." in out.getvalue()
    assert f"{first.username}: counts. Independent" in out.getvalue()
    assert f"{second.username}: does not count. Only one approval" in out.getvalue()
    shown = json.loads(json.dumps(selectors.as_json(Rollback.objects.get(pk=rollback.pk))))
    assert [each["counts"] for each in shown["approvals"]] == [True, False]
