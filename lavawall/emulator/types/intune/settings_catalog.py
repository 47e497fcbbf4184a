"""The settings catalogue: policies with settings inline, secrets that turn into tokens, reusable settings."""

import re
from collections.abc import Iterator
from typing import Any

from lavawall.emulator.errors import bad_request
from lavawall.emulator.model import BETA, Write
from lavawall.emulator.presentation import View
from lavawall.emulator.store import Json, Record, Session
from lavawall.emulator.types.intune.assignments import Assigning, assignable
from lavawall.emulator.types.intune.core import CONFIGURATION, intune_type
from lavawall.emulator.types.intune.parts import Parts
from lavawall.emulator.validation import WriteRules

POLICIES = "deviceManagementConfigurationPolicy"
TEMPLATES = "deviceManagementConfigurationPolicyTemplate"
REUSABLE = "deviceManagementReusablePolicySetting"
SECRET = "#microsoft.graph.deviceManagementConfigurationSecretSettingValue"
REFERENCE = "#microsoft.graph.deviceManagementConfigurationReferenceSettingValue"
ORDERED = frozenset({"groupSettingCollectionValue", "simpleSettingCollectionValue"})
NO_TEMPLATE: Json = {
    "templateId": "",
    "templateFamily": "none",
    "templateDisplayName": None,
    "templateDisplayVersion": None,
}
TEMPLATE_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}_[0-9]+", re.IGNORECASE)
UNSEEDED_TEMPLATE: Json = {
    "templateFamily": "unknownFutureValue",
    "templateDisplayName": None,
    "templateDisplayVersion": None,
}
"""Microsoft has hundreds of templates; the directory holds a few of them."""


def values(node: Any) -> Iterator[Json]:
    """Every object inside settings, however deep."""
    if isinstance(node, dict):
        yield node
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from values(item)


def keep_settings(write: Write) -> None:
    """Numbers the settings and takes the secrets out of them."""
    if "settings" in write.body:
        settings: list[Json] = write.after["settings"]
        _check_settings(write.session, settings)
        write.after["settings"] = [{**setting, "id": str(number)} for number, setting in enumerate(settings)]
    write.after.setdefault("settings", [])
    write.after["settingCount"] = len(write.after["settings"])


def _check_settings(session: Session, settings: list[Json]) -> None:
    names = [str((each.get("settingInstance") or {}).get("settingDefinitionId") or "") for each in settings]
    if not all(names):
        raise bad_request("A setting needs a 'settingInstance' with its 'settingDefinitionId'.", "BadRequest")
    if len(set(names)) < len(names):
        raise bad_request("A setting is configured more than once.", "BadRequest")
    for value in values(settings):
        if value.get("@odata.type") == SECRET:
            _encrypt(session, value)
        if (
            value.get("@odata.type") == REFERENCE
            and session.directory.get(REUSABLE, str(value["value"])) is None
        ):
            raise bad_request(f"The reusable setting '{value['value']}' does not exist.", "BadRequest")


def _encrypt(session: Session, value: Json) -> None:
    tokens = session.directory.secret_values
    if value.get("valueState") == "encryptedValueToken":
        if value.get("value") not in tokens:
            raise bad_request("The token of an encrypted value is not valid.", "BadRequest")
        return
    if value.get("valueState") != "notEncrypted" or not value.get("value"):
        raise bad_request("A secret value is sent with the state 'notEncrypted'.", "BadRequest")
    token = session.randomness.guid()
    tokens[token] = value["value"]
    value |= {"value": token, "valueState": "encryptedValueToken"}


def check_template(write: Write) -> None:
    reference = write.after.get("templateReference") or {}
    template_id = reference.get("templateId") or ""
    if write.before is not None and template_id != write.before["templateReference"]["templateId"]:
        raise bad_request("The template of a policy cannot be changed.", "BadRequest")
    if not template_id:
        write.after["templateReference"] = NO_TEMPLATE
        return
    template = write.session.directory.get(TEMPLATES, template_id)
    if template is None and TEMPLATE_ID.fullmatch(template_id) is None:
        raise bad_request(f"The policy template '{template_id}' does not exist.", "BadRequest")
    if template is None:
        write.after["templateReference"] = {**UNSEEDED_TEMPLATE, "templateId": template_id}
        return
    write.after["templateReference"] = {
        "templateId": template_id,
        "templateFamily": template.body["templateFamily"],
        "templateDisplayName": template.name,
        "templateDisplayVersion": template.body["displayVersion"],
    }


def expand_definitions(_session: Session, record: Record) -> list[Json]:
    definition_id = record.body["settingInstance"]["settingDefinitionId"]
    name = definition_id.rsplit("_", 1)[-1]
    return [{"id": definition_id, "name": name, "displayName": name, "description": None, "version": "1"}]


SETTINGS = Parts(
    "settings",
    "deviceManagementConfigurationSetting",
    expand={"settingDefinitions": expand_definitions},
    ordered=ORDERED,
    largest_page=1000,
)


def policies_with_reusable(session: Session, setting_id: str) -> list[Record]:
    return [
        policy
        for policy in session.directory.all(POLICIES)
        if any(
            value.get("@odata.type") == REFERENCE and value.get("value") == setting_id
            for value in values(policy.body["settings"])
        )
    ]


def refuse_referenced(session: Session, record: Record) -> None:
    if policies_with_reusable(session, record.id):
        raise bad_request("The reusable setting is used by a policy and cannot be deleted.", "BadRequest")


def count_references(view: View) -> None:
    view.body["referencingConfigurationPolicyCount"] = len(
        policies_with_reusable(view.session, view.record.id)
    )


def keep_reusable(write: Write) -> None:
    if "settingInstance" in write.body:
        instance = write.after["settingInstance"]
        _check_settings(write.session, [{"settingInstance": instance}])
        write.after["settingDefinitionId"] = instance["settingDefinitionId"]


POLICY, POLICY_ASSIGNMENT = assignable(
    intune_type(
        POLICIES,
        "/deviceManagement/configurationPolicies",
        CONFIGURATION,
        rules=WriteRules(
            required=("name", "platforms", "technologies"),
            immutable=frozenset({"platforms", "settings", "technologies", "templateReference"}),
            inline=frozenset({"settings"}),
        ),
        verbs=frozenset({"list", "get", "create", "update", "replace", "delete"}),
        checks=(check_template, keep_settings),
        expand=SETTINGS.expansions(),
        on_request=frozenset({"settings"}),
        ordered=ORDERED,
        versions=BETA,
    ),
    Assigning("deviceManagementConfigurationPolicyAssignment", answers=True),
)
KINDS = (
    POLICY,
    POLICY_ASSIGNMENT,
    SETTINGS.kind(POLICY),
    intune_type(
        TEMPLATES,
        "/deviceManagement/configurationPolicyTemplates",
        CONFIGURATION,
        verbs=frozenset({"list", "get"}),
        rules=WriteRules(writable=frozenset({"settingTemplateCount", "version"})),
        versions=BETA,
    ),
    intune_type(
        REUSABLE,
        "/deviceManagement/reusablePolicySettings",
        CONFIGURATION,
        rules=WriteRules(
            required=("displayName", "settingInstance"),
            computed=frozenset({"settingDefinitionId", "referencingConfigurationPolicyCount"}),
        ),
        verbs=frozenset({"list", "get", "create", "update", "replace", "delete"}),
        checks=(keep_reusable,),
        delete_checks=(refuse_referenced,),
        present=count_references,
        ordered=ORDERED,
        versions=BETA,
    ),
)
