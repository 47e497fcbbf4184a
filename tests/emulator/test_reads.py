"""Reading: paging, $select, $expand, $filter, batches, and the looseness that a client has to cope with."""

from collections.abc import Callable
from typing import Any

import pytest

from lavawall.emulator import Emulator, TenantInfo
from tests.emulator.conftest import Client, client_for


def every(client: Client, path: str) -> list[dict[str, Any]]:
    page = client.get(path)
    items = list(page["value"])
    while "@odata.nextLink" in page:
        page = client.get(page["@odata.nextLink"])
        items += page["value"]
    return items


def test_pages_hold_every_object_once(start: Callable[..., Emulator]) -> None:
    emulator = start(page_size=3, users=10)
    tenant = emulator.tenants["Aurora Dental"]
    people = every(client_for(emulator, tenant, tenant.reader), "/users?$top=999&$select=id")
    assert len(people) == len({each["id"] for each in people}) == 28
    assert all(set(each) == {"id"} for each in people)


def test_without_top_a_page_holds_a_hundred(reader: Client) -> None:
    page = reader.get("/roleManagement/directory/roleDefinitions")
    assert len(page["value"]) == 100
    assert "$skiptoken=" in page["@odata.nextLink"]
    assert len(every(reader, "/roleManagement/directory/roleDefinitions")) == 141


def test_a_made_up_page_token_is_refused(reader: Client) -> None:
    assert "page token" in reader.refused("GET", "/users?$skiptoken=abc")


@pytest.mark.parametrize("top", ["0", "1000", "many"])
def test_a_page_size_out_of_range_is_refused(reader: Client, top: str) -> None:
    assert "$top" in reader.refused("GET", f"/groups?$top={top}")


def test_two_reads_of_an_unchanged_policy_differ_in_order_only(reader: Client) -> None:
    def roles_of_admin_policy() -> list[str]:
        policies = reader.get("/identity/conditionalAccess/policies")["value"]
        policy = next(each for each in policies if each["displayName"].startswith("CA001"))
        found: list[str] = policy["conditions"]["users"]["includeRoles"]
        return found

    reads = [roles_of_admin_policy() for _ in range(5)]
    assert len({tuple(each) for each in reads}) > 1
    assert len({frozenset(each) for each in reads}) == 1


def test_without_shuffling_two_reads_are_equal(start: Callable[..., Emulator]) -> None:
    emulator = start(shuffle=False)
    tenant = emulator.tenants["Aurora Labs"]
    client = client_for(emulator, tenant, tenant.reader)
    first, second = (client.send("GET", "/identity/conditionalAccess/policies").content for _ in range(2))
    assert first == second


def test_an_unknown_property_cannot_be_selected_or_filtered(reader: Client) -> None:
    assert "colour" in reader.refused("GET", "/groups?$select=colour")
    assert "colour" in reader.refused("GET", "/groups?$filter=colour eq 'red'")


def test_named_locations_are_filtered_by_type(reader: Client) -> None:
    path = "/identity/conditionalAccess/namedLocations?$filter=isof('microsoft.graph.countryNamedLocation')"
    found = reader.get(path)["value"]
    assert {each["@odata.type"] for each in found} == {"#microsoft.graph.countryNamedLocation"}


def test_role_assignments_expand_their_principal_with_its_kind(reader: Client) -> None:
    found = reader.get("/roleManagement/directory/roleAssignments?$expand=principal")["value"]
    assert {"#microsoft.graph.user", "#microsoft.graph.group"} <= {
        each["principal"]["@odata.type"] for each in found
    }


def test_only_one_property_expands_at_a_time(reader: Client) -> None:
    reader.refused("GET", "/roleManagement/directory/roleAssignments?$expand=principal,roleDefinition")


def test_members_are_listed_with_their_type_and_nested_groups(reader: Client) -> None:
    group = reader.get("/groups?$filter=displayName eq 'All Staff'")["value"][0]
    members = reader.get(f"/groups/{group['id']}/members?$select=id")["value"]
    assert members
    assert {each["@odata.type"] for each in members} == {"#microsoft.graph.group"}


