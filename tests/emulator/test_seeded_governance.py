"""What the demo's tenants hold of administrative units and PIM, as their reader app sees it."""

from collections.abc import Iterator

import pytest

from lavawall.emulator import Emulator
from tests.emulator.conftest import Client, client_for

UNITS = "/directory/administrativeUnits"
DIRECTORY = "/roleManagement/directory"
TENANT_ROLES = "scopeId eq '/' and scopeType eq 'DirectoryRole'"


@pytest.fixture(scope="module")
def running() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture(params=["Aurora Dental", "Aurora Labs", "Brenner Logistics"])
def demo_reader(running: Emulator, request: pytest.FixtureRequest) -> Client:
    tenant = running.tenants[request.param]
    return client_for(running, tenant, tenant.reader)


def test_units_of_every_kind_have_members_and_one_has_a_scoped_role(demo_reader: Client) -> None:
    units = {each["displayName"]: each for each in demo_reader.get(UNITS)["value"]}
    assert units["Confidential"]["visibility"] == "HiddenMembership"
    assert units["Finance by Rule"]["membershipType"] == "Dynamic"
    assert units["Protected Accounts"]["isMemberManagementRestricted"] is True
    members = {
        name: [each["id"] for each in demo_reader.get(f"{UNITS}/{unit['id']}/members")["value"]]
        for name, unit in units.items()
    }
    assert all(members.values())
    front = units["Front of House"]["id"]
    [scoped] = demo_reader.get(f"{UNITS}/{front}/scopedRoleMembers")["value"]
    roles = {each["id"]: each["displayName"] for each in demo_reader.get("/directoryRoles")["value"]}
    assert roles[scoped["roleId"]] == "Helpdesk Administrator"


def test_people_and_groups_are_eligible_and_active(demo_reader: Client) -> None:
    eligible = demo_reader.get(f"{DIRECTORY}/roleEligibilitySchedules?$expand=principal")["value"]
    assert {each["principal"]["@odata.type"] for each in eligible} == {
        "#microsoft.graph.user",
        "#microsoft.graph.group",
    }
    active = demo_reader.get(f"{DIRECTORY}/roleAssignmentSchedules")["value"]
    assignments = demo_reader.get(f"{DIRECTORY}/roleAssignments")["value"]
    assert len(active) == len(assignments)
    ends = [each["scheduleInfo"]["expiration"]["type"] for each in active if each.get("createdUsing")]
    assert ends == ["afterDateTime"]


def test_the_settings_of_one_role_are_customised(demo_reader: Client) -> None:
    query = f"$filter={TENANT_ROLES}&$expand=policy($expand=rules)&$top=999"
    policies = demo_reader.get(f"/policies/roleManagementPolicyAssignments?{query}")["value"]
    changed = [each for each in policies if each["policy"].get("lastModifiedDateTime")]
    assert len(policies) == 141
    [policy] = changed
    rules = {rule["id"]: rule for rule in policy["policy"]["rules"]}
    assert rules["Expiration_EndUser_Assignment"]["maximumDuration"] == "PT4H"
    assert rules["Approval_EndUser_Assignment"]["setting"]["isApprovalRequired"] is True


def test_one_group_is_managed_by_pim(demo_reader: Client) -> None:
    group = demo_reader.get("/groups?$filter=displayName eq 'IT Administrators'")["value"][0]["id"]
    path = "/identityGovernance/privilegedAccess/group"
    [eligible] = demo_reader.get(f"{path}/eligibilitySchedules?$filter=groupId eq '{group}'")["value"]
    assert eligible["accessId"] == "member"
    standing = demo_reader.get(f"{path}/assignmentSchedules?$filter=groupId eq '{group}'")["value"]
    assert {each["accessId"] for each in standing} == {"member", "owner"}
