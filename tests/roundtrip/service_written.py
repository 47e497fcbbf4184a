"""What the service writes itself, declared with the reason. Everything else must be as before the attack.

Types are those of the emulator's export; the reasons are Microsoft's: properties that its reference pages call
read-only or that its service derives from others.
"""

import ipaddress
from collections.abc import Callable, Mapping
from typing import Any

Json = Any

STAMPS: Mapping[str, str] = {
    "lastModifiedDateTime": "the time of the last write",
    "modifiedDateTime": "the time of the last write",
    "deletedDateTime": "null once the object was undeleted",
    "lastModifiedBy.displayName": "who wrote last",
    "systemData.lastModifiedAt": "the time of the last write",
    "systemData.lastModifiedBy": "who wrote last",
    "systemData.lastModifiedByType": "who wrote last",
    "properties.updatedOn": "the time of the last write",
    "properties.updatedBy": "who wrote last",
    "etag": "changes with each write",
}
"""Of every type: read-only properties that each write moves."""

STAMPS_OF_NEW: Mapping[str, str] = {
    "createdDateTime": "the time of the create",
    "systemData.createdAt": "the time of the create",
    "systemData.createdBy": "who created it",
    "systemData.createdByType": "who created it",
    "properties.createdOn": "the time of the create",
    "properties.createdBy": "who created it",
}
"""Of every type: read-only properties of an object that was created anew, at the latest by the rollback."""

_COUNTED = "a counter of writes"
_NUMBERED = "the service numbers the elements anew"
_BEGINS = "a schedule cannot begin in the past: it begins when it is created"
_REQUEST = "names the request that created the schedule"
_ADDRESS = "the address of a stream, with a random part"
_DEFAULT = "cannot be null: the service's default stands where nothing was set"

READ_ONLY: Mapping[tuple[str, str], str] = {
    **dict.fromkeys(
        [
            (name, "version")
            for name in (
                "adminConsentRequestPolicy",
                "androidManagedAppProtection",
                "deviceCompliancePolicy",
                "deviceConfiguration",
                "deviceEnrollmentConfiguration",
                "deviceHealthScript",
                "deviceManagementReusablePolicySetting",
                "iosManagedAppProtection",
                "managedDeviceMobileAppConfiguration",
                "mdmWindowsInformationProtectionPolicy",
                "targetedManagedAppConfiguration",
                "termsAndConditions",
                "windowsManagedAppProtection",
            )
        ],
        _COUNTED,
    ),
    **dict.fromkeys(
        [
            (name, path)
            for name in ("deviceCompliancePolicy", "deviceManagementCompliancePolicy")
            for path in (
                "scheduledActionsForRule[].id",
                "scheduledActionsForRule[].scheduledActionConfigurations[].id",
            )
        ],
        _NUMBERED,
    ),
    ("deviceCompliancePolicy", "scheduledActionsForRule[].ruleName"): "Intune names its only rule",
    ("deviceManagementConfigurationPolicy", "settings[].id"): _NUMBERED,
    ("deviceManagementIntent", "settings[].id"): _NUMBERED,
    **dict.fromkeys(
        [
            (f"{prefix}{kind}Schedule", "scheduleInfo.startDateTime")
            for prefix in ("unifiedRole", "privilegedAccessGroup")
            for kind in ("Assignment", "Eligibility")
        ],
        _BEGINS,
    ),
    **dict.fromkeys(
        [
            (f"{prefix}{kind}Schedule", "createdUsing")
            for prefix in ("unifiedRole", "privilegedAccessGroup")
            for kind in ("Assignment", "Eligibility")
        ],
        _REQUEST,
    ),
    **dict.fromkeys(
        [
            (name, f"{stream}RelativeUrl")
            for name in ("organizationalBranding", "organizationalBrandingLocalization")
            for stream in ("bannerLogo", "customCSS", "squareLogo")
        ],
        _ADDRESS,
    ),
    ("Microsoft.Network/networkSecurityGroups", "properties.resourceGuid"): "Azure chooses it",
    ("Microsoft.Authorization/roleAssignments", "properties.createdBy"): "who created it",
    ("Microsoft.Authorization/roleAssignments", "properties.createdOn"): "the time of the create",
    ("administrativeUnit", "members"): "of a dynamic unit, which the service computes from the rule",
    ("deviceConfiguration", "sharedSecret"): "write-only: nobody can read what it was",
    ("mobileApp", "packageId"): "read-only in the published schema",
}

