"""Managed identities: service principals that come and go with them, and their federated credentials."""

import pytest

from lavawall.emulator import Emulator, TenantInfo
from tests.emulator.arm_client import ASSIGNMENTS, IDENTITIES, LOCATION, Arm, names
from tests.emulator.conftest import Client, Json, client_for

NEW = f"{IDENTITIES}/id-new"
TRUST = {"issuer": "https://issuer.example", "subject": "job", "audiences": ["api://AzureADTokenExchange"]}


@pytest.fixture
def arm(emulator: Emulator, tenant: TenantInfo) -> Arm:
    return Arm(emulator, tenant, tenant.writer)


@pytest.fixture
def graph(emulator: Emulator, tenant: TenantInfo) -> Client:
    return client_for(emulator, tenant, tenant.writer)


def make(arm: Arm) -> Json:
    found: Json = arm.put(NEW, {}, location=LOCATION)["properties"]
    return found


def test_an_identity_is_a_service_principal(arm: Arm, graph: Client, tenant: TenantInfo) -> None:
    made = make(arm)
    assert made["tenantId"] == tenant.directory_id
    principal = graph.get(f"/servicePrincipals/{made['principalId']}")
    assert (principal["appId"], principal["displayName"]) == (made["clientId"], "id-new")
    assert principal["servicePrincipalType"] == "ManagedIdentity"


def test_an_identity_made_again_is_another(arm: Arm, graph: Client) -> None:
    before = make(arm)
    assert make(arm) == before
    assert arm.send("DELETE", NEW).status_code == 200
    assert arm.send("DELETE", NEW).status_code == 204
    graph.refused("GET", f"/servicePrincipals/{before['principalId']}", status=404)
    after = make(arm)
    assert before["principalId"] != after["principalId"]
    assert before["clientId"] != after["clientId"]


def test_nobody_chooses_its_ids(arm: Arm) -> None:
    chosen = "9f5d7b1c-3c3b-4a63-9a40-1d8f3a2b6c01"
    assert arm.put(NEW, {"principalId": chosen}, location=LOCATION)["properties"]["principalId"] != chosen


def test_its_role_assignments_are_orphans_afterwards(arm: Arm) -> None:
    identity = arm.get(f"{IDENTITIES}/id-aurora-dental-deploy")
    who = {"$filter": f"principalId eq '{identity['properties']['principalId']}'"}
    assert len(arm.list(f"{arm.subscription}/{ASSIGNMENTS}", **who)) == 2
    arm.send("DELETE", f"{IDENTITIES}/id-aurora-dental-deploy")
    assert len(arm.list(f"{arm.subscription}/{ASSIGNMENTS}", **who)) == 2


def test_a_patch_changes_tags(arm: Arm) -> None:
    make(arm)
    answer = arm.send("PATCH", NEW, {"tags": {"colour": "blue"}})
    assert (answer.status_code, answer.json()["tags"]) == (200, {"colour": "blue"})


def test_federated_credentials_come_and_go(arm: Arm) -> None:
    make(arm)
    where = f"{NEW}/federatedIdentityCredentials"
    assert arm.send("PUT", f"{where}/main", {"properties": TRUST}).status_code == 201
    assert arm.send("PUT", f"{where}/main", {"properties": {**TRUST, "subject": "other"}}).status_code == 200
    assert names(arm.list(where)) == {"main"}
    assert arm.get(f"{where}/main")["properties"]["subject"] == "other"
    assert arm.send("DELETE", f"{where}/main").status_code == 200
    assert arm.list(where) == []


@pytest.mark.parametrize("broken", [{"issuer": "http://issuer.example"}, {"subject": ""}, {"audiences": []}])
def test_federated_credentials_are_checked(arm: Arm, broken: Json) -> None:
    make(arm)
    body = {"properties": {**TRUST, **broken}}
    assert arm.refused("PUT", f"{NEW}/federatedIdentityCredentials/main", body) == (400, "BadRequest")


def test_issuer_and_subject_are_unique_on_an_identity(arm: Arm) -> None:
    make(arm)
    arm.put(f"{NEW}/federatedIdentityCredentials/main", TRUST)
    body = {"properties": TRUST}
    assert arm.refused("PUT", f"{NEW}/federatedIdentityCredentials/other", body) == (409, "Conflict")
    assert arm.refused("PUT", f"{IDENTITIES}/none/federatedIdentityCredentials/main", body)[0] == 404
    arm.send("DELETE", NEW)
    make(arm)
    assert arm.list(f"{NEW}/federatedIdentityCredentials") == []
