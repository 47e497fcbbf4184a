"""What plans for Intune must never do and must say: secrets, defaults, ranks, packages, what is removed first."""

import base64
import plistlib
from typing import Any

from rollbacks.planning.build import build
from rollbacks.planning.model import Key, LiveState, PlanDraft, StepKind, Target
from snapshots.canonical.form import canonicalise
from snapshots.catalog import registry
from snapshots.catalog.spec import Document
from snapshots.recoverability.verdicts import lost_anew

GRAPH = "https://graph.example"
CATALOGUE = {spec.key: spec for spec in registry.all_types()}
TYPE = "#microsoft.graph."
NOBODY = "00000000-0000-0000-0000-000000000000"


def document(key: str, **raw: Any) -> Document:
    return canonicalise(raw, CATALOGUE[key])


def plan(key: str, wanted: Document | None, live: LiveState) -> PlanDraft:
    target = Target(key, "one", wanted, display_name="One")
    states: dict[Key, LiveState] = {(key, "one"): live}
    return build([target], states, CATALOGUE, graph_url=GRAPH)


def bodies(draft: PlanDraft) -> list[Any]:
    return [planned.request.body for step in draft.steps for planned in step.requests]


def oma(*settings: Document) -> Document:
    return {
        "@odata.type": f"{TYPE}windows10CustomConfiguration",
        "displayName": "One",
        "omaSettings": list(settings),
    }


SECRET = {
    "@odata.type": f"{TYPE}omaSettingString",
    "displayName": "Account",
    "omaUri": "./secret",
    "isEncrypted": True,
    "secretReferenceValueId": "the-reference",
    "value": "****",
}
NUMBER = {"@odata.type": f"{TYPE}omaSettingInteger", "displayName": "Minutes", "omaUri": "./n", "value": 1}
CONFIGURATION = "deviceConfiguration"


def test_an_encrypted_value_is_told_by_its_reference_and_never_by_its_mask() -> None:
    raw = oma(SECRET, {**NUMBER, "value": 2})
    live = LiveState(document(CONFIGURATION, **raw), raw=raw)
    (body,) = bodies(plan(CONFIGURATION, document(CONFIGURATION, **oma(SECRET, NUMBER)), live))
    by_uri = {each["omaUri"]: each for each in body["omaSettings"]}
    assert by_uri["./n"]["value"] == 1
    assert by_uri["./secret"]["secretReferenceValueId"] == "the-reference"
    assert by_uri["./secret"]["isEncrypted"] is True


def test_an_encrypted_value_that_is_gone_is_said_by_name_and_not_written() -> None:
    raw = oma(NUMBER)
    live = LiveState(document(CONFIGURATION, **raw), raw=raw)
    draft = plan(CONFIGURATION, document(CONFIGURATION, **oma(SECRET, NUMBER)), live)
    assert not draft.complete
    assert any("Account" in warning for warning in draft.warnings)
    assert all(each["omaUri"] != "./secret" for body in bodies(draft) for each in body["omaSettings"])


def test_a_configuration_made_anew_has_no_masks_in_it() -> None:
    draft = plan(CONFIGURATION, document(CONFIGURATION, **oma(SECRET, NUMBER)), LiveState())
    assert [each["omaUri"] for each in bodies(draft)[0]["omaSettings"]] == ["./n"]
    assert any("Account" in warning for warning in draft.warnings)


def test_secrets_of_the_settings_catalog_are_lost_by_name() -> None:
    value = {
        "@odata.type": f"{TYPE}deviceManagementConfigurationSecretSettingValue",
        "value": "token",
        "valueState": "encryptedValueToken",
    }
    instance = {"settingDefinitionId": "vpn_sharedkey", "simpleSettingValue": value}
    spec = CATALOGUE["deviceManagementConfigurationPolicy"]
    wanted = document(spec.key, name="One", settings=[{"id": "0", "settingInstance": instance}])
    assert [lost.items for lost in lost_anew(spec, wanted)] == [("vpn_sharedkey",)]


