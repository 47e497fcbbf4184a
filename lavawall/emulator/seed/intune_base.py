"""What Intune has in every tenant before anybody configures it: defaults, built-in roles, templates, definitions."""

from typing import Any

from lavawall.emulator.seed.builder import TenantBuilder, stable_guid
from lavawall.emulator.store import Json

ANTIVIRUS_TEMPLATE = "804339ad-1553-4478-a742-138fb5807418_1"
FIREWALL_TEMPLATE = "c53e5a9f-2eec-4175-98a1-2b3d38084b91"
ROLES = {
    "Policy and Profile manager": "0bd113fe-6be5-400c-a28f-ae5553f9c0be",
    "Help Desk Operator": "9e0cc482-82df-4ab2-a24c-0c23a3f52e1e",
    "Read Only Operator": "fa1d7878-e8cb-41a1-8254-0ec1ee1d0a7b",
}
RESTRICTION: Json = {
    "platformBlocked": False,
    "personalDeviceEnrollmentBlocked": False,
    "osMinimumVersion": "",
    "osMaximumVersion": "",
}
ENROLLMENT_DEFAULTS: tuple[tuple[str, Json], ...] = (
    ("DefaultLimit", {"@odata.type": "#microsoft.graph.deviceEnrollmentLimitConfiguration", "limit": 5}),
    (
        "DefaultPlatformRestrictions",
        {
            "@odata.type": "#microsoft.graph.deviceEnrollmentPlatformRestrictionsConfiguration",
            "androidRestriction": RESTRICTION,
            "iosRestriction": RESTRICTION,
            "macOSRestriction": RESTRICTION,
            "windowsRestriction": RESTRICTION,
            "windowsMobileRestriction": {**RESTRICTION, "platformBlocked": True},
        },
    ),
    (
        "DefaultWindowsHelloForBusiness",
        {
            "@odata.type": "#microsoft.graph.deviceEnrollmentWindowsHelloForBusinessConfiguration",
            "enhancedBiometricsState": "notConfigured",
            "pinExpirationInDays": 0,
            "pinLowercaseCharactersUsage": "allowed",
            "pinMaximumLength": 127,
            "pinMinimumLength": 6,
            "pinPreviousBlockCount": 0,
            "pinSpecialCharactersUsage": "allowed",
            "pinUppercaseCharactersUsage": "allowed",
            "remotePassportEnabled": True,
            "securityDeviceRequired": False,
            "state": "notConfigured",
            "unlockWithBiometricsEnabled": True,
        },
    ),
    (
        "DefaultWindows10EnrollmentCompletionPageConfiguration",
        {
            "@odata.type": "#microsoft.graph.windows10EnrollmentCompletionPageConfiguration",
            "allowNonBlockingAppInstallation": False,
            "showInstallationProgress": False,
            "installProgressTimeoutInMinutes": 60,
        },
    ),
)
# Class, category, name, and the presentations by label with their type.
DEFINITIONS: tuple[tuple[str, str, str, dict[str, str]], ...] = (
    (
        "machine",
        "\\Windows Components\\BitLocker Drive Encryption",
        "Choose drive encryption method",
        {"Encryption method": "DropdownList"},
    ),
    (
        "machine",
        "\\Windows Components\\Windows Update",
        "Specify intranet update service location",
        {"Update service": "TextBox", "Statistics server": "TextBox"},
    ),
    ("user", "\\Control Panel\\Display", "Screen saver timeout", {"Seconds": "DecimalTextBox"}),
    (
        "machine",
        "\\Google Chrome\\Extensions",
        "Configure the extension installation blocklist",
        {"Extension ids": "ListBox"},
    ),
)
FIREWALL_SETTINGS: tuple[tuple[str, str, Any, str], ...] = (
    ("firewall_domainProfileEnabled", "Boolean", True, "true"),
    ("firewall_logFileSizeKb", "Integer", 4096, "4096"),
    ("firewall_logFilePath", "String", "", '""'),
)


