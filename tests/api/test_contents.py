"""What the operations answer with."""

import orjson
from django.db import transaction
from rest_framework.test import APIClient

from snapshots.models import Coverage
from tenants.access.actors import Actor
from tenants.access.matrix import Role, TokenScope
from tenants.models import Run
from tenants.trust import ledger
from tests.api.conftest import World, bearer
from tests.factories.tenants import person


def test_a_tenant_comes_with_its_latest_snapshot_and_coverage(world: World, engineer: APIClient) -> None:
    tenant = engineer.get(f"/api/v1/tenants/{world.ours.tenant.pk}/").json()
    assert tenant["customer"] == "Contoso Ltd"
    assert tenant["latest_snapshot"]["number"] == 2
    assert tenant["coverage"] == {"complete": 1}
    assert engineer.get("/api/v1/tenants/").json()["results"] == [tenant]


def test_the_coverage_of_a_tenant_is_the_newest_word_on_each_type(world: World, engineer: APIClient) -> None:
    Coverage.objects.create(
        snapshot_id=world.ours.change.snapshot_id,
        resource_type="group",
        status="forbidden",
        reason="The permission is missing.",
        remedy="Grant Group.Read.All.",
    )
    rows = engineer.get("/api/v1/coverage/?tenant=Contoso").json()["results"]
    assert [(row["resource_type"], row["status"]) for row in rows] == [
        ("conditionalAccessPolicy", "complete"),
        ("group", "forbidden"),
    ]
    tenant = engineer.get(f"/api/v1/tenants/{world.ours.tenant.pk}/").json()
    assert tenant["coverage"] == {"complete": 1, "forbidden": 1}


def test_taking_a_snapshot_answers_with_a_run_to_ask_about(world: World, engineer: APIClient) -> None:
    Run.objects.all().delete()
    response = engineer.post(
        "/api/v1/snapshots/", {"tenant": world.ours.tenant.pk, "types": ["namedLocation"], "mode": "full"}
    )
    assert response.status_code == 202
    run = Run.objects.get()
    assert run.parameters == {"mode": "full", "types": ["namedLocation"]}
    assert response.json()["id"] == run.pk
    assert engineer.get(response["Location"]).json()["state"] == "queued"


def test_a_snapshots_resources_come_with_contents_where_asked_for(world: World, engineer: APIClient) -> None:
    address = f"/api/v1/snapshots/{world.ours.change.snapshot_id}/resources/"
    (bare,) = engineer.get(address).json()["results"]
    assert bare["display_name"] == "Require MFA for administrators"
    assert bare["document"] is None
    (full,) = engineer.get(f"{address}?documents=true&type=conditionalAccessPolicy").json()["results"]
    assert full["document"]["state"] == "disabled"
    assert engineer.get(f"{address}?type=group").json()["results"] == []


def test_two_snapshots_are_compared_field_by_field(world: World, engineer: APIClient) -> None:
    base, target = world.ours.change.previous_snapshot_id, world.ours.change.snapshot_id
    compared = engineer.get(f"/api/v1/snapshots/compare/?base={base}&target={target}").json()
    (difference,) = compared["differences"]
    assert difference["kind"] == "updated"
    assert difference["patch"] == [{"op": "replace", "path": "/state", "value": "disabled"}]
    (field,) = difference["fields"]
    assert (field["path"], field["before"], field["after"]) == ("state", "enabled", "disabled")
    other_type = engineer.get(f"/api/v1/snapshots/compare/?base={base}&target={target}&type=group").json()
    assert other_type["differences"] == []


def test_snapshots_of_two_tenants_are_not_compared(world: World) -> None:
    both = person(Role.ENGINEER)
    base, target = world.ours.change.snapshot_id, world.foreign.change.snapshot_id
    response = bearer(both).get(f"/api/v1/snapshots/compare/?base={base}&target={target}")
    assert response.status_code == 400


