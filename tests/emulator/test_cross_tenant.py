"""Cross-tenant access and permission grant policies: keys that clients choose, defaults and what hangs below."""

from collections.abc import Iterator

import pytest

from lavawall.emulator import Emulator
from tests.emulator.conftest import Client, Json

POLICY = "/policies/crossTenantAccessPolicy"
PARTNERS = f"{POLICY}/partners"
GRANTS = "/policies/permissionGrantPolicies"
OTHER = "5f0a4f5e-7c0e-4d27-9d3c-0d7f6b1c2a31"
NOBODY = "7d3f1c0a-6f0b-4d7e-9d5c-2a1b3c4d5e6f"


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


def side(target: str, kind: str, access: str = "blocked") -> Json:
    part = "applications" if kind == "application" else "usersAndGroups"
    return {part: {"accessType": access, "targets": [{"target": target, "targetType": kind}]}}


def test_the_default_is_the_services_own_until_it_is_changed(writer: Client) -> None:
    delivered = writer.get(f"{POLICY}/default")
    assert delivered["isServiceDefault"] is True
    group = writer.get("/groups")["value"][0]["id"]
    writer.done("PATCH", f"{POLICY}/default", {"b2bCollaborationOutbound": side(group, "group")})
    changed = writer.get(f"{POLICY}/default")
    assert changed["isServiceDefault"] is False
    assert changed["b2bCollaborationOutbound"]["usersAndGroups"]["accessType"] == "blocked"
    writer.done("POST", f"{POLICY}/default/resetToSystemDefault")
    assert writer.get(f"{POLICY}/default")["isServiceDefault"] is True


@pytest.mark.parametrize(
    "body",
    [
        {"isServiceDefault": True},
        {"b2bCollaborationOutbound": side(NOBODY, "group")},
        {"b2bCollaborationOutbound": side("everybody", "user")},
        {
            "b2bCollaborationInbound": {
                "applications": {"targets": [{"target": "AllUsers", "targetType": "user"}]}
            }
        },
    ],
)
def test_defaults_that_are_refused(writer: Client, body: Json) -> None:
    writer.refused("PATCH", f"{POLICY}/default", body)


def test_only_known_clouds_are_allowed(writer: Client) -> None:
    writer.done("PATCH", POLICY, {"allowedCloudEndpoints": ["microsoftonline.us"]})
    assert writer.get(POLICY)["allowedCloudEndpoints"] == ["microsoftonline.us"]
    writer.refused("PATCH", POLICY, {"allowedCloudEndpoints": ["example.com"]})


def test_a_partner_is_known_by_its_tenant_and_inherits_what_is_null(writer: Client) -> None:
    created = writer.post(
        PARTNERS, {"tenantId": OTHER, "b2bDirectConnectInbound": side("Office365", "application")}
    )
    assert "id" not in created
    writer.refused("POST", PARTNERS, {"tenantId": OTHER}, status=409)
    writer.done("PATCH", f"{PARTNERS}/{OTHER}", {"inboundTrust": {"isMfaAccepted": True}})
    writer.done("PATCH", f"{PARTNERS}/{OTHER}", {"inboundTrust": None, "tenantId": OTHER})
    found = writer.get(f"{PARTNERS}/{OTHER}")
    assert found["tenantId"] == OTHER
    assert found.get("inboundTrust") is None
    writer.refused("PATCH", f"{PARTNERS}/{OTHER}", {"tenantId": NOBODY})
    writer.refused("POST", PARTNERS, {"tenantId": "riverside"})
    writer.done("DELETE", f"{PARTNERS}/{OTHER}")
    writer.refused("GET", f"{PARTNERS}/{OTHER}", status=404)


def test_identity_synchronization_is_put_below_a_partner_and_holds_it(writer: Client) -> None:
    sync = f"{PARTNERS}/{OTHER}/identitySynchronization"
    body = {"displayName": "Other", "userSyncInbound": {"isSyncAllowed": True}}
    writer.refused("PUT", sync, body, status=404)
    writer.post(PARTNERS, {"tenantId": OTHER})
    writer.refused("GET", sync, status=404)
    writer.refused("PUT", sync, {"displayName": "Other"})
    writer.done("PUT", sync, body)
    writer.done("PUT", sync, {**body, "userSyncInbound": {"isSyncAllowed": False}})
    assert writer.get(sync)["userSyncInbound"] == {"isSyncAllowed": False}
    writer.refused("DELETE", f"{PARTNERS}/{OTHER}")
    writer.done("DELETE", sync)
    writer.done("DELETE", f"{PARTNERS}/{OTHER}")


def test_a_consent_policy_keeps_its_id_and_gets_new_conditions(writer: Client) -> None:
    policy = {"id": "finance-apps", "displayName": "Finance apps"}
    assert writer.post(GRANTS, policy)["id"] == "finance-apps"
    writer.refused("POST", GRANTS, policy, status=409)
    condition = writer.post(f"{GRANTS}/finance-apps/includes", {"permissionType": "delegated"})
    assert (condition["resourceApplication"], condition["permissions"]) == ("any", ["all"])
    writer.refused("POST", f"{GRANTS}/finance-apps/includes", {"permissions": ["all"]})
    writer.refused("PATCH", f"{GRANTS}/finance-apps/includes/{condition['id']}", {}, status=405)
    found = writer.get(f"{GRANTS}/finance-apps?$expand=includes,excludes")
    assert ([each["id"] for each in found["includes"]], found["excludes"]) == ([condition["id"]], [])
    writer.done("PATCH", f"{GRANTS}/finance-apps", {"displayName": "Finance"})
    writer.done("DELETE", f"{GRANTS}/finance-apps/includes/{condition['id']}")
    assert writer.get(f"{GRANTS}/finance-apps/includes")["value"] == []
    writer.done("DELETE", f"{GRANTS}/finance-apps")


def test_built_in_and_assigned_consent_policies_stay(writer: Client) -> None:
    built_in = f"{GRANTS}/microsoft-user-default-low"
    writer.refused("POST", GRANTS, {"id": "microsoft-mine", "displayName": "Mine"})
    writer.refused("PATCH", built_in, {"displayName": "Mine"})
    writer.refused("POST", f"{built_in}/excludes", {"permissionType": "delegated"})
    writer.refused("DELETE", built_in)
    writer.post(GRANTS, {"id": "assigned", "displayName": "Assigned"})
    permissions = {"permissionGrantPoliciesAssigned": ["ManagePermissionGrantsForSelf.assigned"]}
    writer.done("PATCH", "/policies/authorizationPolicy", {"defaultUserRolePermissions": permissions})
    writer.refused("DELETE", f"{GRANTS}/assigned")
    permissions = {"permissionGrantPoliciesAssigned": []}
    writer.done("PATCH", "/policies/authorizationPolicy", {"defaultUserRolePermissions": permissions})
    writer.done("DELETE", f"{GRANTS}/assigned")