def lay_intune(builder: TenantBuilder) -> None:
    """Lays what a tenant with a licence of Intune starts with."""
    builder.add(
        "roleScopeTag",
        {"displayName": "Default", "description": "Default role scope tag"},
        computed={"id": "0", "isBuiltIn": True},
    )
    builder.add(
        "deviceManagement",
        {
            "settings": {
                "deviceComplianceCheckinThresholdDays": 30,
                "isScheduledActionEnabled": True,
                "secureByDefault": False,
            },
            "intuneBrand": {
                "displayName": builder.directory.name,
                "showDisplayNameNextToLogo": True,
                "showLogo": False,
                "showNameNextToLogo": False,
                "themeColor": {"r": 0, "g": 114, "b": 198},
            },
        },
        computed={
            "id": "deviceManagement",
            "intuneAccountId": builder.guid("intune", "account"),
            "subscriptionState": "active",
        },
    )
    _roles(builder)
    _enrollment(builder)
    _templates(builder)
    _definitions(builder)


def _roles(builder: TenantBuilder) -> None:
    for name, identifier in ROLES.items():
        builder.add(
            "roleDefinition",
            {
                "@odata.type": "#microsoft.graph.deviceAndAppManagementRoleDefinition",
                "displayName": name,
                "rolePermissions": [
                    {
                        "resourceActions": [
                            {
                                "allowedResourceActions": ["Microsoft.Intune_Organization_Read"],
                                "notAllowedResourceActions": [],
                            }
                        ]
                    }
                ],
            },
            computed={"id": identifier, "isBuiltIn": True},
        )


def _enrollment(builder: TenantBuilder) -> None:
    for end, body in ENROLLMENT_DEFAULTS:
        builder.add(
            "deviceEnrollmentConfiguration",
            {"displayName": "All users and all devices", **body},
            computed={"id": f"{builder.guid('intune', 'account')}_{end}"},
        )


def _templates(builder: TenantBuilder) -> None:
    builder.add(
        "deviceManagementConfigurationPolicyTemplate",
        {
            "allowUnmanagedSettings": False,
            "baseId": ANTIVIRUS_TEMPLATE.partition("_")[0],
            "displayName": "Antivirus of Microsoft Defender",
            "displayVersion": "Version 1",
            "lifecycleState": "active",
            "platforms": "windows10",
            "technologies": "mdm,microsoftSense",
            "templateFamily": "endpointSecurityAntivirus",
        },
        computed={"id": ANTIVIRUS_TEMPLATE},
    )
    builder.add(
        "deviceManagementTemplate",
        {
            "displayName": "Firewall of Microsoft Defender",
            "isDeprecated": False,
            "platformType": "windows10AndLater",
            "publishedDateTime": "2024-01-10T00:00:00Z",
            "templateSubtype": "firewall",
            "templateType": "securityTemplate",
            "versionInfo": "1",
            "intentCount": 0,
            "settings": [
                {
                    "@odata.type": f"#microsoft.graph.deviceManagement{kind}SettingInstance",
                    "id": stable_guid("intent setting", name),
                    "definitionId": name,
                    "value": value,
                    "valueJson": text,
                }
                for name, kind, value, text in FIREWALL_SETTINGS
            ],
        },
        computed={"id": FIREWALL_TEMPLATE},
    )


def _definitions(builder: TenantBuilder) -> None:
    for class_type, category, name, presentations in DEFINITIONS:
        definition = builder.add(
            "groupPolicyDefinition",
            {
                "classType": class_type,
                "categoryPath": category,
                "displayName": name,
                "groupPolicyCategoryId": stable_guid("admx category", category),
                "policyType": "admxBacked",
                "supportedOn": "At least Windows 10",
            },
            computed={"id": stable_guid("admx", name)},
        )
        for label, kind in presentations.items():
            builder.add(
                "groupPolicyPresentation",
                {"@odata.type": f"#microsoft.graph.groupPolicyPresentation{kind}", "label": label},
                computed={"id": stable_guid("admx", name, label)},
                parent_id=definition.id,
            )
