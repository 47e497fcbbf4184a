"""Table-driven rules on Intune policies for devices and apps."""

from collections.abc import Iterator
from math import inf
from typing import Any

from changes.severity.declared_settings import (
    Members,
    Rank,
    Setting,
    Watched,
    fewer_protect,
    ladder,
    more_protects,
    newer_protects,
    off_protects,
    on_protects,
    shorter_protects,
    watching,
)
from changes.severity.model import Context, Hit, Rule, Severity, Subject, strengthens, weakens
from changes.severity.readers import number, rows, word
from changes.severity.rules.intune.protection import APP_PROTECTION, COMPLIANCE, MAESTER, TECHNIQUE
from snapshots.catalog.spec import Document

HEALTHY = "Devices without it count as compliant and pass Conditional Access"
LEAKS = "Company data can leave the managed apps"
OPEN_APP = "Anyone with the unlocked phone can read company data"


def _asked(severity: Severity, *names: str) -> tuple[Setting, ...]:
    return tuple(Setting(name, name, on_protects(), severity, HEALTHY) for name in names)


LEVELS = ladder("unavailable", "notSet", "high", "medium", "low", "secured", missing="unavailable")
"""The highest threat level at which a device still counts as compliant."""
PASSWORDS = ("password", "passcode", "workProfilePassword")
COMPLEXITY = ladder("none", "low", "medium", "high", missing="none")
APP_SOURCES = ladder(
    ("anywhere", "notConfigured"),
    "macAppStoreAndIdentifiedDevelopers",
    "macAppStore",
    missing="notConfigured",
)


def present_protects(value: Any) -> Rank:
    """A check that exists or not. Different checks cannot be compared."""
    return (0.0 if value is None else 1.0,)


