"""Apps, app protection and app configuration, each with its assignments and the apps that it is for."""

from collections.abc import Callable
from typing import Any

from lavawall.emulator import schema
from tests.roundtrip.model import AUTO, Act, Case, Json, World, impossible
from tests.roundtrip.planted import APPS, DEVICES, TYPE, assigned, found
from tests.roundtrip.variation import varied

APP_CONFIGURATIONS, MOBILE_APPS = f"{APPS}/mobileAppConfigurations", f"{APPS}/mobileApps"
COMPUTED = frozenset(
    {"createdDateTime", "deployedAppCount", "id", "isAssigned", "lastModifiedDateTime", "version"}
)
DURATIONS = {"periodBeforePinReset": "P30D", "periodOfflineBeforeWipeIsEnforced": "P180D"}
TAGGED = {
    "roleScopeTagIds": lambda world, _subject: [world.named(f"{DEVICES}/roleScopeTags", "Branch")["id"]]
}
TEXTS = (
    "description",
    "developer",
    "displayName",
    "informationUrl",
    "notes",
    "owner",
    "privacyInformationUrl",
    "publisher",
)
PLATFORMS = {
    "iosManagedAppProtection": ("iosMobileAppIdentifier", {"bundleId": "com.example.planted"}),
    "androidManagedAppProtection": ("androidMobileAppIdentifier", {"packageId": "com.example.planted"}),
    "windowsManagedAppProtection": ("windowsAppIdentifier", {"windowsAppId": "com.example.planted"}),
    "targetedManagedAppConfiguration": ("iosMobileAppIdentifier", {"bundleId": "com.example.planted"}),
}


def everything_of(kind: str) -> Json:
    """Another value for every property that a caller writes."""

    def other(name: str) -> Callable[[World, Json], Any]:
        return lambda _world, subject: varied(subject, name, kind)

    names = [
        name
        for name, declared in schema.type_named(kind).properties.items()
        if not (declared.read_only or name in COMPUTED)
    ]
    return {name: other(name) for name in names} | {
        name: value for name, value in {**DURATIONS, **TAGGED}.items() if name in names
    }


def policy(kind: str, name: str) -> Case:
    path = f"{APPS}/{kind}s"
    identifier, planted = PLATFORMS[kind]
    app = {"mobileAppIdentifier": {"@odata.type": f"{TYPE}{identifier}", **planted}}
    return Case(
        key=kind,
        subject=found(path, name),
        path=f"{path}/{{id}}",
        together=True,
        updates=everything_of(kind),
        create=[
            Act("POST", path, {"@odata.type": f"{TYPE}{kind}", "displayName": "Planted"}),
        ],
        delete=[Act("DELETE", f"{path}/{{id}}")],
        more={**assigned(path), "apps": [Act("POST", f"{path}/{{id}}/targetApps", {"apps": [app]})]},
    )


def _one_app_less(world: World, subject: Json) -> list[str]:
    del subject
    return [world.named(MOBILE_APPS, "Intranet")["id"]]


CASES = (
    policy("iosManagedAppProtection", "Protect mail"),
    policy("androidManagedAppProtection", "Protect mail"),
    policy("windowsManagedAppProtection", "Protect Edge"),
    policy("targetedManagedAppConfiguration", "Mail signature"),
    Case(
        key="mdmWindowsInformationProtectionPolicy",
        subject=found(f"{APPS}/mdmWindowsInformationProtectionPolicies", "Keep company"),
        path=f"{APPS}/mdmWindowsInformationProtectionPolicies/{{id}}",
        together=True,
        updates=everything_of("mdmWindowsInformationProtectionPolicy"),
        create=[
            Act(
                "POST",
                f"{APPS}/mdmWindowsInformationProtectionPolicies",
                {
                    "@odata.type": f"{TYPE}mdmWindowsInformationProtectionPolicy",
                    "displayName": "Planted",
                    "enforcementLevel": "noProtection",
                },
            )
        ],
        delete=[Act("DELETE", f"{APPS}/mdmWindowsInformationProtectionPolicies/{{id}}")],
        more=assigned(f"{APPS}/mdmWindowsInformationProtectionPolicies"),
    ),
    Case(
        key="managedDeviceMobileAppConfiguration",
        subject=found(APP_CONFIGURATIONS, "Mail settings"),
        path=f"{APP_CONFIGURATIONS}/{{id}}",
        typed=True,
        together=True,
        updates={
            "displayName": AUTO,
            "description": AUTO,
            "settings": [
                {
                    "appConfigKey": "server",
                    "appConfigKeyType": "stringType",
                    "appConfigKeyValue": "mail.planted.example",
                }
            ],
            "targetedMobileApps": _one_app_less,
            **TAGGED,
        },
        create=[
            Act(
                "POST",
                APP_CONFIGURATIONS,
                {
                    "@odata.type": f"{TYPE}androidManagedStoreAppConfiguration",
                    "displayName": "Planted",
                    "targetedMobileApps": [],
                },
            )
        ],
        delete=[Act("DELETE", f"{APP_CONFIGURATIONS}/{{id}}")],
        more=assigned(APP_CONFIGURATIONS),
    ),
    Case(
        key="mobileApp",
        subject=found(MOBILE_APPS, "Mail for iOS"),
        path=f"{MOBILE_APPS}/{{id}}",
        typed=True,
        together=True,
        updates={
            **dict.fromkeys(TEXTS, AUTO),
            "isFeatured": AUTO,
            "applicableDeviceType": {"iPad": False, "iPhoneAndIPod": True},
            "appStoreUrl": "https://apps.example.com/planted",
            "bundleId": impossible("which app it is cannot be changed"),
            **TAGGED,
        },
        create=[
            Act(
                "POST",
                MOBILE_APPS,
                {
                    "@odata.type": f"{TYPE}webApp",
                    "displayName": "Planted",
                    "publisher": "Planted",
                    "appUrl": "https://planted.example",
                },
            )
        ],
        delete=[Act("DELETE", f"{MOBILE_APPS}/{{id}}")],
        more={"assignments": assigned(MOBILE_APPS, "mobileAppAssignments", intent="required")["assignments"]},
        types=("managedDeviceMobileAppConfiguration",),
    ),
)
