"""Every operation for everybody: anonymous, a stranger to the tenant, somebody without the right, and the right one."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from tenants.access.matrix import Role, TokenScope
from tests.api.conftest import World, bearer
from tests.api.routes import DOCUMENTATION, OPERATIONS, Operation, served
from tests.factories.tenants import bind

EACH = pytest.mark.parametrize("operation", OPERATIONS, ids=str)
BY_ID = pytest.mark.parametrize("operation", [each for each in OPERATIONS if not each.lists], ids=str)
WRITES = pytest.mark.parametrize("operation", [each for each in OPERATIONS if each.method == "post"], ids=str)


def ask(client: APIClient, operation: Operation, side: Any) -> Any:
    return getattr(client, operation.method)(f"/api/v1/{operation.path(side)}", operation.body(side))


def test_every_served_operation_is_in_the_table() -> None:
    assert {(each.route, each.method) for each in OPERATIONS} == served()


@EACH
def test_anonymous_is_asked_to_sign_in(world: World, operation: Operation) -> None:
    response = ask(APIClient(), operation, world.ours)
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert response["Content-Type"] == "application/problem+json"


@EACH
def test_who_has_the_right_is_served(world: World, operation: Operation) -> None:
    response = ask(world.client(operation.allowed), operation, world.ours)
    assert response.status_code == operation.status, response.json()


@BY_ID
def test_another_customers_object_does_not_exist(world: World, operation: Operation) -> None:
    response = ask(world.client(operation.allowed), operation, world.foreign)
    assert response.status_code == 404
    assert "Fabrikam" not in response.content.decode()


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each.lists], ids=str)
def test_lists_hold_nothing_of_another_customer(world: World, operation: Operation) -> None:
    response = ask(world.client(operation.allowed), operation, world.foreign)
    assert response.status_code == 200
    assert "fabrikam" not in response.content.decode().lower()
    ours = ask(world.client(operation.allowed), operation, world.ours)
    assert ours.json()["results"], "the same list holds our own rows"


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each.refused], ids=str)
def test_who_sees_the_tenant_but_lacks_the_right_is_refused(world: World, operation: Operation) -> None:
    for role in sorted(operation.refused):
        response = ask(world.client(role), operation, world.ours)
        assert response.status_code == 403, role
        assert response.json()["detail"]


@WRITES
def test_a_read_token_writes_nothing(world: World, operation: Operation) -> None:
    client = bearer(world.people[operation.allowed], frozenset({TokenScope.READ}))
    assert ask(client, operation, world.ours).status_code == 403


@WRITES
def test_an_auditor_and_a_portal_write_nothing(world: World, operation: Operation) -> None:
    for role in (Role.AUDITOR, Role.PORTAL):
        client = world.client(role)
        with CaptureQueriesContext(connection) as queries:
            assert ask(client, operation, world.ours).status_code == 403
        written = [
            query["sql"]
            for query in queries
            if query["sql"].startswith(("INSERT", "UPDATE", "DELETE"))
            and not any(name in query["sql"] for name in ("apitoken", "tenants_ledger", "lavawall_cache"))
        ]
        assert written == []


@EACH
def test_a_token_bound_to_one_customer_sees_no_other_that_its_user_sees(
    world: World, operation: Operation
) -> None:
    user = world.people[operation.allowed]
    bind(user, operation.allowed, customer=world.foreign.customer)
    bound = bearer(user, customer=world.ours.customer)
    foreign = ask(bound, operation, world.foreign)
    assert foreign.status_code == (200 if operation.lists else 404)
    assert "fabrikam" not in foreign.content.decode().lower()
    assert ask(bound, operation, world.ours).status_code == operation.status


def test_not_there_and_not_visible_read_the_same(world: World, engineer: APIClient) -> None:
    for path in (
        "changes/{}/",
        "tenants/{}/",
        "snapshots/{}/",
        "runs/{}/",
        "audit-events/{}/",
        "coverage/?tenant={}",
    ):
        foreign = {
            "changes/{}/": world.foreign.change.pk,
            "snapshots/{}/": world.foreign.change.snapshot_id,
            "runs/{}/": world.foreign.run.pk,
            "audit-events/{}/": world.foreign.event.pk,
        }.get(path, world.foreign.tenant.pk)
        hidden = engineer.get(f"/api/v1/{path.format(foreign)}")
        absent = engineer.get(f"/api/v1/{path.format(987654321)}")
        assert hidden.status_code == absent.status_code == 404
        assert hidden.json() | {"instance": ""} == absent.json() | {"instance": ""}


@pytest.mark.parametrize("path", ["schema/", "docs/", "no/such/address", "v1/nothing/"])
def test_documentation_and_unknown_addresses_need_a_sign_in(world: World, path: str) -> None:
    assert APIClient().get(f"/api/{path}").status_code == 401
    expected = 200 if path in ("schema/", "docs/") else 404
    assert world.client(Role.PORTAL).get(f"/api/{path}").status_code == expected


def test_the_table_leaves_out_only_documentation() -> None:
    assert {"schema", "api-docs", "api-unknown"} == DOCUMENTATION
