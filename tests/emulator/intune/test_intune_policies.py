"""What single types of Intune do beyond the usual: secrets, scheduled actions, settings, templates, priorities."""

from typing import Any

import pytest

from lavawall.emulator import schema
from lavawall.emulator.store import Json
from tests.emulator.intune.conftest import NOBODY, TYPE, Intune

CONFIGURATIONS = "/deviceManagement/deviceConfigurations"
COMPLIANCE = "/deviceManagement/deviceCompliancePolicies"
SECOND = "/deviceManagement/compliancePolicies"
CATALOGUE = "/deviceManagement/configurationPolicies"
ADMX = "/deviceManagement/groupPolicyConfigurations"
DEFINITIONS = "/deviceManagement/groupPolicyDefinitions"
ENROLMENT = "/deviceManagement/deviceEnrollmentConfigurations"
INTENTS = "/deviceManagement/intents"
NO_TEMPLATE = "00000000-0000-0000-0000-000000000000"


def custom(*settings: Json) -> Json:
    return {
        "@odata.type": f"{TYPE}windows10CustomConfiguration",
        "displayName": "Custom",
        "omaSettings": list(settings),
    }


def oma(kind: str, value: Any, **more: Any) -> Json:
    return {
        "@odata.type": f"{TYPE}omaSetting{kind}",
        "displayName": kind,
        "omaUri": f"./Vendor/{kind}",
        "value": value,
        **more,
    }


def plain(reference: str) -> str:
    return f"getOmaSettingPlainTextValue(secretReferenceValueId='{reference}')"


def test_texts_of_oma_settings_are_masked_and_told_on_request(intune: Intune) -> None:
    made = intune.beta.post(CONFIGURATIONS, custom(oma("String", "hush"), oma("Integer", 5)))
    address = f"{CONFIGURATIONS}/{made['id']}"
    by_name = {each["displayName"]: each for each in intune.beta.get(address)["omaSettings"]}
    assert by_name["Integer"]["value"] == 5
    text = by_name["String"]
    assert text["isEncrypted"] is True
    assert "hush" not in str(text)
    assert intune.beta.get(f"{address}/{plain(text['secretReferenceValueId'])}")["value"] == "hush"
    intune.beta.refused("GET", f"{address}/{plain(NOBODY)}", status=404)
    repeated = intune.beta.send("PATCH", address, custom(text))
    assert repeated.json()["omaSettings"][0]["secretReferenceValueId"] == text["secretReferenceValueId"]
    reported = {**text, "value": "changed", "isEncrypted": False}
    intune.beta.send("PATCH", address, custom(reported))
    changed = intune.beta.get(address)["omaSettings"][0]
    assert intune.beta.get(f"{address}/{plain(changed['secretReferenceValueId'])}")["value"] == "changed"


@pytest.mark.parametrize(
    "setting",
    [
        oma("String", "x", secretReferenceValueId=NOBODY),
        oma("String", "x", omaUri="Vendor"),
        oma("String", ""),
        oma("Integer", "five"),
        {"displayName": "untyped", "omaUri": "./x", "value": 1},
    ],
)
def test_a_wrong_oma_setting_is_refused(intune: Intune, setting: Json) -> None:
    intune.beta.refused("POST", CONFIGURATIONS, custom(setting))


def test_the_key_of_a_network_is_never_read_back(intune: Intune) -> None:
    kind = f"{TYPE}aospDeviceOwnerWiFiConfiguration"
    body = {"@odata.type": kind, "displayName": "Wi-Fi", "networkName": "office"}
    made = intune.beta.post(CONFIGURATIONS, {**body, "preSharedKey": "hush"})
    assert made.get("preSharedKey") is None
    assert made["preSharedKeyIsSet"] is True
    address = f"{CONFIGURATIONS}/{made['id']}"
    cleared = intune.beta.send("PATCH", address, {"@odata.type": kind, "preSharedKey": None}).json()
    assert cleared["preSharedKeyIsSet"] is False
    intune.beta.refused("PATCH", address, {"@odata.type": kind, "preSharedKeyIsSet": True})


def compliance(*actions: Json) -> Json:
    return {
        "@odata.type": f"{TYPE}iosCompliancePolicy",
        "displayName": "Compliance",
        "scheduledActionsForRule": [
            {"ruleName": "PasswordRequired", "scheduledActionConfigurations": list(actions)}
        ],
    }


BLOCK = {"actionType": "block", "gracePeriodHours": 12}


