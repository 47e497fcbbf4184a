"""Intune: what protects devices and apps, whom it reaches, and whose code runs on them."""

from typing import Any

import pytest

from changes.severity.audience import audience_of
from tests.changes.severity.casebook import Case
from tests.changes.severity.casebook_settings import MISSING, OFF, ON, appeared, at, loosened, untouched, went

COMPLIANCE, CATALOG, CONFIGURATION = (
    "deviceCompliancePolicy",
    "deviceManagementConfigurationPolicy",
    "deviceConfiguration",
)
SCRIPT, HEALTH, APP = "deviceManagementScript", "deviceHealthScript", "mobileApp"
IOS, ENROLLMENT, AUTOPILOT = (
    "iosManagedAppProtection",
    "deviceEnrollmentConfiguration",
    "windowsAutopilotDeploymentProfile",
)
GIVEN, ROLE = "deviceAndAppManagementRoleAssignment", "deviceAndAppManagementRoleDefinition"
TAG, FILTER = "roleScopeTag", "deviceAndAppManagementAssignmentFilter"
ALL = "allDevices"


def to(*targets: str, base: dict[str, Any] | None = None, intent: str = "", **more: Any) -> dict[str, Any]:
    """A document assigned to groups; `allDevices` to every device, `-group` to all but a group."""
    return {
        **(base or {}),
        "assignments": [{"intent": intent, "target": _target(name, more)} for name in targets],
    }


def _target(name: str, more: dict[str, Any]) -> dict[str, Any]:
    if name == ALL:
        return {"@odata.type": "#microsoft.graph.allDevicesAssignmentTarget", **more}
    kind = "exclusionGroupAssignmentTarget" if name.startswith("-") else "groupAssignmentTarget"
    return {"@odata.type": f"#microsoft.graph.{kind}", "groupId": name.lstrip("-"), **more}


def case(
    kind: str,
    rule: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    severity: str | None,
    direction: str = "weakens",
    either_way: bool = False,
) -> Case:
    title = f"{kind} {severity} {direction}"
    return Case(title, rule, kind, before, after, severity, direction, either_way=either_way)


def reach(kind: str, wide: dict[str, Any], narrow: dict[str, Any], severity: str) -> list[Case]:
    return [
        case(kind, "intune-policy-reach", wide, narrow, severity),
        case(kind, "intune-policy-reach", narrow, wide, "low", "strengthens"),
    ]


def chosen(name: str, value: str) -> dict[str, Any]:
    return {
        "settingInstance": {"settingDefinitionId": name, "choiceSettingValue": {"value": f"{name}_{value}"}}
    }


def listing(name: str, *values: str) -> dict[str, Any]:
    entries = [{"value": value} for value in values]
    return {"settingInstance": {"settingDefinitionId": name, "simpleSettingCollectionValue": entries}}


def catalog(*settings: dict[str, Any]) -> dict[str, Any]:
    return {"name": "Antivirus", "settings": list(settings)}


def asked(path: str, strong: Any, weak: Any, severity: str) -> list[Case]:
    return loosened(COMPLIANCE, "intune-compliance", path, strong, weak, severity)


def app(path: str, strong: Any, weak: Any, severity: str, kind: str = IOS) -> list[Case]:
    return loosened(kind, "intune-app-protection", path, strong, weak, severity)


def blocking(*actions: tuple[str, int]) -> dict[str, Any]:
    configurations = [{"actionType": kind, "gracePeriodHours": hours} for kind, hours in actions]
    return {"scheduledActionsForRule": [{"scheduledActionConfigurations": configurations}]}


def script(content: str = "YQ==", account: str = "system", *targets: str) -> dict[str, Any]:
    return to(*targets, base={"displayName": "Tidy up", "scriptContent": content, "runAsAccount": account})


def allowing(*actions: str) -> dict[str, Any]:
    return {"rolePermissions": [{"resourceActions": [{"allowedResourceActions": list(actions)}]}]}


