"""Every type of Intune: created, read, changed, deleted for good; what is wrong is refused."""

import base64
from dataclasses import dataclass, field

import pytest

from lavawall.emulator.store import Json
from tests.emulator.intune.conftest import NOBODY, TYPE, Intune

SCRIPT = base64.b64encode(b"exit 0").decode()
BLOCK = {"scheduledActionConfigurations": [{"actionType": "block"}]}
BOTH = ("v1.0", "beta")


@dataclass(frozen=True)
class Case:
    """One type: where, what to create it with, what to change, and what is refused at creation."""

    path: str
    body: Json
    change: Json
    refused: tuple[Json, ...] = ()
    versions: tuple[str, ...] = ("beta",)
    name: str = "displayName"
    typed: str = field(default="")


def choice(name: str) -> Json:
    return {
        "settingInstance": {
            "@odata.type": f"{TYPE}deviceManagementConfigurationChoiceSettingInstance",
            "settingDefinitionId": name,
            "choiceSettingValue": {"value": f"{name}_1", "children": []},
        }
    }


CASES = (
    Case(
        "/deviceManagement/deviceConfigurations",
        {"@odata.type": f"{TYPE}windows10GeneralConfiguration", "displayName": "A", "passwordRequired": True},
        {"passwordRequired": False},
        ({"@odata.type": f"{TYPE}deviceConfiguration"}, {"passwordRequired": "yes"}),
        BOTH,
    ),
    Case(
        "/deviceManagement/deviceCompliancePolicies",
        {
            "@odata.type": f"{TYPE}windows10CompliancePolicy",
            "displayName": "A",
            "scheduledActionsForRule": [BLOCK],
        },
        {"bitLockerEnabled": True},
        (
            {"scheduledActionsForRule": []},
            {"scheduledActionsForRule": [{"scheduledActionConfigurations": [{"actionType": "wipe"}]}]},
            {"scheduledActionsForRule": [BLOCK, BLOCK]},
        ),
        BOTH,
    ),
    Case(
        "/deviceManagement/compliancePolicies",
        {
            "name": "A",
            "platforms": "linux",
            "technologies": "linuxMdm",
            "settings": [choice("encrypted")],
            "scheduledActionsForRule": [BLOCK],
        },
        {"description": "B"},
        ({"scheduledActionsForRule": []}, {"platforms": "amiga"}),
        name="name",
    ),
    Case(
        "/deviceManagement/configurationPolicies",
        {"name": "A", "platforms": "windows10", "technologies": "mdm", "settings": [choice("one")]},
        {"description": "B"},
        (
            {"settings": [choice("one"), choice("one")]},
            {"settings": [{}]},
            {"templateReference": {"templateId": NOBODY}},
            {"templateReference": {"templateFamily": "none"}},
            {"settingCount": 1},
        ),
        name="name",
    ),
    Case(
        "/deviceManagement/reusablePolicySettings",
        {"displayName": "A", **choice("network")},
        {"description": "B"},
        ({"settingDefinitionId": "network"},),
    ),
    Case(
        "/deviceManagement/groupPolicyConfigurations",
        {"displayName": "A"},
        {"description": "B"},
        ({"policyConfigurationIngestionType": "custom"},),
    ),
    Case(
        "/deviceManagement/deviceEnrollmentConfigurations",
        {"@odata.type": f"{TYPE}deviceEnrollmentLimitConfiguration", "displayName": "A", "limit": 3},
        {"limit": 4},
        ({"priority": 1},),
        BOTH,
    ),
    Case(
        "/deviceManagement/windowsAutopilotDeploymentProfiles",
        {"@odata.type": f"{TYPE}azureADWindowsAutopilotDeploymentProfile", "displayName": "A"},
        {"deviceNameTemplate": "X-%SERIAL%"},
    ),
    Case(
        "/deviceManagement/termsAndConditions",
        {"displayName": "A", "title": "T", "bodyText": "B"},
        {"title": "U"},
        ({"title": ""},),
        BOTH,
    ),
    Case("/deviceManagement/deviceCategories", {"displayName": "A"}, {"description": "B"}, versions=BOTH),
    Case(
        "/deviceManagement/notificationMessageTemplates",
        {"displayName": "A", "brandingOptions": "includeCompanyName,includeCompanyLogo"},
        {"brandingOptions": "none"},
        ({"brandingOptions": "includeEverything"},),
        BOTH,
    ),
    Case(
        "/deviceManagement/assignmentFilters",
        {"displayName": "A", "platform": "iOS", "rule": '(device.model -eq "X")'},
        {"rule": '(device.model -eq "Y")'},
        ({"rule": "everything"}, {"platform": "amiga"}),
    ),
    Case(
        "/deviceManagement/roleScopeTags", {"displayName": "A"}, {"description": "B"}, ({"isBuiltIn": True},)
    ),
    Case(
        "/deviceManagement/roleDefinitions",
        {
            "displayName": "A",
            "rolePermissions": [{"resourceActions": [{"allowedResourceActions": ["X_Read"]}]}],
        },
        {"description": "B"},
        ({"isBuiltIn": True},),
        BOTH,
    ),
    Case(
        "/deviceManagement/deviceManagementScripts",
        {"displayName": "A", "fileName": "a.ps1", "scriptContent": SCRIPT, "runAsAccount": "user"},
        {"runAsAccount": "system"},
        ({"scriptContent": "not base64!"}, {"fileName": ""}),
    ),
    Case(
        "/deviceManagement/deviceShellScripts",
        {"displayName": "A", "fileName": "a.sh", "scriptContent": SCRIPT},
        {"retryCount": 3},
        ({"executionFrequency": "daily"},),
    ),
    Case(
        "/deviceManagement/deviceCustomAttributeShellScripts",
        {
            "displayName": "A",
            "fileName": "a.sh",
            "scriptContent": SCRIPT,
            "customAttributeName": "N",
            "customAttributeType": "string",
        },
        {"description": "B"},
        ({"customAttributeType": "colour"},),
    ),
    Case(
        "/deviceManagement/deviceHealthScripts",
        {"displayName": "A", "publisher": "P", "detectionScriptContent": SCRIPT},
        {"description": "B"},
        ({"isGlobalScript": True},),
    ),
    Case(
        "/deviceAppManagement/mobileApps",
        {
            "@odata.type": f"{TYPE}webApp",
            "displayName": "A",
            "publisher": "P",
            "appUrl": "https://a.example.com",
        },
        {"notes": "B"},
        ({"@odata.type": f"{TYPE}iosVppApp", "appUrl": None}, {"publishingState": "published"}),
        BOTH,
    ),
    Case(
        "/deviceAppManagement/mobileAppConfigurations",
        {"@odata.type": f"{TYPE}iosMobileAppConfiguration", "displayName": "A", "targetedMobileApps": []},
        {"description": "B"},
        ({"targetedMobileApps": [NOBODY]},),
        BOTH,
    ),
    Case(
        "/deviceAppManagement/iosManagedAppProtections",
        {"displayName": "A", "pinRequired": True},
        {"pinRequired": False},
        ({"deployedAppCount": 3}, {"isAssigned": True}, {"periodBeforePinReset": "soon"}),
        BOTH,
    ),
    Case(
        "/deviceAppManagement/androidManagedAppProtections",
        {"displayName": "A", "encryptAppData": True},
        {"encryptAppData": False},
        ({"faceIdBlocked": True},),
        BOTH,
    ),
    Case(
        "/deviceAppManagement/windowsManagedAppProtections",
        {"displayName": "A", "printBlocked": True},
        {"printBlocked": False},
    ),
    Case(
        "/deviceAppManagement/targetedManagedAppConfigurations",
        {"displayName": "A", "customSettings": [{"name": "n", "value": "v"}]},
        {"customSettings": [{"name": "n", "value": "w"}]},
        ({"customSettings": [{"nom": "n"}]},),
        BOTH,
    ),
    Case(
        "/deviceAppManagement/mdmWindowsInformationProtectionPolicies",
        {"displayName": "A", "enforcementLevel": "encryptAndAuditOnly"},
        {"enforcementLevel": "noProtection"},
        ({"enforcementLevel": "some"},),
        BOTH,
    ),
)
VERSIONS = [(case, version) for case in CASES for version in case.versions]