COMPLIANCE_SETTINGS: tuple[Watched, ...] = (
    *_asked(
        Severity.HIGH,
        "activeFirewallRequired",
        "antivirusRequired",
        "bitLockerEnabled",
        "defenderEnabled",
        "deviceThreatProtectionEnabled",
        "firewallEnabled",
        "passcodeRequired",
        "passwordRequired",
        "rtpEnabled",
        "secureBootEnabled",
        "securityBlockJailbrokenDevices",
        "storageRequireEncryption",
        "systemIntegrityProtectionEnabled",
        "workProfileRequirePassword",
    ),
    *_asked(
        Severity.MEDIUM,
        "antiSpywareRequired",
        "codeIntegrityEnabled",
        "configurationManagerComplianceRequired",
        "earlyLaunchAntiMalwareDriverEnabled",
        "firewallBlockAllIncoming",
        "firewallEnableStealthMode",
        "firmwareProtectionEnabled",
        "kernelDmaProtectionEnabled",
        "managedEmailProfileRequired",
        "memoryIntegrityEnabled",
        "passcodeBlockSimple",
        "passwordBlockSimple",
        "passwordRequireToUnlockFromIdle",
        "passwordRequiredToUnlockFromIdle",
        "requireHealthyDeviceReport",
        "requireNoPendingSystemUpdates",
        "securityBlockDeviceAdministratorManagedDevices",
        "securityDisableUsbDebugging",
        "securityPreventInstallAppsFromUnknownSources",
        "securityRequireCompanyPortalAppIntegrity",
        "securityRequireGooglePlayServices",
        "securityRequireIntuneAppIntegrity",
        "securityRequireSafetyNetAttestationBasicIntegrity",
        "securityRequireSafetyNetAttestationCertifiedDevice",
        "securityRequireUpToDateSecurityProviders",
        "securityRequireVerifyApps",
        "signatureOutOfDate",
        "tpmRequired",
        "virtualizationBasedSecurityEnabled",
    ),
    *(
        Setting(
            name,
            name,
            newer_protects,
            Severity.MEDIUM,
            "Devices with known vulnerabilities count as compliant",
        )
        for name in (
            "osMinimumVersion",
            "osMinimumBuildVersion",
            "mobileOsMinimumVersion",
            "minAndroidSecurityPatchLevel",
            "defenderVersion",
        )
    ),
    *(
        Setting(name, name, LEVELS, Severity.HIGH, "Devices under attack count as compliant")
        for name in (
            "deviceThreatProtectionRequiredSecurityLevel",
            "advancedThreatProtectionRequiredSecurityLevel",
        )
    ),
    *(
        Setting(f"{noun}{name}", f"{noun}{name}", rank, Severity.MEDIUM, "Devices are easier to unlock")
        for noun in PASSWORDS
        for name, rank in (
            ("MinimumLength", more_protects()),
            ("MinimumCharacterSetCount", more_protects()),
            ("MinutesOfInactivityBeforeLock", fewer_protect()),
            (
                "RequiredType",
                ladder(
                    "deviceDefault",
                    "any",
                    "lowSecurityBiometric",
                    "numeric",
                    "numericComplex",
                    "alphabetic",
                    "alphanumeric",
                    "alphanumericWithSymbols",
                    missing="deviceDefault",
                ),
            ),
            *(
                (f"Minimum{kind}Characters", more_protects())
                for kind in ("Letter", "LowerCase", "NonLetter", "Numeric", "Symbol", "UpperCase")
            ),
            ("PreviousPasswordBlockCount", more_protects()),
            ("PreviousPasswordCountToBlock", more_protects()),
            ("PreviousPasscodeBlockCount", more_protects()),
            ("SignInFailureCountBeforeFactoryReset", fewer_protect()),
            ("MinutesOfInactivityBeforeScreenTimeout", fewer_protect()),
        )
    ),
    *(
        Setting(name, name, COMPLEXITY, Severity.MEDIUM, "Devices are easier to unlock")
        for name in ("requiredPasswordComplexity", "workProfileRequiredPasswordComplexity")
    ),
    Setting(
        "workProfileInactiveBeforeScreenLockInMinutes",
        "workProfileInactiveBeforeScreenLockInMinutes",
        fewer_protect(),
        Severity.MEDIUM,
        "Devices are easier to unlock",
    ),
    Setting(
        "deviceCompliancePolicyScript/deviceComplianceScriptId",
        "the custom compliance script",
        present_protects,
        Severity.HIGH,
        HEALTHY,
    ),
    Setting(
        "workProfilePreviousPasswordBlockCount",
        "workProfilePreviousPasswordBlockCount",
        more_protects(),
        Severity.MEDIUM,
        "Devices are easier to unlock",
    ),
    Setting(
        "validOperatingSystemBuildRanges",
        "the list of valid operating system builds",
        present_protects,
        Severity.MEDIUM,
        "Devices with known vulnerabilities count as compliant",
    ),
    Setting(
        "gatekeeperAllowedAppSource", "gatekeeperAllowedAppSource", APP_SOURCES, Severity.MEDIUM, HEALTHY
    ),
    Setting(
        "securityRequiredAndroidSafetyNetEvaluationType",
        "the kind of device attestation",
        ladder("basic", "hardwareBacked", missing="basic"),
        Severity.MEDIUM,
        HEALTHY,
    ),
    Members(
        "restrictedApps",
        "the forbidden apps",
        Severity.MEDIUM,
        gain_weakens=False,
        effect=HEALTHY,
        key="appId",
    ),
)
TENANT_SETTINGS = (
    Setting(
        "settings/secureByDefault",
        "marking devices without a policy as not compliant",
        on_protects(),
        Severity.HIGH,
        "Devices without a policy pass Conditional Access",
    ),
    Setting(
        "settings/deviceComplianceCheckinThresholdDays",
        "the days without contact before a device counts as not compliant",
        fewer_protect(),
        Severity.MEDIUM,
        "Lost and inactive devices pass Conditional Access for longer",
    ),
    Setting("settings/isScheduledActionEnabled", "scheduled actions", on_protects(), Severity.MEDIUM),
)


def _hours_to_block(document: Document | None) -> float:
    """How long a non-compliant device still passes; infinite if nothing blocks it."""
    return min(
        (
            number(dict(action), "gracePeriodHours") or 0.0
            for rule in rows(document, "scheduledActionsForRule")
            for action in rows(dict(rule), "scheduledActionConfigurations")
            if word(dict(action), "actionType") == "block"
        ),
        default=inf,
    )


