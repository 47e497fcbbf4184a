"""Policies with parts of their own: compliance, settings catalog, administrative templates, intents."""

from typing import Any

from tests.roundtrip.model import AUTO, Act, Case, Json, World, impossible
from tests.roundtrip.planted import DEVICES, EVERY_DEVICE, TYPE, assigned, found

COMPLIANCE = f"{DEVICES}/deviceCompliancePolicies"
LINUX = f"{DEVICES}/compliancePolicies"
MESSAGES = f"{DEVICES}/notificationMessageTemplates"
CATALOG = f"{DEVICES}/configurationPolicies"
REUSABLE = f"{DEVICES}/reusablePolicySettings"
TEMPLATES = f"{DEVICES}/groupPolicyConfigurations"
DEFINITIONS = f"{DEVICES}/groupPolicyDefinitions"
INTENTS = f"{DEVICES}/intents"
CONFIGURATION_SETTING = f"{TYPE}deviceManagementConfiguration"
HARMLESS = [{"scheduledActionConfigurations": [{"actionType": "block", "gracePeriodHours": 8760}]}]


def choice(name: str, option: str) -> Json:
    return {
        "settingInstance": {
            "@odata.type": f"{CONFIGURATION_SETTING}ChoiceSettingInstance",
            "settingDefinitionId": name,
            "choiceSettingValue": {"value": f"{name}_{option}", "children": []},
        }
    }


def texts(name: str, *values: str) -> Json:
    return {
        "settingInstance": {
            "@odata.type": f"{CONFIGURATION_SETTING}SimpleSettingCollectionInstance",
            "settingDefinitionId": name,
            "simpleSettingCollectionValue": [
                {"@odata.type": f"{CONFIGURATION_SETTING}StringSettingValue", "value": each}
                for each in values
            ],
        }
    }


def secret(name: str, value: str) -> Json:
    return {
        "settingInstance": {
            "@odata.type": f"{CONFIGURATION_SETTING}SimpleSettingInstance",
            "settingDefinitionId": name,
            "simpleSettingValue": {
                "@odata.type": f"{CONFIGURATION_SETTING}SecretSettingValue",
                "value": value,
                "valueState": "notEncrypted",
            },
        }
    }


def whole(_world: World, subject: Json, changed: Json) -> Json:
    """What a PUT of a policy takes, with its settings."""
    names = ("description", "name", "platforms", "roleScopeTagIds", "technologies")
    return {name: subject.get(name) for name in names} | {"settings": subject["_settings"]} | changed


def with_settings(path: str, name: str) -> Any:
    def subject(world: World) -> Json:
        policy = world.named(path, name, "name")
        settings = world.read(f"{path}/{policy['id']}/settings")["value"]
        return {**policy, "_settings": [{"settingInstance": each["settingInstance"]} for each in settings]}

    return subject


def template(world: World) -> Json:
    policy = world.named(TEMPLATES, "BitLocker")
    values = world.read(f"{TEMPLATES}/{policy['id']}/definitionValues?$expand=definition")["value"]
    return {**policy, "_value": values[0]["id"], "_configures": values[0]["definition"]["id"]}


def _definition(world: World, name: str) -> tuple[str, list[str]]:
    definition = world.named(DEFINITIONS, name)
    shown = world.read(f"{DEFINITIONS}/{definition['id']}/presentations")["value"]
    address = f"https://graph.microsoft.com{DEFINITIONS}('{definition['id']}')"
    return address, [f"{address}/presentations('{each['id']}')" for each in shown]


def _other_encryption(world: World, subject: Json) -> Json:
    address, (presentation,) = _definition(world, "Choose drive encryption")
    weaker = {
        "@odata.type": f"{TYPE}groupPolicyPresentationValueText",
        "value": "3",
        "presentation@odata.bind": presentation,
    }
    value = {
        "id": subject["_value"],
        "enabled": False,
        "definition@odata.bind": address,
        "presentationValues": [weaker],
    }
    return {"added": [], "updated": [value], "deletedIds": []}


def _another_definition(world: World, _subject: Json) -> Json:
    address, (presentation,) = _definition(world, "Screen saver timeout")
    value = {
        "@odata.type": f"{TYPE}groupPolicyPresentationValueDecimal",
        "value": 99999,
        "presentation@odata.bind": presentation,
    }
    added = {"enabled": True, "definition@odata.bind": address, "presentationValues": [value]}
    return {"added": [added], "updated": [], "deletedIds": []}