def test_numbers_of_settings_and_empty_filters_are_no_state() -> None:
    def policy(number: str, **target: Any) -> Document:
        return document(
            "deviceManagementConfigurationPolicy",
            name="One",
            version=number,
            isAssigned=True,
            settingCount=1,
            settings=[{"id": number, "settingInstance": {"settingDefinitionId": "x"}}],
            assignments=[{"id": number, "source": "direct", "target": {"groupId": "g", **target}}],
        )

    named = "deviceAndAppManagementAssignmentFilter"
    assert policy("0") == policy("7", **{f"{named}Id": NOBODY, f"{named}Type": "none"})
    assert policy("0") != policy("0", **{f"{named}Id": "5b1c2a34-0000-4000-8000-000000000001"})


def test_the_order_of_values_is_state_and_that_of_settings_is_not() -> None:
    def policy(*names: str, values: tuple[str, ...] = ("a", "b")) -> Document:
        settings = [
            {
                "settingInstance": {
                    "settingDefinitionId": name,
                    "simpleSettingCollectionValue": [{"value": each} for each in values],
                }
            }
            for name in names
        ]
        return document("deviceManagementConfigurationPolicy", name="One", settings=settings)

    assert policy("x", "y") == policy("y", "x")
    assert policy("x", values=("a", "b")) != policy("x", values=("b", "a"))


def test_an_apple_profile_is_compared_by_its_content() -> None:
    def profile(layout: plistlib.PlistFormat, value: str) -> Document:
        payload = base64.b64encode(plistlib.dumps({"b": value, "a": 1}, fmt=layout)).decode()
        return document(CONFIGURATION, displayName="One", payload=payload)

    assert profile(plistlib.FMT_XML, "x") == profile(plistlib.FMT_BINARY, "x")
    assert profile(plistlib.FMT_XML, "x") != profile(plistlib.FMT_XML, "y")


def test_a_default_is_changed_and_never_deleted() -> None:
    kind = "deviceEnrollmentConfiguration"
    default = document(kind, displayName="Default", priority=0)
    draft = plan(kind, None, LiveState(default))
    assert (draft.steps, draft.complete) == ((), False)
    assert any("default" in warning for warning in draft.warnings)
    (step,) = plan(kind, default, LiveState({**default, "description": "planted"})).steps
    assert step.kind is StepKind.UPDATE


def test_an_app_whose_package_nobody_has_is_not_created_anew() -> None:
    app = document(
        "mobileApp", displayName="One", fileName="setup.msi", **{"@odata.type": f"{TYPE}win32LobApp"}
    )
    draft = plan("mobileApp", app, LiveState())
    assert (draft.steps, draft.complete) == ((), False)
    assert any("package" in warning for warning in draft.warnings)
    (step,) = plan("mobileApp", app, LiveState({**app, "notes": "planted"})).steps
    assert step.kind is StepKind.UPDATE


def test_an_assigned_profile_is_emptied_before_it_is_deleted() -> None:
    kind = "windowsAutopilotDeploymentProfile"
    live = document(kind, displayName="One", assignments=[{"id": "a", "target": {"groupId": "g"}}])
    (step,) = plan(kind, None, LiveState(live)).steps
    profile = "/beta/deviceManagement/windowsAutopilotDeploymentProfiles/one"
    assert [planned.request.path for planned in step.requests] == [f"{profile}/assignments/a", profile]


def test_a_role_is_bound_by_an_address_of_the_tenants_cloud() -> None:
    kind = "deviceAndAppManagementRoleAssignment"
    wanted = document(kind, displayName="One", members=["g"], roleDefinition={"id": "r", "displayName": "R"})
    (body, *_) = bodies(plan(kind, wanted, LiveState()))
    assert body["roleDefinition@odata.bind"] == f"{GRAPH}/beta/deviceManagement/roleDefinitions('r')"
    assert "roleDefinition" not in body
