"""The organisation's own objects: units, attributes, contacts, branding, SharePoint, settings, synchronisation."""

from typing import Any

from tests.changes.severity.casebook import Case
from tests.changes.severity.casebook_settings import MISSING, OFF, ON, appeared, loosened, untouched, went

UNIT, SCOPED = "administrativeUnit", "scopedRoleMembership"
SET, DEFINITION, VALUES = (
    "attributeSet",
    "customSecurityAttributeDefinition",
    "customSecurityAttributeAssignment",
)
ORGANIZATION, BRANDING, SYNC = "organization", "organizationalBranding", "onPremisesDirectorySynchronization"
RESTRICTED = {"displayName": "Executives", "isMemberManagementRestricted": True}
OPEN = {"displayName": "Shops"}
GUARD = {"after": {UNIT: {"unit": RESTRICTED}}}
SCOPED_ROLE = {
    "administrativeUnitId": "unit",
    "roleId": "r",
    "roleMemberInfo": {"id": "eve", "displayName": "Eve"},
}
FILTERED = {
    "after": {
        "conditionalAccessPolicy": {
            "p": {
                "displayName": "Finance apps",
                "conditions": {
                    "applications": {
                        "applicationFilter": {"rule": 'CustomSecurityAttribute.Apps_Level -eq "high"'}
                    }
                },
            }
        }
    }
}


def unit(document: dict[str, Any], *members: str) -> dict[str, Any]:
    return {**document, "members": [{"id": key} for key in members]}


def case(
    kind: str,
    rule: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    severity: str | None,
    direction: str = "weakens",
    context: dict[str, Any] | None = None,
) -> Case:
    return Case(
        f"{kind} {severity} {direction}", rule, kind, before, after, severity, direction, context or {}
    )


def level(value: str) -> dict[str, Any]:
    return {"customSecurityAttributes": {"Apps": {"Level": value}}}


def sharing(path: str, strong: Any, weak: Any, severity: str) -> list[Case]:
    return loosened("sharepointSettings", "sharepoint-sharing", path, strong, weak, severity)


def access(path: str, strong: Any, weak: Any, severity: str) -> list[Case]:
    return loosened("sharepointSettings", "sharepoint-access", path, strong, weak, severity)


def admin(kind: str, rule: str, name: str, strong: bool, severity: str) -> list[Case]:
    return loosened(kind, rule, f"settings/{name}", strong, not strong, severity)


def sync(name: str, strong: bool, severity: str) -> list[Case]:
    return loosened(SYNC, "directory-sync", f"features/{name}", strong, not strong, severity)


