"""Device configurations of all platforms and generations, administrative templates and security baselines.

Facts: Microsoft Graph's beta metadata and reference pages; what tools that export Intune leave out.
"""

import re
from collections.abc import Iterator
from typing import Any

from snapshots.catalog.intune.common import DEVICES, NEW_ID, TAGS, intune, listed_assignments
from snapshots.catalog.places import ODATA_TYPE
from snapshots.catalog.spec import (
    Action,
    ChosenKeys,
    Comparison,
    Create,
    Document,
    Inner,
    Loss,
    Part,
    Reference,
    RepeatsLive,
    Restore,
    Secret,
    Update,
)

_CONFIGURATIONS = f"{DEVICES}/deviceConfigurations"
_TEMPLATES = f"{DEVICES}/groupPolicyConfigurations"
_INTENTS = f"{DEVICES}/intents"
_DEFINITIONS = f"{DEVICES}/groupPolicyDefinitions"

_MAY_READ_SECRETS = "DeviceManagementConfiguration.ReadWrite.All"
_MASK = re.compile(r"\*+")
_KEYED = re.compile(r"wifi|vpn", re.IGNORECASE)


_ORDERED = (
    "apps",
    "dnsSearchDomains",
    "dnsSuffixSearchList",
    "dnsSuffixes",
    "homeScreenDockIcons",
    "homeScreenPages",
    "icons",
    "onDemandRules",
    "pages",
)
"""Where something stands on a home screen, which rule is asked first, and which domain is searched first."""


def _is_masked(setting: Document) -> bool:
    return isinstance(setting.get("value"), str) and _MASK.fullmatch(setting["value"]) is not None


def _masked_values(document: Document) -> list[str]:
    return [
        str(setting.get("displayName") or setting.get("omaUri"))
        for setting in document.get("omaSettings", ())
        if _is_masked(setting)
    ]


def _keys(document: Document) -> list[str]:
    """What a profile of a network may hold and no answer shows."""
    is_keyed = _KEYED.search(str(document.get(ODATA_TYPE))) is not None
    return ["pre-shared keys, passwords and links to certificates, if it had any"] if is_keyed else []


def _readable(body: Document) -> Document:
    """Without the values that are only masks: written, a mask would become the value."""
    if "omaSettings" not in body:
        return body
    return {**body, "omaSettings": [each for each in body["omaSettings"] or () if not _is_masked(each)]}


def _with_secrets(body: Document, raw: Document) -> Document:
    """Masked values are named by the reference that the live object has for them, and so stay what they are."""
    references = {
        setting.get("omaUri"): setting["secretReferenceValueId"]
        for setting in raw.get("omaSettings") or ()
        if setting.get("secretReferenceValueId")
    }
    if "omaSettings" not in body:
        return body
    settings = [
        {**each, "isEncrypted": True, "secretReferenceValueId": references[each["omaUri"]]}
        if _is_masked(each)
        else each
        for each in body["omaSettings"] or ()
        if not _is_masked(each) or each.get("omaUri") in references
    ]
    return {**body, "omaSettings": settings}


_KIOSK = "kioskProfiles[].appConfiguration"
_KIOSK_USERS = "kioskProfiles[].userAccountsConfiguration[]"


_PUBLISHERS_NAME = "an app, by the name that its publisher gave it"
_LISTS_OF_APPS = (
    "appsHideList",
    "appsInstallAllowList",
    "appsLaunchBlockList",
    "appsSingleAppModeList",
    "appsVisibilityList",
    "azureAdSharedDeviceDataClearApps",
    "compliantAppsList",
    "kioskModeApps",
    "networkUsageRules[].managedApps",
    "personalProfilePersonalApplications",
    "singleSignOnSettings.allowedAppsList",
    "targetedMobileApps",
    "trafficRules",
)


def _kiosk_references() -> Iterator[Reference]:
    """Whom and what a kiosk is for: one app, or several."""
    for app in (f"{_KIOSK}.uwpApp", f"{_KIOSK}.apps[]"):
        yield Reference(f"{app}.appId", to="mobileApp", guids=True)
        yield Reference(f"{app}.containedAppId", to="mobileContainedApp", guids=True)
    yield Reference(f"{_KIOSK_USERS}.groupId", to="group")
    yield Reference(f"{_KIOSK_USERS}.userId", to="user")
    yield Reference("kioskModeManagedAppId", to="mobileApp", guids=True)


