"""Apps that policies name, roles and tags, the tenant's settings, its audit, licence, permissions and budgets."""

import pytest

from lavawall.emulator import Emulator
from lavawall.emulator.attack import StolenSession
from lavawall.emulator.licences import INTUNE
from lavawall.emulator.store import Json
from tests.emulator.conftest import Client, SettableClock, client_for
from tests.emulator.intune.conftest import NOBODY, TYPE, Intune

POLICIES = "/deviceAppManagement/managedAppPolicies"
TAGS = "/deviceManagement/roleScopeTags"
ROLES = "/deviceManagement/roleDefinitions"
ASSIGNMENTS = "/deviceManagement/roleAssignments"
EVENTS = "/deviceManagement/auditEvents"
CATEGORIES = "/deviceManagement/deviceCategories"
IOS = {"@odata.type": f"{TYPE}iosMobileAppIdentifier", "bundleId": "com.example.one"}
ANDROID = {"@odata.type": f"{TYPE}androidMobileAppIdentifier", "packageId": "com.example.one"}


def app(identifier: Json) -> Json:
    return {"mobileAppIdentifier": identifier}


@pytest.mark.parametrize(
    ("kind", "good", "wrong"),
    [
        ("iosManagedAppProtection", [app(IOS)], [app(ANDROID)]),
        ("androidManagedAppProtection", [app(ANDROID)], [app(IOS)]),
        ("targetedManagedAppConfiguration", [app(IOS), app(ANDROID)], [app(IOS), app(IOS)]),
    ],
)
def test_target_apps_replaces_the_apps(
    intune: Intune, kind: str, good: list[Json], wrong: list[Json]
) -> None:
    policy = f"/deviceAppManagement/{kind}s/{intune.seeded(kind)['id']}"
    intune.v1.done("POST", f"{policy}/targetApps", {"apps": good})
    shown = intune.v1.get(f"{policy}?$expand=apps,assignments")
    assert shown["deployedAppCount"] == len(good)
    assert len(shown["apps"]) == len(good)
    assert shown["apps"][0]["mobileAppIdentifier"]["@odata.type"]
    assert len(intune.v1.get(f"{policy}/apps")["value"]) == len(good)
    intune.v1.refused("POST", f"{policy}/targetApps", {"apps": wrong})
    intune.v1.refused("POST", f"{policy}/targetApps", {"apps": [{}]})
    intune.v1.refused("POST", f"{policy}/targetApps", {})
    assert intune.v1.get(policy)["deployedAppCount"] == len(good)
    intune.v1.done("POST", f"{policy}/targetApps", {"apps": []})
    assert intune.v1.get(f"{policy}/apps")["value"] == []


def test_all_app_policies_are_listed_with_their_types(intune: Intune) -> None:
    found = {each["id"]: each["@odata.type"] for each in intune.v1.get(POLICIES)["value"]}
    for kind in ("iosManagedAppProtection", "androidManagedAppProtection", "targetedManagedAppConfiguration"):
        seeded = intune.seeded(kind)["id"]
        assert found[seeded] == f"{TYPE}{kind}"
        assert intune.v1.get(f"{POLICIES}/{seeded}")["@odata.type"] == f"{TYPE}{kind}"
    intune.v1.refused("GET", f"{POLICIES}/{NOBODY}", status=404)


def test_tags_are_numbered_and_no_number_returns(intune: Intune) -> None:
    first = intune.beta.post(TAGS, {"displayName": "First"})["id"]
    intune.beta.refused("POST", TAGS, {"displayName": "FIRST"})
    intune.beta.done("DELETE", f"{TAGS}/{first}")
    assert int(intune.beta.post(TAGS, {"displayName": "First"})["id"]) == int(first) + 1
    intune.beta.refused("DELETE", f"{TAGS}/0")
    intune.beta.refused("PATCH", f"{TAGS}/0", {"description": "x"})


def role() -> Json:
    actions = {"allowedResourceActions": ["Microsoft.Intune_Read"], "notAllowedResourceActions": []}
    return {"displayName": "Role", "rolePermissions": [{"resourceActions": [actions]}]}