def test_scheduled_actions_are_shown_on_request_and_changed_by_their_action(intune: Intune) -> None:
    template = intune.seeded("notificationMessageTemplate")["id"]
    notify = {"actionType": "notification", "notificationTemplateId": template}
    made = intune.v1.post(COMPLIANCE, compliance(BLOCK))
    address = f"{COMPLIANCE}/{made['id']}"
    assert "scheduledActionsForRule" not in made
    nested = "?$expand=assignments,scheduledActionsForRule($expand=scheduledActionConfigurations)"
    shown = intune.v1.get(address + nested)
    assert shown["assignments"] == []
    (action,) = shown["scheduledActionsForRule"][0]["scheduledActionConfigurations"]
    assert (action["actionType"], action["gracePeriodHours"]) == ("block", 12)
    assert action["notificationTemplateId"] == NO_TEMPLATE
    flat = intune.v1.get(f"{address}?$expand=scheduledActionsForRule")["scheduledActionsForRule"]
    assert "scheduledActionConfigurations" not in flat[0]
    wanted = compliance(BLOCK, notify)["scheduledActionsForRule"]
    intune.v1.refused("PATCH", address, {**compliance(BLOCK), "displayName": "x"})
    intune.v1.done(
        "POST", f"{address}/scheduleActionsForRules", {"deviceComplianceScheduledActionForRules": wanted}
    )
    rules = intune.v1.get(f"{address}/scheduledActionsForRule?$expand=scheduledActionConfigurations")["value"]
    assert {each["actionType"] for each in rules[0]["scheduledActionConfigurations"]} == {
        "block",
        "notification",
    }


@pytest.mark.parametrize(
    "actions",
    [
        (),
        (BLOCK, BLOCK),
        ({"actionType": "notification"},),
        (BLOCK, {"actionType": "notification", "notificationTemplateId": NOBODY}),
        (BLOCK, {"gracePeriodHours": 1}),
    ],
)
def test_wrong_scheduled_actions_are_refused(intune: Intune, actions: tuple[Json, ...]) -> None:
    intune.v1.refused("POST", COMPLIANCE, compliance(*actions))
    policy = intune.seeded("deviceCompliancePolicy")["id"]
    rules = compliance(*actions)["scheduledActionsForRule"]
    body = {"deviceComplianceScheduledActionForRules": rules}
    intune.v1.refused("POST", f"{COMPLIANCE}/{policy}/scheduleActionsForRules", body)


def test_a_policy_of_the_second_generation_keeps_its_actions_when_it_is_replaced(intune: Intune) -> None:
    policy = intune.seeded("deviceManagementCompliancePolicy")
    address = f"{SECOND}/{policy['id']}"
    rules = [{"ruleName": None, "scheduledActionConfigurations": [BLOCK]}]
    answer = intune.beta.post(f"{address}/setScheduledActions", {"scheduledActions": rules})
    assert answer["value"][0]["id"]
    header = {name: policy[name] for name in ("name", "platforms", "technologies")}
    intune.beta.done("PUT", address, {**header, "settings": [choice("linux_other")]})
    nested = "scheduledActionsForRule($expand=scheduledActionConfigurations)"
    shown = intune.beta.get(f"{address}?$expand=settings,{nested}")
    assert [each["settingInstance"]["settingDefinitionId"] for each in shown["settings"]] == ["linux_other"]
    assert shown["scheduledActionsForRule"][0]["scheduledActionConfigurations"][0]["gracePeriodHours"] == 12


def choice(name: str, option: str = "1") -> Json:
    return {
        "settingInstance": {
            "@odata.type": f"{TYPE}deviceManagementConfigurationChoiceSettingInstance",
            "settingDefinitionId": name,
            "choiceSettingValue": {"value": f"{name}_{option}", "children": []},
        }
    }


def simple(name: str, value: Json) -> Json:
    return {
        "settingInstance": {
            "@odata.type": f"{TYPE}deviceManagementConfigurationSimpleSettingInstance",
            "settingDefinitionId": name,
            "simpleSettingValue": value,
        }
    }


def catalogue(*settings: Json, **more: Any) -> Json:
    return {
        "name": "Catalogue",
        "platforms": "windows10",
        "technologies": "mdm",
        "settings": list(settings),
        **more,
    }


def settings_of(intune: Intune, address: str) -> dict[str, Json]:
    listed = intune.beta.get(f"{address}/settings?$expand=settingDefinitions&$top=1000")["value"]
    return {each["settingInstance"]["settingDefinitionId"]: each for each in listed}