def title(value: object) -> str:
    return value.path.rsplit("/", 1)[-1] if isinstance(value, Case) else str(value)


@pytest.mark.parametrize(("case", "version"), VERSIONS, ids=title)
def test_an_object_lives_and_is_gone_for_good(intune: Intune, case: Case, version: str) -> None:
    client = intune.beta if version == "beta" else intune.v1
    body = {**case.body, case.name: f"Life in {version}"}
    made = client.post(case.path, body)
    address = f"{case.path}/{made['id']}"
    typed = {name: value for name, value in body.items() if name == "@odata.type"}
    answer = client.send("PATCH", address, {**typed, **case.change})
    assert answer.status_code == 200, answer.text
    found = client.get(address)
    for name, value in case.change.items():
        assert found[name] == value
    assert found[case.name] == body[case.name]
    if isinstance(made.get("version"), int):
        assert found["version"] == made["version"] + 1
    assert made["id"] in {each["id"] for each in client.get(case.path)["value"]}
    client.done("DELETE", address)
    client.refused("GET", address, status=404)
    assert client.post(case.path, body)["id"] != made["id"]


@pytest.mark.parametrize(("case", "version"), VERSIONS, ids=title)
def test_what_is_wrong_is_refused_and_leaves_nothing(intune: Intune, case: Case, version: str) -> None:
    client = intune.beta if version == "beta" else intune.v1
    before = intune.emulator.state(intune.tenant.directory_id).export()
    wrong: list[Json] = [
        {"colour": "red"},
        {"id": NOBODY},
        {"lastModifiedDateTime": "2024-01-01T00:00:00Z"},
        {"displayName": 7, "name": 7},
        *case.refused,
    ]
    if version == "beta" and "roleScopeTags" not in case.path:
        wrong.append({"roleScopeTagIds": ["99"]})
    for change in wrong:
        client.refused("POST", case.path, {**case.body, case.name: "Wrong", **change})
    if "@odata.type" in case.body:
        untyped = {name: value for name, value in case.body.items() if name != "@odata.type"}
        if "roleDefinitions" not in case.path:
            client.refused("POST", case.path, untyped)
    assert intune.emulator.state(intune.tenant.directory_id).export() == before