REALTIME, FOLDERS = (
    "device_vendor_msft_policy_config_defender_allowrealtimemonitoring",
    "device_vendor_msft_policy_config_defender_excludedpaths",
)
SECURITY = {"@odata.type": "#microsoft.graph.windows10EndpointProtectionConfiguration"}
WIRELESS = {"@odata.type": "#microsoft.graph.windowsWifiConfiguration"}
FILTERED = to(
    "a", deviceAndAppManagementAssignmentFilterId="f", deviceAndAppManagementAssignmentFilterType="include"
)
CASES = [
    went(COMPLIANCE, "intune-policy-removed", "high", document=to(ALL)),
    went(COMPLIANCE, "intune-policy-removed", "low", document=to()),
    went(CONFIGURATION, "intune-policy-removed", "high", document=to(ALL, base=SECURITY)),
    went(CONFIGURATION, "intune-policy-removed", "medium", document=to(ALL, base=WIRELESS)),
    went(CATALOG, "intune-policy-removed", "high", document=to(ALL, base=catalog(chosen(REALTIME, "1")))),
    went(
        CATALOG,
        "intune-policy-removed",
        "high",
        document={"templateReference": {"templateFamily": "endpointSecurityFirewall"}},
    ),
    went("deviceManagementIntent", "intune-policy-removed", "high"),
    went("groupPolicyConfiguration", "intune-policy-removed", "medium"),
    went("managedDeviceMobileAppConfiguration", "intune-policy-removed", "medium"),
    went(IOS, "intune-policy-removed", "high"),
    went(ENROLLMENT, "intune-policy-removed", "medium"),
    went(AUTOPILOT, "intune-policy-removed", "medium"),
    appeared(COMPLIANCE, "intune-policy-removed", "low", "strengthens"),
    untouched(COMPLIANCE, "intune-policy-removed"),
    *reach(COMPLIANCE, to(ALL), to(), "high"),
    *reach(COMPLIANCE, to(ALL), to("a"), "high"),
    *reach(COMPLIANCE, to("a", "b"), to("a"), "medium"),
    *reach(CONFIGURATION, to(ALL), to(ALL, "-bosses"), "medium"),
    *reach(CONFIGURATION, to(ALL, base=WIRELESS), to(base=WIRELESS), "medium"),
    *reach(IOS, to("a"), to(), "high"),
    case(COMPLIANCE, "intune-policy-reach", to("a"), FILTERED, "medium", either_way=True),
    case(COMPLIANCE, "intune-policy-reach", to("a", "b"), to("B", "a"), None),
    case(COMPLIANCE, "intune-policy-reach", to(ALL, "a"), to(ALL), None),
    case(CATALOG, "intune-catalog", catalog(chosen(REALTIME, "1")), catalog(chosen(REALTIME, "0")), "high"),
    case(CATALOG, "intune-catalog", catalog(listing(FOLDERS)), catalog(listing(FOLDERS, "C:\\")), "high"),
    case(CATALOG, "intune-catalog", catalog(), catalog(listing(FOLDERS, "C:\\")), "high"),
    case(CATALOG, "intune-catalog", catalog(chosen(REALTIME, "1")), catalog(), "medium"),
    case(CATALOG, "intune-catalog", catalog(chosen("wallpaper", "1")), catalog(), "medium", "neutral"),
    untouched(CATALOG, "intune-catalog", "name"),
    *(
        each
        for name in ("bitLockerEnabled", "passwordRequired", "storageRequireEncryption", "defenderEnabled")
        for each in asked(name, ON, OFF, "high")
    ),
    *asked("securityBlockJailbrokenDevices", ON, MISSING, "high"),
    *asked("tpmRequired", ON, OFF, "medium"),
    *asked("securityDisableUsbDebugging", ON, OFF, "medium"),
    *asked("osMinimumVersion", "10.0.22631", "10.0.9", "medium"),
    *asked("osMinimumVersion", "17.2", MISSING, "medium"),
    *asked("minAndroidSecurityPatchLevel", "2026-01-01", "2024-01-01", "medium"),
    *asked("deviceThreatProtectionRequiredSecurityLevel", "secured", "high", "high"),
    *asked("deviceThreatProtectionRequiredSecurityLevel", "low", "notSet", "high"),
    *asked("passwordMinimumLength", 8, 4, "medium"),
    *asked("passcodeMinutesOfInactivityBeforeLock", 5, 60, "medium"),
    *asked("passwordRequiredType", "alphanumeric", "deviceDefault", "medium"),
    untouched(COMPLIANCE, "intune-compliance", "osMinimumVersion", "17.0", "17"),
    *asked("deviceCompliancePolicyScript", {"deviceComplianceScriptId": "s"}, MISSING, "high"),
    *asked("requiredPasswordComplexity", "high", "low", "medium"),
    *asked("restrictedApps", [{"appId": "com.evil"}], [], "medium"),
    untouched(
        COMPLIANCE,
        "intune-compliance",
        "deviceCompliancePolicyScript",
        {"deviceComplianceScriptId": "s", "rulesContent": "e30="},
        {"deviceComplianceScriptId": "s", "rulesContent": "W10="},
    ),
    case(COMPLIANCE, "intune-compliance-block", blocking(("block", 0)), blocking(("block", 240)), "medium"),
    case(
        COMPLIANCE, "intune-compliance-block", blocking(("block", 0)), blocking(("notification", 0)), "high"
    ),
    case(
        COMPLIANCE,
        "intune-compliance-block",
        blocking(("block", 24)),
        blocking(("block", 0)),
        "low",
        "strengthens",
    ),
    case(
        COMPLIANCE,
        "intune-compliance-block",
        blocking(("block", 0)),
        blocking(("notification", 0), ("Block", 0)),
        None,
    ),
    *loosened("deviceManagement", "intune-tenant", "settings/secureByDefault", ON, OFF, "high"),
    *loosened(
        "deviceManagement",
        "intune-tenant",
        "settings/deviceComplianceCheckinThresholdDays",
        30,
        120,
        "medium",
    ),
    *loosened("deviceManagement", "intune-tenant", "settings/isScheduledActionEnabled", ON, OFF, "medium"),
    untouched("deviceManagement", "intune-tenant"),
    *app("allowedOutboundDataTransferDestinations", "managedApps", "allApps", "high"),
    *app("allowedOutboundClipboardSharingLevel", "managedAppsWithPasteIn", "allApps", "high"),
    *app("allowedInboundDataTransferSources", "managedApps", "allApps", "low"),
    *app("allowedDataStorageLocations", ["sharePoint"], ["sharePoint", "localStorage"], "medium"),
    *app("pinRequired", ON, OFF, "high"),
    *app("deviceComplianceRequired", ON, OFF, "high"),
    *app("encryptAppData", ON, OFF, "high", "androidManagedAppProtection"),
    *app("screenCaptureBlocked", ON, OFF, "medium", "androidManagedAppProtection"),
    *app("dataBackupBlocked", ON, OFF, "medium"),
    *app("printBlocked", ON, OFF, "low"),
    *app("disableAppPinIfDevicePinIsSet", OFF, ON, "medium"),
    *app("minimumPinLength", 6, 4, "medium"),
    *app("maximumPinRetries", 5, 50, "medium"),
    *app("pinCharacterSet", "alphanumericAndSymbol", "numeric", "low"),
    *app("periodOfflineBeforeWipeIsEnforced", "P30D", "P90D", "medium"),
    *app("minimumRequiredOsVersion", "17.2", "16.9", "medium"),
    *app("appDataEncryptionType", "whenDeviceLocked", "useDeviceSettings", "medium"),
    untouched(IOS, "intune-app-protection", "periodOfflineBeforeAccessCheck", "PT12H", "PT720M"),
    *loosened(
        CONFIGURATION,
        "intune-configuration",
        "firewallProfilePublic/firewallEnabled",
        "allowed",
        "blocked",
        "high",
    ),
    *loosened(CONFIGURATION, "intune-configuration", "defenderRequireRealTimeMonitoring", ON, OFF, "high"),
    *loosened(CONFIGURATION, "intune-configuration", "smartScreenBlockPromptOverride", ON, OFF, "medium"),
    *loosened(
        CONFIGURATION, "intune-configuration", "defenderFilesAndFoldersToExclude", [], ["C:\\"], "high"
    ),
    *(
        each
        for path, strong, weak, severity in (
            ("defenderPreventCredentialStealingType", "enable", "auditMode", "high"),
            ("defenderNetworkProtectionType", "enable", MISSING, "high"),
            ("windowsDefenderTamperProtection", "enable", "disable", "high"),
            ("defenderDisableRealTimeMonitoring", OFF, ON, "high"),
            ("fileVaultEnabled", ON, OFF, "high"),
            ("gatekeeperAllowedAppSource", "macAppStore", "anywhere", "high"),
            (
                "deviceGuardLocalSystemAuthorityCredentialGuardSettings",
                "enableWithUEFILock",
                "disable",
                "high",
            ),
            ("qualityUpdatesPaused", OFF, ON, "medium"),
            ("qualityUpdatesDeferralPeriodInDays", MISSING, 30, "medium"),
            ("defenderAttackSurfaceReductionExcludedPaths", [], ["C:\\"], "high"),
        )
        for each in loosened(CONFIGURATION, "intune-configuration", path, strong, weak, severity)
    ),
    untouched(CONFIGURATION, "intune-configuration"),
    *loosened(ENROLLMENT, "intune-enrollment", "iosRestriction/platformBlocked", ON, OFF, "medium"),
    *loosened(
        ENROLLMENT,
        "intune-enrollment",
        "platformRestriction/personalDeviceEnrollmentBlocked",
        ON,
        OFF,
        "medium",
    ),
    *loosened(ENROLLMENT, "intune-enrollment", "androidRestriction/osMinimumVersion", "14.0", "9.0", "low"),
    *loosened(ENROLLMENT, "intune-enrollment", "limit", 5, 15, "low"),
    *loosened(ENROLLMENT, "intune-enrollment", "securityDeviceRequired", ON, OFF, "medium"),
    untouched(ENROLLMENT, "intune-enrollment", "priority", 1, 2),
    *loosened(
        AUTOPILOT,
        "intune-autopilot",
        "outOfBoxExperienceSetting/userType",
        "standard",
        "administrator",
        "medium",
    ),
    untouched(AUTOPILOT, "intune-autopilot"),
    case(SCRIPT, "intune-code", None, script("YQ==", "system", ALL), "critical"),
    case(SCRIPT, "intune-code", None, script("YQ==", "user", ALL), "high"),
    case(SCRIPT, "intune-code", None, script("YQ==", "system", "group"), "high"),
    case("deviceShellScript", "intune-code", None, script(), "medium"),
    case(
        SCRIPT,
        "intune-code",
        script("YQ==", "system", "a"),
        script("Yg==", "system", "a"),
        "high",
        either_way=True,
    ),
    case(
        HEALTH,
        "intune-code",
        to(ALL, base={"remediationScriptContent": "YQ=="}),
        to(ALL, base={"remediationScriptContent": "Yg=="}),
        "critical",
        either_way=True,
    ),
    case(SCRIPT, "intune-code", script("YQ==", "user", "a"), script("YQ==", "system", "a"), "high"),
    case(SCRIPT, "intune-code", script("YQ==", "system", "a"), script("YQ==", "system", ALL), "critical"),
    case(
        SCRIPT, "intune-code", script("YQ==", "system", ALL), script("YQ==", "system", "a"), "low", "neutral"
    ),
    case(SCRIPT, "intune-code", script(), None, "medium", "neutral"),
    case(SCRIPT, "intune-code", script(), {**script(), "displayName": "Cleaner"}, None),
    *loosened(SCRIPT, "intune-code-signing", "enforceSignatureCheck", ON, OFF, "medium", script()),
    untouched(SCRIPT, "intune-code-signing"),
    case(APP, "intune-app-pushed", to(), to(ALL, intent="required"), "high"),
    case(APP, "intune-app-pushed", None, to("a", intent="required"), "medium"),
    case(
        APP,
        "intune-app-pushed",
        to(ALL, base={"installCommandLine": "setup.exe"}, intent="required"),
        to(ALL, base={"installCommandLine": "cmd /c evil"}, intent="required"),
        "high",
        either_way=True,
    ),
    case(APP, "intune-app-pushed", None, to(ALL, intent="available"), "low", "neutral"),
    case(APP, "intune-app-pushed", to(), None, "medium", "neutral"),
    case(APP, "intune-app-pushed", to(), to(ALL, intent="available"), None),
    case(GIVEN, "intune-role-given", None, {"members": ["eve"]}, "high"),
    case(GIVEN, "intune-role-given", {"members": ["anna"]}, {"members": ["anna", "eve"]}, "high"),
    case(GIVEN, "intune-role-given", {"resourceScopes": ["a"]}, {"resourceScopes": ["a", "b"]}, "medium"),
    case(GIVEN, "intune-role-given", {"scopeType": "resourceScope"}, {"scopeType": "allDevices"}, "medium"),
    case(
        GIVEN, "intune-role-given", {"members": ["anna", "eve"]}, {"members": ["anna"]}, "low", "strengthens"
    ),
    case(GIVEN, "intune-role-given", {"members": ["a", "b"]}, {"members": ["B", "A"]}, None),
    case(ROLE, "intune-role-actions", allowing(), allowing("Microsoft.Intune_RemoteTasks_Wipe"), "high"),
    case(ROLE, "intune-role-actions", None, allowing("Microsoft.Intune_Roles_Assign"), "medium"),
    case(ROLE, "intune-role-actions", allowing(), allowing("Microsoft.Intune_Apps_Read"), "low"),
    case(
        ROLE, "intune-role-actions", allowing("Microsoft.Intune_Apps_Read"), allowing(), "low", "strengthens"
    ),
    case(ROLE, "intune-role-actions", allowing(), None, "low", "neutral"),
    untouched(ROLE, "intune-role-actions"),
    case(FILTER, "intune-filter", {"rule": "a"}, {"rule": "b"}, "medium", "neutral"),
    untouched(FILTER, "intune-filter", "rule", "(a  -eq b)", "(a -eq b)"),
    *loosened(TAG, "intune-tag-reach", "assignments", [], [{"groupId": "g"}], "low"),
    untouched(TAG, "intune-tag-reach"),
    appeared(TAG, "intune-scope-life", "low", "neutral"),
    went(TAG, "intune-scope-life", "medium", "neutral"),
    appeared(FILTER, "intune-scope-life", "low", "neutral"),
    went(FILTER, "intune-scope-life", "medium", "neutral"),
    went(GIVEN, "intune-scope-life", "low", "neutral"),
    untouched(TAG, "intune-scope-life"),
]


@pytest.mark.parametrize(
    ("before", "after", "missed"),
    [
        (to("a"), to("A"), set()),
        (to("a", "b"), to("a"), {"group b"}),
        (to(ALL, "a"), to(ALL), set()),
        (to(ALL), to(ALL, "-a"), {"group a"}),
        (to(ALL), at("assignments", []), {"all devices"}),
        (
            to("a"),
            to("a", deviceAndAppManagementAssignmentFilterId="00000000-0000-0000-0000-000000000000"),
            set(),
        ),
    ],
)
def test_whom_a_narrower_assignment_misses(
    before: dict[str, Any], after: dict[str, Any], missed: set[str]
) -> None:
    assert audience_of(after).misses(audience_of(before)) == missed
