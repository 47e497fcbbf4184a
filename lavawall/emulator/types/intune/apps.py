"""Apps and what is configured about them: protection and configuration policies, and the apps that these name."""

from dataclasses import replace
from typing import Any

from lavawall.emulator import registry, schema
from lavawall.emulator.errors import bad_request, resource_not_found
from lavawall.emulator.licences import INTUNE
from lavawall.emulator.model import BETA, Action, EntityType, Write
from lavawall.emulator.odata import listing
from lavawall.emulator.presentation import present
from lavawall.emulator.requests import Answer, Call
from lavawall.emulator.store import Json, Record, Session
from lavawall.emulator.types.intune.assignments import Assigning, assignable
from lavawall.emulator.types.intune.core import (
    APPS,
    CONFIGURATION,
    add_event,
    entries,
    intune_type,
    located,
    payload,
    touch,
)
from lavawall.emulator.types.intune.parts import Parts
from lavawall.emulator.validation import WriteRules, checked_body

MOBILE_APP = "mobileApp"
APP_RULES = WriteRules(writable=frozenset({"id"}))
IDENTIFIERS = {
    "iosManagedAppProtection": ("iosMobileAppIdentifier",),
    "androidManagedAppProtection": ("androidMobileAppIdentifier",),
    "windowsManagedAppProtection": ("windowsAppIdentifier",),
    "targetedManagedAppConfiguration": ("iosMobileAppIdentifier", "androidMobileAppIdentifier"),
}
PROTECTED_APPS = Parts("apps", "managedMobileApp")
PROTECTION_DEFAULTS: Json = {
    "allowedDataStorageLocations": [],
    "allowedInboundDataTransferSources": "allApps",
    "allowedOutboundClipboardSharingLevel": "allApps",
    "allowedOutboundDataTransferDestinations": "allApps",
    "contactSyncBlocked": False,
    "dataBackupBlocked": False,
    "deviceComplianceRequired": False,
    "disableAppPinIfDevicePinIsSet": False,
    "fingerprintBlocked": False,
    "managedBrowser": "notConfigured",
    "managedBrowserToOpenLinksRequired": False,
    "maximumPinRetries": 5,
    "minimumPinLength": 4,
    "organizationalCredentialsRequired": False,
    "periodBeforePinReset": "PT0S",
    "periodOfflineBeforeAccessCheck": "PT12H",
    "periodOfflineBeforeWipeIsEnforced": "P90D",
    "periodOnlineBeforeAccessCheck": "PT30M",
    "pinCharacterSet": "numeric",
    "pinRequired": False,
    "printBlocked": False,
    "saveAsBlocked": False,
    "simplePinBlocked": False,
}
NOT_CREATABLE = frozenset(
    {
        "#microsoft.graph.androidManagedStoreApp",
        "#microsoft.graph.androidManagedStoreWebApp",
        "#microsoft.graph.iosVppApp",
        "#microsoft.graph.macOsVppApp",
        "#microsoft.graph.microsoftStoreForBusinessApp",
        "#microsoft.graph.managedIOSStoreApp",
        "#microsoft.graph.managedAndroidStoreApp",
    }
)


def target_apps(call: Call, kind: EntityType) -> Answer:
    """Puts a new list of apps in the place of the old one."""
    record = located(call, kind)
    body = payload(call, "apps", "appGroupType")
    apps = [_app(call.session, kind, each) for each in entries(body, "apps")]
    if len({each["id"] for each in apps}) < len(apps):
        raise bad_request("An app is targeted more than once.", "BadRequest")
    record.body["apps"] = apps
    record.body["deployedAppCount"] = len(apps)
    if "appGroupType" in body:
        record.body["appGroupType"] = body["appGroupType"]
    touch(call.session, kind, record)
    add_event(call.session, "TargetApps", record)
    return Answer(204)


def _app(session: Session, kind: EntityType, body: Json) -> Json:
    checked = checked_body(body, PROTECTED_APPS.schema, APP_RULES, creating=True, version=session.version)
    identifier = checked.get("mobileAppIdentifier") or {}
    type_name = str(identifier.get("@odata.type", "")).removeprefix("#microsoft.graph.")
    if type_name not in IDENTIFIERS[kind.name]:
        raise bad_request(f"A '{type_name}' is no app that a {kind.name} can target.", "BadRequest")
    key = next(value for name, value in identifier.items() if name != "@odata.type")
    platform = type_name.removesuffix("MobileAppIdentifier").removesuffix("AppIdentifier")
    return {**checked, "id": f"{key}.{platform}".lower()}


def _app_policy(name: str, plural: str = "", **more: Any) -> tuple[EntityType, ...]:
    """A typed app policy that targets apps."""

    def handler(call: Call) -> Answer:
        return target_apps(call, registry.kind(name))

    kind, assignment = assignable(
        intune_type(
            name,
            f"/deviceAppManagement/{plural or name + 's'}",
            APPS,
            rules=WriteRules(required=("displayName",)),
            actions=(Action("POST", "targetApps", handler, APPS.write),),
            expand=PROTECTED_APPS.expansions(),
            on_request=frozenset({"apps"}),
            **more,
        ),
        Assigning("targetedManagedAppPolicyAssignment"),
    )
    return kind, assignment, PROTECTED_APPS.kind(kind)


