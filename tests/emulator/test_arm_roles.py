"""Azure's roles: assignments under guids of the client, custom definitions, and what each role lets its holder do."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from lavawall.emulator import Emulator, TenantInfo
from tests.emulator.arm_client import ASSIGNMENTS, DEFINITIONS, LOCATION, NETWORK, Arm
from tests.emulator.conftest import Json, SettableClock, client_for

READER, CONTRIBUTOR = "acdd72a7-3385-48ef-bd42-f606fba81ae7", "b24988ac-6180-42a0-ab88-20f7382dd24c"
NOBODY = "9f5d7b1c-3c3b-4a63-9a40-1d8f3a2b6c01"


@pytest.fixture
def arm(emulator: Emulator, tenant: TenantInfo) -> Arm:
    return Arm(emulator, tenant, tenant.writer)


@pytest.fixture
def manager(emulator: Emulator, tenant: TenantInfo, arm: Arm) -> Arm:
    """The writer, as somebody who may also define roles."""
    emulator.azure.assign(arm.subscription, "User Access Administrator", principal(emulator, tenant))
    return arm


def principal(emulator: Emulator, tenant: TenantInfo) -> str:
    """The writer app's service principal."""
    directory = emulator.state(tenant.directory_id)
    found = directory.by_property("servicePrincipal", "appId", tenant.writer.client_id)
    assert found is not None
    return found.id


def grant(arm: Arm, principal_id: str, role: str = READER, **more: Any) -> Json:
    role_id = f"{arm.subscription}/{DEFINITIONS}/{role}"
    return {"properties": {"principalId": principal_id, "roleDefinitionId": role_id, **more}}


def path(arm: Arm, name: str = "", scope: str = "") -> str:
    return f"{scope or arm.subscription}/{ASSIGNMENTS}/{name or uuid4()}"


def test_the_client_chooses_the_guid(arm: Arm, tenant: TenantInfo) -> None:
    where = path(arm)
    answer = arm.send("PUT", where, grant(arm, tenant.admins[0].id))
    assert answer.status_code == 201
    found = arm.get(where)
    assert found["name"] == where.rpartition("/")[2]
    assert found["properties"]["principalType"] == "User"
    assert found["properties"]["scope"] == arm.subscription
    assert found["properties"]["roleDefinitionId"].endswith(READER)
    assert arm.refused("PUT", path(arm, "by-name"), grant(arm, NOBODY)) == (400, "InvalidRoleAssignmentId")


def test_only_words_and_conditions_change(arm: Arm, tenant: TenantInfo) -> None:
    where, who = path(arm), tenant.admins[0].id
    arm.send("PUT", where, grant(arm, who))
    answer = arm.send(
        "PUT", where, grant(arm, who, description="Because", condition="true", conditionVersion="2.0")
    )
    assert (answer.status_code, answer.json()["properties"]["description"]) == (200, "Because")
    for other in (grant(arm, tenant.admins[1].id), grant(arm, who, CONTRIBUTOR)):
        assert arm.refused("PUT", where, other) == (409, "RoleAssignmentUpdateNotPermitted")


def test_the_same_grant_twice_is_refused(arm: Arm, tenant: TenantInfo) -> None:
    where, body = path(arm), grant(arm, tenant.admins[0].id)
    arm.send("PUT", where, body)
    assert arm.refused("PUT", path(arm), body) == (409, "RoleAssignmentExists")
    elsewhere = path(arm, where.rpartition("/")[2], arm.group)
    assert arm.refused("PUT", elsewhere, body) == (409, "RoleAssignmentExists")
    assert arm.send("PUT", path(arm, scope=arm.group), body).status_code == 201


def test_the_principal_has_to_exist(arm: Arm, tenant: TenantInfo) -> None:
    assert arm.refused("PUT", path(arm), grant(arm, NOBODY)) == (400, "PrincipalNotFound")
    reported = grant(arm, NOBODY, principalType="User")
    assert arm.refused("PUT", path(arm), reported) == (400, "PrincipalNotFound")
    mistaken = grant(arm, tenant.admins[0].id, principalType="Group")
    assert arm.refused("PUT", path(arm), mistaken) == (400, "UnmatchedPrincipalType")
    unknown = grant(arm, tenant.admins[0].id, NOBODY)
    assert arm.refused("PUT", path(arm), unknown) == (404, "RoleDefinitionDoesNotExist")


