"""Policies of which a tenant has one: what each accepts, what it refuses, and how it is replaced or reset."""

from collections.abc import Iterator
from typing import Any

import pytest

from lavawall.emulator import Emulator, TenantInfo
from lavawall.emulator.licences import ENTRA_P1
from tests.emulator.conftest import Client, Json

POLICIES = "/policies"
CONTEXTS = "/identity/conditionalAccess/authenticationContextClassReferences"
CA = "/identity/conditionalAccess/policies"
DEFAULTS = "/policies/identitySecurityDefaultsEnforcementPolicy"
AUTHORIZATION = "/policies/authorizationPolicy"
CONSENT_REQUESTS = "/policies/adminConsentRequestPolicy"
DEVICES = "/policies/deviceRegistrationPolicy"
NOBODY = "7d3f1c0a-6f0b-4d7e-9d5c-2a1b3c4d5e6f"


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


def policy(name: str, **more: Any) -> Json:
    return {
        "displayName": name,
        "state": "enabledForReportingButNotEnforced",
        "conditions": {"users": {"includeUsers": ["All"]}, "applications": {"includeApplications": ["All"]}},
        "grantControls": {"operator": "OR", "builtInControls": ["mfa"]},
        **more,
    }


def test_a_context_is_created_at_its_own_address_and_kept_under_its_id(writer: Client) -> None:
    writer.done("PATCH", f"{CONTEXTS}/c40", {"displayName": "Wire transfers"})
    writer.done("PATCH", f"{CONTEXTS}/c40", {"description": "Above the limit"})
    found = writer.get(f"{CONTEXTS}/c40")
    assert (found["displayName"], found["description"], found["isAvailable"]) == (
        "Wire transfers",
        "Above the limit",
        False,
    )
    writer.done("DELETE", f"{CONTEXTS}/c40")
    writer.refused("GET", f"{CONTEXTS}/c40", status=404)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"id": "c0", "displayName": "Too low"}, 400),
        ({"id": "c100", "displayName": "Too high"}, 400),
        ({"displayName": "No id"}, 400),
        ({"id": "c50"}, 400),
        ({"id": "c1", "displayName": "Taken"}, 409),
    ],
)
def test_contexts_that_are_refused(writer: Client, body: Json, status: int) -> None:
    writer.refused("POST", CONTEXTS, body, status=status)


def test_a_context_stays_while_it_is_published_or_used(writer: Client) -> None:
    writer.post(CONTEXTS, {"id": "c60", "displayName": "Payroll"})
    used = policy(
        "Uses a context",
        conditions={
            "users": {"includeUsers": ["All"]},
            "applications": {"includeAuthenticationContextClassReferences": ["c60"]},
        },
    )
    created = writer.post(CA, used)
    writer.refused("DELETE", f"{CONTEXTS}/c60")
    writer.done("DELETE", f"{CA}/{created['id']}")
    writer.done("PATCH", f"{CONTEXTS}/c60", {"isAvailable": True})
    writer.refused("DELETE", f"{CONTEXTS}/c60")
    writer.done("PATCH", f"{CONTEXTS}/c60", {"isAvailable": False})
    writer.done("DELETE", f"{CONTEXTS}/c60")


def test_policies_refer_to_contexts_and_terms_that_exist(writer: Client) -> None:
    agreement = writer.get("/identityGovernance/termsOfUse/agreements")["value"][0]["id"]
    terms = {"operator": "OR", "builtInControls": [], "termsOfUse": [agreement]}
    created = writer.post(CA, policy("Accept the terms", grantControls=terms))
    writer.refused("DELETE", f"/identityGovernance/termsOfUse/agreements/{agreement}")
    writer.done("DELETE", f"{CA}/{created['id']}")
    writer.refused("POST", CA, policy("Dangling", grantControls={**terms, "termsOfUse": [NOBODY]}))
    dangling = {"includeAuthenticationContextClassReferences": ["c77"]}
    conditions = {"users": {"includeUsers": ["All"]}, "applications": dangling}
    writer.refused("POST", CA, policy("Dangling", conditions=conditions))


def test_security_defaults_and_enabled_policies_exclude_each_other(
    emulator: Emulator, writer: Client, tenant: TenantInfo
) -> None:
    writer.refused("PATCH", DEFAULTS, {"isEnabled": True})
    enabled = [each["id"] for each in writer.get(CA)["value"] if each["state"] == "enabled"]
    for identifier in enabled:
        writer.done("PATCH", f"{CA}/{identifier}", {"state": "disabled"})
    writer.done("PATCH", DEFAULTS, {"isEnabled": True})
    writer.refused("POST", CA, policy("Beside the defaults"))
    writer.refused("PATCH", f"{CA}/{enabled[0]}", {"state": "enabled"})
    writer.done("PATCH", DEFAULTS, {"isEnabled": False})
    for identifier in enabled:
        writer.done("PATCH", f"{CA}/{identifier}", {"state": "enabled"})
    activities = [each.body["activityDisplayName"] for each in emulator.state(tenant.directory_id).audits]
    assert "Update security defaults" in activities


