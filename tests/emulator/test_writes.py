"""Writing: what Graph refuses, the emulator refuses; what it accepts is there afterwards."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lavawall.emulator import Emulator, TenantInfo, schema
from lavawall.emulator.errors import GraphError
from lavawall.emulator.validation import WriteRules, checked_body
from tests.emulator.conftest import Client, SettableClock, client_for

POLICIES = "/identity/conditionalAccess/policies"
LOCATIONS = "/identity/conditionalAccess/namedLocations"
STRENGTHS = "/policies/authenticationStrengthPolicies"
METHODS = "/policies/authenticationMethodsPolicy/authenticationMethodConfigurations"
ASSIGNMENTS = "/roleManagement/directory/roleAssignments"
NOBODY = "00000000-1111-2222-3333-444444444444"


def policy(**more: Any) -> dict[str, Any]:
    return {
        "displayName": "New policy",
        "state": "disabled",
        "conditions": {
            "users": {"includeUsers": ["All"]},
            "applications": {"includeApplications": ["All"]},
            "clientAppTypes": ["all"],
        },
        "grantControls": {"operator": "OR", "builtInControls": ["mfa"]},
        **more,
    }


def named(client: Client, path: str, name: str) -> dict[str, Any]:
    items: list[dict[str, Any]] = client.get(path)["value"]
    return next(each for each in items if each["displayName"].startswith(name))


def test_a_policy_is_created_changed_and_read_back(writer: Client) -> None:
    made = writer.post(POLICIES, policy())
    writer.done(
        "PATCH",
        f"{POLICIES}/{made['id']}",
        {
            "state": "enabled",
            "grantControls": None,
            "sessionControls": {"signInFrequency": {"isEnabled": True, "type": "hours", "value": 4}},
        },
    )
    found = writer.get(f"{POLICIES}/{made['id']}")
    assert found["state"] == "enabled"
    assert found.get("grantControls") is None
    assert found["displayName"] == "New policy"


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"colour": "red"}, "colour"),
        ({"id": NOBODY}, "id"),
        ({"createdDateTime": "2024-01-01T00:00:00Z"}, "createdDateTime"),
        ({"state": "on"}, "state"),
        ({"state": 1}, "state"),
        ({"displayName": None}, "displayName"),
        ({"displayName": 7}, "displayName"),
        ({"conditions": {"users": {"includeUsers": "All"}}}, "includeUsers"),
        ({"conditions": {"users": {"everybody": ["All"]}}}, "everybody"),
        ({"grantControls": {"operator": "OR", "builtInControls": ["magic"]}}, "magic"),
        ({"grantControls": {"operator": "OR", "builtInControls": ["block", "mfa"]}}, "block"),
        ({"grantControls": None}, "at least one"),
    ],
)
def test_a_wrong_property_of_a_policy_is_named_in_the_refusal(
    emulator: Emulator, tenant: TenantInfo, writer: Client, change: dict[str, Any], word: str
) -> None:
    before = emulator.state(tenant.directory_id).export()
    assert word in writer.refused("POST", POLICIES, policy(**change))
    assert emulator.state(tenant.directory_id).export() == before


@pytest.mark.parametrize(
    ("part", "values"),
    [
        ("users", {"includeUsers": [NOBODY]}),
        ("users", {"includeUsers": ["All"], "excludeGroups": [NOBODY]}),
        ("users", {"includeRoles": [NOBODY]}),
        ("applications", {"includeApplications": [NOBODY]}),
        ("locations", {"includeLocations": [NOBODY]}),
    ],
)
def test_a_policy_that_refers_to_nothing_is_refused(
    writer: Client, part: str, values: dict[str, Any]
) -> None:
    conditions = {**policy()["conditions"], part: values}
    assert NOBODY in writer.refused("POST", POLICIES, policy(conditions=conditions))


def test_a_policy_takes_a_strength_by_id_only_and_shows_it_whole(writer: Client) -> None:
    strength = named(writer, STRENGTHS, "Administrators")
    whole = {"operator": "OR", "authenticationStrength": strength}
    assert "1007" in writer.refused("POST", POLICIES, policy(grantControls=whole))
    with_mfa = {
        "operator": "AND",
        "builtInControls": ["mfa"],
        "authenticationStrength": {"id": strength["id"]},
    }
    writer.refused("POST", POLICIES, policy(grantControls=with_mfa))
    by_id = {"operator": "OR", "authenticationStrength": {"id": strength["id"]}}
    made = writer.post(POLICIES, policy(grantControls=by_id))
    assert made["grantControls"]["authenticationStrength"]["displayName"] == strength["displayName"]
    assert "authenticationStrength@odata.context" in made["grantControls"]


def test_a_deleted_policy_comes_back_under_its_id(writer: Client) -> None:
    made = writer.post(POLICIES, policy())
    writer.done("DELETE", f"{POLICIES}/{made['id']}")
    writer.refused("GET", f"{POLICIES}/{made['id']}", status=404)
    bin_path = "/identity/conditionalAccess/deletedItems/policies"
    assert [each["id"] for each in writer.get(bin_path)["value"]] == [made["id"]]
    assert writer.post(f"{bin_path}/{made['id']}/restore", {})["id"] == made["id"]
    assert writer.get(f"{POLICIES}/{made['id']}")["displayName"] == "New policy"
    assert writer.get(bin_path)["value"] == []


def test_a_purged_policy_is_gone(writer: Client) -> None:
    made = writer.post(POLICIES, policy())
    writer.done("DELETE", f"{POLICIES}/{made['id']}")
    path = f"/identity/conditionalAccess/deletedItems/policies/{made['id']}"
    writer.done("DELETE", path)
    writer.refused("POST", f"{path}/restore", {}, status=404)


@pytest.mark.parametrize(
    "body",
    [
        {"displayName": "No type", "ipRanges": []},
        {"@odata.type": "#microsoft.graph.ipNamedLocation", "displayName": "No ranges", "ipRanges": []},
        {
            "@odata.type": "#microsoft.graph.ipNamedLocation",
            "displayName": "Private",
            "ipRanges": [{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "10.0.0.0/8"}],
        },
        {
            "@odata.type": "#microsoft.graph.ipNamedLocation",
            "displayName": "Untyped range",
            "ipRanges": [{"cidrAddress": "203.0.113.0/24"}],
        },
        {
            "@odata.type": "#microsoft.graph.countryNamedLocation",
            "displayName": "X",
            "countriesAndRegions": ["Canada"],
        },
    ],
)
def test_a_malformed_named_location_is_refused(writer: Client, body: dict[str, Any]) -> None:
    writer.refused("POST", LOCATIONS, body)


def test_a_named_location_can_be_deleted_only_when_unused_and_untrusted(writer: Client) -> None:
    location = named(writer, LOCATIONS, "Calgary")
    path = f"{LOCATIONS}/{location['id']}"
    assert "used by" in writer.refused("DELETE", path)
    writer.done("DELETE", f"{POLICIES}/{named(writer, POLICIES, 'CA005')['id']}")
    assert "trusted" in writer.refused("DELETE", path)
    writer.refused("PATCH", path, {"isTrusted": False})
    writer.done("PATCH", path, {"@odata.type": location["@odata.type"], "isTrusted": False})
    writer.done("DELETE", path)


def test_a_strengths_combinations_change_by_action_only(writer: Client) -> None:
    strength = named(writer, STRENGTHS, "Administrators")
    path = f"{STRENGTHS}/{strength['id']}"
    writer.refused("PATCH", path, {"allowedCombinations": ["fido2"]})
    writer.done("PATCH", path, {"displayName": "Renamed"})
    answer = writer.post(f"{path}/updateAllowedCombinations", {"allowedCombinations": ["password,sms"]})
    assert set(answer["previousCombinations"]) == set(strength["allowedCombinations"])
    assert answer["currentCombinations"] == ["password, sms"]
    assert answer["conditionalAccessReferences"] == [named(writer, POLICIES, "CA004")["id"]]
    assert [each["displayName"][:5] for each in writer.get(f"{path}/usage")["mfa"]] == ["CA004"]


def test_built_in_and_used_strengths_stay(writer: Client) -> None:
    built_in = f"{STRENGTHS}/00000000-0000-0000-0000-000000000004"
    assert "Built-in" in writer.refused("PATCH", built_in, {"displayName": "Mine"})
    assert "Built-in" in writer.refused("DELETE", built_in)
    used = named(writer, STRENGTHS, "Administrators")["id"]
    assert "used by" in writer.refused("DELETE", f"{STRENGTHS}/{used}")


def test_a_combination_configuration_belongs_to_its_strength(writer: Client) -> None:
    strength = named(writer, STRENGTHS, "Administrators")["id"]
    path = f"{STRENGTHS}/{strength}/combinationConfigurations"
    body = {
        "@odata.type": "#microsoft.graph.x509CertificateCombinationConfiguration",
        "appliesToCombinations": ["x509CertificateMultiFactor"],
        "allowedIssuerSkis": ["9A4248C6AC8C2931AB2A86537818E92E7B6C97B6"],
    }
    made = writer.post(path, body)
    assert len(writer.get(path)["value"]) == 2
    writer.done("DELETE", f"{path}/{made['id']}")
    writer.refused("POST", path, {**body, "appliesToCombinations": ["password, sms"]})


def test_a_method_configuration_needs_its_type_and_is_reset_by_delete(writer: Client) -> None:
    typed = {"@odata.type": "#microsoft.graph.smsAuthenticationMethodConfiguration"}
    assert "@odata.type" in writer.refused("PATCH", f"{METHODS}/Sms", {"state": "enabled"})
    writer.refused("PATCH", f"{METHODS}/Voice", {**typed, "state": "enabled"})
    targets = [{"id": NOBODY, "targetType": "group"}]
    assert NOBODY in writer.refused("PATCH", f"{METHODS}/Sms", {**typed, "includeTargets": targets})
    writer.done("PATCH", f"{METHODS}/Sms", {**typed, "state": "enabled"})
    assert writer.get(f"{METHODS}/Sms")["state"] == "enabled"
    writer.done("DELETE", f"{METHODS}/Sms")
    assert writer.get(f"{METHODS}/Sms")["state"] == "disabled"


def test_role_assignments_are_checked_and_never_changed(tenant: TenantInfo, writer: Client) -> None:
    role = named(
        writer, "/roleManagement/directory/roleDefinitions?$filter=displayName eq 'Reports Reader'", "Reports"
    )
    login = tenant.admins[0]
    body = {"principalId": login.id, "roleDefinitionId": role["id"], "directoryScopeId": "/"}
    made = writer.post(ASSIGNMENTS, body)
    assert "conflicting" in writer.refused("POST", ASSIGNMENTS, body)
    writer.refused("POST", ASSIGNMENTS, {**body, "principalId": NOBODY}, status=404)
    writer.refused("POST", ASSIGNMENTS, {**body, "roleDefinitionId": NOBODY}, status=404)
    writer.refused("PATCH", f"{ASSIGNMENTS}/{made['id']}", {"directoryScopeId": "/"}, status=405)
    writer.done("DELETE", f"{ASSIGNMENTS}/{made['id']}")
    repeated = writer.post(ASSIGNMENTS, body)
    assert repeated["id"] != made["id"]


def test_a_group_without_the_role_flag_cannot_hold_a_role(writer: Client) -> None:
    group = named(writer, "/groups", "All Staff")["id"]
    role = writer.get("/roleManagement/directory/roleDefinitions?$top=1")["value"][0]["id"]
    body = {"principalId": group, "roleDefinitionId": role, "directoryScopeId": "/"}
    assert "isAssignableToRole" in writer.refused("POST", ASSIGNMENTS, body)


def test_the_last_global_administrator_stays(writer: Client) -> None:
    role = "62e90394-69f5-4237-9190-012177145e10"
    found = writer.get(f"{ASSIGNMENTS}?$filter=roleDefinitionId eq '{role}'")["value"]
    for each in found[:-1]:
        writer.done("DELETE", f"{ASSIGNMENTS}/{each['id']}")
    assert "last Global Administrator" in writer.refused("DELETE", f"{ASSIGNMENTS}/{found[-1]['id']}")


def test_built_in_roles_are_read_only_and_a_custom_role_keeps_the_template_id_given(writer: Client) -> None:
    definitions = "/roleManagement/directory/roleDefinitions"
    built_in = writer.get(f"{definitions}?$filter=isBuiltIn eq true&$top=1")["value"][0]["id"]
    assert "read-only" in writer.refused("PATCH", f"{definitions}/{built_in}", {"description": "x"})
    body = {
        "displayName": "Keeper",
        "isEnabled": True,
        "rolePermissions": [{"allowedResourceActions": ["microsoft.directory/users/standard/read"]}],
        "templateId": NOBODY,
    }
    assert writer.post(definitions, body)["id"] == NOBODY


def test_members_and_owners_are_added_and_removed_by_reference(tenant: TenantInfo, writer: Client) -> None:
    group = writer.post(
        "/groups", {"displayName": "G", "mailEnabled": False, "mailNickname": "g", "securityEnabled": True}
    )["id"]
    reference = {"@odata.id": f"{writer.base}/directoryObjects/{tenant.admins[0].id}"}
    for link in ("members", "owners"):
        writer.done("POST", f"/groups/{group}/{link}/$ref", reference)
        assert "already exist" in writer.refused("POST", f"/groups/{group}/{link}/$ref", reference)
    assert "last owner" in writer.refused("DELETE", f"/groups/{group}/owners/{tenant.admins[0].id}/$ref")
    writer.done("DELETE", f"/groups/{group}/members/{tenant.admins[0].id}/$ref")
    assert writer.get(f"/groups/{group}/members")["value"] == []
    writer.refused(
        "POST", f"/groups/{group}/members/$ref", {"@odata.id": f"{writer.base}/users/{NOBODY}"}, status=404
    )


def test_members_can_be_bound_up_to_twenty_at_once(
    emulator: Emulator, tenant: TenantInfo, writer: Client
) -> None:
    people = [each["id"] for each in writer.get("/users?$select=id")["value"]]
    urls = [f"{writer.base}/directoryObjects/{each}" for each in people]
    body = {"displayName": "B", "mailEnabled": False, "mailNickname": "b", "securityEnabled": True}
    group = writer.post("/groups", {**body, "members@odata.bind": urls[:10]})["id"]
    writer.done("PATCH", f"/groups/{group}", {"members@odata.bind": urls[10:]})
    assert emulator.state(tenant.directory_id).links(group, "members") == set(people)
    assert "at most 20" in writer.refused("PATCH", f"/groups/{group}", {"members@odata.bind": urls * 2})


@pytest.mark.parametrize(
    "change",
    [
        {"isAssignableToRole": True, "groupTypes": ["DynamicMembership"], "membershipRule": "x"},
        {"groupTypes": ["DynamicMembership"]},
        {"mailEnabled": True},
        {"mail": "g@example.com"},
        {"securityIdentifier": "S-1"},
    ],
)
def test_a_group_that_cannot_be_is_refused(writer: Client, change: dict[str, Any]) -> None:
    body = {
        "displayName": "G",
        "mailEnabled": False,
        "mailNickname": "g",
        "securityEnabled": True,
        "groupTypes": [],
    }
    writer.refused("POST", "/groups", {**body, **change})


def test_the_role_flag_of_a_group_is_fixed_at_creation(writer: Client) -> None:
    group = named(writer, "/groups", "IT Administrators")["id"]
    assert "only be set when" in writer.refused("PATCH", f"/groups/{group}", {"isAssignableToRole": False})


def test_a_deleted_application_takes_its_service_principal_along_but_does_not_bring_it_back(
    writer: Client,
) -> None:
    app = named(writer, "/applications", "Appointment Sync")
    principal = writer.get(f"/servicePrincipals(appId='{app['appId']}')")
    granted = writer.get(f"/servicePrincipals/{principal['id']}/appRoleAssignments")["value"]
    writer.done("DELETE", f"/applications/{app['id']}")
    writer.refused("GET", f"/servicePrincipals/{principal['id']}", status=404)
    assert writer.post(f"/directory/deletedItems/{app['id']}/restore", {})["appId"] == app["appId"]
    writer.refused("GET", f"/servicePrincipals/{principal['id']}", status=404)
    listed = writer.get("/directory/deletedItems/microsoft.graph.servicePrincipal")["value"]
    assert [each["id"] for each in listed] == [principal["id"]]
    writer.post(f"/directory/deletedItems/{principal['id']}/restore", {})
    back = writer.get(f"/servicePrincipals/{principal['id']}/appRoleAssignments")["value"]
    assert {each["id"] for each in back} == {each["id"] for each in granted}


def test_grants_may_stay_away_from_a_restored_service_principal(start: Callable[..., Emulator]) -> None:
    emulator = start(restore_returns_grants=False)
    tenant = emulator.tenants["Aurora Labs"]
    client = client_for(emulator, tenant, tenant.writer)
    principal = named(client, "/servicePrincipals", "Scanner Bridge")["id"]
    client.done("DELETE", f"/servicePrincipals/{principal}")
    client.post(f"/directory/deletedItems/{principal}/restore", {})
    assert client.get(f"/servicePrincipals/{principal}/appRoleAssignments")["value"] == []


def test_a_secret_is_shown_once(writer: Client) -> None:
    app = named(writer, "/applications", "Imaging Archive")["id"]
    made = writer.post(f"/applications/{app}/addPassword", {"passwordCredential": {"displayName": "one"}})
    assert made["secretText"].startswith(made["hint"])
    shown = writer.get(f"/applications/{app}")["passwordCredentials"]
    assert [each["displayName"] for each in shown] == ["one"]
    assert all(not each.get("secretText") for each in shown)
    writer.done("POST", f"/applications/{app}/removePassword", {"keyId": made["keyId"]})
    writer.refused("POST", f"/applications/{app}/removePassword", {"keyId": made["keyId"]})


@pytest.mark.parametrize("name", ["appId", "publisherDomain", "passwordCredentials", "verifiedPublisher"])
def test_computed_properties_of_an_application_are_refused(writer: Client, name: str) -> None:
    app = named(writer, "/applications", "Imaging Archive")
    assert name in writer.refused("PATCH", f"/applications/{app['id']}", {name: app.get(name)})


def test_identifier_uris_are_unique_and_app_roles_leave_in_two_steps(writer: Client) -> None:
    portal = named(writer, "/applications", "Patient Portal")
    other = named(writer, "/applications", "Imaging Archive")["id"]
    taken = {"identifierUris": portal["identifierUris"]}
    assert "identifierUris" in writer.refused("PATCH", f"/applications/{other}", taken)
    path = f"/applications/{portal['id']}"
    assert "disabled first" in writer.refused("PATCH", path, {"appRoles": []})
    role = {name: value for name, value in portal["appRoles"][0].items() if name != "origin"}
    writer.done("PATCH", path, {"appRoles": [{**role, "isEnabled": False}]})
    writer.done("PATCH", path, {"appRoles": []})


def test_consent_is_checked_against_what_the_resource_offers(writer: Client) -> None:
    graph = named(writer, "/servicePrincipals?$filter=displayName eq 'Microsoft Graph'", "Microsoft")
    client = named(writer, "/servicePrincipals", "Imaging Archive")["id"]
    role = graph["appRoles"][0]["id"]
    body = {"principalId": client, "resourceId": graph["id"], "appRoleId": role}
    path = f"/servicePrincipals/{graph['id']}/appRoleAssignedTo"
    made = writer.post(path, body)
    assert "already exists" in writer.refused("POST", path, body)
    assert "not found" in writer.refused("POST", path, {**body, "appRoleId": NOBODY})
    writer.done("DELETE", f"{path}/{made['id']}")


def test_a_delegated_grant_is_unique_and_only_its_scope_changes(writer: Client) -> None:
    graph = named(writer, "/servicePrincipals?$filter=displayName eq 'Microsoft Graph'", "Microsoft")["id"]
    client = named(writer, "/servicePrincipals", "Appointment Sync")["id"]
    body = {"clientId": client, "consentType": "AllPrincipals", "resourceId": graph, "scope": "User.Read"}
    made = writer.post("/oauth2PermissionGrants", body)
    path = f"/oauth2PermissionGrants/{made['id']}"
    writer.refused("POST", "/oauth2PermissionGrants", body, status=409)
    writer.refused("PATCH", path, {"consentType": "Principal"})
    writer.done("PATCH", path, {"scope": "User.Read Mail.Read"})
    assert set(writer.get(path)["scope"].split()) == {"User.Read", "Mail.Read"}
    writer.done("DELETE", path)
    assert writer.post("/oauth2PermissionGrants", body)["id"] == made["id"]


def test_a_deleted_groups_role_is_hidden_until_it_is_restored(writer: Client) -> None:
    group = named(writer, "/groups", "IT Administrators")["id"]
    path = f"{ASSIGNMENTS}?$filter=principalId eq '{group}'"
    held = writer.get(path)["value"]
    writer.done("DELETE", f"/groups/{group}")
    assert writer.get(path)["value"] == []
    writer.post(f"/directory/deletedItems/{group}/restore", {})
    assert [each["id"] for each in writer.get(path)["value"]] == [each["id"] for each in held]


def test_a_new_object_is_found_only_after_replication(
    start: Callable[..., Emulator], clock: SettableClock
) -> None:
    emulator = start(replication_delay=10, clock=clock)
    tenant = emulator.tenants["Aurora Labs"]
    client = client_for(emulator, tenant, tenant.writer)
    body = {"displayName": "G", "mailEnabled": False, "mailNickname": "g", "securityEnabled": True}
    group = client.post("/groups", body)["id"]
    client.refused("GET", f"/groups/{group}", status=404)
    clock.advance(10)
    client.get(f"/groups/{group}")


def test_nested_values_replace_as_a_whole_unless_merging_is_chosen(start: Callable[..., Emulator]) -> None:
    for merging, stored in ((False, []), (True, ["https://localhost:5001/signin-oidc"])):
        emulator = start(merge_complex_values=merging)
        tenant = emulator.tenants["Brenner Logistics"]
        client = client_for(emulator, tenant, tenant.writer)
        app = named(client, "/applications", "Route Planner")["id"]
        client.done("PATCH", f"/applications/{app}", {"web": {"logoutUrl": "https://localhost:5001/out"}})
        uris = client.get(f"/applications/{app}")["web"]["redirectUris"]
        assert [uri for uri in uris if "localhost" in uri] == stored


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(
    kind=st.sampled_from(["conditionalAccessPolicy", "group", "application", "namedLocation", "user"]),
    data=st.data(),
)
def test_any_body_is_either_stored_or_refused_with_a_400(kind: str, data: st.DataObject) -> None:
    names = st.sampled_from(sorted(schema.type_named(kind).properties)) | st.text(max_size=5)
    body = data.draw(st.dictionaries(names, JSON_VALUES, max_size=4))
    outcome: Any
    try:
        outcome = checked_body(body, kind, WriteRules(), creating=False)
    except GraphError as error:
        outcome = error
    refused = isinstance(outcome, GraphError) and outcome.status == 400
    assert refused or set(outcome) <= set(body)
