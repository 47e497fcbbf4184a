"""Domains, settings templates and Microsoft 365 settings: first as delivered, then as a demo tenant keeps them."""

import base64
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from lavawall.emulator.certificates import make_server_certificate
from lavawall.emulator.seed.builder import TenantBuilder
from lavawall.emulator.store import Json

TEMPLATES: tuple[tuple[str, str, tuple[tuple[str, str, str], ...]], ...] = (
    (
        "62375ab9-6b52-47ed-826b-58e47e0e304b",
        "Group.Unified",
        (
            ("EnableMIPLabels", "System.Boolean", "false"),
            ("CustomBlockedWordsList", "System.String", ""),
            ("EnableMSStandardBlockedWords", "System.Boolean", "false"),
            ("ClassificationDescriptions", "System.String", ""),
            ("DefaultClassification", "System.String", ""),
            ("PrefixSuffixNamingRequirement", "System.String", ""),
            ("AllowGuestsToBeGroupOwner", "System.Boolean", "false"),
            ("AllowGuestsToAccessGroups", "System.Boolean", "true"),
            ("GuestUsageGuidelinesUrl", "System.String", ""),
            ("GroupCreationAllowedGroupId", "System.Guid", ""),
            ("AllowToAddGuests", "System.Boolean", "true"),
            ("UsageGuidelinesUrl", "System.String", ""),
            ("ClassificationList", "System.String", ""),
            ("EnableGroupCreation", "System.Boolean", "true"),
            ("NewUnifiedGroupWritebackDefault", "System.Boolean", "true"),
        ),
    ),
    (
        "08d542b9-071f-4e16-94b0-74abb372e3d9",
        "Group.Unified.Guest",
        (("AllowToAddGuests", "System.Boolean", "true"),),
    ),
    (
        "80661d51-be2f-4d46-9713-98a2fcaec5bc",
        "Prohibited Names Settings",
        (
            ("CustomBlockedSubStringsList", "System.String", ""),
            ("CustomBlockedWholeWordsList", "System.String", ""),
        ),
    ),
    (
        "5cf42378-d67d-4f36-ba46-e8b86229381d",
        "Password Rule Settings",
        (
            ("BannedPasswordCheckOnPremisesMode", "System.String", "Audit"),
            ("EnableBannedPasswordCheckOnPremises", "System.Boolean", "false"),
            ("EnableBannedPasswordCheck", "System.Boolean", "false"),
            ("LockoutDurationInSeconds", "System.Int32", "60"),
            ("LockoutThreshold", "System.Int32", "10"),
            ("BannedPasswordList", "System.String", ""),
        ),
    ),
    (
        "dffd5d46-495d-40a9-8e21-954ff55e198a",
        "Consent Policy Settings",
        (
            ("EnableGroupSpecificConsent", "System.Boolean", "false"),
            ("BlockUserConsentForRiskyApps", "System.Boolean", "true"),
            ("EnableAdminConsentRequests", "System.Boolean", "false"),
            ("ConstrainGroupSpecificConsentToMembersOfGroupId", "System.Guid", ""),
        ),
    ),
)
SETTINGS: tuple[tuple[str, Json, Json], ...] = (
    (
        "sharepointSettings",
        {
            "allowedDomainGuidsForSyncApp": [],
            "deletedUserPersonalSiteRetentionPeriodInDays": 30,
            "excludedFileExtensionsForSyncApp": [],
            "idleSessionSignOut": {
                "isEnabled": False,
                "signOutAfterInSeconds": 0,
                "warnAfterInSeconds": 0,
            },
            "imageTaggingOption": "basic",
            "isCommentingOnSitePagesEnabled": True,
            "isFileActivityNotificationEnabled": True,
            "isLegacyAuthProtocolsEnabled": False,
            "isLoopEnabled": True,
            "isMacSyncAppEnabled": True,
            "isRequireAcceptingUserToMatchInvitedUserEnabled": True,
            "isResharingByExternalUsersEnabled": False,
            "isSharePointMobileNotificationEnabled": True,
            "isSharePointNewsfeedEnabled": False,
            "isSiteCreationEnabled": True,
            "isSiteCreationUIEnabled": True,
            "isSitePagesCreationEnabled": True,
            "isSitesStorageLimitAutomatic": True,
            "isSyncButtonHiddenOnPersonalSite": False,
            "isUnmanagedSyncAppForTenantRestricted": False,
            "personalSiteDefaultStorageLimitInMB": 1048576,
            "sharingAllowedDomainList": [],
            "sharingBlockedDomainList": [],
            "sharingCapability": "externalUserSharingOnly",
            "sharingDomainRestrictionMode": "none",
            "siteCreationDefaultManagedPath": "/sites/",
            "siteCreationDefaultStorageLimitInMB": 26214400,
            "tenantDefaultTimezone": "(UTC-07:00) Mountain Time (US and Canada)",
        },
        {"availableManagedPathsForSiteCreation": ["/sites/", "/teams/"]},
    ),
    (
        "adminForms",
        {
            "settings": {
                "isBingImageSearchEnabled": True,
                "isExternalSendFormEnabled": True,
                "isExternalShareCollaborationEnabled": True,
                "isExternalShareResultEnabled": True,
                "isExternalShareTemplateEnabled": True,
                "isInOrgFormsPhishingScanEnabled": True,
                "isRecordIdentityByDefaultEnabled": True,
            }
        },
        {},
    ),
    (
        "adminTodo",
        {
            "settings": {
                "isExternalJoinEnabled": False,
                "isExternalShareEnabled": False,
                "isPushNotificationEnabled": True,
            }
        },
        {},
    ),
    (
        "adminAppsAndServices",
        {"settings": {"isAppAndServicesTrialEnabled": False, "isOfficeStoreEnabled": True}},
        {},
    ),
    (
        "adminDynamics",
        {
            "customerVoice": {
                "isInOrgFormsPhishingScanEnabled": True,
                "isRecordIdentityByDefaultEnabled": True,
                "isRestrictedSurveyAccessEnabled": False,
            }
        },
        {},
    ),
    (
        "m365AppsInstallationOptions",
        {
            "updateChannel": "current",
            "appsForWindows": {
                "isMicrosoft365AppsEnabled": True,
                "isProjectEnabled": False,
                "isSkypeForBusinessEnabled": False,
                "isVisioEnabled": False,
            },
            "appsForMac": {"isMicrosoft365AppsEnabled": True, "isSkypeForBusinessEnabled": False},
        },
        {},
    ),
    ("adminReportSettings", {"displayConcealedNames": True}, {}),
    ("pronounsSettings", {"isEnabledInOrganization": False}, {}),
    ("insightsSettings", {"isEnabledInOrganization": True, "disabledForGroup": None}, {}),
    ("namePronunciationSettings", {"isEnabledInOrganization": False}, {}),
    ("photoUpdateSettings", {"source": "cloud", "allowedRoles": []}, {}),
)