def test_settings_change_with_the_whole_policy_only(intune: Intune) -> None:
    made = intune.beta.post(CATALOGUE, catalogue(choice("a"), choice("b")))
    address = f"{CATALOGUE}/{made['id']}"
    assert made["settingCount"] == 2
    assert "settings" not in made
    assert settings_of(intune, address)["a"]["settingDefinitions"][0]["id"] == "a"
    intune.beta.refused("PATCH", address, {"settings": [choice("c")]})
    intune.beta.refused("PATCH", address, {"platforms": "macOS"})
    intune.beta.done("PUT", address, catalogue(choice("a", "0"), choice("c"), description="whole"))
    found = intune.beta.get(address)
    assert (found["description"], found["settingCount"], found["createdDateTime"][:19]) == (
        "whole",
        2,
        made["createdDateTime"][:19],
    )
    assert set(settings_of(intune, address)) == {"a", "c"}


def test_the_order_inside_a_setting_is_kept(intune: Intune) -> None:
    names = [f"server-{number}" for number in range(12)]
    servers = [
        {"@odata.type": f"{TYPE}deviceManagementConfigurationStringSettingValue", "value": name}
        for name in names
    ]
    setting = {
        "settingInstance": {
            "@odata.type": f"{TYPE}deviceManagementConfigurationSimpleSettingCollectionInstance",
            "settingDefinitionId": "servers",
            "simpleSettingCollectionValue": servers,
        }
    }
    made = intune.beta.post(CATALOGUE, catalogue(setting))
    shown = settings_of(intune, f"{CATALOGUE}/{made['id']}")["servers"]["settingInstance"]
    assert [each["value"] for each in shown["simpleSettingCollectionValue"]] == names


def secret(value: str, state: str) -> Json:
    kind = f"{TYPE}deviceManagementConfigurationSecretSettingValue"
    return simple("key", {"@odata.type": kind, "value": value, "valueState": state})


def test_a_secret_comes_back_as_a_token_that_may_be_sent_again(intune: Intune) -> None:
    made = intune.beta.post(CATALOGUE, catalogue(secret("hush", "notEncrypted")))
    address = f"{CATALOGUE}/{made['id']}"
    value = settings_of(intune, address)["key"]["settingInstance"]["simpleSettingValue"]
    assert value["valueState"] == "encryptedValueToken"
    assert value["value"] != "hush"
    intune.beta.done("PUT", address, catalogue(secret(value["value"], "encryptedValueToken")))
    intune.beta.refused("PUT", address, catalogue(secret(NOBODY, "encryptedValueToken")))
    intune.beta.refused("PUT", address, catalogue(secret("", "notEncrypted")))


def test_a_template_stays_and_is_named_by_its_id_only(intune: Intune) -> None:
    policy = intune.seeded("deviceManagementConfigurationPolicy", "Defender antivirus")
    address = f"{CATALOGUE}/{policy['id']}"
    reference = {"templateId": policy["templateReference"]["templateId"]}
    intune.beta.refused("PUT", address, catalogue(choice("a")))
    intune.beta.refused("PUT", address, catalogue(choice("a"), templateReference=policy["templateReference"]))
    intune.beta.done("PUT", address, catalogue(choice("a"), templateReference=reference))
    assert intune.beta.get(address)["templateReference"]["templateFamily"] == "endpointSecurityAntivirus"


def test_a_reusable_setting_is_kept_while_a_policy_refers_to_it(intune: Intune) -> None:
    path = "/deviceManagement/reusablePolicySettings"
    made = intune.beta.post(path, {"displayName": "Networks", **choice("network")})
    kind = f"{TYPE}deviceManagementConfigurationReferenceSettingValue"
    intune.beta.refused("POST", CATALOGUE, catalogue(simple("r", {"@odata.type": kind, "value": NOBODY})))
    policy = intune.beta.post(CATALOGUE, catalogue(simple("r", {"@odata.type": kind, "value": made["id"]})))
    assert intune.beta.get(f"{path}/{made['id']}")["referencingConfigurationPolicyCount"] == 1
    intune.beta.refused("DELETE", f"{path}/{made['id']}")
    intune.beta.done("DELETE", f"{CATALOGUE}/{policy['id']}")
    intune.beta.done("DELETE", f"{path}/{made['id']}")


def bound(intune: Intune, name: str) -> tuple[str, Json]:
    """The address of a definition, and of its presentations by label."""
    (definition,) = intune.beta.get(f"{DEFINITIONS}?$filter=displayName eq '{name}'")["value"]
    address = f"{intune.beta.base}{DEFINITIONS}('{definition['id']}')"
    shown = intune.beta.get(f"{DEFINITIONS}/{definition['id']}/presentations")["value"]
    return address, {each["label"]: f"{address}/presentations('{each['id']}')" for each in shown}