def _information_protection(name: str, plural: str) -> tuple[EntityType, ...]:
    return assignable(
        intune_type(
            name,
            f"/deviceAppManagement/{plural}",
            APPS,
            rules=WriteRules(required=("displayName", "enforcementLevel")),
        ),
        Assigning("targetedManagedAppPolicyAssignment"),
    )


POLICIES = (
    *_app_policy(
        "iosManagedAppProtection",
        defaults={
            **PROTECTION_DEFAULTS,
            "appDataEncryptionType": "whenDeviceLocked",
            "deployedAppCount": 0,
            "faceIdBlocked": False,
        },
    ),
    *_app_policy(
        "androidManagedAppProtection",
        defaults={
            **PROTECTION_DEFAULTS,
            "deployedAppCount": 0,
            "disableAppEncryptionIfDeviceEncryptionIsEnabled": False,
            "encryptAppData": False,
            "screenCaptureBlocked": False,
        },
    ),
    *_app_policy("windowsManagedAppProtection", versions=BETA, defaults={"deployedAppCount": 0}),
    *_app_policy("targetedManagedAppConfiguration", defaults={"customSettings": [], "deployedAppCount": 0}),
    *_information_protection(
        "mdmWindowsInformationProtectionPolicy", "mdmWindowsInformationProtectionPolicies"
    ),
    *_information_protection("windowsInformationProtectionPolicy", "windowsInformationProtectionPolicies"),
)
POLICY_NAMES = tuple(each.name for each in POLICIES if "/" not in each.name)


def _policies(call: Call) -> list[Record]:
    return [each for name in POLICY_NAMES for each in call.session.directory.all(name)]


def list_policies(call: Call) -> Answer:
    kind = registry.kind("managedAppPolicy")
    return Answer(200, listing(call, kind, _policies(call), polymorphic=True))


def get_policy(call: Call) -> Answer:
    for record in _policies(call):
        if record.id == call.parameter("id"):
            kind = registry.kind(record.type_name)
            return Answer(200, present(call.session, kind, record, single=True, polymorphic=True))
    raise resource_not_found(call.parameter("id"))


def check_app(write: Write) -> None:
    if write.creating and not write.session.is_seeding and write.after["@odata.type"] in NOT_CREATABLE:
        raise bad_request(f"Apps of the type '{write.after['@odata.type']}' cannot be created.", "BadRequest")
    is_package = schema.type_of(write.after, MOBILE_APP).is_a("mobileLobApp")
    write.after.setdefault("publishingState", "notPublished" if is_package else "published")
    write.after.setdefault("isFeatured", False)


def check_published(write: Write) -> None:
    app = write.session.directory.get(MOBILE_APP, write.parent_id)
    if app is not None and app.body["publishingState"] != "published":
        raise bad_request("The app has no content yet: it cannot be assigned.", "BadRequest")


def check_targeted_apps(write: Write) -> None:
    apps = write.after.get("targetedMobileApps") or []
    missing = [each for each in apps if write.session.directory.get(MOBILE_APP, each) is None]
    if "targetedMobileApps" in write.body and missing:
        raise bad_request(f"The apps {missing} do not exist.", "BadRequest")


APP, APP_ASSIGNMENT = assignable(
    intune_type(
        MOBILE_APP,
        "/deviceAppManagement/mobileApps",
        APPS,
        rules=WriteRules(
            required=("displayName", "publisher"),
            computed=frozenset({"publishingState"}),
            writable=frozenset({"version"}),
        ),
        checks=(check_app,),
    ),
    Assigning("mobileAppAssignment", key="mobileAppAssignments"),
)
KINDS = (
    *POLICIES,
    EntityType(
        name="managedAppPolicy",
        path="/deviceAppManagement/managedAppPolicies",
        read=APPS.read + CONFIGURATION.read,
        verbs=frozenset(),
        service="intune",
        licence=INTUNE,
        actions=(
            Action(
                "GET",
                "/deviceAppManagement/managedAppPolicies",
                list_policies,
                APPS.read + CONFIGURATION.read,
            ),
            Action(
                "GET",
                "/deviceAppManagement/managedAppPolicies/{id}",
                get_policy,
                APPS.read + CONFIGURATION.read,
            ),
        ),
    ),
    APP,
    replace(APP_ASSIGNMENT, checks=(check_published, *APP_ASSIGNMENT.checks)),
    *assignable(
        intune_type(
            "managedDeviceMobileAppConfiguration",
            "/deviceAppManagement/mobileAppConfigurations",
            APPS,
            rules=WriteRules(required=("displayName",)),
            checks=(check_targeted_apps,),
        ),
        Assigning("managedDeviceMobileAppConfigurationAssignment"),
    ),
)