def test_filters_on_directory_objects_need_eventual_consistency_for_ne(reader: Client) -> None:
    reader.refused("GET", "/groups?$filter=displayName ne 'All Staff'")
    found = reader.get(
        "/groups?$filter=displayName ne 'All Staff'&$count=true", headers={"ConsistencyLevel": "eventual"}
    )
    assert found["@odata.count"] == len(found["value"])


def test_the_methods_policy_shows_all_configurations(reader: Client) -> None:
    policy = reader.get("/policies/authenticationMethodsPolicy")
    states = {each["id"]: each["state"] for each in policy["authenticationMethodConfigurations"]}
    assert (states["Fido2"], states["Sms"], states["Voice"], states["Email"]) == (
        "enabled",
        "disabled",
        "disabled",
        "disabled",
    )


def test_directory_objects_are_found_by_id_whatever_their_kind(tenant: TenantInfo, reader: Client) -> None:
    login = tenant.admins[0]
    assert reader.get(f"/directoryObjects/{login.id}")["@odata.type"] == "#microsoft.graph.user"
    assert reader.get(f"/users/{login.user_principal_name}")["id"] == login.id
    group = reader.get("/groups?$top=1")["value"][0]["id"]
    found = reader.post(
        "/directoryObjects/getByIds", {"ids": [login.id, group, "0" * 8 + "-0000-0000-0000-" + "0" * 12]}
    )
    assert {each["id"] for each in found["value"]} == {login.id, group}


def test_service_principals_are_found_by_their_app_id(reader: Client) -> None:
    found = reader.get(
        "/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')?$select=id,displayName"
    )
    assert found["displayName"] == "Microsoft Graph"
    assigned = reader.get(f"/servicePrincipals/{found['id']}/appRoleAssignedTo")["value"]
    assert {each["resourceId"] for each in assigned} == {found["id"]}


def test_certificates_of_apps_are_shown_on_request_only(emulator: Emulator) -> None:
    tenant = emulator.tenants["Brenner Logistics"]
    client = client_for(emulator, tenant, tenant.reader)
    app = client.get("/applications?$filter=displayName eq 'Lavawall Reader'")["value"][0]
    assert app["keyCredentials"][0].get("key") is None
    assert client.get(f"/applications/{app['id']}?$select=keyCredentials")["keyCredentials"][0]["key"]


def test_a_batch_answers_each_request_and_fails_what_depends_on_a_failure(reader: Client) -> None:
    requests = [
        {"id": "1", "method": "GET", "url": "/organization"},
        {"id": "2", "method": "GET", "url": "/groups/nothing"},
        {"id": "3", "method": "GET", "url": "/organization", "dependsOn": ["2"]},
    ]
    answers = {each["id"]: each for each in reader.post("/$batch", {"requests": requests})["responses"]}
    assert {key: each["status"] for key, each in answers.items()} == {"1": 200, "2": 404, "3": 424}
    assert answers["1"]["body"]["value"]


def test_a_batch_of_more_than_twenty_is_refused(reader: Client) -> None:
    requests = [{"id": str(number), "method": "GET", "url": "/organization"} for number in range(21)]
    assert "20" in reader.refused("POST", "/$batch", {"requests": requests})


def test_an_unknown_path_and_method_are_refused(reader: Client) -> None:
    assert "segment" in reader.refused("GET", "/nonsense")
    reader.refused("PATCH", "/roleManagement/directory/roleAssignments/x", {}, status=405)


def test_reading_needs_the_right_permission(emulator: Emulator, tenant: TenantInfo, reader: Client) -> None:
    emulator.set_permissions(tenant.directory_id, tenant.reader.client_id, ["Policy.Read.All"])
    reader.get("/identity/conditionalAccess/policies")
    assert "Insufficient privileges" in reader.refused("GET", "/groups", status=403)


def test_a_reader_may_not_write(reader: Client) -> None:
    reader.refused("POST", "/groups", {"displayName": "x"}, status=403)


def test_the_log_of_requests_tells_who_asked_what(
    emulator: Emulator, tenant: TenantInfo, reader: Client
) -> None:
    reader.get("/organization")
    last = emulator.requests[-1]
    assert (last.method, last.path, last.status, last.app_id) == (
        "GET",
        "/v1.0/organization",
        200,
        tenant.reader.client_id,
    )