DEVICE_CONFIGURATION = intune(
    "deviceConfiguration",
    "Device configuration",
    "Device configurations",
    _CONFIGURATIONS,
    comparison=Comparison(
        volatile=(
            "applyOnlyToWindows81",
            "applyOnlyToWindowsPhone81",
            "featureUpdatesPauseStartDate",
            "omaSettings[].isEncrypted",
            "omaSettings[].secretReferenceValueId",
            "preSharedKeyIsSet",
            "qualityUpdatesPauseStartDate",
            "supportsScopeTags",
        ),
        ordered=_ORDERED,
        normalise={"payload": "plist"},
    ),
    references=(
        *TAGS,
        *_kiosk_references(),
        Reference("azureOperationalInsightsWorkspaceId", to="logAnalyticsWorkspace"),
        Reference("microsoftTunnelSiteId", to="microsoftTunnelSite"),
        Reference("perAppVPNProfileId", to="deviceConfiguration"),
    ),
    not_references={
        "androidDeviceOwnerDelegatedScopeAppSettings[].appDetail.appId": _PUBLISHERS_NAME,
        **{f"{apps}[].appId": _PUBLISHERS_NAME for apps in _LISTS_OF_APPS},
        "kioskModeBuiltInAppId": "an app of the device, by the name that its publisher gave it",
        "kioskProfiles[].profileId": "the profile's own id",
    },
    secrets=(
        Secret(
            items="omaSettings",
            value="value",
            reference="secretReferenceValueId",
            path=(
                f"{_CONFIGURATIONS}/{{id}}/getOmaSettingPlainTextValue(secretReferenceValueId='{{reference}}')"
            ),
            permission=_MAY_READ_SECRETS,
            key="omaUri",
            masked=_is_masked,
        ),
    ),
    restore=Restore(
        typed=True,
        create=Create(shape=_readable),
        update=Update(quirks=(RepeatsLive(_with_secrets),)),
        losses=(
            Loss(
                "omaSettings[].value",
                f"it could not be stored because reading it needs {_MAY_READ_SECRETS}; enter it again",
                recreated_only=True,
                items=_masked_values,
            ),
            Loss("preSharedKey", "Intune never returns it; enter it again", recreated_only=True, items=_keys),
        ),
    ),
    notes=(
        "All types of profiles listed here by Intune are collected with all their properties.",
        (
            "Encrypted values of OMA settings are stored, compared and restored if the reader has "
            f"{_MAY_READ_SECRETS}; pages, the API and exports show a mark instead. Without that "
            "permission the values are not readable: a change of only such a value is not detected, "
            "and writing other settings leaves it unchanged."
        ),
        "An Apple profile is compared by the content of its property list, not by its text.",
        (
            "Links between profiles (the certificate of a Wi-Fi profile) are not in the listing and are "
            "not stored."
        ),
    ),
)


def _bound(value: Document) -> Document:
    """One configured definition as the action wants it: what it configures is named by address."""
    definition = f"{_DEFINITIONS}('{value['definition']['id']}')"
    presented = [
        {
            **{name: item for name, item in each.items() if name != "presentation"},
            "presentation@odata.bind": f"{definition}/presentations('{each['presentation']['id']}')",
        }
        for each in value.get("presentationValues", ())
    ]
    remaining: Document = {name: value[name] for name in ("enabled", "configurationType") if name in value}
    return {**remaining, "definition@odata.bind": definition, "presentationValues": presented}


def _definition_changes(wanted: Any, live: Any) -> Document | None:
    """Values are the same where they configure the same definition, whatever their ids."""
    have = {each["definition"]["id"]: each for each in live or ()}
    want = {each["definition"]["id"]: each for each in wanted or ()}
    added = [_bound(want[each]) for each in want if each not in have]
    updated = [
        {"id": have[each]["id"], **_bound(want[each])}
        for each in want
        if each in have and _bound(want[each]) != _bound(have[each])
    ]
    deleted = [have[each]["id"] for each in have if each not in want]
    if not (added or updated or deleted):
        return None
    return {"added": added, "updated": updated, "deletedIds": deleted}


