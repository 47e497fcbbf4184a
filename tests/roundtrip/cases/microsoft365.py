"""Settings of Microsoft 365 for the whole organisation."""

from collections.abc import Mapping
from typing import Any

from tests.roundtrip.model import AUTO, Act, Case, Json, World

ALWAYS_THERE = "there is exactly one"
MANY = 10
"""More settings than these are turned over in one attack."""
CARD = "/v1.0/admin/people/profileCardProperties"


def settings(key: str, path: str, updates: Mapping[str, Any]) -> Case:
    def subject(world: World) -> Json:
        return world.read(path)

    return Case(
        key=key,
        subject=subject,
        path=path,
        updates=updates,
        together=len(updates) > MANY,
        create=ALWAYS_THERE,
        delete=ALWAYS_THERE,
    )


def turned(name: str) -> Any:
    """All switches of a group of settings turned over."""

    def value(_world: World, subject: Json) -> Json:
        return {
            key: not each if isinstance(each, bool) else each
            for key, each in subject[name].items()
            if "@" not in key
        }

    return value


def a_group(world: World, _subject: Json) -> str:
    return str(world.named("/v1.0/groups", "Fleet Team")["id"])


def card(world: World) -> Json:
    found: Json = world.read(CARD)["value"][0]
    return found


CASES = (
    settings(
        "sharepointSettings",
        "/v1.0/admin/sharepoint/settings",
        {
            "allowedDomainGuidsForSyncApp": AUTO,
            "deletedUserPersonalSiteRetentionPeriodInDays": 90,
            "excludedFileExtensionsForSyncApp": AUTO,
            "idleSessionSignOut": {
                "isEnabled": True,
                "warnAfterInSeconds": 300,
                "signOutAfterInSeconds": 600,
            },
            "imageTaggingOption": "enhanced",
            "isCommentingOnSitePagesEnabled": AUTO,
            "isFileActivityNotificationEnabled": AUTO,
            "isLegacyAuthProtocolsEnabled": AUTO,
            "isLoopEnabled": AUTO,
            "isMacSyncAppEnabled": AUTO,
            "isRequireAcceptingUserToMatchInvitedUserEnabled": AUTO,
            "isResharingByExternalUsersEnabled": AUTO,
            "isSharePointMobileNotificationEnabled": AUTO,
            "isSharePointNewsfeedEnabled": AUTO,
            "isSiteCreationEnabled": AUTO,
            "isSiteCreationUIEnabled": AUTO,
            "isSitePagesCreationEnabled": AUTO,
            "isSitesStorageLimitAutomatic": AUTO,
            "isSyncButtonHiddenOnPersonalSite": AUTO,
            "isUnmanagedSyncAppForTenantRestricted": AUTO,
            "personalSiteDefaultStorageLimitInMB": AUTO,
            "sharingAllowedDomainList": ["planted.example.org"],
            "sharingBlockedDomainList": ["planted.example.org"],
            "sharingCapability": "externalUserAndGuestSharing",
            "sharingDomainRestrictionMode": AUTO,
            "siteCreationDefaultManagedPath": "/teams/",
            "siteCreationDefaultStorageLimitInMB": AUTO,
            "tenantDefaultTimezone": "(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna",
        },
    ),
    settings("adminForms", "/beta/admin/forms", {"settings": turned("settings")}),
    settings("adminTodo", "/beta/admin/todo", {"settings": turned("settings")}),
    settings("adminAppsAndServices", "/beta/admin/appsAndServices", {"settings": turned("settings")}),
    settings("adminDynamics", "/beta/admin/dynamics", {"customerVoice": turned("customerVoice")}),
    settings(
        "m365AppsInstallationOptions",
        "/v1.0/admin/microsoft365Apps/installationOptions",
        {
            "appsForMac": turned("appsForMac"),
            "appsForWindows": turned("appsForWindows"),
            "updateChannel": "semiAnnual",
        },
    ),
    settings("adminReportSettings", "/v1.0/admin/reportSettings", {"displayConcealedNames": AUTO}),
    settings("pronounsSettings", "/v1.0/admin/people/pronouns", {"isEnabledInOrganization": AUTO}),
    settings(
        "namePronunciationSettings",
        "/beta/admin/people/namePronunciation",
        {"isEnabledInOrganization": AUTO},
    ),
    settings(
        "insightsSettings",
        "/v1.0/admin/people/itemInsights",
        {"isEnabledInOrganization": False, "disabledForGroup": a_group},
    ),
    settings(
        "photoUpdateSettings",
        "/beta/admin/people/photoUpdateSettings",
        {"source": "onPremises", "allowedRoles": ["62e90394-69f5-4237-9190-012177145e10"]},
    ),
    Case(
        key="profileCardProperty",
        subject=card,
        path=f"{CARD}/{{directoryPropertyName}}",
        updates={
            "annotations": [
                {
                    "displayName": "Planted",
                    "localizations": [{"languageTag": "de-DE", "displayName": "Gepflanzt"}],
                }
            ],
            "isVisible": AUTO,
        },
        create=[
            Act(
                "POST",
                CARD,
                {"directoryPropertyName": "customAttribute9", "annotations": [{"displayName": "Planted"}]},
            )
        ],
        delete=[Act("DELETE", f"{CARD}/{{directoryPropertyName}}")],
    ),
)
