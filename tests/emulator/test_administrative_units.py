"""Administrative units: what may be set when, their members, their recycle bin, and what a restricted one forbids."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lavawall.emulator import Emulator, TenantInfo
from lavawall.emulator.attack import AttackError, StolenSession
from tests.emulator.conftest import Client, client_for

UNITS = "/directory/administrativeUnits"
ROLES = "/directoryRoles"
ASSIGNMENTS = "/roleManagement/directory/roleAssignments"
DEFINITIONS = "/roleManagement/directory/roleDefinitions"
BIN = "/roleManagement/directory/deletedItems/roleDefinitions"
HELPDESK = "729827e3-9c14-49f7-bb1b-9608f156bbb8"
GROUPS_ADMINISTRATOR = "fdd7a751-b60b-444a-984c-02652fe8fa1c"
RULE = '(user.department -eq "Sales")'


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator(seed="empty") as running:
        yield running


@pytest.fixture(scope="module")
def tenant(emulator: Emulator) -> TenantInfo:
    return emulator.tenants["Empty"]


@pytest.fixture(scope="module")
def writer(emulator: Emulator, tenant: TenantInfo) -> Client:
    return client_for(emulator, tenant, tenant.writer)


@pytest.fixture(scope="module")
def reader(emulator: Emulator, tenant: TenantInfo) -> Client:
    return client_for(emulator, tenant, tenant.reader)


def a_unit(writer: Client, **more: Any) -> str:
    identifier: str = writer.post(UNITS, {"displayName": "Branch", **more})["id"]
    return identifier


def a_group(writer: Client, name: str = "Branch staff", **more: Any) -> str:
    body = {
        "displayName": name,
        "mailEnabled": False,
        "mailNickname": "branch",
        "securityEnabled": True,
        **more,
    }
    identifier: str = writer.post("/groups", body)["id"]
    return identifier


def reference(writer: Client, identifier: str) -> dict[str, str]:
    return {"@odata.id": f"{writer.base}/directoryObjects/{identifier}"}


def member_ids(client: Client, unit: str) -> set[str]:
    return {each["id"] for each in client.get(f"{UNITS}/{unit}/members")["value"]}


def test_a_new_unit_is_shown_with_its_settings(writer: Client, reader: Client) -> None:
    unit = a_unit(writer, description="All of Kiel", visibility="HiddenMembership")
    shown = reader.get(f"{UNITS}/{unit}")
    assert (shown["displayName"], shown["description"], shown["visibility"]) == (
        "Branch",
        "All of Kiel",
        "HiddenMembership",
    )
    assert unit in {each["id"] for each in reader.get(UNITS)["value"]}


@pytest.mark.parametrize(
    ("body", "reported"),
    [
        ({}, "displayName"),
        ({"displayName": "B", "visibility": "Secret"}, "visibility"),
        ({"displayName": "B", "membershipType": "Magic"}, "membershipType"),
        ({"displayName": "B", "membershipType": "Dynamic"}, "membershipRule"),
        ({"displayName": "B", "membershipRule": RULE}, "Dynamic"),
        ({"displayName": "B", "mailNickname": "b"}, "mailNickname"),
    ],
)
def test_a_unit_that_does_not_fit_is_refused(writer: Client, body: dict[str, Any], reported: str) -> None:
    assert reported in writer.refused("POST", UNITS, body)


@pytest.mark.parametrize(
    ("change", "reported"),
    [
        ({"visibility": "HiddenMembership"}, "HiddenMembership"),
        ({"isMemberManagementRestricted": True}, "isMemberManagementRestricted"),
        ({"displayName": "Renamed", "visibility": "Public"}, ""),
        ({"membershipType": "Dynamic", "membershipRule": RULE, "membershipRuleProcessingState": "On"}, ""),
    ],
)
def test_some_properties_can_only_be_set_at_the_beginning(
    writer: Client, change: dict[str, Any], reported: str
) -> None:
    unit = a_unit(writer)
    if reported:
        assert reported in writer.refused("PATCH", f"{UNITS}/{unit}", change)
    else:
        writer.done("PATCH", f"{UNITS}/{unit}", change)
        assert change.items() <= writer.get(f"{UNITS}/{unit}").items()


def test_users_groups_and_devices_are_members(writer: Client, emulator: Emulator, tenant: TenantInfo) -> None:
    app = emulator.add_app_registration(
        "Enrolment",
        home=tenant.directory_id,
        permissions=["Device.ReadWrite.All"],
        consented_in=[tenant.directory_id],
    )
    laptop = {
        "accountEnabled": True,
        "deviceId": "0d2e4a6c-1111-4222-8333-944445555666",
        "displayName": "LAPTOP-7",
        "operatingSystem": "Windows",
        "operatingSystemVersion": "11",
    }
    device = client_for(emulator, tenant, app).post("/devices", laptop)["id"]
    unit, group = a_unit(writer), a_group(writer)
    everybody = {tenant.admins[0].id, group, device}
    for identifier in everybody:
        writer.done("POST", f"{UNITS}/{unit}/members/$ref", reference(writer, identifier))
    assert member_ids(writer, unit) == emulator.state(tenant.directory_id).links(unit, "members") == everybody
    assert "already exist" in writer.refused("POST", f"{UNITS}/{unit}/members/$ref", reference(writer, group))
    other = reference(writer, a_unit(writer))
    writer.refused("POST", f"{UNITS}/{unit}/members/$ref", other, status=404)
    writer.done("DELETE", f"{UNITS}/{unit}/members/{group}/$ref")
    assert member_ids(writer, unit) == everybody - {group}


def test_members_of_a_dynamic_unit_are_read_only(writer: Client, tenant: TenantInfo) -> None:
    unit = a_unit(writer, membershipType="Dynamic", membershipRule=RULE, membershipRuleProcessingState="On")
    person = reference(writer, tenant.admins[0].id)
    assert "dynamic" in writer.refused("POST", f"{UNITS}/{unit}/members/$ref", person)


def test_a_deleted_unit_comes_back_under_its_id_with_members_and_roles(
    writer: Client, tenant: TenantInfo
) -> None:
    unit, person = a_unit(writer), tenant.admins[0].id
    writer.done("POST", f"{UNITS}/{unit}/members/$ref", reference(writer, person))
    scope = f"/administrativeUnits/{unit}"
    role = {"roleDefinitionId": HELPDESK, "principalId": person, "directoryScopeId": scope}
    assignment = writer.post(ASSIGNMENTS, role)["id"]
    writer.done("DELETE", f"{UNITS}/{unit}")
    writer.refused("GET", f"{UNITS}/{unit}", status=404)
    writer.refused("GET", f"{ASSIGNMENTS}/{assignment}", status=404)
    deleted = writer.get("/directory/deletedItems/microsoft.graph.administrativeUnit")["value"]
    assert unit in {each["id"] for each in deleted}
    assert writer.post(f"/directory/deletedItems/{unit}/restore", {})["id"] == unit
    assert member_ids(writer, unit) == {person}
    assert writer.get(f"{ASSIGNMENTS}/{assignment}")["directoryScopeId"] == scope


def test_a_purged_unit_is_gone(writer: Client) -> None:
    unit = a_unit(writer)
    writer.done("DELETE", f"{UNITS}/{unit}")
    writer.done("DELETE", f"/directory/deletedItems/{unit}")
    writer.refused("POST", f"/directory/deletedItems/{unit}/restore", status=404)


def test_ids_of_units_resolve_like_those_of_other_directory_objects(writer: Client) -> None:
    unit = a_unit(writer)
    found = writer.post("/directoryObjects/getByIds", {"ids": [unit]})["value"]
    assert [each["@odata.type"] for each in found] == ["#microsoft.graph.administrativeUnit"]
    assert writer.post("/directoryObjects/getByIds", {"ids": [unit], "types": ["user"]})["value"] == []


def test_writing_units_needs_their_permission(reader: Client, writer: Client) -> None:
    unit = a_unit(writer)
    reader.refused("POST", UNITS, {"displayName": "Branch"}, status=403)
    reader.refused("DELETE", f"{UNITS}/{unit}", status=403)


def test_a_restricted_unit_keeps_permissions_and_tenant_wide_roles_from_its_members(
    emulator: Emulator, tenant: TenantInfo, writer: Client
) -> None:
    unit, group = a_unit(writer, isMemberManagementRestricted=True), a_group(writer)
    writer.done("PATCH", f"/groups/{group}", {"description": "free"})
    writer.done("POST", f"{UNITS}/{unit}/members/$ref", reference(writer, group))
    assert writer.get(f"/groups/{group}?$select=isManagementRestricted")["isManagementRestricted"] is True
    person = reference(writer, tenant.admins[0].id)
    for method, path, body in (
        ("PATCH", f"/groups/{group}", {"description": "locked"}),
        ("DELETE", f"/groups/{group}", None),
        ("POST", f"/groups/{group}/members/$ref", person),
    ):
        assert "restricted" in writer.refused(method, path, body, status=403)
    login = tenant.admins[0]
    admin = StolenSession(
        login_url=emulator.url,
        graph_url=emulator.url,
        directory_id=tenant.directory_id,
        user=login.user_principal_name,
        password=login.password,
        ip="203.0.113.9",
        verify=emulator.ca_file,
    )
    with pytest.raises(AttackError, match="403"):
        admin.send("PATCH", f"/groups/{group}", {"description": "locked"})
    scope = {"directoryScopeId": f"/administrativeUnits/{unit}"}
    writer.post(ASSIGNMENTS, {"roleDefinitionId": GROUPS_ADMINISTRATOR, "principalId": login.id, **scope})
    admin.send("PATCH", f"/groups/{group}", {"description": "by the unit's own"})
    writer.done("DELETE", f"{UNITS}/{unit}/members/{group}/$ref")
    writer.done("PATCH", f"/groups/{group}", {"description": "free again"})


# Activated roles and scoped members


def activated(client: Client, template: str) -> str:
    identifier: str = client.get(f"{ROLES}(roleTemplateId='{template}')")["id"]
    return identifier


def test_a_role_is_activated_by_hand_or_by_its_first_assignment(writer: Client, tenant: TenantInfo) -> None:
    template = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b"
    made = writer.post(ROLES, {"roleTemplateId": template})
    assert made["displayName"] == "Directory Readers"
    assert made["id"] != template
    assert "conflicting" in writer.refused("POST", ROLES, {"roleTemplateId": template})
    writer.refused("POST", ROLES, {"roleTemplateId": made["id"]}, status=404)
    groups_role = {"roleDefinitionId": GROUPS_ADMINISTRATOR, "directoryScopeId": "/"}
    assignment = writer.post(ASSIGNMENTS, {**groups_role, "principalId": tenant.admins[0].id})["id"]
    role = activated(writer, GROUPS_ADMINISTRATOR)
    assert [each["id"] for each in writer.get(f"{ROLES}/{role}/members")["value"]] == [tenant.admins[0].id]
    writer.done("DELETE", f"{ASSIGNMENTS}/{assignment}")
    assert writer.get(f"{ROLES}/{role}/members")["value"] == []


def test_members_of_an_activated_role_are_role_assignments(writer: Client, tenant: TenantInfo) -> None:
    role = writer.post(ROLES, {"roleTemplateId": "f2ef992c-3afb-46b9-b7cf-a126ee74c451"})["id"]
    person = tenant.admins[0].id
    writer.done("POST", f"{ROLES}/{role}/members/$ref", reference(writer, person))
    mine = writer.get(f"{ASSIGNMENTS}?$filter=principalId eq '{person}'")["value"]
    assert "f2ef992c-3afb-46b9-b7cf-a126ee74c451" in {each["roleDefinitionId"] for each in mine}
    writer.done("DELETE", f"{ROLES}/{role}/members/{person}/$ref")
    writer.refused("DELETE", f"{ROLES}/{role}/members/{person}/$ref", status=404)


def test_activated_roles_come_in_one_page(start: Callable[..., Emulator]) -> None:
    emulator = start(page_size=1)
    tenant = emulator.tenants["Aurora Dental"]
    page = client_for(emulator, tenant, tenant.reader).get(ROLES)
    assert len(page["value"]) > 1
    assert "@odata.nextLink" not in page


def test_a_scoped_member_is_a_role_assignment_in_the_scope_of_its_unit(
    writer: Client, tenant: TenantInfo
) -> None:
    unit, person = a_unit(writer), tenant.admins[0].id
    writer.post(ASSIGNMENTS, {"roleDefinitionId": HELPDESK, "principalId": person, "directoryScopeId": "/"})
    role, path = activated(writer, HELPDESK), f"{UNITS}/{unit}/scopedRoleMembers"
    body = {"roleId": role, "roleMemberInfo": {"id": person}}
    made = writer.post(path, body)
    assert (made["roleId"], made["administrativeUnitId"], made["roleMemberInfo"]["id"]) == (
        role,
        unit,
        person,
    )
    scope = f"/administrativeUnits/{unit}"
    held = writer.get(f"{ASSIGNMENTS}?$filter=directoryScopeId eq '{scope}'")["value"]
    assert [(each["principalId"], each["roleDefinitionId"]) for each in held] == [(person, HELPDESK)]
    assert writer.get(f"{path}/{made['id']}")["id"] == made["id"]
    assert made["id"] in {each["id"] for each in writer.get(f"{ROLES}/{role}/scopedMembers")["value"]}
    writer.refused("POST", path, body)
    writer.refused("POST", path, {**body, "roleId": HELPDESK}, status=404)
    writer.done("DELETE", f"{path}/{made['id']}")
    assert writer.get(f"{ASSIGNMENTS}?$filter=directoryScopeId eq '{scope}'")["value"] == []
    tail = writer.post(
        ASSIGNMENTS, {"roleDefinitionId": HELPDESK, "principalId": person, "directoryScopeId": scope}
    )
    assert [each["id"] for each in writer.get(path)["value"]] == [made["id"]] != [tail["id"]]


def test_a_scope_must_exist(writer: Client, tenant: TenantInfo) -> None:
    role = {"roleDefinitionId": HELPDESK, "principalId": tenant.admins[0].id}
    for scope in (f"/administrativeUnits/{tenant.admins[0].id}", f"/{HELPDESK}", "/administrativeUnits/"):
        assert "scope" in writer.refused("POST", ASSIGNMENTS, {**role, "directoryScopeId": scope})


# Custom roles


def a_role(writer: Client) -> str:
    permissions = [{"allowedResourceActions": ["microsoft.directory/applications/standard/read"]}]
    body = {"displayName": "Custom", "isEnabled": True, "rolePermissions": permissions}
    identifier: str = writer.post(DEFINITIONS, body)["id"]
    return identifier


def test_custom_roles_have_no_recycle_bin_unless_the_tenant_got_it(writer: Client) -> None:
    role = a_role(writer)
    writer.done("DELETE", f"{DEFINITIONS}/{role}")
    assert "segment" in writer.refused("GET", BIN)
    assert "segment" in writer.refused("POST", f"{BIN}/{role}/restore")


def test_a_deleted_custom_role_comes_back_under_its_id_where_there_is_a_bin(
    start: Callable[..., Emulator],
) -> None:
    emulator = start(seed="empty", soft_deleted_roles=True)
    tenant = emulator.tenants["Empty"]
    client = client_for(emulator, tenant, tenant.writer)
    role = a_role(client)
    client.done("DELETE", f"{DEFINITIONS}/{role}")
    client.refused("GET", f"{DEFINITIONS}/{role}", status=404)
    assert [each["id"] for each in client.get(BIN)["value"]] == [role]
    assert client.post(f"{BIN}/{role}/restore", {})["id"] == role
    assert client.get(f"{DEFINITIONS}/{role}")["displayName"] == "Custom"
    client.done("DELETE", f"{DEFINITIONS}/{role}")
    client.done("DELETE", f"{BIN}/{role}")
    assert client.get(BIN)["value"] == []
