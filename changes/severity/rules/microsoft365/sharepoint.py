"""Rules on SharePoint and OneDrive tenant settings: file sharing and access."""

from changes.severity.declared_settings import (
    Members,
    Setting,
    Watched,
    fewer_protect,
    ladder,
    more_protects,
    off_protects,
    on_protects,
    watching,
)
from changes.severity.model import Rule, Severity

SETTINGS_TYPE = ("sharepointSettings",)
SOURCES = (
    "Elastic: M365 SharePoint Site Sharing Policy Weakened",
    "CISA ScubaGear: MS.SHAREPOINT.1.1 to 3.3",
)

SHARING: tuple[Watched, ...] = (
    Setting(
        "sharingCapability",
        "external sharing of files",
        ladder(
            "externalUserAndGuestSharing",
            "externalUserSharingOnly",
            "existingExternalUserSharingOnly",
            "disabled",
        ),
        Severity.MEDIUM,
        "Files of all sites can be shared with more external users",
        "T1567",
    ),
    Setting(
        "sharingDomainRestrictionMode",
        "the limit on domains for sharing",
        ladder("none", "blockList", "allowList", missing="none"),
        Severity.MEDIUM,
        "Files can be shared with more organisations",
        "T1567",
    ),
    Members("sharingAllowedDomainList", "the domains for sharing", Severity.MEDIUM, technique="T1567"),
    Members(
        "sharingBlockedDomainList",
        "the domains blocked for sharing",
        Severity.MEDIUM,
        gain_weakens=False,
        technique="T1567",
    ),
    Setting(
        "isResharingByExternalUsersEnabled",
        "resharing by external users",
        off_protects(),
        Severity.MEDIUM,
        "External users can share items that they do not own",
    ),
    Setting(
        "isRequireAcceptingUserToMatchInvitedUserEnabled",
        "the requirement to accept with the invited account",
        on_protects(),
        Severity.MEDIUM,
        "Anyone who gets an invitation can use it",
    ),
)
ACCESS: tuple[Watched, ...] = (
    Setting(
        "isLegacyAuthProtocolsEnabled",
        "legacy sign-in protocols",
        off_protects(),
        Severity.HIGH,
        "A stolen password gives access to files without MFA",
        "T1556.006",
    ),
    Setting(
        "idleSessionSignOut/isEnabled",
        "sign-out of idle sessions",
        on_protects(),
        Severity.MEDIUM,
        "Sessions on shared and unmanaged devices stay open",
    ),
    Setting(
        "idleSessionSignOut/signOutAfterInSeconds",
        "the seconds before idle sessions are signed out",
        fewer_protect(),
        Severity.LOW,
        "Sessions on shared and unmanaged devices stay open for longer",
    ),
    Setting(
        "isUnmanagedSyncAppForTenantRestricted",
        "the restriction of sync to joined devices",
        on_protects(),
        Severity.MEDIUM,
        "Files can be copied to any device",
    ),
    Members(
        "allowedDomainGuidsForSyncApp",
        "the domains whose devices may sync",
        Severity.LOW,
    ),
    Members(
        "excludedFileExtensionsForSyncApp",
        "the file types that are not synced",
        Severity.LOW,
        gain_weakens=False,
    ),
    Setting(
        "deletedUserPersonalSiteRetentionPeriodInDays",
        "the days that files of deleted users are kept",
        more_protects(None),
        Severity.MEDIUM,
        "Files of deleted users are lost earlier",
        "T1485",
    ),
)

RULES = (
    Rule(
        "sharepoint-sharing",
        "External sharing changed",
        SETTINGS_TYPE,
        "T1484",
        watching(SHARING),
        SOURCES,
    ),
    Rule(
        "sharepoint-access",
        "Access to files or their retention changed",
        SETTINGS_TYPE,
        "T1484",
        watching(ACCESS),
        SOURCES,
    ),
)