def test_a_role_is_assigned_by_its_address_and_kept_while_it_is(intune: Intune) -> None:
    made = intune.v1.post(ROLES, role())["id"]
    body = {
        "@odata.type": f"{TYPE}deviceAndAppManagementRoleAssignment",
        "displayName": "Assigned",
        "members": [intune.group()],
        "resourceScopes": [intune.group("Managed Windows Devices")],
        "roleDefinition@odata.bind": f"{intune.v1.base}{ROLES}('{made}')",
    }
    assigned = intune.v1.post(ASSIGNMENTS, body)
    assert (
        intune.v1.get(f"{ASSIGNMENTS}/{assigned['id']}?$expand=roleDefinition")["roleDefinition"]["id"]
        == made
    )
    assert [each["id"] for each in intune.v1.get(f"{ROLES}/{made}/roleAssignments")["value"]] == [
        assigned["id"]
    ]
    wrong: list[Json] = [
        {"members": []},
        {"members": [NOBODY]},
        {"resourceScopes": [NOBODY]},
        {"roleDefinition@odata.bind": f"{intune.v1.base}{ROLES}('{NOBODY}')"},
        {"roleDefinition@odata.bind": None},
    ]
    for change in wrong:
        intune.v1.refused("POST", ASSIGNMENTS, {**body, **change})
    intune.v1.refused("DELETE", f"{ROLES}/{made}")
    typed = {"@odata.type": body["@odata.type"]}
    changed = intune.v1.send("PATCH", f"{ASSIGNMENTS}/{assigned['id']}", {**typed, "description": "x"})
    assert changed.json()["description"] == "x"
    bind = {"roleDefinition@odata.bind": body["roleDefinition@odata.bind"]}
    intune.v1.refused("PATCH", f"{ASSIGNMENTS}/{assigned['id']}", {**typed, **bind})
    intune.v1.done("DELETE", f"{ASSIGNMENTS}/{assigned['id']}")
    intune.v1.done("DELETE", f"{ROLES}/{made}")


def test_built_in_roles_stay_as_they_are(intune: Intune) -> None:
    built_in = intune.seeded("roleDefinition", "Help Desk Operator")
    address = f"{ROLES}/{built_in['id']}"
    intune.v1.refused("DELETE", address)
    intune.v1.refused("PATCH", address, {"@odata.type": built_in["@odata.type"], "displayName": "x"})


def test_the_settings_of_the_tenant_are_changed(intune: Intune) -> None:
    settings = {**intune.v1.get("/deviceManagement")["settings"], "secureByDefault": True}
    answer = intune.v1.send("PATCH", "/deviceManagement", {"settings": settings})
    assert answer.json()["settings"]["secureByDefault"] is True
    intune.v1.refused("PATCH", "/deviceManagement", {"subscriptionState": "blocked"})
    intune.v1.refused("PATCH", "/deviceManagement", {"settings": {"colour": "red"}})


def test_each_write_is_in_the_audit_after_its_delay() -> None:
    clock = SettableClock()
    with Emulator(clock=clock, audit_delay=300) as emulator:
        tenant = emulator.tenants["Aurora Dental"]
        client = client_for(emulator, tenant, tenant.writer)
        policies = "/deviceManagement/termsAndConditions"
        made = client.post(policies, {"displayName": "Audited", "title": "T", "bodyText": "B"})
        group = next(iter(emulator.state(tenant.directory_id).documents("group")))
        target = {"@odata.type": f"{TYPE}groupAssignmentTarget", "groupId": group}
        client.send("PATCH", f"{policies}/{made['id']}", {"title": "U"})
        client.post(f"{policies}/{made['id']}/assignments", {"target": target})
        client.done("DELETE", f"{policies}/{made['id']}")
        client.refused("POST", policies, {"displayName": "Refused"})
        assert client.get(EVENTS)["value"] == []
        clock.advance(301)
        about = f"$filter=resources/any(r:r/resourceId eq '{made['id']}')"
        events = client.get(f"{EVENTS}?{about}")["value"]
        assert len(client.get(EVENTS)["value"]) == len(events)
        assert [each["activityOperationType"] for each in events] == ["Delete", "Assign", "Patch", "Create"]
        assert {each["actor"]["applicationId"] for each in events} == {tenant.writer.client_id}
        changed = {
            each["displayName"]: (each["oldValue"], each["newValue"])
            for each in events[2]["resources"][0]["modifiedProperties"]
        }
        assert changed["title"] == ("T", "U")
        assert client.get(f"{EVENTS}/{events[0]['id']}")["activityResult"] == "Success"


