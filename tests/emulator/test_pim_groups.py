"""PIM for groups: who is eligible for or in a group for a while, and the settings behind it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lavawall.emulator import Emulator, TenantInfo
from tests.emulator.conftest import Client, SettableClock, client_for

BASE = "/identityGovernance/privilegedAccess/group"
ELIGIBLE = f"{BASE}/eligibilitySchedule"
ACTIVE = f"{BASE}/assignmentSchedule"
POLICY_ASSIGNMENTS = "/policies/roleManagementPolicyAssignments"
POLICIES = "/policies/roleManagementPolicies"
FOREVER = {"expiration": {"type": "noExpiration"}}
Json = dict[str, Any]


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


@pytest.fixture
def person(tenant: TenantInfo) -> str:
    return tenant.admins[0].id


def a_group(writer: Client, **more: Any) -> str:
    body = {
        "displayName": "Tier 1",
        "mailEnabled": False,
        "mailNickname": "t",
        "securityEnabled": True,
        **more,
    }
    identifier: str = writer.post("/groups", body)["id"]
    return identifier


def request(group: str, person: str, action: str = "adminAssign", **more: Any) -> Json:
    body: Json = {
        "action": action,
        "groupId": group,
        "principalId": person,
        "accessId": "member",
        "justification": "because",
        "scheduleInfo": FOREVER,
        **more,
    }
    return body


def of(client: Client, path: str, group: str) -> list[Json]:
    found: list[Json] = client.get(f"{path}?$filter=groupId eq '{group}'")["value"]
    return found


def policy(client: Client, group: str, access: str = "member") -> Json:
    text = f"scopeId eq '{group}' and scopeType eq 'Group' and roleDefinitionId eq '{access}'"
    query = f"$filter={text}&$expand=policy($expand=rules)"
    found: Json = client.get(f"{POLICY_ASSIGNMENTS}?{query}")["value"][0]["policy"]
    return found


def test_an_eligible_member_is_no_member(writer: Client, person: str) -> None:
    group = a_group(writer)
    made = writer.post(f"{ELIGIBLE}Requests", request(group, person))
    assert (made["status"], made["targetScheduleId"]) == ("Provisioned", f"{group}_member_{made['id']}")
    [schedule] = of(writer, f"{ELIGIBLE}s", group)
    assert (schedule["id"], schedule["memberType"]) == (made["targetScheduleId"], "direct")
    [instance] = of(writer, f"{ELIGIBLE}Instances", group)
    assert instance["eligibilityScheduleId"] == schedule["id"]
    assert writer.get(f"{ELIGIBLE}s/{schedule['id']}")["principalId"] == person
    assert writer.get(f"/groups/{group}/members")["value"] == []


@pytest.mark.parametrize(("access", "link"), [("member", "members"), ("owner", "owners")])
def test_an_active_assignment_is_a_membership(
    emulator: Emulator, tenant: TenantInfo, writer: Client, person: str, access: str, link: str
) -> None:
    group, directory = a_group(writer), emulator.state(tenant.directory_id)
    made = writer.post(f"{ACTIVE}Requests", request(group, person, accessId=access))
    assert directory.links(group, link) == {person}
    [schedule] = of(writer, f"{ACTIVE}s", group)
    assert (schedule["assignmentType"], schedule["accessId"]) == ("assigned", access)
    assert of(writer, f"{ACTIVE}Instances", group)[0]["assignmentScheduleId"] == made["targetScheduleId"]
    repeated = writer.refused("POST", f"{ACTIVE}Requests", request(group, person, accessId=access))
    assert "already exists" in repeated


def test_removing_an_active_assignment_ends_the_membership(
    emulator: Emulator, tenant: TenantInfo, writer: Client, person: str
) -> None:
    group = a_group(writer)
    writer.post(f"{ACTIVE}Requests", request(group, person))
    writer.post(f"{ACTIVE}Requests", request(group, person, "adminRemove"))
    assert emulator.state(tenant.directory_id).links(group, "members") == set()
    assert of(writer, f"{ACTIVE}s", group) == []


def test_the_last_owner_stays(writer: Client, person: str) -> None:
    group = a_group(writer)
    writer.post(f"{ACTIVE}Requests", request(group, person, accessId="owner"))
    removal = request(group, person, "adminRemove", accessId="owner")
    assert "last owner" in writer.refused("POST", f"{ACTIVE}Requests", removal)


def test_taking_a_member_out_ends_the_schedule(writer: Client, person: str) -> None:
    group = a_group(writer)
    writer.post(f"{ACTIVE}Requests", request(group, person))
    writer.done("DELETE", f"/groups/{group}/members/{person}/$ref")
    assert of(writer, f"{ACTIVE}s", group) == []


def test_members_without_a_schedule_show_once_pim_manages_the_group(writer: Client, person: str) -> None:
    group = a_group(writer)
    reference = {"@odata.id": f"{writer.base}/directoryObjects/{person}"}
    writer.done("POST", f"/groups/{group}/members/$ref", reference)
    assert of(writer, f"{ACTIVE}s", group) == []
    writer.post(f"{ELIGIBLE}Requests", request(group, person, accessId="owner"))
    [standing] = of(writer, f"{ACTIVE}s", group)
    assert (standing["principalId"], standing.get("createdUsing")) == (person, None)
    assert writer.get(f"{ACTIVE}s/{standing['id']}")["id"] == standing["id"]


@pytest.mark.parametrize(
    "path", [f"{each}{kind}" for each in (ELIGIBLE, ACTIVE) for kind in ("s", "Requests", "Instances")]
)
def test_lists_need_a_filter(writer: Client, person: str, path: str) -> None:
    assert "filter" in writer.refused("GET", path)
    assert "filter" in writer.refused("GET", f"{path}?$filter=accessId eq 'member'")
    assert writer.send("GET", f"{path}?$filter=principalId eq '{person}'").status_code == 200


@pytest.mark.parametrize(
    ("more", "status", "reported"),
    [
        ({"accessId": None}, 400, "accessId"),
        ({"accessId": "guest"}, 400, "accessId"),
        ({"action": "adminRemove"}, 400, "does not exist"),
        ({"principalId": "00000000-0000-0000-0000-000000000009"}, 404, "does not exist"),
        ({"justification": ""}, 400, "JustificationRule"),
    ],
)
def test_a_request_that_does_not_fit_is_refused(
    writer: Client, person: str, more: Json, status: int, reported: str
) -> None:
    body = request(a_group(writer), person) | more
    assert reported in writer.refused("POST", f"{ACTIVE}Requests", body, status=status)


def test_a_group_that_follows_a_rule_is_not_managed(writer: Client, person: str) -> None:
    dynamic = {
        "groupTypes": ["DynamicMembership"],
        "membershipRule": "x",
        "membershipRuleProcessingState": "On",
    }
    body = request(a_group(writer, **dynamic), person)
    assert "rule" in writer.refused("POST", f"{ELIGIBLE}Requests", body)


def test_members_and_owners_have_policies_of_their_own(writer: Client, person: str) -> None:
    group = a_group(writer)
    member, owner = policy(writer, group), policy(writer, group, "owner")
    assert member["id"] != owner["id"]
    assert member["id"].startswith(f"Group_{group}_")
    assert (member["scopeType"], len(member["rules"])) == ("Group", 17)
    body = {
        "@odata.type": "#microsoft.graph.unifiedRoleManagementPolicyExpirationRule",
        "isExpirationRequired": True,
        "maximumDuration": "P15D",
    }
    writer.done("PATCH", f"{POLICIES}/{member['id']}/rules/Expiration_Admin_Eligibility", body)
    assert "ExpirationRule" in writer.refused("POST", f"{ELIGIBLE}Requests", request(group, person))
    fortnight = {"expiration": {"type": "afterDuration", "duration": "P14D"}}
    writer.post(f"{ELIGIBLE}Requests", request(group, person, scheduleInfo=fortnight))
    writer.post(f"{ELIGIBLE}Requests", request(group, person, accessId="owner"))


def test_each_scope_of_settings_has_its_permission(
    emulator: Emulator, tenant: TenantInfo, writer: Client
) -> None:
    home = tenant.directory_id
    app = emulator.add_app_registration(
        "Groups only", home=home, permissions=["RoleManagementPolicy.Read.AzureADGroup"], consented_in=[home]
    )
    client, group = client_for(emulator, tenant, app), a_group(writer)
    assert len(policy(client, group)["rules"]) == 17
    client.refused("GET", f"{POLICIES}?$filter=scopeId eq '/' and scopeType eq 'DirectoryRole'", status=403)


def test_a_membership_ends_in_its_time(start: Callable[..., Emulator]) -> None:
    clock = SettableClock()
    emulator = start(seed="empty", clock=clock)
    tenant = emulator.tenants["Empty"]
    writer, person = client_for(emulator, tenant, tenant.writer), tenant.admins[0].id
    group, directory = a_group(writer), emulator.state(tenant.directory_id)
    hour = {"expiration": {"type": "afterDuration", "duration": "PT1H"}}
    writer.post(f"{ACTIVE}Requests", request(group, person, scheduleInfo=hour))
    assert directory.links(group, "members") == {person}
    clock.advance(3599)
    assert directory.links(group, "members") == {person}
    clock.advance(2)
    assert directory.links(group, "members") == set()
    assert directory.documents("privilegedAccessGroupAssignmentSchedule") == {}


def test_pim_names_who_asked_and_the_directory_names_pim(writer: Client, person: str) -> None:
    group = a_group(writer)
    writer.post(f"{ACTIVE}Requests", request(group, person))
    text = f"targetResources/any(t:t/id eq '{group}')"
    events = writer.get(f"/auditLogs/directoryAudits?$filter={text}")["value"]
    by = {each["loggedByService"]: each for each in events if each["activityDisplayName"] != "Add group"}
    assert by["PIM"]["correlationId"] == by["Core Directory"]["correlationId"]
    assert by["Core Directory"]["activityDisplayName"] == "Add member to group"
    assert by["Core Directory"]["initiatedBy"]["app"]["displayName"] == "MS-PIM"
    assert by["PIM"]["initiatedBy"]["app"]["displayName"] == "Lavawall Writer"