def test_a_fresh_principal_is_found_when_its_type_is_given(
    start: Callable[..., Emulator], clock: SettableClock
) -> None:
    emulator = start(clock=clock, replication_delay=60)
    tenant = emulator.tenants["Aurora Dental"]
    arm = Arm(emulator, tenant, tenant.writer)
    group = {"displayName": "Fresh", "mailEnabled": False, "mailNickname": "fresh", "securityEnabled": True}
    fresh = client_for(emulator, tenant, tenant.writer).post("/groups", group)["id"]
    assert arm.refused("PUT", path(arm), grant(arm, fresh)) == (400, "PrincipalNotFound")
    assert arm.send("PUT", path(arm), grant(arm, fresh, principalType="Group")).status_code == 201


def test_a_deleted_assignment_is_shown_once_more(arm: Arm, tenant: TenantInfo) -> None:
    where = path(arm)
    arm.send("PUT", where, grant(arm, tenant.admins[0].id))
    answer = arm.send("DELETE", where)
    assert (answer.status_code, answer.json()["name"]) == (200, where.rpartition("/")[2])
    assert arm.send("DELETE", where).status_code == 204
    assert arm.refused("GET", where)[0] == 404


def test_listings_look_up_and_down(arm: Arm) -> None:
    everything = arm.list(f"{arm.subscription}/{ASSIGNMENTS}")
    scopes = {each["properties"]["scope"].lower() for each in everything}
    assert "/" in scopes
    assert any("/vaults/" in scope for scope in scopes)
    at_scope = arm.list(f"{arm.subscription}/{ASSIGNMENTS}", **{"$filter": "atScope()"})
    assert {each["properties"]["scope"].lower() for each in at_scope} == {"/", arm.subscription}


def test_listings_go_by_principal(emulator: Emulator, arm: Arm, tenant: TenantInfo) -> None:
    me = principal(emulator, tenant)
    mine = arm.list(f"{arm.subscription}/{ASSIGNMENTS}", **{"$filter": f"principalId eq '{me}'"})
    roles = {each["properties"]["roleDefinitionId"].rpartition("/")[2] for each in mine}
    assert roles == {CONTRIBUTOR, "f58310d9-a9f6-439a-9e8d-f62e7b41a168"}
    directory = emulator.state(tenant.directory_id)
    group = directory.by_property("group", "displayName", "IT Administrators")
    assert group is not None
    member = min(directory.links(group.id, "members"))
    through = {"$filter": f"assignedTo('{member}')"}
    holders = {
        each["properties"]["principalId"] for each in arm.list(f"{arm.subscription}/{ASSIGNMENTS}", **through)
    }
    assert group.id in holders <= {group.id, member}
    strange = {"$filter": "scope eq 'x'"}
    assert arm.refused("GET", f"{arm.subscription}/{ASSIGNMENTS}", **strange) == (400, "UnsupportedQuery")


def test_an_assignment_outlives_its_principal(emulator: Emulator, arm: Arm, tenant: TenantInfo) -> None:
    graph, who = client_for(emulator, tenant, tenant.writer), {"displayName": "Gone", "securityEnabled": True}
    group = graph.post("/groups", {**who, "mailEnabled": False, "mailNickname": "gone"})["id"]
    where = path(arm)
    arm.send("PUT", where, grant(arm, group))
    graph.done("DELETE", f"/groups/{group}")
    assert arm.get(where)["properties"]["principalId"] == group


def definition(arm: Arm, role_name: str = "Operator", **more: Any) -> Json:
    permissions = [{"actions": ["Microsoft.Network/*/read"]}]
    return {
        "properties": {
            "roleName": role_name,
            "permissions": permissions,
            "assignableScopes": [arm.subscription],
            **more,
        }
    }


def test_a_custom_role_keeps_its_guid(manager: Arm) -> None:
    where = f"{manager.subscription}/{DEFINITIONS}/{uuid4()}"
    assert manager.send("PUT", where, definition(manager)).status_code == 201
    found = manager.get(where)["properties"]
    assert (found["roleName"], found["type"]) == ("Operator", "CustomRole")
    assert manager.send("PUT", where, definition(manager, description="New")).status_code == 201
    assert manager.get(where)["properties"]["description"] == "New"
    assert manager.get(where)["properties"]["permissions"][0]["notActions"] == []


@pytest.mark.parametrize(
    ("more", "refusal"),
    [
        ({"roleName": "firewall rule operator"}, (409, "RoleDefinitionWithSameNameExists")),
        ({"roleName": "Reader"}, (409, "RoleDefinitionWithSameNameExists")),
        ({"assignableScopes": []}, (400, "MissingAssignableScopes")),
        ({"assignableScopes": [f"/subscriptions/{NOBODY}"]}, (400, "InvalidAssignableScope")),
        ({"permissions": []}, (400, "RoleDefinitionPermissionsMissing")),
    ],
)
def test_custom_roles_are_checked(manager: Arm, more: Json, refusal: tuple[int, str]) -> None:
    where = f"{manager.subscription}/{DEFINITIONS}/{uuid4()}"
    assert manager.refused("PUT", where, definition(manager, **more)) == refusal