def settle(builder: TenantBuilder) -> None:
    """Lays the initial domain, the settings templates and all settings as delivered."""
    directory = builder.directory
    builder.add(
        "domain",
        {"id": directory.domain, "isDefault": True},
        computed={
            "isInitial": True,
            "isVerified": True,
            "supportedServices": ["Email", "OfficeCommunicationsOnline"],
        },
    )
    for identifier, name, values in TEMPLATES:
        builder.add(
            "groupSettingTemplate",
            {"displayName": name, "description": f"Settings of {name}"},
            computed={
                "id": identifier,
                "values": [
                    {"name": each, "type": type_name, "defaultValue": default, "description": each}
                    for each, type_name, default in values
                ],
            },
        )
    for kind_name, body, computed in SETTINGS:
        builder.single(kind_name, body, computed)
    builder.add(
        "onPremisesDirectorySynchronization",
        {
            "configuration": {
                "accidentalDeletionPrevention": {
                    "alertThreshold": 500,
                    "synchronizationPreventionType": "enabledForCount",
                }
            },
            "features": {
                "blockSoftMatchEnabled": True,
                "blockCloudObjectTakeoverThroughHardMatchEnabled": True,
                "passwordSyncEnabled": False,
                "passwordWritebackEnabled": False,
                "groupWriteBackEnabled": False,
                "softMatchOnUpnEnabled": True,
                "synchronizeUpnForManagedUsersEnabled": True,
            },
        },
        computed={"id": directory.directory_id},
    )


@cache
def root_certificate() -> str:
    """A certificate authority's certificate in base64, the same for every tenant."""
    authority = x509.load_pem_x509_certificate(make_server_certificate().authority.encode())
    return base64.b64encode(authority.public_bytes(Encoding.DER)).decode()


def customise(builder: TenantBuilder) -> None:
    """What an administrator adds: own domains, branding, trust in a certificate authority, settings."""
    directory = builder.directory
    organization, slug = directory.directory_id, directory.domain.partition(".")[0]
    for name in (f"{slug}.example.com", f"{slug}.example.net"):
        builder.add(
            "domain",
            {"id": name},
            computed={
                "isVerified": True,
                "supportedServices": ["Email"],
                "passwordValidityPeriodInDays": 90,
                "passwordNotificationWindowInDays": 14,
            },
        )
    builder.add(
        "internalDomainFederation",
        {
            "displayName": "Partner sign-in",
            "issuerUri": f"https://sts.{slug}.example.net/trust",
            "metadataExchangeUri": f"https://sts.{slug}.example.net/trust/mex",
            "passiveSignInUri": f"https://sts.{slug}.example.net/ls",
            "activeSignInUri": f"https://sts.{slug}.example.net/usernamemixed",
            "signOutUri": f"https://sts.{slug}.example.net/ls",
            "preferredAuthenticationProtocol": "wsFed",
            "signingCertificate": root_certificate(),
            "promptLoginBehavior": "nativeSupport",
            "federatedIdpMfaBehavior": "rejectMfaByFederatedIdp",
        },
        parent_id=f"{slug}.example.net",
    )
    builder.add(
        "organizationalBranding",
        {"id": "0", "backgroundColor": "#10406A", "signInPageText": "For members of the company only"},
        parent_id=organization,
    )
    builder.add(
        "organizationalBrandingLocalization",
        {"id": "fr-FR", "signInPageText": "Pour les membres de la compagnie"},
        parent_id=organization,
    )
    builder.add(
        "certificateBasedAuthConfiguration",
        {"certificateAuthorities": [{"isRootAuthority": True, "certificate": root_certificate()}]},
        name="authorities",
        parent_id=organization,
    )
    builder.add(
        "groupSetting",
        {
            "templateId": TEMPLATES[0][0],
            "values": [
                {"name": "AllowToAddGuests", "value": "false"},
                {"name": "EnableGroupCreation", "value": "false"},
            ],
        },
        name="Group.Unified",
    )
    builder.add(
        "groupSetting",
        {
            "templateId": TEMPLATES[3][0],
            "values": [{"name": "LockoutThreshold", "value": "8"}],
        },
        name="Password Rule Settings",
    )
    builder.add(
        "profileCardProperty",
        {
            "directoryPropertyName": "customAttribute1",
            "annotations": [
                {
                    "displayName": "Cost centre",
                    "localizations": [{"languageTag": "fr-FR", "displayName": "Centre de coûts"}],
                }
            ],
        },
    )
