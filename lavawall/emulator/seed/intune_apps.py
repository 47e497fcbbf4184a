"""What the demo's tenants have configured in Intune beside devices: enrolment, apps and scripts."""

import base64

from lavawall.emulator.seed.intune_estate import DEVICES, PEOPLE, TYPE, Estate


def _text(content: str) -> str:
    return base64.b64encode(content.encode()).decode()


def enrolment(estate: Estate) -> None:
    """How devices come in."""
    for index, limit in enumerate((3, 10), start=1):
        name = f"Limit {limit}"
        record = estate.builder.add(
            "deviceEnrollmentConfiguration",
            {
                "@odata.type": f"{TYPE}deviceEnrollmentLimitConfiguration",
                "displayName": name,
                "limit": limit,
            },
            computed={"id": f"{estate.builder.guid('intune', name)}_Limit"},
        )
        estate.assign(record, PEOPLE if index == 1 else DEVICES)
    estate.policy(
        "windowsAutopilotDeploymentProfile",
        DEVICES,
        {
            "@odata.type": f"{TYPE}azureADWindowsAutopilotDeploymentProfile",
            "displayName": "Autopilot standard",
            "deviceNameTemplate": "PC-%SERIAL%",
            "outOfBoxExperienceSetting": {
                "deviceUsageType": "singleUser",
                "escapeLinkHidden": True,
                "eulaHidden": True,
                "keyboardSelectionPageSkipped": True,
                "privacySettingsHidden": True,
                "userType": "standard",
            },
        },
    )
    estate.policy(
        "termsAndConditions",
        PEOPLE,
        {
            "displayName": "Device terms",
            "title": "Using our devices",
            "bodyText": "Keep your device locked.",
            "acceptanceStatement": "I agree",
        },
    )
    estate.builder.add("deviceCategory", {"displayName": "Branch", "description": "Devices of branches"})


def apps(estate: Estate) -> None:
    """Apps, their configuration and their protection."""
    web = estate.policy(
        "mobileApp",
        PEOPLE,
        {
            "@odata.type": f"{TYPE}webApp",
            "displayName": "Intranet",
            "publisher": estate.builder.directory.name,
            "appUrl": "https://intranet.example.com",
            "useManagedBrowser": False,
        },
        intent="required",
    )
    mail = estate.builder.add(
        "mobileApp",
        {
            "@odata.type": f"{TYPE}iosStoreApp",
            "displayName": "Mail for iOS",
            "publisher": "Contoso",
            "bundleId": "com.example.mail",
            "appStoreUrl": "https://apps.example.com/mail",
            "applicableDeviceType": {"iPad": True, "iPhoneAndIPod": True},
            "minimumSupportedOperatingSystem": {"v15_0": True},
        },
    )
    estate.builder.add(
        "mobileApp",
        {
            "@odata.type": f"{TYPE}iosVppApp",
            "displayName": "Notes (volume purchase)",
            "publisher": "Contoso",
        },
    )
    estate.policy(
        "mobileApp",
        PEOPLE,
        {
            "@odata.type": f"{TYPE}winGetApp",
            "displayName": "Company Portal",
            "publisher": "Microsoft Corporation",
            "packageIdentifier": "9WZDNCRFJ3PZ",
            "installExperience": {"runAsAccount": "user"},
        },
        intent="available",
    )
    estate.builder.add(
        "mobileApp",
        {
            "@odata.type": f"{TYPE}macOSPkgApp",
            "displayName": "Backup agent for macOS",
            "publisher": "Contoso",
            "fileName": "backup-agent.pkg",
            "primaryBundleId": "com.example.backup",
            "primaryBundleVersion": "4.2",
            "includedApps": [{"bundleId": "com.example.backup", "bundleVersion": "4.2"}],
            "ignoreVersionDetection": True,
            "preInstallScript": None,
        },
    )
    estate.policy(
        "managedDeviceMobileAppConfiguration",
        PEOPLE,
        {
            "@odata.type": f"{TYPE}iosMobileAppConfiguration",
            "displayName": "Mail settings",
            "targetedMobileApps": [mail.id],
            "settings": [
                {
                    "appConfigKey": "server",
                    "appConfigKeyType": "stringType",
                    "appConfigKeyValue": f"mail.{web.body['publisher'].split()[0].lower()}.example",
                }
            ],
        },
    )
    for kind, identifier in (
        ("iosManagedAppProtection", {"bundleId": "com.example.mail"}),
        ("androidManagedAppProtection", {"packageId": "com.example.mail"}),
    ):
        platform = "ios" if kind.startswith("ios") else "android"
        record = estate.policy(
            kind,
            PEOPLE,
            {"displayName": f"Protect mail on {platform}", "pinRequired": True, "printBlocked": True},
        )
        record.body["apps"] = [
            {
                "id": f"com.example.mail.{platform}",
                "mobileAppIdentifier": {
                    "@odata.type": f"{TYPE}{platform}MobileAppIdentifier",
                    **identifier,
                },
            }
        ]
        record.body["deployedAppCount"] = 1
    estate.policy(
        "windowsManagedAppProtection",
        PEOPLE,
        {
            "displayName": "Protect Edge on Windows",
            "allowedInboundDataTransferSources": "none",
            "allowedOutboundClipboardSharingLevel": "none",
            "allowedOutboundDataTransferDestinations": "none",
            "periodOfflineBeforeAccessCheck": "PT12H",
            "periodOfflineBeforeWipeIsEnforced": "P90D",
            "printBlocked": True,
        },
    )
    estate.policy(
        "mdmWindowsInformationProtectionPolicy",
        PEOPLE,
        {
            "displayName": "Keep company data apart on Windows",
            "enforcementLevel": "encryptAndAuditOnly",
            "enterpriseDomain": "example.com",
        },
    )
    estate.policy(
        "targetedManagedAppConfiguration",
        PEOPLE,
        {"displayName": "Mail signature", "customSettings": [{"name": "signature", "value": "on"}]},
    )


def scripts(estate: Estate) -> None:
    """One script of each sort."""
    body = {"runAsAccount": "system", "scriptContent": _text("Write-Output ready")}
    estate.policy(
        "deviceManagementScript",
        DEVICES,
        {"displayName": "Remove old agent", "fileName": "remove.ps1", **body},
    )
    estate.policy(
        "deviceShellScript", DEVICES, {"displayName": "Set time zone", "fileName": "zone.sh", **body}
    )
    estate.policy(
        "deviceCustomAttributeShellScript",
        DEVICES,
        {
            "displayName": "Battery cycles",
            "fileName": "battery.sh",
            "customAttributeName": "BatteryCycles",
            "customAttributeType": "integer",
            **body,
        },
    )
    estate.policy(
        "deviceHealthScript",
        DEVICES,
        {
            "displayName": "Clean temporary files",
            "publisher": "IT",
            "detectionScriptContent": _text("exit 1"),
            "remediationScriptContent": _text("exit 0"),
        },
        runRemediationScript=True,
        runSchedule={
            "@odata.type": f"{TYPE}deviceHealthScriptDailySchedule",
            "interval": 1,
            "time": "03:00:00",
            "useUtc": True,
        },
    )