DEFAULTS: Mapping[tuple[str, str], Json] = {
    ("Microsoft.KeyVault/vaults", "properties.enabledForDiskEncryption"): False,
    ("Microsoft.KeyVault/vaults", "properties.enabledForTemplateDeployment"): False,
    ("Microsoft.KeyVault/vaults", "properties.networkAcls"): {
        "bypass": "AzureServices",
        "defaultAction": "Allow",
    },
    ("Microsoft.Network/networkSecurityGroups", "properties.flushConnection"): False,
    ("application", "oauth2RequirePostResponse"): False,
    ("deviceConfiguration", "backgroundDownloadFromHttpDelayInSeconds"): 0,
    **{("mobileApp", f"minimumSupportedOperatingSystem.v{major}_0"): False for major in range(8, 15)},
    ("profileCardProperty", "isVisible"): False,
}
"""What an absent value means where it cannot be null."""

LOGS = (
    "unifiedRoleAssignmentScheduleRequest",
    "unifiedRoleEligibilityScheduleRequest",
    "privilegedAccessGroupAssignmentScheduleRequest",
    "privilegedAccessGroupEligibilityScheduleRequest",
)
"""Types whose objects record what was asked for. Nothing of them goes; each write adds one."""

BELONGS_TO: Mapping[str, str] = {
    "appManagementPolicies": "appManagementPolicy",
    "claimsMappingPolicies": "claimsMappingPolicy",
    "customSecurityAttributes": "customSecurityAttributeAssignment",
    "homeRealmDiscoveryPolicies": "homeRealmDiscoveryPolicy",
    "tokenIssuancePolicies": "tokenIssuancePolicy",
    "tokenLifetimePolicies": "tokenLifetimePolicy",
}
"""What the emulator keeps with an application or a service principal → the type whose state it is."""

IDENTIFIERS: Mapping[str, tuple[str, ...]] = {
    "application": ("id", "appId"),
    "servicePrincipal": ("id", "appId"),
    "Microsoft.ManagedIdentity/userAssignedIdentities": ("properties.principalId", "properties.clientId"),
}
"""Identifiers that the service gives to a new object, where there are others than the key."""


def explains(type_name: str, path: str, before: Json, after: Json, *, is_new: bool) -> bool:
    """Whether the difference at this path is of the service's own making."""
    return (
        path in STAMPS
        or (is_new and path in STAMPS_OF_NEW)
        or (type_name, path) in READ_ONLY
        or ((type_name, path) in DEFAULTS and not _is_set(before) and after == DEFAULTS[type_name, path])
    )


def _is_set(value: Json) -> bool:
    return isinstance(value, bool | int | str | list | dict)


def _words(text: Json) -> Json:
    return sorted(text.split()) if isinstance(text, str) else text


def _network(text: Json) -> Json:
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        return text


def _rule_of_a_group(rule: Json) -> Json:
    """One prefix or several: Azure shows one alone either way."""
    facts = {**rule["properties"]}
    for name in ("sourceAddressPrefix", "destinationAddressPrefix"):
        several = [*facts.pop(f"{name}es", []), *([facts.pop(name)] if facts.get(name) else [])]
        facts[name] = sorted(_network(each) for each in several)
    return {**rule, "properties": facts}


def _location(body: Json) -> Json:
    ranges = [{**each, "cidrAddress": _network(each.get("cidrAddress"))} for each in body.get("ipRanges", [])]
    return {**body, "ipRanges": ranges} if ranges else body


def _group(body: Json) -> Json:
    properties = body.get("properties", {})
    rules = [_rule_of_a_group(each) for each in properties.get("securityRules", [])]
    return {**body, "properties": {**properties, "securityRules": rules}}


SPELLINGS: Mapping[str, Callable[[Json], Json]] = {
    "namedLocation": _location,
    "Microsoft.Network/networkSecurityGroups": _group,
    "oAuth2PermissionGrant": lambda body: {**body, "scope": _words(body.get("scope"))},
}
"""What the service itself answers in several spellings: brought to one."""


def spelled_alike(type_name: str, body: Json) -> Json:
    spell = SPELLINGS.get(type_name)
    return body if spell is None else spell(body)