@pytest.mark.parametrize("case", [case for case in CASES if "v1.0" not in case.versions], ids=title)
def test_a_type_of_beta_is_unknown_to_the_released_version(intune: Intune, case: Case) -> None:
    intune.v1.refused("GET", case.path)
    intune.v1.refused("POST", case.path, case.body)


def test_a_derived_type_is_changed_with_its_type_only(intune: Intune) -> None:
    policy = intune.seeded("deviceConfiguration", "Windows baseline")
    address = f"/deviceManagement/deviceConfigurations/{policy['id']}"
    intune.v1.refused("PATCH", address, {"description": "x"})
    other = {"@odata.type": f"{TYPE}iosGeneralDeviceConfiguration", "description": "x"}
    assert "type" in intune.v1.refused("PATCH", address, other)


def test_properties_of_beta_are_refused_by_the_released_version(intune: Intune) -> None:
    policy = {"@odata.type": f"{TYPE}windows10GeneralConfiguration", "displayName": "Tags"}
    intune.v1.refused("POST", "/deviceManagement/deviceConfigurations", {**policy, "roleScopeTagIds": ["0"]})
    made = intune.beta.post("/deviceManagement/deviceConfigurations", {**policy, "roleScopeTagIds": ["1"]})
    assert made["roleScopeTagIds"] == ["1"]
    assert "roleScopeTagIds" not in intune.v1.get(f"/deviceManagement/deviceConfigurations/{made['id']}")


def test_a_policy_without_scope_tag_gets_the_default_one(intune: Intune) -> None:
    made = intune.beta.post("/deviceManagement/groupPolicyConfigurations", {"displayName": "Untagged"})
    assert made["roleScopeTagIds"] == ["0"]


def test_what_cannot_be_null_is_set_by_the_service(intune: Intune) -> None:
    path, kind = "/deviceManagement/deviceConfigurations", f"{TYPE}windows10GeneralConfiguration"
    made = intune.v1.post(path, {"@odata.type": kind, "displayName": "Defaults"})
    found = intune.v1.get(f"{path}/{made['id']}")
    assert found["cameraBlocked"] is False
    assert found["passwordRequiredType"] == "deviceDefault"
    assert found.get("passwordMinimumLength") is None
    intune.v1.refused("PATCH", f"{path}/{made['id']}", {"@odata.type": kind, "cameraBlocked": None})
