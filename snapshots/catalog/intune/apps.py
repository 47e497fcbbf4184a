"""Apps, the policies that protect their data, and the policies that configure them.

Facts: Microsoft Graph's beta metadata and reference pages.
"""

from typing import Any

from snapshots.catalog.intune.common import APPS, TAGS, intune, permissions
from snapshots.catalog.places import ODATA_TYPE
from snapshots.catalog.spec import (
    Action,
    Comparison,
    Create,
    Document,
    Guards,
    Irreplaceable,
    Reference,
    ResourceType,
    Restore,
    Update,
)

_PERMISSIONS = permissions("Apps")
_NOT_STATE = ("isAssigned",)
_WITH_APPS = {"$expand": "apps,assignments"}
_CONFIGURATIONS = f"{APPS}/mobileAppConfigurations"

_ELSEWHERE = frozenset(
    {
        "androidManagedStoreApp",
        "androidManagedStoreWebApp",
        "iosVppApp",
        "macOsVppApp",
        "managedAndroidStoreApp",
        "managedIOSStoreApp",
        "microsoftStoreForBusinessApp",
    }
)
_APPLE_CONFIGURATIONS = (
    "cellularSliceConfigurationId",
    "contentFilterConfigurationId",
    "ddmAppConfigId",
    "dnsProxyConfigurationId",
    "relayConfigurationId",
)
_PACKAGES = ("committedContentVersion", "fileName")


def _targeted(wanted: Any, _live: Any) -> Document:
    return {"apps": [{"mobileAppIdentifier": each["mobileAppIdentifier"]} for each in wanted or ()]}


def _with_target_apps(key: str, label: str, plural: str, path: str) -> ResourceType:
    """A policy that names the apps that it is for."""
    return intune(
        key,
        label,
        plural,
        f"{APPS}/{path}",
        allowed=_PERMISSIONS,
        expand=_WITH_APPS,
        comparison=Comparison(
            volatile=("deployedAppCount", *_NOT_STATE),
            nested_fields={"apps[]": ("mobileAppIdentifier",)},
            normalise=dict.fromkeys(_DURATIONS, "duration")
            if key != "targetedManagedAppConfiguration"
            else {},
        ),
        restore=Restore(
            typed=True,
            update=Update(actions=(Action("apps", f"{APPS}/{path}/{{id}}/targetApps", _targeted),)),
        ),
        notes=("Which apps it is for is written whole.",),
    )


_DURATIONS = ("periodOfflineBeforeAccessCheck", "periodOfflineBeforeWipeIsEnforced")

IOS_PROTECTION = _with_target_apps(
    "iosManagedAppProtection",
    "App protection policy (iOS)",
    "App protection policies (iOS)",
    "iosManagedAppProtections",
)
ANDROID_PROTECTION = _with_target_apps(
    "androidManagedAppProtection",
    "App protection policy (Android)",
    "App protection policies (Android)",
    "androidManagedAppProtections",
)
WINDOWS_PROTECTION = _with_target_apps(
    "windowsManagedAppProtection",
    "App protection policy (Windows)",
    "App protection policies (Windows)",
    "windowsManagedAppProtections",
)
APP_CONFIGURATION = _with_target_apps(
    "targetedManagedAppConfiguration",
    "App configuration policy (managed apps)",
    "App configuration policies (managed apps)",
    "targetedManagedAppConfigurations",
)

INFORMATION_PROTECTION = intune(
    "mdmWindowsInformationProtectionPolicy",
    "Windows information protection policy",
    "Windows information protection policies",
    f"{APPS}/mdmWindowsInformationProtectionPolicies",
    allowed=_PERMISSIONS,
    comparison=Comparison(volatile=_NOT_STATE),
    references=(*TAGS, Reference("rightsManagementServicesTemplateId", to="rightsManagementTemplate")),
    restore=Restore(typed=True),
)

DEVICE_APP_CONFIGURATION = intune(
    "managedDeviceMobileAppConfiguration",
    "App configuration policy (managed devices)",
    "App configuration policies (managed devices)",
    _CONFIGURATIONS,
    allowed=_PERMISSIONS,
    references=(*TAGS, Reference("targetedMobileApps[]", to="mobileApp")),
    rank=86,
    restore=Restore(typed=True),
)


def _kind(document: Document) -> str:
    return str(document.get(ODATA_TYPE, "")).removeprefix("#microsoft.graph.")


def _gone_for_good(document: Document) -> str | None:
    if _kind(document) in _ELSEWHERE:
        return "apps of this kind come from a store licence and are synchronised from there."
    if any(name in document for name in _PACKAGES):
        return "its package cannot be downloaded from Intune; upload it again."
    return None


MOBILE_APP = intune(
    "mobileApp",
    "App",
    "Apps",
    f"{APPS}/mobileApps",
    allowed=_PERMISSIONS,
    assigned=("intent", "settings", "target"),
    assign_key="mobileAppAssignments",
    comparison=Comparison(
        volatile=(
            "appAvailability",
            "dependentAppCount",
            "packageId",
            "publishingState",
            "size",
            "supersededAppCount",
            "supersedingAppCount",
            "uploadState",
            *_NOT_STATE,
        )
    ),
    references=(
        *TAGS,
        Reference("assignments[].settings.vpnConfigurationId", to="deviceConfiguration"),
        Reference("vppTokenId", to="vppToken"),
    ),
    not_references={
        "activeInstallScript.targetId": "part of the app's own content",
        "activeUninstallScript.targetId": "part of the app's own content",
        **{
            f"assignments[].settings.{each}": "a configuration for managed Apple devices, which Lavawall does not read"
            for each in _APPLE_CONFIGURATIONS
        },
        "mobileAppCatalogPackageBranchId": "a package of Microsoft's catalogue",
        "mobileAppCatalogPackageId": "a package of Microsoft's catalogue",
        "appTracks[].trackId": "a release track of the app at Google",
        "assignments[].settings.androidManagedStoreAppTrackIds[]": "a release track of the app at Google",
        "revokeLicenseActionResults[].managedDeviceId": "what became of an action",
        "revokeLicenseActionResults[].userId": "what became of an action",
        "vppTokenAppleId": "an account at Apple",
    },
    rank=84,
    restore=Restore(
        typed=True,
        create=Create(only=_PACKAGES, new_id_note="Policies that configure the old app are updated."),
        guards=Guards(quirks=(Irreplaceable(_gone_for_good),)),
    ),
    notes=("An uploaded package cannot be read: such an app can be updated but never recreated.",),
)

TYPES = (
    IOS_PROTECTION,
    ANDROID_PROTECTION,
    WINDOWS_PROTECTION,
    INFORMATION_PROTECTION,
    APP_CONFIGURATION,
    DEVICE_APP_CONFIGURATION,
    MOBILE_APP,
)