def block_delayed(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    if subject.kind != "updated":
        return
    before, after = _hours_to_block(subject.before), _hours_to_block(subject.after)
    when = "never" if after == inf else f"after {after:g} hours"
    if after > before:
        severity = Severity.HIGH if after == inf else Severity.MEDIUM
        yield weakens(severity, f"{subject.name} blocks a non-compliant device {when}, later than before.")
    elif after < before:
        yield strengthens(f"{subject.name} blocks a non-compliant device {when}.")


TRANSFER = ladder("allApps", "managedApps", "none", missing="allApps")
APP_SETTINGS: tuple[Watched, ...] = (
    Setting(
        "allowedOutboundDataTransferDestinations", "where apps may send data", TRANSFER, Severity.HIGH, LEAKS
    ),
    Setting(
        "allowedOutboundClipboardSharingLevel",
        "where copied text may be pasted",
        ladder("allApps", "managedAppsWithPasteIn", "managedApps", "blocked", missing="allApps"),
        Severity.HIGH,
        LEAKS,
    ),
    Setting("allowedInboundDataTransferSources", "from where apps may receive data", TRANSFER, Severity.LOW),
    Members(
        "allowedDataStorageLocations", "the places where data may be saved", Severity.MEDIUM, effect=LEAKS
    ),
    *(
        Setting(name, what, on_protects(), severity, effect)
        for name, what, severity, effect in (
            ("pinRequired", "a PIN for the app", Severity.HIGH, OPEN_APP),
            ("organizationalCredentialsRequired", "sign-in to the app", Severity.MEDIUM, OPEN_APP),
            ("simplePinBlocked", "the ban on simple PINs", Severity.MEDIUM, OPEN_APP),
            (
                "deviceComplianceRequired",
                "a device without jailbreak or root",
                Severity.HIGH,
                "Company data is stored on rooted devices",
            ),
            ("encryptAppData", "encryption of app data", Severity.HIGH, LEAKS),
            ("dataBackupBlocked", "the ban on backups", Severity.MEDIUM, LEAKS),
            ("saveAsBlocked", "the ban on saving copies elsewhere", Severity.MEDIUM, LEAKS),
            ("printBlocked", "the ban on printing", Severity.LOW, LEAKS),
            ("contactSyncBlocked", "the ban on syncing contacts", Severity.LOW, LEAKS),
            ("screenCaptureBlocked", "the ban on screen captures", Severity.MEDIUM, LEAKS),
            (
                "managedBrowserToOpenLinksRequired",
                "opening links in the managed browser",
                Severity.LOW,
                LEAKS,
            ),
            ("keyboardsRestricted", "the restriction of keyboards", Severity.LOW, LEAKS),
        )
    ),
    *(
        Setting(name, what, off_protects(), Severity.MEDIUM, effect)
        for name, what, effect in (
            ("disableAppPinIfDevicePinIsSet", "skipping the PIN on a locked device", OPEN_APP),
            ("disableAppEncryptionIfDeviceEncryptionIsEnabled", "skipping the app's encryption", LEAKS),
        )
    ),
    Setting("minimumPinLength", "the length of the PIN", more_protects(), Severity.MEDIUM, OPEN_APP),
    Setting(
        "maximumPinRetries",
        "the number of wrong PINs before a reset",
        fewer_protect(),
        Severity.MEDIUM,
        OPEN_APP,
    ),
    Setting("pinCharacterSet", "the PIN type", ladder("numeric", "alphanumericAndSymbol"), Severity.LOW),
    *(
        Setting(name, what, shorter_protects(), Severity.MEDIUM, OPEN_APP)
        for name, what in (
            ("periodOfflineBeforeAccessCheck", "the time offline before a check"),
            ("periodOnlineBeforeAccessCheck", "the time online before a check"),
            ("periodOfflineBeforeWipeIsEnforced", "the time offline before data is wiped"),
        )
    ),
    *(
        Setting(
            name,
            name,
            newer_protects,
            Severity.MEDIUM,
            "Company data is stored on versions with known vulnerabilities",
        )
        for name in ("minimumRequiredOsVersion", "minimumRequiredAppVersion", "minimumRequiredPatchVersion")
    ),
    Setting(
        "appDataEncryptionType",
        "when app data is encrypted",
        ladder(
            "useDeviceSettings", "afterDeviceRestart", "whenDeviceLockedExceptOpenFiles", "whenDeviceLocked"
        ),
        Severity.MEDIUM,
        LEAKS,
    ),
)
FIREWALL = ladder(("blocked", "notConfigured"), "allowed", missing="notConfigured")
"""`allowed` allows the firewall to run."""
STOPPED = "Malware that was blocked can run"
SURFACE = ladder(
    ("userDefined", "disable", "notConfigured"),
    "auditMode",
    "warn",
    ("block", "enable"),
    missing="userDefined",
)
"""Modes of attack surface reduction, network protection and controlled folder access."""
ENABLEMENT = ladder("disabled", "notConfigured", "enabled", missing="notConfigured")
EXEMPT = "Malware in these places is not scanned"
CONFIGURATION_SETTINGS: tuple[Watched, ...] = (
    *(
        Setting(
            f"firewallProfile{zone}/firewallEnabled",
            f"the firewall in {zone} networks",
            FIREWALL,
            Severity.HIGH,
        )
        for zone in ("Domain", "Private", "Public")
    ),
    *(
        Setting(name, name, on_protects(), severity, "Malware that was blocked can run")
        for name, severity in (
            ("bitLockerEncryptDevice", Severity.HIGH),
            ("defenderRequireRealTimeMonitoring", Severity.HIGH),
            ("defenderRequireBehaviorMonitoring", Severity.HIGH),
            ("defenderRequireCloudProtection", Severity.MEDIUM),
            ("defenderRequireNetworkInspectionSystem", Severity.MEDIUM),
            ("defenderScanDownloads", Severity.MEDIUM),
            ("defenderScanScriptsLoadedInInternetExplorer", Severity.MEDIUM),
            ("smartScreenEnableInShell", Severity.MEDIUM),
            ("smartScreenBlockOverrideForFiles", Severity.MEDIUM),
            ("smartScreenBlockPromptOverride", Severity.MEDIUM),
            ("passwordRequired", Severity.MEDIUM),
            ("storageRequireDeviceEncryption", Severity.HIGH),
        )
    ),
    *(
        Setting(name, name, SURFACE, Severity.HIGH, STOPPED)
        for name in (
            "defenderAdobeReaderLaunchChildProcess",
            "defenderAdvancedRansomewareProtectionType",
            "defenderBlockPersistenceThroughWmiType",
            "defenderEmailContentExecution",
            "defenderEmailContentExecutionType",
            "defenderGuardMyFoldersType",
            "defenderNetworkProtectionType",
            "defenderOfficeAppsExecutableContentCreationOrLaunch",
            "defenderOfficeAppsExecutableContentCreationOrLaunchType",
            "defenderOfficeAppsLaunchChildProcess",
            "defenderOfficeAppsLaunchChildProcessType",
            "defenderOfficeAppsOtherProcessInjection",
            "defenderOfficeAppsOtherProcessInjectionType",
            "defenderOfficeCommunicationAppsLaunchChildProcess",
            "defenderOfficeMacroCodeAllowWin32Imports",
            "defenderOfficeMacroCodeAllowWin32ImportsType",
            "defenderPreventCredentialStealingType",
            "defenderProcessCreation",
            "defenderProcessCreationType",
            "defenderScriptDownloadedPayloadExecution",
            "defenderScriptDownloadedPayloadExecutionType",
            "defenderScriptObfuscatedMacroCode",
            "defenderScriptObfuscatedMacroCodeType",
            "defenderUntrustedExecutable",
            "defenderUntrustedExecutableType",
            "defenderUntrustedUSBProcess",
            "defenderUntrustedUSBProcessType",
        )
    ),
    *(
        Setting(name, name, off_protects(), Severity.HIGH, STOPPED)
        for name in (
            "defenderDisableBehaviorMonitoring",
            "defenderDisableCloudProtection",
            "defenderDisableIntrusionPreventionSystem",
            "defenderDisableOnAccessProtection",
            "defenderDisableRealTimeMonitoring",
            "defenderDisableScanDownloads",
            "defenderDisableScanScriptsLoadedInInternetExplorer",
        )
    ),
    *(
        Setting(name, name, ENABLEMENT, Severity.HIGH, STOPPED)
        for name in (
            "defenderAllowBehaviorMonitoring",
            "defenderAllowCloudProtection",
            "defenderAllowIntrusionPreventionSystem",
            "defenderAllowOnAccessProtection",
            "defenderAllowRealTimeMonitoring",
            "defenderAllowScanDownloads",
            "defenderAllowScanScriptsLoadedInInternetExplorer",
        )
    ),
    Setting(
        "windowsDefenderTamperProtection",
        "tamper protection",
        ladder("disable", "notConfigured", "enable", missing="notConfigured"),
        Severity.HIGH,
        STOPPED,
    ),
    Setting(
        "defenderPotentiallyUnwantedAppAction",
        "the action on unwanted apps",
        ladder(("disabled", "userDefined", "deviceDefault"), "audit", "block", missing="userDefined"),
        Severity.MEDIUM,
        STOPPED,
    ),
    Setting(
        "defenderMonitorFileActivity",
        "monitoring of files",
        ladder(
            "disable",
            ("monitorIncomingFilesOnly", "monitorOutgoingFilesOnly"),
            ("userDefined", "monitorAllFiles"),
            missing="userDefined",
        ),
        Severity.HIGH,
        STOPPED,
    ),
    Setting(
        "deviceGuardLocalSystemAuthorityCredentialGuardSettings",
        "Credential Guard",
        ladder(
            ("disable", "notConfigured"),
            "enableWithoutUEFILock",
            "enableWithUEFILock",
            missing="notConfigured",
        ),
        Severity.HIGH,
        "Anyone who runs code on a device can read its credentials",
    ),
    Setting(
        "deviceGuardEnableVirtualizationBasedSecurity",
        "virtualisation-based security",
        on_protects(),
        Severity.HIGH,
        "Anyone who runs code on a device can read its credentials",
    ),
    Setting(
        "appLockerApplicationControl",
        "application control",
        ladder(
            "notConfigured",
            ("auditComponentsAndStoreApps", "auditComponentsStoreAppsAndSmartlocker"),
            ("enforceComponentsAndStoreApps", "enforceComponentsStoreAppsAndSmartlocker"),
            missing="notConfigured",
        ),
        Severity.HIGH,
        STOPPED,
    ),
    Setting(
        "fileVaultEnabled", "FileVault", on_protects(), Severity.HIGH, "Data on a stolen Mac can be read"
    ),
    Setting("firewallEnabled", "the firewall", on_protects(), Severity.HIGH),
    Setting("gatekeeperAllowedAppSource", "the allowed sources of apps", APP_SOURCES, Severity.HIGH, STOPPED),
    Setting(
        "gatekeeperBlockOverride", "the ban on bypassing Gatekeeper", on_protects(), Severity.MEDIUM, STOPPED
    ),
    Setting(
        "passcodeRequired",
        "the passcode",
        on_protects(),
        Severity.HIGH,
        "Data on a stolen device can be read",
    ),
    *(
        Setting(f"{noun}{name}", f"{noun}{name}", rank, Severity.MEDIUM, "Devices are easier to unlock")
        for noun in PASSWORDS
        for name, rank in (
            ("BlockSimple", on_protects()),
            ("MinimumLength", more_protects()),
            ("MinutesOfInactivityBeforeLock", fewer_protect()),
        )
    ),
    Setting(
        "qualityUpdatesPaused",
        "the pause of quality updates",
        off_protects(),
        Severity.MEDIUM,
        "Devices keep known vulnerabilities for longer",
    ),
    Setting(
        "qualityUpdatesDeferralPeriodInDays",
        "the deferral of quality updates in days",
        fewer_protect(0.0),
        Severity.MEDIUM,
        "Devices keep known vulnerabilities for longer",
    ),
    Setting(
        "deadlineForQualityUpdatesInDays",
        "the deadline for quality updates in days",
        fewer_protect(),
        Severity.MEDIUM,
        "Devices keep known vulnerabilities for longer",
    ),
    Members(
        "defenderAttackSurfaceReductionExcludedPaths",
        "the paths excluded from attack surface reduction",
        Severity.HIGH,
        effect=EXEMPT,
    ),
    Members(
        "defenderGuardedFoldersAllowedAppPaths",
        "the programs that may change protected folders",
        Severity.MEDIUM,
        effect=EXEMPT,
    ),
    Members(
        "defenderFilesAndFoldersToExclude", "the folders excluded from scans", Severity.HIGH, effect=EXEMPT
    ),
    Members(
        "defenderFileExtensionsToExclude",
        "the file types excluded from scans",
        Severity.HIGH,
        effect=EXEMPT,
    ),
    Members("defenderProcessesToExclude", "the programs excluded from scans", Severity.HIGH, effect=EXEMPT),
)
PLATFORMS = (
    "platform",
    "android",
    "androidForWork",
    "ios",
    "macOS",
    "mac",
    "windows",
    "windowsMobile",
    "windowsHomeSku",
)
ENROLLMENT_SETTINGS: tuple[Watched, ...] = (
    *(
        Setting(f"{platform}Restriction/{name}", f"{what} ({platform})", rank, severity, effect)
        for platform in PLATFORMS
        for name, what, rank, severity, effect in (
            (
                "platformBlocked",
                "the ban on a platform",
                on_protects(),
                Severity.MEDIUM,
                "More types of devices can enrol",
            ),
            (
                "personalDeviceEnrollmentBlocked",
                "the ban on personal devices",
                on_protects(),
                Severity.MEDIUM,
                "Devices that were not set up by the organisation count as managed",
            ),
            (
                "osMinimumVersion",
                "the minimum operating system version",
                newer_protects,
                Severity.LOW,
                "Devices with known vulnerabilities can enrol",
            ),
        )
    ),
    Setting(
        "limit",
        "the number of devices per user",
        fewer_protect(),
        Severity.LOW,
        "One account can add more devices",
    ),
    Setting("securityDeviceRequired", "a security chip (TPM) for sign-in", on_protects(), Severity.MEDIUM),
    Setting("pinMinimumLength", "the length of the PIN", more_protects(), Severity.MEDIUM),
    Setting(
        "enhancedBiometricsState",
        "anti-spoofing for facial recognition",
        ladder("disabled", "notConfigured", "enabled"),
        Severity.MEDIUM,
    ),
    Setting(
        "allowDeviceUseOnInstallFailure",
        "use of a device before its setup is complete",
        off_protects(),
        Severity.LOW,
    ),
)
AUTOPILOT_SETTINGS = tuple(
    Setting(
        f"{path}/userType",
        "the account type on new devices",
        ladder("administrator", "standard"),
        Severity.MEDIUM,
        "Users, and anyone who takes over their session, are administrators of their devices",
    )
    for path in ("outOfBoxExperienceSetting", "outOfBoxExperienceSettings")
)

RULES = (
    Rule(
        "intune-compliance",
        "Compliance requirements changed",
        COMPLIANCE,
        TECHNIQUE,
        watching(COMPLIANCE_SETTINGS),
        MAESTER,
    ),
    Rule(
        "intune-compliance-block",
        "The blocking of non-compliant devices changed",
        COMPLIANCE,
        TECHNIQUE,
        block_delayed,
        MAESTER,
    ),
    Rule(
        "intune-tenant",
        "The handling of devices without a compliance policy changed",
        ("deviceManagement",),
        TECHNIQUE,
        watching(TENANT_SETTINGS),
        MAESTER,
    ),
    Rule(
        "intune-app-protection",
        "Protection of company data in apps changed",
        APP_PROTECTION,
        TECHNIQUE,
        watching(APP_SETTINGS),
    ),
    Rule(
        "intune-configuration",
        "A protection of devices changed",
        ("deviceConfiguration",),
        TECHNIQUE,
        watching(CONFIGURATION_SETTINGS),
        MAESTER,
    ),
    Rule(
        "intune-enrollment",
        "Enrolment restrictions changed",
        ("deviceEnrollmentConfiguration",),
        "T1098.005",
        watching(ENROLLMENT_SETTINGS),
        MAESTER,
    ),
    Rule(
        "intune-autopilot",
        "The account type on new devices changed",
        ("windowsAutopilotDeploymentProfile",),
        "T1078",
        watching(AUTOPILOT_SETTINGS),
    ),
)