def configured(address: str, **presented: Json) -> Json:
    return {"enabled": True, "definition@odata.bind": address, "presentationValues": list(presented.values())}


def text(address: str, value: str) -> Json:
    return {
        "@odata.type": f"{TYPE}groupPolicyPresentationValueText",
        "value": value,
        "presentation@odata.bind": address,
    }


def test_template_values_are_added_changed_and_deleted_in_one_go(intune: Intune) -> None:
    address, labels = bound(intune, "Specify intranet update service location")
    made = intune.beta.post(ADMX, {"displayName": "Updates"})
    policy = f"{ADMX}/{made['id']}"
    service = labels["Update service"]
    added = configured(address, one=text(service, "http://one"))
    intune.beta.done("POST", f"{policy}/updateDefinitionValues", {"added": [added]})
    nested = "?$expand=definition,presentationValues($expand=presentation)"
    (value,) = intune.beta.get(f"{policy}/definitionValues{nested}")["value"]
    assert value["definition"]["classType"] == "machine"
    assert value["presentationValues"][0]["presentation"]["label"] == "Update service"
    changed = {**configured(address, one=text(service, "http://two")), "id": value["id"], "enabled": False}
    intune.beta.done("POST", f"{policy}/updateDefinitionValues", {"updated": [changed]})
    presented = f"{policy}/definitionValues/{value['id']}/presentationValues?$expand=presentation"
    assert intune.beta.get(presented)["value"][0]["value"] == "http://two"
    assert intune.beta.get(f"{policy}/definitionValues/{value['id']}")["enabled"] is False
    refused = {"updated": [{**changed, "enabled": True}], "added": [{"enabled": True}]}
    intune.beta.refused("POST", f"{policy}/updateDefinitionValues", refused)
    assert intune.beta.get(f"{policy}/definitionValues/{value['id']}")["enabled"] is False
    intune.beta.done("POST", f"{policy}/updateDefinitionValues", {"deletedIds": [value["id"]]})
    assert intune.beta.get(f"{policy}/definitionValues")["value"] == []


def test_wrong_template_values_are_refused_as_a_whole(intune: Intune) -> None:
    address, labels = bound(intune, "Specify intranet update service location")
    _, foreign = bound(intune, "Choose drive encryption method")
    policy = f"{ADMX}/{intune.beta.post(ADMX, {'displayName': 'Wrong'})['id']}"
    good = configured(address, one=text(labels["Update service"], "x"))
    number = {
        **text(labels["Update service"], "x"),
        "@odata.type": f"{TYPE}groupPolicyPresentationValueDecimal",
    }
    wrong: list[Json] = [
        {"added": [good, good]},
        {"added": [good], "deletedIds": [NOBODY]},
        {"added": [good], "updated": [{"id": NOBODY, "enabled": False}]},
        {"added": [good, configured(address.replace(address[-38:-2], NOBODY))]},
        {"added": [configured(address, one=text(foreign["Encryption method"], "x"))]},
        {"added": [configured(address, one={**number, "value": 5})]},
        {"added": [{"enabled": True}]},
        {"removed": []},
    ]
    for body in wrong:
        intune.beta.refused("POST", f"{policy}/updateDefinitionValues", body)
        assert intune.beta.get(f"{policy}/definitionValues")["value"] == []


CONCRETE = [each for each in schema.subtypes("deviceEnrollmentConfiguration") if not each.abstract]


@pytest.mark.parametrize("kind", CONCRETE, ids=lambda each: each.name)
def test_each_kind_of_enrolment_configuration_has_ids_of_its_own_form(
    intune: Intune, kind: schema.Type
) -> None:
    made = intune.beta.post(ENROLMENT, {"@odata.type": kind.odata_type, "displayName": kind.name})
    assert "_" in made["id"]
    assert made["priority"] >= 1
    assert made["deviceEnrollmentConfigurationType"]
    intune.beta.done("DELETE", f"{ENROLMENT}/{made['id']}")


def limits(intune: Intune) -> dict[str, int]:
    kind = f"{TYPE}deviceEnrollmentLimitConfiguration"
    every = intune.beta.get(ENROLMENT)["value"]
    return {each["id"]: each["priority"] for each in every if each["@odata.type"] == kind}