def _no_definition(_world: World, subject: Json) -> Json:
    return {"added": [], "updated": [], "deletedIds": [subject["_value"]]}


def _off(world: World, subject: Json) -> Json:
    settings = world.read(f"{INTENTS}/{subject['id']}/settings")["value"]
    firewall = next(each for each in settings if each["definitionId"] == "firewall_domainProfileEnabled")
    stored = {name: firewall[name] for name in ("@odata.type", "id", "definitionId")}
    return {"settings": [{**stored, "valueJson": "false"}]}


def _message(world: World) -> Json:
    found_template = world.named(MESSAGES, "Device needs")
    messages = world.read(f"{MESSAGES}/{found_template['id']}/localizedNotificationMessages")["value"]
    return {**found_template, "_message": messages[0]["id"]}


def _silenced(world: World, _subject: Json) -> Json:
    """Nothing sends the message any more, so that it can go."""
    del world
    return {"deviceComplianceScheduledActionForRules": HARMLESS}


TAGGED = {
    "roleScopeTagIds": lambda world, _subject: [world.named(f"{DEVICES}/roleScopeTags", "Branch")["id"]]
}

PLATFORM = impossible("its settings are of one platform and technology; a policy is made for them")

CASES = (
    Case(
        key="deviceCompliancePolicy",
        subject=found(COMPLIANCE, "Windows must"),
        path=f"{COMPLIANCE}/{{id}}",
        typed=True,
        together=True,
        updates={
            "displayName": AUTO,
            "description": AUTO,
            "bitLockerEnabled": False,
            "secureBootEnabled": False,
            "osMinimumVersion": "6.1",
            **TAGGED,
        },
        create=[
            Act(
                "POST",
                COMPLIANCE,
                {
                    "@odata.type": f"{TYPE}iosCompliancePolicy",
                    "displayName": "Planted",
                    "scheduledActionsForRule": HARMLESS,
                },
            )
        ],
        delete=[Act("DELETE", f"{COMPLIANCE}/{{id}}")],
        more={
            **assigned(COMPLIANCE),
            "scheduledActionsForRule": [
                Act("POST", f"{COMPLIANCE}/{{id}}/scheduleActionsForRules", _silenced)
            ],
        },
    ),
    Case(
        key="deviceManagementCompliancePolicy",
        subject=with_settings(LINUX, "Linux must"),
        path=f"{LINUX}/{{id}}",
        method="PUT",
        shape=whole,
        together=True,
        updates={
            "name": AUTO,
            "description": AUTO,
            "settings": [choice("linux_deviceencryption_required", "false")],
            "platforms": PLATFORM,
            "technologies": PLATFORM,
            **TAGGED,
        },
        create=[
            Act(
                "POST",
                LINUX,
                {
                    "name": "Planted",
                    "platforms": "linux",
                    "technologies": "linuxMdm",
                    "settings": [choice("linux_deviceencryption_required", "false")],
                    "scheduledActionsForRule": HARMLESS,
                },
            )
        ],
        delete=[Act("DELETE", f"{LINUX}/{{id}}")],
        more={
            **assigned(LINUX),
            "scheduledActionsForRule": [
                Act("POST", f"{LINUX}/{{id}}/setScheduledActions", {"scheduledActions": HARMLESS})
            ],
        },
    ),
    Case(
        key="notificationMessageTemplate",
        subject=_message,
        path=f"{MESSAGES}/{{id}}",
        together=True,
        updates={
            "displayName": AUTO,
            "description": AUTO,
            "defaultLocale": "fr-CH",
            "brandingOptions": "includeCompanyLogo",
            **TAGGED,
        },
        create=[Act("POST", MESSAGES, {"displayName": "Planted"})],
        delete=[Act("DELETE", f"{MESSAGES}/{{id}}")],
        more={
            "localizedNotificationMessages": [
                Act(
                    "PATCH",
                    f"{MESSAGES}/{{id}}/localizedNotificationMessages/{{_message}}",
                    {"subject": "Planted", "messageTemplate": "Call this number."},
                ),
                Act(
                    "POST",
                    f"{MESSAGES}/{{id}}/localizedNotificationMessages",
                    {"locale": "fr-ch", "subject": "Planted", "messageTemplate": "Appelez ce numéro."},
                ),
            ],
        },
        types=("deviceCompliancePolicy", "deviceManagementCompliancePolicy"),
    ),
    Case(
        key="deviceManagementConfigurationPolicy",
        subject=with_settings(CATALOG, "Remote access"),
        path=f"{CATALOG}/{{id}}",
        method="PUT",
        shape=whole,
        together=True,
        updates={
            "name": AUTO,
            "description": AUTO,
            "settings": [
                texts("remoteaccess_servers", "vpn-2.example.com", "vpn-1.example.com"),
                secret("remoteaccess_sharedkey", "planted"),
                choice("remoteaccess_splittunnel", "1"),
            ],
            "disableEntraGroupPolicyAssignment": AUTO,
            "platforms": PLATFORM,
            "technologies": PLATFORM,
            "templateReference": impossible("a policy keeps the template that it was made from"),
            **TAGGED,
        },
        create=[
            Act(
                "POST",
                CATALOG,
                {
                    "name": "Planted",
                    "platforms": "windows10",
                    "technologies": "mdm",
                    "settings": [choice("defender_realtimemonitoring", "0")],
                },
            )
        ],
        delete=[Act("DELETE", f"{CATALOG}/{{id}}")],
        more={
            **assigned(CATALOG),
            "order of values": [
                Act(
                    "PUT",
                    f"{CATALOG}/{{id}}",
                    lambda world, subject: whole(
                        world,
                        subject,
                        {
                            "settings": [
                                texts("remoteaccess_servers", "vpn-2.example.com", "vpn-1.example.com"),
                                *(each for each in subject["_settings"] if "servers" not in str(each)),
                            ]
                        },
                    ),
                )
            ],
        },
    ),
    Case(
        key="deviceManagementConfigurationPolicy",
        variant="of a template",
        subject=with_settings(CATALOG, "Defender antivirus"),
        path=f"{CATALOG}/{{id}}",
        delete=[Act("DELETE", f"{CATALOG}/{{id}}")],
    ),
    Case(
        key="deviceManagementReusablePolicySetting",
        subject=found(REUSABLE, "Head office"),
        path=f"{REUSABLE}/{{id}}",
        together=True,
        updates={
            "displayName": AUTO,
            "description": AUTO,
            "settingInstance": {
                "@odata.type": f"{CONFIGURATION_SETTING}SimpleSettingInstance",
                "settingDefinitionId": "firewall_remoteaddresses",
                "simpleSettingValue": {
                    "@odata.type": f"{CONFIGURATION_SETTING}StringSettingValue",
                    "value": "0.0.0.0/0",
                },
            },
        },
        create=[
            Act(
                "POST",
                REUSABLE,
                {
                    "displayName": "Planted",
                    "settingInstance": choice("firewall_allow", "1")["settingInstance"],
                },
            )
        ],
        delete=[Act("DELETE", f"{REUSABLE}/{{id}}")],
    ),
    Case(
        key="groupPolicyConfiguration",
        subject=template,
        path=f"{TEMPLATES}/{{id}}",
        together=True,
        updates={"displayName": AUTO, "description": AUTO, **TAGGED},
        create=[Act("POST", TEMPLATES, {"displayName": "Planted"})],
        delete=[Act("DELETE", f"{TEMPLATES}/{{id}}")],
        more={
            **assigned(TEMPLATES),
            "definitionValues changed": [
                Act("POST", f"{TEMPLATES}/{{id}}/updateDefinitionValues", _other_encryption)
            ],
            "definitionValues": [
                Act("POST", f"{TEMPLATES}/{{id}}/updateDefinitionValues", _no_definition),
                Act("POST", f"{TEMPLATES}/{{id}}/updateDefinitionValues", _another_definition),
            ],
        },
    ),
    Case(
        key="deviceManagementIntent",
        subject=found(INTENTS, "Firewall of branches"),
        path=f"{INTENTS}/{{id}}",
        together=True,
        updates={"displayName": AUTO, "description": AUTO, **TAGGED},
        create=[
            Act(
                "POST",
                f"{DEVICES}/templates/{{templateId}}/createInstance",
                {"displayName": "Planted", "settingsDelta": []},
            )
        ],
        delete=[
            Act("POST", f"{INTENTS}/{{id}}/updateSettings", _off),
            Act("DELETE", f"{INTENTS}/{{id}}"),
        ],
        more={
            "assignments": [Act("POST", f"{INTENTS}/{{id}}/assign", EVERY_DEVICE)],
            "settings": [Act("POST", f"{INTENTS}/{{id}}/updateSettings", _off)],
        },
    ),
)