def test_the_audit_names_people_but_seldom_their_address(intune: Intune) -> None:
    login = intune.tenant.admins[0]
    admin = StolenSession(
        login_url=intune.emulator.url,
        graph_url=intune.emulator.url,
        directory_id=intune.tenant.directory_id,
        user=login.user_principal_name,
        password=login.password,
        ip="203.0.113.9",
        verify=intune.emulator.ca_file,
    )
    for number in range(16):
        admin.send("POST", CATEGORIES, {"displayName": f"By hand {number}"})
    about = f"$filter=actor/userPrincipalName eq '{login.user_principal_name}'"
    actors = [each["actor"] for each in intune.v1.get(f"{EVENTS}?{about}&$top=100")["value"]]
    addresses = [each.get("ipAddress") for each in actors]
    assert len(actors) == 16
    assert addresses.count(None) == 14
    assert addresses.count("203.0.113.9") == 2


def test_a_tenant_without_licence_is_refused_and_keeps_what_it_has() -> None:
    with Emulator() as emulator:
        tenant = emulator.tenants["Aurora Dental"]
        client = client_for(emulator, tenant, tenant.writer)
        before = emulator.state(tenant.directory_id).export()
        emulator.without_licence(tenant.directory_id, INTUNE)
        for path in (
            CATEGORIES,
            "/deviceManagement/deviceConfigurations",
            EVENTS,
            "/deviceManagement",
            POLICIES,
        ):
            assert "not applicable" in client.refused("GET", path)
        client.refused("POST", CATEGORIES, {"displayName": "x"})
        assert client.get("/groups")["value"]
        assert emulator.state(tenant.directory_id).export() == before


@pytest.mark.parametrize(
    ("path", "permission"),
    [
        ("/deviceManagement/deviceConfigurations", "DeviceManagementConfiguration"),
        ("/deviceManagement/termsAndConditions", "DeviceManagementServiceConfig"),
        ("/deviceManagement/roleAssignments", "DeviceManagementRBAC"),
        ("/deviceManagement/auditEvents", "DeviceManagementApps"),
        ("/deviceAppManagement/mobileApps", "DeviceManagementApps"),
        ("/deviceManagement/deviceShellScripts", "DeviceManagementScripts"),
    ],
)
def test_each_area_has_its_permissions(intune: Intune, path: str, permission: str) -> None:
    app = intune.emulator.add_app_registration(
        path.rsplit("/", 1)[-1],
        home=intune.tenant.directory_id,
        permissions=(),
        consented_in=[intune.tenant.directory_id],
    )
    client: Client = client_for(intune.emulator, intune.tenant, app)
    client.base = intune.beta.base
    client.refused("GET", path, status=403)
    intune.emulator.set_permissions(intune.tenant.directory_id, app.client_id, [f"{permission}.Read.All"])
    client.get(path)
    client.refused("POST", path, {}, status=405 if "auditEvents" in path else 403)
    intune.reader.get(path)


def test_writes_have_a_smaller_budget_than_reads() -> None:
    clock = SettableClock()
    with Emulator(clock=clock, throttle=True) as emulator:
        tenant = emulator.tenants["Aurora Dental"]
        client = client_for(emulator, tenant, tenant.writer)
        for number in range(100):
            client.post(CATEGORIES, {"displayName": f"Category {number}"})
        answer = client.send("POST", CATEGORIES, {"displayName": "One too many"})
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) == 20
        assert client.get(f"{CATEGORIES}?$top=1")["value"]
        clock.advance(21)
        client.post(CATEGORIES, {"displayName": "Later"})