def test_a_role_in_use_is_not_deleted(manager: Arm) -> None:
    custom = {"$filter": "type eq 'CustomRole'"}
    used = manager.list(f"{manager.subscription}/{DEFINITIONS}", **custom)[0]["name"]
    where = f"{manager.subscription}/{DEFINITIONS}/{used}"
    assert manager.refused("DELETE", where) == (400, "RoleDefinitionHasAssignments")
    for each in manager.list(f"{manager.subscription}/{ASSIGNMENTS}"):
        if each["properties"]["roleDefinitionId"].endswith(used):
            assert manager.send("DELETE", each["id"]).status_code == 200
    assert manager.send("DELETE", where).status_code == 200
    assert manager.list(f"{manager.subscription}/{DEFINITIONS}", **custom) == []


def test_built_in_roles_are_read_only(manager: Arm) -> None:
    where = f"{manager.subscription}/{DEFINITIONS}/{READER}"
    assert manager.get(where)["properties"]["roleName"] == "Reader"
    assert manager.get(f"/{DEFINITIONS}/{READER}")["properties"]["type"] == "BuiltInRole"
    assert manager.refused("PUT", where, definition(manager))[0] == 400
    assert manager.refused("DELETE", where)[0] == 400
    by_name = manager.list(f"{manager.subscription}/{DEFINITIONS}", **{"$filter": "roleName eq 'Owner'"})
    assert len(by_name) == 1


def test_each_app_may_do_what_its_roles_say(emulator: Emulator, tenant: TenantInfo, arm: Arm) -> None:
    reader = Arm(emulator, tenant, tenant.reader)
    body = {"location": LOCATION, "properties": {"securityRules": []}}
    assert reader.list(f"{arm.subscription}/{NETWORK}")
    assert reader.refused("PUT", f"{NETWORK}/nsg-new", body) == (403, "AuthorizationFailed")
    assert reader.refused("PUT", path(arm), grant(arm, NOBODY)) == (403, "AuthorizationFailed")
    where = f"{arm.subscription}/{DEFINITIONS}/{uuid4()}"
    assert arm.refused("PUT", where, definition(arm)) == (403, "AuthorizationFailed")
    lock = f"{arm.group}/providers/Microsoft.Authorization/locks/mine"
    refusal = arm.refused("PUT", lock, {"properties": {"level": "ReadOnly"}}, **{"api-version": "2020-05-01"})
    assert refusal == (403, "AuthorizationFailed")


def test_a_role_reaches_down_from_its_scope_only(emulator: Emulator, tenant: TenantInfo, arm: Arm) -> None:
    me, directory = principal(emulator, tenant), emulator.azure.tenant(tenant.directory_id)
    for each in list(directory.all("Microsoft.Authorization/roleAssignments")):
        if each.properties["principalId"] == me:
            directory.remove(each)
    assert arm.refused("GET", f"{arm.subscription}/{NETWORK}") == (403, "AuthorizationFailed")
    emulator.azure.assign(arm.group, "Network Contributor", me)
    body = {"location": LOCATION, "properties": {"securityRules": []}}
    assert arm.send("PUT", f"{NETWORK}/nsg-new", body).status_code == 201
    assert arm.refused("GET", f"{arm.subscription}/{NETWORK}") == (403, "AuthorizationFailed")
    assert arm.refused("GET", "providers/Microsoft.KeyVault/vaults") == (403, "AuthorizationFailed")


def test_custom_roles_and_groups_count(emulator: Emulator, tenant: TenantInfo, arm: Arm) -> None:
    me, directory = principal(emulator, tenant), emulator.azure.tenant(tenant.directory_id)
    for each in list(directory.all("Microsoft.Authorization/roleAssignments")):
        if each.properties["principalId"] == me:
            directory.remove(each)
    graph, body = client_for(emulator, tenant, tenant.writer), {"displayName": "Ops", "securityEnabled": True}
    group = graph.post("/groups", {**body, "mailEnabled": False, "mailNickname": "ops"})["id"]
    role = next(each for each in directory.all("Microsoft.Authorization/roleDefinitions"))
    emulator.azure.assign(arm.group, role.name, group)
    rule = f"{NETWORK}/nsg-aurora-dental-data/securityRules/DenyInternet"
    assert arm.refused("GET", rule) == (403, "AuthorizationFailed")
    member = {"@odata.id": f"{emulator.url}/v1.0/directoryObjects/{me}"}
    graph.done("POST", f"/groups/{group}/members/$ref", member)
    assert arm.get(rule)["name"] == "DenyInternet"
    assert arm.refused("DELETE", rule) == (403, "AuthorizationFailed")
