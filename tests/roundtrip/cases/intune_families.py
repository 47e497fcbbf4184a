"""Families of many types: one object of each is created, changed in whatever it holds, and deleted, all together."""

from collections.abc import Callable, Iterable
from typing import Any

from tests.roundtrip.model import Act, Case, Json, World
from tests.roundtrip.planted import APPS, DEVICES, TYPE, Herd, assigned, found, group, kinds

CONFIGURATIONS = f"{DEVICES}/deviceConfigurations"
ENROLMENT = f"{DEVICES}/deviceEnrollmentConfigurations"
MOBILE_APPS = f"{APPS}/mobileApps"
NEVER_WRITTEN = frozenset(
    {
        "createdDateTime",
        "dependentAppCount",
        "deviceEnrollmentConfigurationType",
        "id",
        "isAssigned",
        "lastModifiedDateTime",
        "platformType",
        "preSharedKeyIsSet",
        "priority",
        "publishingState",
        "supersededAppCount",
        "supersedingAppCount",
        "supportsScopeTags",
        "uploadState",
        "version",
    }
)
ATTACKED_ELSEWHERE = frozenset({"omaSettings", "preSharedKey", "roleScopeTagIds", "targetedMobileApps"})
BLOCK = [{"scheduledActionConfigurations": [{"actionType": "block", "gracePeriodHours": 24}]}]
NOT_CREATED = frozenset(
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


def family(key: str, path: str, variant: str, chosen: Iterable[str], **extra: Any) -> Case:
    herd = Herd(key, path, sorted(chosen), extra, NEVER_WRITTEN | ATTACKED_ELSEWHERE)
    return Case(
        key=key,
        variant=variant,
        subject=herd.subject,
        path=path,
        given=herd.made("Given"),
        create=herd.made("Planted"),
        delete=herd.removed(),
        more={"every property at once": herd.changed()},
    )


def _starts(*prefixes: str) -> Callable[[str], bool]:
    return lambda kind: kind.lower().startswith(prefixes)


_APPLE, _ANDROID = _starts("ios", "macos", "apple"), _starts("android", "aosp")
_ALL = kinds("deviceConfiguration")
_PACKAGED = frozenset(kinds("mobileLobApp")) | frozenset(kinds("managedMobileLobApp"))


def _oma(world: World, subject: Json) -> list[Json]:
    """One value changed, one added, and the encrypted one told by its reference, as the portal does."""
    del world
    by_uri = {each["omaUri"].rpartition("/")[2]: each for each in subject["omaSettings"]}
    planted = {
        "@odata.type": f"{TYPE}omaSettingBoolean",
        "displayName": "Planted",
        "omaUri": "./Vendor/MSFT/Policy/Config/Lavawall/Planted",
        "value": True,
    }
    return [{**_plain(by_uri["IdleMinutes"]), "value": 999}, _plain(by_uri["ProxyAccount"]), planted]


def _plain(setting: Json) -> Json:
    return {name: value for name, value in setting.items() if "@odata" not in name or name == "@odata.type"}


CASES = (
    family("deviceConfiguration", CONFIGURATIONS, "android", filter(_ANDROID, _ALL)),
    family("deviceConfiguration", CONFIGURATIONS, "apple", filter(_APPLE, _ALL)),
    family(
        "deviceConfiguration",
        CONFIGURATIONS,
        "windows",
        (kind for kind in _ALL if not _APPLE(kind) and not _ANDROID(kind)),
    ),
    Case(
        key="deviceConfiguration",
        subject=found(
            CONFIGURATIONS,
            "Windows baseline",
            group=lambda world: group(world, "Managed Windows Devices"),
        ),
        path=f"{CONFIGURATIONS}/{{id}}",
        typed=True,
        together=True,
        updates={
            "roleScopeTagIds": lambda world, _subject: [
                world.named(f"{DEVICES}/roleScopeTags", "Branch")["id"]
            ]
        },
        create=[
            Act(
                "POST",
                CONFIGURATIONS,
                {"@odata.type": f"{TYPE}windows10GeneralConfiguration", "displayName": "Planted"},
            )
        ],
        delete=[Act("DELETE", f"{CONFIGURATIONS}/{{id}}")],
        more={
            **assigned(CONFIGURATIONS),
            "its group deleted for good": [
                Act("DELETE", "/v1.0/groups/{_group}"),
                Act("DELETE", "/v1.0/directory/deletedItems/{_group}"),
            ],
        },
        types=("deviceCompliancePolicy", "group"),
    ),
    Case(
        key="deviceConfiguration",
        variant="OMA settings",
        subject=found(CONFIGURATIONS, "Windows custom"),
        path=f"{CONFIGURATIONS}/{{id}}",
        typed=True,
        updates={"omaSettings": _oma},
        delete=[Act("DELETE", f"{CONFIGURATIONS}/{{id}}")],
        lost={"delete": frozenset({"omaSettings"})},
    ),
    family(
        "deviceCompliancePolicy",
        f"{DEVICES}/deviceCompliancePolicies",
        "every kind",
        kinds("deviceCompliancePolicy"),
        scheduledActionsForRule=BLOCK,
    ),
    family("deviceEnrollmentConfiguration", ENROLMENT, "every kind", kinds("deviceEnrollmentConfiguration")),
    family(
        "managedDeviceMobileAppConfiguration",
        f"{APPS}/mobileAppConfigurations",
        "every kind",
        kinds("managedDeviceMobileAppConfiguration"),
    ),
    family(
        "windowsAutopilotDeploymentProfile",
        f"{DEVICES}/windowsAutopilotDeploymentProfiles",
        "every kind",
        kinds("windowsAutopilotDeploymentProfile"),
    ),
    family(
        "mobileApp",
        MOBILE_APPS,
        "every kind",
        (kind for kind in kinds("mobileApp") if kind not in NOT_CREATED | _PACKAGED),
        publisher="Somebody",
    ),
)
