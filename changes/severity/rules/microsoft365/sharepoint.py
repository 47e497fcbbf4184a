"""Rules on SharePoint's and OneDrive's tenant settings: with whom files are shared, and how they are reached."""

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
        "with whom files may be shared",
        ladder(
            "externalUserAndGuestSharing",
            "externalUserSharingOnly",
            "existingExternalUserSharingOnly",
            "disabled",
        ),
        Severity.MEDIUM,
        "Files of every site can reach more outsiders",
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
        "the domains barred from sharing",
        Severity.MEDIUM,
        gain_weakens=False,
        technique="T1567",
    ),
    Setting(
        "isResharingByExternalUsersEnabled",
        "sharing on by outsiders",
        off_protects(),
        Severity.MEDIUM,
        "Outsiders decide who else sees what they were given",
    ),
    Setting(
        "isRequireAcceptingUserToMatchInvitedUserEnabled",
        "accepting only as the invited account",
        on_protects(),
        Severity.MEDIUM,
        "Whoever gets hold of an invitation can use it",
    ),
)
ACCESS: tuple[Watched, ...] = (
    Setting(
        "isLegacyAuthProtocolsEnabled",
        "legacy sign-in protocols",
        off_protects(),
        Severity.HIGH,
        "A stolen password reaches every file past MFA",
        "T1556.006",
    ),
    Setting(
        "idleSessionSignOut/isEnabled",
        "signing out idle sessions",
        on_protects(),
        Severity.MEDIUM,
        "Sessions on shared and unmanaged devices stay open",
    ),
    Setting(
        "idleSessionSignOut/signOutAfterInSeconds",
        "seconds before an idle session ends",
        fewer_protect(),
        Severity.LOW,
        "Sessions on shared and unmanaged devices stay open for longer",
    ),
    Setting(
        "isUnmanagedSyncAppForTenantRestricted",
        "syncing only to joined devices",
        on_protects(),
        Severity.MEDIUM,
        "Files can be copied to any device",
    ),
    Members(
        "allowedDomainGuidsForSyncApp",
        "the local domains whose devices may sync",
        Severity.LOW,
    ),
    Members(
        "excludedFileExtensionsForSyncApp",
        "the kinds of files that are not synced",
        Severity.LOW,
        gain_weakens=False,
    ),
    Setting(
        "deletedUserPersonalSiteRetentionPeriodInDays",
        "days that a leaver's files are kept",
        more_protects(None),
        Severity.MEDIUM,
        "Files of deleted people are lost earlier",
        "T1485",
    ),
)

RULES = (
    Rule(
        "sharepoint-sharing",
        "With whom files may be shared changed",
        SETTINGS_TYPE,
        "T1484",
        watching(SHARING),
        SOURCES,
    ),
    Rule(
        "sharepoint-access",
        "How files are reached and kept changed",
        SETTINGS_TYPE,
        "T1484",
        watching(ACCESS),
        SOURCES,
    ),
)
