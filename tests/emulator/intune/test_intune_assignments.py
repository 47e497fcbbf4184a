"""Assignments: replaced as a whole, refused where they point to nothing, with ids of both ends."""

import pytest

from lavawall.emulator.store import Json
from tests.emulator.intune.conftest import NOBODY, TYPE, Intune

FILTER = "deviceAndAppManagementAssignmentFilterId"
FILTER_TYPE = "deviceAndAppManagementAssignmentFilterType"
# Stored type, path, key of assign (none: one by one only), whether assign answers with the assignments.
ASSIGNED: tuple[tuple[str, str, str, bool], ...] = (
    ("deviceConfiguration", "/deviceManagement/deviceConfigurations", "assignments", True),
    ("deviceCompliancePolicy", "/deviceManagement/deviceCompliancePolicies", "assignments", True),
    ("deviceManagementCompliancePolicy", "/deviceManagement/compliancePolicies", "assignments", True),
    ("deviceManagementConfigurationPolicy", "/deviceManagement/configurationPolicies", "assignments", True),
    ("groupPolicyConfiguration", "/deviceManagement/groupPolicyConfigurations", "assignments", True),
    (
        "deviceEnrollmentConfiguration",
        "/deviceManagement/deviceEnrollmentConfigurations",
        "enrollmentConfigurationAssignments",
        False,
    ),
    ("deviceManagementIntent", "/deviceManagement/intents", "assignments", False),
    (
        "deviceManagementScript",
        "/deviceManagement/deviceManagementScripts",
        "deviceManagementScriptAssignments",
        False,
    ),
    (
        "deviceShellScript",
        "/deviceManagement/deviceShellScripts",
        "deviceManagementScriptAssignments",
        False,
    ),
    (
        "deviceHealthScript",
        "/deviceManagement/deviceHealthScripts",
        "deviceHealthScriptAssignments",
        False,
    ),
    ("mobileApp", "/deviceAppManagement/mobileApps", "mobileAppAssignments", False),
    (
        "managedDeviceMobileAppConfiguration",
        "/deviceAppManagement/mobileAppConfigurations",
        "assignments",
        False,
    ),
    ("iosManagedAppProtection", "/deviceAppManagement/iosManagedAppProtections", "assignments", False),
    (
        "targetedManagedAppConfiguration",
        "/deviceAppManagement/targetedManagedAppConfigurations",
        "assignments",
        False,
    ),
    ("roleScopeTag", "/deviceManagement/roleScopeTags", "assignments", True),
)
SEEDED = {
    "deviceConfiguration": "Windows baseline",
    "deviceEnrollmentConfiguration": "Limit 3",
    "mobileApp": "Intranet",
    "roleScopeTag": "Branch devices",
}


def address(intune: Intune, kind: str, path: str) -> str:
    return f"{path}/{intune.seeded(kind, SEEDED.get(kind, ''))['id']}"


def entry(kind: str, target: Json) -> Json:
    return {"target": target, **({"intent": "required"} if kind == "mobileApp" else {})}


@pytest.mark.parametrize(("kind", "path", "key", "answers"), ASSIGNED, ids=lambda value: str(value))
def test_assign_replaces_all_assignments(
    intune: Intune, kind: str, path: str, key: str, answers: bool
) -> None:
    policy = address(intune, kind, path)
    everybody = {"@odata.type": f"{TYPE}allLicensedUsersAssignmentTarget"}
    excluded = {**intune.target(), "@odata.type": f"{TYPE}exclusionGroupAssignmentTarget"}
    wanted = [entry(kind, everybody), entry(kind, excluded)]
    answer = intune.beta.send("POST", f"{policy}/assign", {key: wanted})
    assert answer.status_code == (200 if answers else 204), answer.text
    listed = intune.beta.get(f"{policy}/assignments")["value"]
    expanded = intune.beta.get(f"{policy}?$expand=assignments")["assignments"]
    assert {each["id"] for each in listed} == {each["id"] for each in expanded}
    assert {each["target"]["@odata.type"] for each in listed} == {
        everybody["@odata.type"],
        excluded["@odata.type"],
    }
    policy_id = policy.rsplit("/", 1)[-1]
    assert any(each["id"].startswith(f"{policy_id}_{intune.group()}") for each in listed)
    if "isAssigned" in intune.seeded(kind, SEEDED.get(kind, "")):
        assert intune.beta.get(policy)["isAssigned"] is True
    intune.beta.send("POST", f"{policy}/assign", {key: []})
    assert intune.beta.get(f"{policy}/assignments")["value"] == []
    if "isAssigned" in intune.seeded(kind, SEEDED.get(kind, "")):
        assert intune.beta.get(policy)["isAssigned"] is False


