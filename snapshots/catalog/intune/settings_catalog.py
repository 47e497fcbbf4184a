"""The settings catalog: policies whose settings are at an address of their own, and settings that they share.

Facts: Microsoft Graph's beta metadata and reference pages; how tools that restore such policies write them.
"""

from collections.abc import Iterator
from typing import Any

from snapshots.catalog.intune.common import DEVICES, TAGS, intune, listed_assignments
from snapshots.catalog.places import ODATA_TYPE
from snapshots.catalog.spec import (
    Comparison,
    Create,
    Document,
    Identity,
    Loss,
    Part,
    Reference,
    Restore,
    Update,
)

_POLICIES = f"{DEVICES}/configurationPolicies"
_REUSABLE = f"{DEVICES}/reusablePolicySettings"

ORDERED = ("groupSettingCollectionValue", "simpleSettingCollectionValue")
"""Some devices apply these in their order."""
SETTINGS_KEPT = {"settings[]": ("settingInstance",)}
STATE_OF_POLICIES = ("creationSource", "isAssigned", "settingCount")
_SECRET = "#microsoft.graph.deviceManagementConfigurationSecretSettingValue"
REUSABLE_SETTINGS = tuple(
    Reference(
        f"settings[].settingInstance.**.{value}.value",
        to="deviceManagementReusablePolicySetting",
        guids=True,
        if_gone="kept",
    )
    for value in ("simpleSettingValue", "simpleSettingCollectionValue[]")
)
"""Shared settings are named at any depth, where other texts may stand as well."""


def policy_name(raw: Document) -> str:
    return str(raw.get("name") or raw.get("id") or "")


def settings_of(path: str) -> Part:
    return Part("settings", f"{path}/{{id}}/settings", params={"$top": "1000"}, key=None)


def _secrets(value: Any, setting: str = "") -> Iterator[str]:
    """The settings whose value the service keeps to itself."""
    if isinstance(value, list):
        for each in value:
            yield from _secrets(each, setting)
    elif isinstance(value, dict):
        setting = str(value.get("settingDefinitionId") or setting)
        if value.get(ODATA_TYPE) == _SECRET:
            yield setting
        for each in value.values():
            yield from _secrets(each, setting)


SECRETS = Loss(
    "settings[].settingInstance",
    "only a token of it is known, which Intune may no longer accept; enter it again",
    recreated_only=True,
    items=lambda document: list(_secrets(document.get("settings", []))),
)


def _by_template(body: Document) -> Document:
    """A template is named by its id; what else is known of it follows from that."""
    identifier = (body.get("templateReference") or {}).get("templateId")
    remaining = {name: value for name, value in body.items() if name != "templateReference"}
    return {**remaining, "templateReference": {"templateId": identifier}} if identifier else remaining


CONFIGURATION_POLICY = intune(
    "deviceManagementConfigurationPolicy",
    "Configuration policy (settings catalog)",
    "Configuration policies (settings catalog)",
    _POLICIES,
    expand={},
    identity=Identity(
        natural_key=("name",),
        name=policy_name,
    ),
    comparison=Comparison(
        volatile=(*STATE_OF_POLICIES, "priorityMetaData"),
        nested_fields={**SETTINGS_KEPT, "templateReference": ("templateFamily", "templateId")},
        ordered=ORDERED,
    ),
    references=(*TAGS, *REUSABLE_SETTINGS),
    not_references={"templateReference.templateId": "a template of Microsoft"},
    parts=(settings_of(_POLICIES), listed_assignments(_POLICIES)),
    restore=Restore(
        writable=(
            "description",
            "disableEntraGroupPolicyAssignment",
            "name",
            "platforms",
            "roleScopeTagIds",
            "settings",
            "technologies",
            "templateReference",
        ),
        create=Create(shape=_by_template),
        update=Update(method="PUT", shape=lambda body, _wanted: _by_template(body)),
        losses=(SECRETS,),
    ),
    notes=(
        "Written as a whole with an undocumented PUT. If Microsoft refuses it, the step fails.",
        "Settings are a set; the order inside a collection of values is kept, because some devices apply it.",
        (
            "A secret is identified by the token that Intune returns for it. A different token is a "
            "change. A rollback sends the old token, which Intune accepts in the same tenant while it "
            "is valid."
        ),
    ),
)

REUSABLE_SETTING = intune(
    "deviceManagementReusablePolicySetting",
    "Reusable policy setting",
    "Reusable policy settings",
    _REUSABLE,
    assigned=(),
    expand={},
    references=(),
    comparison=Comparison(
        volatile=("referencingConfigurationPolicyCount", "settingDefinitionId"), ordered=ORDERED
    ),
    rank=83,
    restore=Restore(writable=("description", "displayName", "settingInstance")),
)

TYPES = (CONFIGURATION_POLICY, REUSABLE_SETTING)