def test_one_setting_of_the_authorization_policy_has_two_shapes(writer: Client) -> None:
    assigned = ["ManagePermissionGrantsForSelf.microsoft-user-default-legacy"]
    writer.done(
        "PATCH", AUTHORIZATION, {"defaultUserRolePermissions": {"permissionGrantPoliciesAssigned": assigned}}
    )
    beta = writer.in_beta().get(f"{AUTHORIZATION}/authorizationPolicy")
    assert beta["permissionGrantPolicyIdsAssignedToDefaultUserRole"] == assigned
    assert "permissionGrantPoliciesAssigned" not in beta["defaultUserRolePermissions"] or (
        not beta["defaultUserRolePermissions"]["permissionGrantPoliciesAssigned"]
    )
    assigned = ["ManagePermissionGrantsForSelf.microsoft-user-default-low"]
    writer.in_beta().done(
        "PATCH",
        f"{AUTHORIZATION}/authorizationPolicy",
        {"permissionGrantPolicyIdsAssignedToDefaultUserRole": assigned},
    )
    permissions = writer.get(AUTHORIZATION)["defaultUserRolePermissions"]
    assert permissions["permissionGrantPoliciesAssigned"] == assigned
    assert permissions["allowedToCreateApps"] is True


@pytest.mark.parametrize(
    "body",
    [
        {"guestUserRoleId": NOBODY},
        {"guestUserRoleId": None},
        {"permissionGrantPolicyIdsAssignedToDefaultUserRole": []},
        {"displayName": "Mine"},
        {"allowInvitesFrom": "anybody"},
        {
            "defaultUserRolePermissions": {
                "permissionGrantPoliciesAssigned": ["ManagePermissionGrantsForSelf.missing"]
            }
        },
    ],
)
def test_authorization_policies_that_are_refused(writer: Client, body: Json) -> None:
    writer.refused("PATCH", AUTHORIZATION, body)


def test_a_consent_request_policy_is_replaced_as_a_whole(writer: Client) -> None:
    reviewer = {"query": f"/users/{writer.get('/users')['value'][0]['id']}", "queryType": "MicrosoftGraph"}
    whole: Json = {
        "isEnabled": True,
        "notifyReviewers": True,
        "remindersEnabled": False,
        "requestDurationInDays": 14,
        "reviewers": [reviewer],
    }
    before = writer.get(CONSENT_REQUESTS)["version"]
    writer.done("PUT", CONSENT_REQUESTS, whole)
    found = writer.get(CONSENT_REQUESTS)
    assert (found["requestDurationInDays"], found["version"]) == (14, before + 1)
    assert "id" not in found
    for name in whole:
        writer.refused("PUT", CONSENT_REQUESTS, {key: value for key, value in whole.items() if key != name})
    writer.refused("PUT", CONSENT_REQUESTS, {**whole, "version": 7})
    writer.refused("PUT", CONSENT_REQUESTS, {**whole, "reviewers": []})
    writer.refused("PUT", CONSENT_REQUESTS, {**whole, "reviewers": [{"query": f"/users/{NOBODY}"}]})
    writer.refused("PATCH", CONSENT_REQUESTS, whole, status=405)


def test_device_registration_is_replaced_or_updated(
    emulator: Emulator, writer: Client, tenant: TenantInfo
) -> None:
    found = writer.get(DEVICES)
    group = writer.get("/groups")["value"][0]["id"]
    some = {
        "@odata.type": "#microsoft.graph.enumeratedDeviceRegistrationMembership",
        "groups": [group],
        "users": [],
    }
    whole = {name: value for name, value in found.items() if not name.startswith("@odata.")}
    join = {"isAdminConfigurable": True, "allowedToJoin": some}
    writer.done("PUT", DEVICES, {**whole, "userDeviceQuota": 20, "azureADJoin": join})
    after = writer.get(DEVICES)
    assert after["userDeviceQuota"] == 20
    assert after["azureADJoin"]["allowedToJoin"]["groups"] == [group]
    writer.done("PATCH", DEVICES, {"userDeviceQuota": 30})
    assert writer.get(DEVICES)["azureADJoin"]["allowedToJoin"]["groups"] == [group]
    writer.refused("PUT", DEVICES, {"userDeviceQuota": 10})
    writer.refused("PATCH", DEVICES, {"azureADJoin": {**join, "allowedToJoin": {**some, "groups": [NOBODY]}}})
    last = emulator.state(tenant.directory_id).audits[-1].body
    assert last["activityDisplayName"] == "Set device registration policies"


def test_a_type_of_beta_is_unknown_to_v1(writer: Client) -> None:
    path = "/policies/externalIdentitiesPolicy"
    writer.refused("GET", path)
    writer.in_beta().done("PATCH", path, {"allowExternalIdentitiesToLeave": False})
    assert writer.in_beta().get(path)["allowExternalIdentitiesToLeave"] is False


def test_sign_up_flows_are_switched_by_their_own_policy(writer: Client) -> None:
    path = "/policies/authenticationFlowsPolicy"
    writer.done("PATCH", path, {"selfServiceSignUp": {"isEnabled": True}})
    assert writer.get(path)["selfServiceSignUp"] == {"isEnabled": True}
    writer.refused("PATCH", path, {"description": "Mine"})


def test_readers_do_not_write(reader: Client) -> None:
    reader.refused("PATCH", AUTHORIZATION, {"allowedToUseSSPR": False}, status=403)
    reader.refused("PUT", DEVICES, {}, status=403)


def test_without_a_licence_its_types_are_refused(
    emulator: Emulator, writer: Client, tenant: TenantInfo
) -> None:
    emulator.without_licence(tenant.directory_id, ENTRA_P1)
    try:
        writer.refused("GET", CONTEXTS, status=403)
        writer.get(AUTHORIZATION)
    finally:
        emulator.state(tenant.directory_id).unlicensed.clear()
    writer.get(CONTEXTS)