def test_a_priority_moves_the_neighbours(intune: Intune) -> None:
    body = {"@odata.type": f"{TYPE}deviceEnrollmentLimitConfiguration", "displayName": "L", "limit": 2}
    made = [intune.v1.post(ENROLMENT, body) for _ in range(3)]
    first, second, third = (each["id"] for each in made)
    assert third.endswith("_Limit")
    before = limits(intune)
    assert before[first] + 2 == before[second] + 1 == before[third]
    intune.v1.done("POST", f"{ENROLMENT}/{third}/setPriority", {"priority": before[first]})
    after = limits(intune)
    assert (after[third], after[first], after[second]) == (
        before[first],
        before[first] + 1,
        before[first] + 2,
    )
    for wrong in (0, len(after), "1", None, True):
        intune.v1.refused("POST", f"{ENROLMENT}/{third}/setPriority", {"priority": wrong})
    intune.v1.done("DELETE", f"{ENROLMENT}/{third}")
    assert (limits(intune)[first], limits(intune)[second]) == (before[first], before[second])


def test_a_default_enrolment_configuration_is_changed_but_stays(intune: Intune) -> None:
    default = next(each for each in limits(intune) if each.endswith("_DefaultLimit"))
    body = {"@odata.type": f"{TYPE}deviceEnrollmentLimitConfiguration", "limit": 9}
    assert intune.v1.send("PATCH", f"{ENROLMENT}/{default}", body).json()["limit"] == 9
    assert limits(intune)[default] == 0
    intune.v1.refused("DELETE", f"{ENROLMENT}/{default}")
    intune.v1.refused("POST", f"{ENROLMENT}/{default}/setPriority", {"priority": 1})


def test_an_intent_is_made_from_its_template_and_changed_by_setting(intune: Intune) -> None:
    template = intune.seeded("deviceManagementTemplate")["id"]
    delta = {
        "@odata.type": f"{TYPE}deviceManagementIntegerSettingInstance",
        "definitionId": "firewall_logFileSizeKb",
        "valueJson": "1024",
    }
    create = f"/deviceManagement/templates/{template}/createInstance"
    made = intune.beta.post(create, {"displayName": "Intent", "settingsDelta": [delta]})
    address = f"{INTENTS}/{made['id']}"
    assert made["templateId"] == template
    by_name = {each["definitionId"]: each for each in intune.beta.get(f"{address}/settings")["value"]}
    assert by_name["firewall_logFileSizeKb"]["value"] == 1024
    assert by_name["firewall_domainProfileEnabled"]["valueJson"] == "true"
    intune.beta.done("POST", f"{address}/updateSettings", {"settings": [{**delta, "valueJson": "2048"}]})
    listed = intune.beta.get(f"{address}/settings")["value"]
    assert next(each["value"] for each in listed if each["definitionId"] == delta["definitionId"]) == 2048
    for wrong in ({"definitionId": "unknown"}, {"valueJson": "{"}, {"@odata.type": f"{TYPE}x"}):
        body = {"settings": [{**delta, **wrong}]}
        intune.beta.refused("POST", f"{address}/updateSettings", body)
    assert intune.beta.send("PATCH", address, {"displayName": "Renamed"}).json()["displayName"] == "Renamed"
    intune.beta.refused("PATCH", address, {"templateId": NOBODY})
    intune.beta.done("DELETE", address)


@pytest.mark.parametrize("kind", ["deviceManagementScript", "deviceShellScript", "deviceHealthScript"])
def test_the_content_of_a_script_comes_with_the_single_object_only(intune: Intune, kind: str) -> None:
    script = intune.seeded(kind)
    name = "detectionScriptContent" if kind == "deviceHealthScript" else "scriptContent"
    listed = intune.beta.get(f"/deviceManagement/{kind}s")["value"]
    assert all(each.get(name) is None for each in listed)
    assert intune.beta.get(f"/deviceManagement/{kind}s/{script['id']}")[name] == script[name]


def test_one_message_of_a_template_is_its_default(intune: Intune) -> None:
    path = "/deviceManagement/notificationMessageTemplates"
    template = f"{path}/{intune.v1.post(path, {'displayName': 'Messages'})['id']}"
    messages = f"{template}/localizedNotificationMessages"
    body = {"locale": "en-us", "subject": "S", "messageTemplate": "M"}
    assert intune.v1.post(messages, body)["isDefault"] is True
    intune.v1.refused("POST", messages, body)
    intune.v1.post(messages, {**body, "locale": "de-de", "isDefault": True})
    shown = intune.v1.get(f"{template}?$expand=localizedNotificationMessages")[
        "localizedNotificationMessages"
    ]
    assert {each["locale"]: each["isDefault"] for each in shown} == {"en-us": False, "de-de": True}