GROUP_POLICY_CONFIGURATION = intune(
    "groupPolicyConfiguration",
    "Administrative template policy",
    "Administrative template policies",
    _TEMPLATES,
    expand={},
    comparison=Comparison(
        volatile=("policyConfigurationIngestionType",),
        computed=(
            "definitionValues[].presentationValues[].createdDateTime",
            "definitionValues[].presentationValues[].id",
            "definitionValues[].presentationValues[].lastModifiedDateTime",
        ),
        nested_fields={
            "definitionValues[].definition": ("categoryPath", "classType", "displayName", "id"),
            "definitionValues[].presentationValues[].presentation": ("id",),
        },
        ordered=("values",),
    ),
    references=(*TAGS, Reference("definitionValues[].definition.id", to="groupPolicyDefinition")),
    not_references={
        "definitionValues[].id": "the value's own id",
        "definitionValues[].presentationValues[].presentation.id": "part of the definition",
    },
    parts=(
        Part(
            "definitionValues",
            f"{_TEMPLATES}/{{id}}/definitionValues",
            params={"$expand": "definition"},
            quirks=(
                Inner(
                    (
                        Part(
                            "presentationValues",
                            f"{_TEMPLATES}/{{id}}/definitionValues/{{element}}/presentationValues",
                            params={"$expand": "presentation"},
                            key=None,
                        ),
                    )
                ),
            ),
        ),
        listed_assignments(_TEMPLATES),
    ),
    restore=Restore(
        writable=("description", "displayName", "roleScopeTagIds"),
        update=Update(
            actions=(
                Action(
                    "definitionValues", f"{_TEMPLATES}/{{id}}/updateDefinitionValues", _definition_changes
                ),
            )
        ),
    ),
    notes=(
        (
            "Values are identified by the definition that they configure; their own IDs change with each "
            "rollback."
        ),
        (
            "Definitions from uploaded ADMX files get new ids when the file is uploaded again: such "
            "values are refused until they are entered manually."
        ),
    ),
)


def _settings_body(settings: Any) -> list[Document]:
    return [
        {name: each[name] for name in (ODATA_TYPE, "definitionId", "valueJson") if name in each}
        for each in settings or ()
    ]


def _changed_settings(wanted: Any, live: Any) -> Document | None:
    known = {each["definitionId"]: each for each in live or ()}
    changed = [each for each in wanted or () if known.get(each["definitionId"]) != each]
    return {"settings": _settings_body(changed)} if changed else None


def _instance(body: Document) -> Document:
    """A policy of this kind is made from its template, which the address names."""
    remaining = {name: value for name, value in body.items() if name not in {"settings", "templateId"}}
    return {**remaining, "settingsDelta": _settings_body(body.get("settings"))}


INTENT = intune(
    "deviceManagementIntent",
    "Endpoint security policy (first generation)",
    "Endpoint security policies (first generation)",
    _INTENTS,
    expand={},
    comparison=Comparison(
        volatile=("isAssigned", "isMigratingToConfigurationPolicy", "settings[].value"),
        computed=("settings[].id",),
        normalise={"settings[].valueJson": "json"},
    ),
    references=(*TAGS, Reference("templateId", to="deviceManagementTemplate")),
    not_references={
        "settings[].definitionId": "a setting of Microsoft's, by its name",
        "settings[].implementationId": "a setting of Microsoft's, by its name",
    },
    parts=(
        Part("settings", f"{_INTENTS}/{{id}}/settings", key="definitionId", quirks=(ChosenKeys(),)),
        listed_assignments(_INTENTS),
    ),
    restore=Restore(
        writable=("description", "displayName", "roleScopeTagIds"),
        create=Create(
            path=f"{DEVICES}/templates/{{templateId}}/createInstance",
            only=("settings", "templateId"),
            listing=_INTENTS,
            shape=_instance,
            new_id_note=f"{NEW_ID} It is made from its template, which Microsoft may have retired.",
        ),
        update=Update(actions=(Action("settings", f"{_INTENTS}/{{id}}/updateSettings", _changed_settings),)),
    ),
    notes=("Settings are compared by their JSON; each is named by its definition.",),
)

TYPES = (DEVICE_CONFIGURATION, GROUP_POLICY_CONFIGURATION, INTENT)