PREVENTION = "configuration/accidentalDeletionPrevention"
CASES = [
    case(UNIT, "unit-members", unit(RESTRICTED, "ceo", "cfo"), unit(RESTRICTED, "cfo"), "high"),
    case(UNIT, "unit-members", unit(RESTRICTED), unit(RESTRICTED, "ceo"), "low", "strengthens"),
    case(UNIT, "unit-members", unit(OPEN), unit(OPEN, "ceo"), "low"),
    case(UNIT, "unit-members", unit(OPEN, "ceo"), unit(OPEN), "low", "neutral"),
    case(UNIT, "unit-members", unit(RESTRICTED, "a", "b"), unit(RESTRICTED, "B", "a"), None),
    case(
        UNIT,
        "unit-rule",
        {**RESTRICTED, "membershipRule": "a"},
        {**RESTRICTED, "membershipRule": "b"},
        "high",
        "neutral",
    ),
    case(
        UNIT,
        "unit-rule",
        {**OPEN, "membershipRule": "a"},
        {**OPEN, "membershipRule": "b"},
        "medium",
        "neutral",
    ),
    untouched(UNIT, "unit-rule"),
    case(UNIT, "unit-restriction", RESTRICTED, {**RESTRICTED, "isMemberManagementRestricted": False}, "high"),
    case(UNIT, "unit-restriction", RESTRICTED, None, "high"),
    case(UNIT, "unit-restriction", OPEN, None, "medium", "neutral"),
    case(UNIT, "unit-restriction", None, OPEN, "low", "neutral"),
    case(UNIT, "unit-restriction", None, RESTRICTED, "low", "strengthens"),
    untouched(UNIT, "unit-restriction"),
    case(SCOPED, "unit-scoped-role", None, SCOPED_ROLE, "medium"),
    case(SCOPED, "unit-scoped-role", None, SCOPED_ROLE, "high", context=GUARD),
    case(SCOPED, "unit-scoped-role", SCOPED_ROLE, None, "low", "strengthens"),
    case(
        UNIT, "unit-scoped-role", OPEN, {**OPEN, "scopedRoleMembers": [{**SCOPED_ROLE, "id": "x"}]}, "medium"
    ),
    untouched(UNIT, "unit-scoped-role"),
    *loosened(DEFINITION, "attribute-definition", "usePreDefinedValuesOnly", ON, OFF, "medium"),
    *loosened(
        DEFINITION, "attribute-definition", "allowedValues", [{"id": "a"}], [{"id": "a"}, {"id": "b"}], "low"
    ),
    untouched(DEFINITION, "attribute-definition", "description"),
    case(
        DEFINITION, "attribute-status", {"status": "Available"}, {"status": "Deprecated"}, "medium", "neutral"
    ),
    case(DEFINITION, "attribute-status", {"status": "Available"}, {"status": "available"}, None),
    case(VALUES, "attribute-values", level("low"), level("high"), "medium", "neutral"),
    case(VALUES, "attribute-values", level("low"), level("high"), "high", "neutral", FILTERED),
    case(VALUES, "attribute-values", None, level("high"), "medium", "neutral"),
    case(
        VALUES,
        "attribute-values",
        {"@odata.type": "a", **level("low")},
        {"@odata.type": "b", **level("low")},
        None,
    ),
    appeared(SET, "attribute-life", "low", "neutral"),
    went(SET, "attribute-life", "medium", "neutral"),
    appeared(DEFINITION, "attribute-life", "low", "neutral"),
    went(DEFINITION, "attribute-life", "medium", "neutral"),
    untouched(SET, "attribute-life"),
    case(
        ORGANIZATION,
        "organization-contacts",
        {"technicalNotificationMails": ["soc@example.org"]},
        {},
        "medium",
    ),
    Case(
        "another technical contact",
        "organization-contacts",
        ORGANIZATION,
        {"technicalNotificationMails": ["soc@example.org"]},
        {"technicalNotificationMails": ["eve@example.com"]},
        "medium",
        either_way=True,
    ),
    case(
        ORGANIZATION,
        "organization-contacts",
        {},
        {"securityComplianceNotificationMails": ["soc@example.org"]},
        "low",
        "neutral",
    ),
    untouched(ORGANIZATION, "organization-contacts", "technicalNotificationMails", ["a@x.org"], ["A@x.org"]),
    case(
        ORGANIZATION,
        "organization-devices",
        {"mobileDeviceManagementAuthority": "intune"},
        {"mobileDeviceManagementAuthority": "sccm"},
        "high",
        "neutral",
    ),
    untouched(ORGANIZATION, "organization-devices"),
    *loosened(
        BRANDING,
        "branding-links",
        "customAccountResetCredentialsUrl",
        MISSING,
        "https://evil.example",
        "medium",
    ),
    untouched(BRANDING, "branding-links", "signInPageText"),
    case(BRANDING, "branding-style", {"customCSS": "a"}, {"customCSS": "b"}, "medium", "neutral"),
    case(
        BRANDING,
        "branding-style",
        {"backgroundColor": "#fff"},
        {"backgroundColor": "#000"},
        "informational",
        "neutral",
    ),
    went(BRANDING, "branding-style", None),
    appeared(BRANDING, "branding-life", "low", "neutral"),
    went(BRANDING, "branding-life", "low", "neutral"),
    untouched(BRANDING, "branding-life"),
    *admin("adminForms", "forms-settings", "isInOrgFormsPhishingScanEnabled", ON, "medium"),
    *admin("adminForms", "forms-settings", "isExternalShareCollaborationEnabled", OFF, "medium"),
    *admin("adminForms", "forms-settings", "isExternalShareResultEnabled", OFF, "medium"),
    *admin("adminForms", "forms-settings", "isExternalSendFormEnabled", OFF, "low"),
    *admin("adminForms", "forms-settings", "isExternalShareTemplateEnabled", OFF, "low"),
    *admin("adminForms", "forms-settings", "isRecordIdentityByDefaultEnabled", ON, "low"),
    untouched("adminForms", "forms-settings"),
    *admin("adminTodo", "todo-settings", "isExternalJoinEnabled", OFF, "low"),
    *admin("adminTodo", "todo-settings", "isExternalShareEnabled", OFF, "low"),
    untouched("adminTodo", "todo-settings"),
    *admin("adminAppsAndServices", "services-settings", "isOfficeStoreEnabled", OFF, "medium"),
    *admin("adminAppsAndServices", "services-settings", "isAppAndServicesTrialEnabled", OFF, "low"),
    untouched("adminAppsAndServices", "services-settings"),
    *loosened("adminReportSettings", "report-settings", "displayConcealedNames", ON, OFF, "low"),
    untouched("adminReportSettings", "report-settings"),
    *sharing("sharingCapability", "existingExternalUserSharingOnly", "externalUserAndGuestSharing", "medium"),
    *sharing("sharingDomainRestrictionMode", "allowList", "none", "medium"),
    *sharing("sharingAllowedDomainList", ["a.org"], ["a.org", "evil.example"], "medium"),
    *sharing("sharingBlockedDomainList", ["evil.example"], [], "medium"),
    *sharing("isResharingByExternalUsersEnabled", OFF, ON, "medium"),
    *sharing("isRequireAcceptingUserToMatchInvitedUserEnabled", ON, OFF, "medium"),
    untouched("sharepointSettings", "sharepoint-sharing", "sharingAllowedDomainList", ["a.org"], ["A.org"]),
    *access("isLegacyAuthProtocolsEnabled", OFF, ON, "high"),
    *access("idleSessionSignOut/isEnabled", ON, OFF, "medium"),
    *access("idleSessionSignOut/signOutAfterInSeconds", 900, 9000, "low"),
    *access("isUnmanagedSyncAppForTenantRestricted", ON, OFF, "medium"),
    *access("allowedDomainGuidsForSyncApp", [], ["guid"], "low"),
    *access("excludedFileExtensionsForSyncApp", ["exe"], [], "low"),
    *access("deletedUserPersonalSiteRetentionPeriodInDays", 365, 30, "medium"),
    untouched("sharepointSettings", "sharepoint-access", "siteCreationDefaultStorageLimitInMB", 1, 2),
    *sync("blockSoftMatchEnabled", ON, "high"),
    *sync("blockCloudObjectTakeoverThroughHardMatchEnabled", ON, "high"),
    *sync("softMatchOnUpnEnabled", OFF, "medium"),
    *sync("allowOnPremUpdateOfOnPremisesObjectIdentifierEnabled", OFF, "medium"),
    *sync("cloudPasswordPolicyForPasswordSyncedUsersEnabled", ON, "medium"),
    *sync("passwordWritebackEnabled", OFF, "medium"),
    *sync("userWritebackEnabled", OFF, "medium"),
    *sync("passwordSyncEnabled", OFF, "medium"),
    *sync("groupWriteBackEnabled", OFF, "low"),
    *sync("deviceWritebackEnabled", OFF, "low"),
    *sync("quarantineUponUpnConflictEnabled", ON, "low"),
    *loosened(
        SYNC,
        "directory-sync",
        f"{PREVENTION}/synchronizationPreventionType",
        "enabledForCount",
        "disabled",
        "high",
    ),
    *loosened(SYNC, "directory-sync", f"{PREVENTION}/alertThreshold", 500, 100_000, "medium"),
    untouched(SYNC, "directory-sync"),
    appeared(SYNC, "directory-sync-life", "high", "neutral"),
    went(SYNC, "directory-sync-life", "high", "neutral"),
    untouched(SYNC, "directory-sync-life"),
]