@pytest.mark.parametrize(("kind", "path", "key", "answers"), ASSIGNED, ids=lambda value: str(value))
def test_a_wrong_assignment_is_refused_and_the_old_ones_stay(
    intune: Intune, kind: str, path: str, key: str, answers: bool
) -> None:
    policy = address(intune, kind, path)
    stored = [entry(kind, intune.target())]
    intune.beta.send("POST", f"{policy}/assign", {key: stored})
    wrong: list[Json] = [
        {"wrongKey": stored},
        {key: stored, "more": 1},
        {key: stored[0]},
        {key: [*stored, *stored]},
        {key: [*stored, entry(kind, {**intune.target(), "groupId": NOBODY})]},
        {key: [entry(kind, {"groupId": intune.group()})]},
        {key: [entry(kind, {"@odata.type": f"{TYPE}everybodyTarget"})]},
        {key: [entry(kind, intune.target(**{FILTER: NOBODY, FILTER_TYPE: "include"}))]},
        {key: [{}]},
    ]
    for body in wrong:
        intune.beta.refused("POST", f"{policy}/assign", body)
    assert [each["target"]["groupId"] for each in intune.beta.get(f"{policy}/assignments")["value"]] == [
        intune.group()
    ]


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("windowsAutopilotDeploymentProfile", "/deviceManagement/windowsAutopilotDeploymentProfiles"),
        ("termsAndConditions", "/deviceManagement/termsAndConditions"),
    ],
)
def test_some_assignments_come_and_go_one_by_one(intune: Intune, kind: str, path: str) -> None:
    policy = address(intune, kind, path)
    intune.beta.refused("POST", f"{policy}/assign", {"assignments": []})
    for each in intune.beta.get(f"{policy}/assignments")["value"]:
        intune.beta.done("DELETE", f"{policy}/assignments/{each['id']}")
    made = intune.beta.post(f"{policy}/assignments", {"target": intune.target()})
    intune.beta.refused("POST", f"{policy}/assignments", {"target": intune.target()})
    intune.beta.refused("POST", f"{policy}/assignments", {"target": {**intune.target(), "groupId": NOBODY}})
    assert intune.beta.get(f"{policy}/assignments/{made['id']}")["target"]["groupId"] == intune.group()


def test_an_assigned_autopilot_profile_is_not_deleted(intune: Intune) -> None:
    path = "/deviceManagement/windowsAutopilotDeploymentProfiles"
    body = {"@odata.type": f"{TYPE}azureADWindowsAutopilotDeploymentProfile", "displayName": "Assigned"}
    profile = f"{path}/{intune.beta.post(path, body)['id']}"
    made = intune.beta.post(f"{profile}/assignments", {"target": intune.target()})
    intune.beta.refused("DELETE", profile)
    intune.beta.done("DELETE", f"{profile}/assignments/{made['id']}")
    intune.beta.done("DELETE", profile)


def test_a_filter_is_kept_while_an_assignment_uses_it(intune: Intune) -> None:
    filters = "/deviceManagement/assignmentFilters"
    body = {"displayName": "Used", "platform": "windows10AndLater", "rule": '(device.model -eq "X")'}
    used = intune.beta.post(filters, body)["id"]
    policies = "/deviceManagement/groupPolicyConfigurations"
    policy = f"{policies}/{intune.beta.post(policies, {'displayName': 'Filtered'})['id']}"
    filtered = intune.target(**{FILTER: used, FILTER_TYPE: "exclude"})
    made = intune.beta.post(f"{policy}/assign", {"assignments": [{"target": filtered}]})
    assert made["value"][0]["target"][FILTER] == used
    assert "used" in intune.beta.refused("DELETE", f"{filters}/{used}")
    without = {"assignments": [{"target": intune.target(**{FILTER: used, FILTER_TYPE: "none"})}]}
    intune.beta.refused("POST", f"{policy}/assign", without)
    intune.beta.post(f"{policy}/assign", {"assignments": []})
    intune.beta.done("DELETE", f"{filters}/{used}")


def test_the_released_version_knows_no_filters(intune: Intune) -> None:
    policy = address(intune, "deviceCompliancePolicy", "/deviceManagement/deviceCompliancePolicies")
    target = intune.target(**{FILTER: NOBODY, FILTER_TYPE: "include"})
    intune.v1.refused("POST", f"{policy}/assign", {"assignments": [{"target": target}]})
    made = intune.v1.post(f"{policy}/assign", {"assignments": [{"target": intune.target()}]})
    assert FILTER not in made["value"][0]["target"]


def test_no_filter_is_null_or_an_id_of_zeros(intune: Intune) -> None:
    policy = address(intune, "deviceConfiguration", "/deviceManagement/deviceConfigurations")
    intune.beta.post(f"{policy}/assign", {"assignments": [{"target": intune.target()}]})
    seen = {intune.beta.get(f"{policy}/assignments")["value"][0]["target"].get(FILTER) for _ in range(20)}
    assert seen == {None, "00000000-0000-0000-0000-000000000000"}


def test_an_app_is_assigned_once_per_group_and_intent(intune: Intune) -> None:
    app = address(intune, "mobileApp", "/deviceAppManagement/mobileApps")
    both = [{"intent": intent, "target": intune.target()} for intent in ("required", "available")]
    intune.v1.done("POST", f"{app}/assign", {"mobileAppAssignments": both})
    without = {"mobileAppAssignments": [{"target": intune.target()}]}
    intune.v1.refused("POST", f"{app}/assign", without)
    assert {each["intent"] for each in intune.v1.get(f"{app}/assignments")["value"]} == {
        "required",
        "available",
    }


def test_an_app_without_content_is_not_assigned(intune: Intune) -> None:
    path = "/deviceAppManagement/mobileApps"
    body = {"@odata.type": f"{TYPE}win32LobApp", "displayName": "Package", "publisher": "P"}
    made = intune.v1.post(path, body)
    assert made["publishingState"] == "notPublished"
    entries = [{"intent": "required", "target": intune.target()}]
    intune.v1.refused("POST", f"{path}/{made['id']}/assign", {"mobileAppAssignments": entries})


def test_assignments_leave_with_their_policy(intune: Intune) -> None:
    path = "/deviceManagement/groupPolicyConfigurations"
    made = intune.beta.post(path, {"displayName": "Leaving"})["id"]
    intune.beta.post(f"{path}/{made}/assign", {"assignments": [{"target": intune.target()}]})
    intune.beta.done("DELETE", f"{path}/{made}")
    intune.beta.refused("GET", f"{path}/{made}/assignments", status=404)
    stored = intune.emulator.state(intune.tenant.directory_id).documents(
        "groupPolicyConfiguration/assignment"
    )
    assert not any(key.startswith(made) for key in stored)
