"""Policies that applications carry, staged rollout, and federated identity credentials."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from lavawall.emulator import Emulator, TenantInfo
from tests.emulator.conftest import Client, Json, client_for

NOBODY = "7d3f1c0a-6f0b-4d7e-9d5c-2a1b3c4d5e6f"
AUDIENCE = "api://AzureADTokenExchange"


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


@pytest.fixture
def application(writer: Client) -> str:
    found: str = writer.get("/applications?$filter=displayName eq 'Appointment Sync'")["value"][0]["id"]
    return found


def credential(name: str, **more: Any) -> Json:
    issuer, subject = "https://issuer.example.com", f"subject of {name}"
    return {"name": name, "issuer": issuer, "subject": subject, "audiences": [AUDIENCE], **more}


@pytest.mark.parametrize(
    "collection",
    [
        "tokenLifetimePolicies",
        "claimsMappingPolicies",
        "homeRealmDiscoveryPolicies",
        "tokenIssuancePolicies",
        "activityBasedTimeoutPolicies",
    ],
)
def test_a_definition_is_one_string_of_json(writer: Client, collection: str) -> None:
    path = f"/policies/{collection}"
    definition = json.dumps({"SomePolicy": {"Version": 1}})
    created = writer.post(path, {"displayName": "One", "definition": [definition]})
    assert created["definition"] == [definition]
    for wrong in ([], ["no json"], ["[]"], [definition, definition], ['{"A": 1, "B": 2}']):
        writer.refused("POST", path, {"displayName": "Wrong", "definition": wrong})
        writer.refused("PATCH", f"{path}/{created['id']}", {"definition": wrong})
    writer.done("PATCH", f"{path}/{created['id']}", {"displayName": "Two"})
    writer.done("DELETE", f"{path}/{created['id']}")
    writer.refused("GET", f"{path}/{created['id']}", status=404)


def test_a_service_principal_carries_one_policy_of_a_kind(writer: Client) -> None:
    principal = writer.get("/servicePrincipals?$filter=displayName eq 'Imaging Archive'")["value"][0]["id"]
    carried = f"/servicePrincipals/{principal}/claimsMappingPolicies"
    definition = [json.dumps({"ClaimsMappingPolicy": {"Version": 1}})]
    first, second = (
        writer.post("/policies/claimsMappingPolicies", {"displayName": name, "definition": definition})["id"]
        for name in ("First", "Second")
    )
    references = [
        {"@odata.id": f"{writer.base}/policies/claimsMappingPolicies/{each}"} for each in (first, second)
    ]
    writer.done("POST", f"{carried}/$ref", references[0])
    writer.refused("POST", f"{carried}/$ref", references[1], status=409)
    writer.refused("POST", f"{carried}/$ref", {"@odata.id": f"{writer.base}/x/{NOBODY}"}, status=404)
    assert [each["id"] for each in writer.get(carried)["value"]] == [first]
    carriers = writer.get(f"/policies/claimsMappingPolicies/{first}/appliesTo")["value"]
    assert [each["id"] for each in carriers] == [principal]
    writer.done("DELETE", f"{carried}/{first}/$ref")
    writer.done("POST", f"{carried}/$ref", references[1])
    writer.done("DELETE", f"/policies/claimsMappingPolicies/{second}")
    assert writer.get(carried)["value"] == []


def test_credential_rules_are_set_for_all_and_for_some(writer: Client, application: str) -> None:
    lifetime = {"restrictionType": "passwordLifetime", "state": "enabled", "maxLifetime": "P90D"}
    everyone = "/policies/defaultAppManagementPolicy"
    writer.done(
        "PATCH", everyone, {"isEnabled": True, "applicationRestrictions": {"passwordCredentials": [lifetime]}}
    )
    found = writer.get(everyone)["applicationRestrictions"]["passwordCredentials"]
    assert [each["maxLifetime"] for each in found] == ["P90D"]
    writer.refused(
        "PATCH", everyone, {"applicationRestrictions": {"passwordCredentials": [{"restrictionType": "x"}]}}
    )
    body = {"displayName": "Ninety days", "restrictions": {"passwordCredentials": [lifetime]}}
    policy = writer.post("/policies/appManagementPolicies", body)
    address = {"@odata.id": f"{writer.base}/policies/appManagementPolicies/{policy['id']}"}
    writer.done("POST", f"/applications/{application}/appManagementPolicies/$ref", address)
    carriers = writer.get(f"/policies/appManagementPolicies/{policy['id']}/appliesTo")["value"]
    assert [each["id"] for each in carriers] == [application]


def test_a_rollout_policy_exists_once_per_feature_and_applies_to_groups(writer: Client) -> None:
    path = "/policies/featureRolloutPolicies"
    body = {"displayName": "Single sign-on pilot", "feature": "seamlessSso", "isEnabled": True}
    created = writer.post(path, body)
    writer.refused("POST", path, body, status=409)
    writer.refused("PATCH", f"{path}/{created['id']}", {"feature": "passwordHashSync"})
    group = writer.get("/groups")["value"][0]["id"]
    user = writer.get("/users")["value"][0]["id"]
    address = f"{writer.base}/directoryObjects"
    writer.done("POST", f"{path}/{created['id']}/appliesTo/$ref", {"@odata.id": f"{address}/{group}"})
    writer.refused(
        "POST", f"{path}/{created['id']}/appliesTo/$ref", {"@odata.id": f"{address}/{user}"}, status=404
    )
    found = writer.get(f"{path}/{created['id']}?$expand=appliesTo")
    assert [each["id"] for each in found["appliesTo"]] == [group]
    writer.done("DELETE", f"{path}/{created['id']}/appliesTo/{group}/$ref")
    writer.done("DELETE", f"{path}/{created['id']}")


def test_federated_credentials_are_unique_within_their_application(writer: Client, application: str) -> None:
    path = f"/applications/{application}/federatedIdentityCredentials"
    created = writer.post(path, credential("build"))
    assert writer.get(f"{path}(name='build')")["id"] == created["id"]
    refused = (
        (credential("build", subject="another"), 409),
        (credential("other", subject="subject of build"), 409),
        (credential("other", audiences=[]), 400),
        (credential("other", audiences=[AUDIENCE, "api://other"]), 400),
        (credential("other", subject=None), 400),
        ({"name": "other", "subject": "x", "audiences": [AUDIENCE]}, 400),
    )
    for body, status in refused:
        writer.refused("POST", path, body, status=status)
    writer.done("PATCH", f"{path}/{created['id']}", {"name": "build", "description": "The build"})
    writer.refused("PATCH", f"{path}/{created['id']}", {"name": "renamed"})
    for number in range(19):
        writer.post(path, credential(f"more-{number}"))
    writer.refused("POST", path, credential("one-too-many"))


def test_a_federated_credential_is_updated_or_created_by_its_name(writer: Client) -> None:
    application = writer.post("/applications", {"displayName": "Named credentials"})["id"]
    item = f"/applications/{application}/federatedIdentityCredentials(name='nightly')"
    body = {name: value for name, value in credential("nightly").items() if name != "name"}
    writer.refused("PATCH", item, body, status=404)
    answer = writer.send("PATCH", item, body, headers={"Prefer": "create-if-missing"})
    assert (answer.status_code, answer.json()["name"]) == (201, "nightly")
    writer.done("PATCH", item, {"description": "Every night"})
    assert writer.get(item)["description"] == "Every night"


def test_federated_credentials_leave_and_return_with_their_application(writer: Client) -> None:
    application = writer.post("/applications", {"displayName": "Short-lived"})["id"]
    path = f"/applications/{application}/federatedIdentityCredentials"
    writer.post(path, credential("deploy"))
    writer.done("DELETE", f"/applications/{application}")
    writer.refused("GET", path, status=404)
    writer.post(f"/directory/deletedItems/{application}/restore", None)
    assert [each["name"] for each in writer.get(path)["value"]] == ["deploy"]


def proof_of(tenant: TenantInfo, object_id: str, **changed: Any) -> str:
    now = datetime.now(UTC)
    claims = {
        "aud": "00000002-0000-0000-c000-000000000000",
        "iss": object_id,
        "nbf": now - timedelta(minutes=1),
        "exp": now + timedelta(minutes=5),
        **changed,
    }
    return jwt.encode(claims, tenant.writer.certificate.pem, algorithm="RS256")


def test_keys_are_changed_by_who_proves_to_hold_one(
    emulator: Emulator, writer: Client, application: str
) -> None:
    brenner = emulator.tenants["Brenner Logistics"]
    own = client_for(emulator, brenner, brenner.writer)
    found = own.get(f"/applications?$filter=appId eq '{brenner.writer.client_id}'")["value"][0]
    path = f"/applications/{found['id']}"
    certificate = {
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
        "key": brenner.reader.certificate.key_credential,
    }
    good = proof_of(brenner, found["id"])
    added = own.post(
        f"{path}/addKey", {"keyCredential": certificate, "passwordCredential": None, "proof": good}
    )
    assert len(own.get(path)["keyCredentials"]) == 2
    for wrong in (
        None,
        "x.y.z",
        proof_of(brenner, NOBODY),
        proof_of(brenner, found["id"], aud="x"),
    ):
        own.refused("POST", f"{path}/addKey", {"keyCredential": certificate, "proof": wrong}, status=403)
    own.refused("POST", f"{path}/addKey", {"keyCredential": {**certificate, "key": "AAAA"}, "proof": good})
    own.refused("POST", f"{path}/removeKey", {"keyId": NOBODY, "proof": good})
    own.done("POST", f"{path}/removeKey", {"keyId": added["keyId"], "proof": good})
    assert len(own.get(path)["keyCredentials"]) == 1
    writer.refused(
        "POST", f"/applications/{application}/addKey", {"keyCredential": certificate, "proof": good}
    )


def test_external_authentication_methods_come_and_go(writer: Client) -> None:
    path = "/policies/authenticationMethodsPolicy/authenticationMethodConfigurations"
    body = {
        "@odata.type": "#microsoft.graph.externalAuthenticationMethodConfiguration",
        "displayName": "Hardware vendor",
        "state": "disabled",
        "appId": "f0a7f3a5-6f1e-4c0a-9b1f-0c1d2e3f4a5b",
        "openIdConnectSetting": {
            "clientId": "lavawall",
            "discoveryUrl": "https://idp.example.com/.well-known",
        },
        "includeTargets": [{"id": "all_users", "targetType": "group", "isRegistrationRequired": False}],
    }
    created = writer.post(path, body)
    writer.done("PATCH", f"{path}/{created['id']}", {"@odata.type": body["@odata.type"], "state": "enabled"})
    assert writer.get(f"{path}/{created['id']}")["state"] == "enabled"
    writer.refused("POST", path, {"@odata.type": "#microsoft.graph.smsAuthenticationMethodConfiguration"})
    writer.done("DELETE", f"{path}/{created['id']}")
    writer.refused("GET", f"{path}/{created['id']}", status=404)