def test_the_history_of_a_resource_holds_each_version(world: World, engineer: APIClient) -> None:
    change = world.ours.change
    address = f"/api/v1/resources/{change.resource_type}/{change.resource_id}/history/"
    newest, oldest = engineer.get(f"{address}?tenant=Contoso").json()["results"]
    assert newest["last_snapshot"] is None
    assert (newest["document"]["state"], oldest["document"]["state"]) == ("disabled", "enabled")
    assert engineer.get(f"{address}?tenant=Contoso&page_size=1").json()["next"]
    assert engineer.get("/api/v1/resources/group/nothing/history/?tenant=Contoso").status_code == 404


def test_a_change_says_what_differs_and_who_it_was(world: World, engineer: APIClient) -> None:
    change = engineer.get(f"/api/v1/changes/{world.ours.change.pk}/").json()
    assert change["severity"] == "critical"
    assert change["patch"] == [{"op": "replace", "path": "/state", "value": "disabled"}]
    assert change["fields"][0]["label"] == "State"
    assert change["findings"][0]["reason"]
    assert change["attribution"]["actor"] == "admin@contoso.example"
    assert change["attribution"]["country_source"] == "sign-in"
    assert len(change["attributions"]) == 1
    assert change["acknowledgement"] is None


def test_a_change_is_acknowledged_once(world: World, engineer: APIClient) -> None:
    address = f"/api/v1/changes/{world.ours.change.pk}/"
    assert engineer.post(f"{address}acknowledge/", {"note": "ticket 4711"}).json()["by"] == "engineer"
    change = engineer.get(address).json()
    assert change["acknowledged"] is True
    assert change["acknowledgement"]["note"] == "ticket 4711"
    repeated = engineer.post(f"{address}acknowledge/", {})
    assert repeated.status_code == 409
    assert repeated.json()["detail"] == "engineer has already acknowledged this change."


def test_the_ledger_of_the_whole_msp_needs_that_scope(world: World) -> None:
    with transaction.atomic():
        ledger.record(Actor.system("test"), "user:create", "somebody")
    of_one_customer = world.client(Role.AUDITOR).get("/api/v1/ledger/").json()["results"]
    assert {entry["tenant_id"] for entry in of_one_customer} == {world.ours.tenant.pk}
    everywhere = person(Role.AUDITOR)
    targets = {entry["target"] for entry in bearer(everywhere).get("/api/v1/ledger/").json()["results"]}
    assert {"somebody", "something of Contoso", "something of Fabrikam"} <= targets
    bound = bearer(everywhere, customer=world.ours.customer).get("/api/v1/ledger/").json()["results"]
    assert "something of Fabrikam" not in {entry["target"] for entry in bound}


def test_an_auditor_of_one_tenant_reads_nothing_of_its_sister_tenant(world: World) -> None:
    sister = world.ours.tenant.__class__.objects.create(
        customer=world.ours.customer, name="Sister", directory_id="00000000-0000-4000-8000-000000000001"
    )
    with transaction.atomic():
        ledger.record(Actor.system("test"), "test:act", "the sister's secret life", tenant=sister)
    narrow = person(Role.AUDITOR, tenant=world.ours.tenant)
    entries = bearer(narrow).get("/api/v1/ledger/").json()["results"]
    assert "the sister's secret life" not in {entry["target"] for entry in entries}


def test_a_token_without_the_read_scope_reads_nothing(world: World) -> None:
    client = bearer(world.people[Role.ENGINEER], frozenset({TokenScope.REQUEST}))
    assert client.get("/api/v1/tenants/").json()["results"] == []


def test_nothing_sealed_and_no_credential_is_ever_sent(world: World, engineer: APIClient) -> None:
    schema = engineer.get("/api/schema/?format=json").content.decode()
    properties = {
        name
        for component in orjson.loads(schema)["components"]["schemas"].values()
        for name in component.get("properties", {})
    }
    forbidden = ("sealed", "secret", "credential", "password", "token", "fingerprint", "wrapped")
    assert [name for name in properties if any(word in name.lower() for word in forbidden)] == []
