"""Settings of Microsoft 365 for the whole organisation, declared for the registry.

Facts: Microsoft Graph's metadata and permission list of the `/admin` paths.
"""

from snapshots.catalog.spec import (
    EVERYTHING,
    AuditHints,
    Comparison,
    Create,
    Delete,
    GraphEntity,
    Identity,
    Order,
    Permissions,
    Read,
    Reference,
    ResourceType,
    Restore,
    SetOf,
    Update,
)

_NOT_IN_THE_DIRECTORYS_LOG = (
    "Microsoft records changes of these settings in the unified audit log only, not in the directory's."
)


def _settings(
    key: str,
    label: str,
    path: str,
    permission: str,
    writable: tuple[str, ...],
    *,
    sets: tuple[SetOf, ...] = (),
    computed: tuple[str, ...] = (),
    references: tuple[Reference, ...] = (),
    entity: str | None = None,
    notes: tuple[str, ...] = (),
) -> ResourceType:
    """Settings that are always there, read and written as one object."""
    return ResourceType(
        key=key,
        label=label,
        plural=label,
        area="Microsoft 365",
        read=Read(path=path, singleton=True),
        permissions=Permissions(
            read=(f"{permission}.Read.All",),
            write=(f"{permission}.ReadWrite.All",),
            read_also=(f"{permission}.ReadWrite.All",),
        ),
        identity=Identity(name=lambda _raw: label, quirks=(GraphEntity(entity),) if entity else ()),
        comparison=Comparison(
            computed=computed,
            sets=sets,
        ),
        references=references,
        restore=Restore(writable=writable, update=Update(path=path), order=Order(rank=6)),
        audit=AuditHints(log="unifiedAudit", singleton=True),
        notes=(*notes, _NOT_IN_THE_DIRECTORYS_LOG),
    )


SHAREPOINT = _settings(
    "sharepointSettings",
    "SharePoint settings",
    "/v1.0/admin/sharepoint/settings",
    "SharePointTenantSettings",
    (
        "allowedDomainGuidsForSyncApp",
        "deletedUserPersonalSiteRetentionPeriodInDays",
        "excludedFileExtensionsForSyncApp",
        "idleSessionSignOut",
        "imageTaggingOption",
        "isCommentingOnSitePagesEnabled",
        "isFileActivityNotificationEnabled",
        "isLegacyAuthProtocolsEnabled",
        "isLoopEnabled",
        "isMacSyncAppEnabled",
        "isRequireAcceptingUserToMatchInvitedUserEnabled",
        "isResharingByExternalUsersEnabled",
        "isSharePointMobileNotificationEnabled",
        "isSharePointNewsfeedEnabled",
        "isSiteCreationEnabled",
        "isSiteCreationUIEnabled",
        "isSitePagesCreationEnabled",
        "isSitesStorageLimitAutomatic",
        "isSyncButtonHiddenOnPersonalSite",
        "isUnmanagedSyncAppForTenantRestricted",
        "personalSiteDefaultStorageLimitInMB",
        "sharingAllowedDomainList",
        "sharingBlockedDomainList",
        "sharingCapability",
        "sharingDomainRestrictionMode",
        "siteCreationDefaultManagedPath",
        "siteCreationDefaultStorageLimitInMB",
        "tenantDefaultTimezone",
    ),
    sets=(
        SetOf("allowedDomainGuidsForSyncApp"),
        SetOf("excludedFileExtensionsForSyncApp"),
        SetOf("sharingAllowedDomainList"),
        SetOf("sharingBlockedDomainList"),
    ),
    computed=("availableManagedPathsForSiteCreation",),
    notes=(
        "Graph provides only part of the tenant's SharePoint settings; the rest is in SharePoint's own API.",
    ),
)

_BETA = "Available only in the beta version of Graph."
_WHOLE = "The settings are written as a whole."

FORMS = _settings(
    "adminForms",
    "Forms settings",
    "/beta/admin/forms",
    "OrgSettings-Forms",
    ("settings",),
    notes=(_BETA, _WHOLE),
)
TODO = _settings(
    "adminTodo",
    "To Do settings",
    "/beta/admin/todo",
    "OrgSettings-Todo",
    ("settings",),
    notes=(_BETA, _WHOLE),
)
APPS_AND_SERVICES = _settings(
    "adminAppsAndServices",
    "Apps and services settings",
    "/beta/admin/appsAndServices",
    "OrgSettings-AppsAndServices",
    ("settings",),
    notes=(_BETA, _WHOLE),
)
DYNAMICS = _settings(
    "adminDynamics",
    "Customer Voice settings",
    "/beta/admin/dynamics",
    "OrgSettings-DynamicsVoice",
    ("customerVoice",),
    notes=(_BETA, _WHOLE),
)
INSTALLATION = _settings(
    "m365AppsInstallationOptions",
    "Microsoft 365 apps installation",
    "/v1.0/admin/microsoft365Apps/installationOptions",
    "OrgSettings-Microsoft365Install",
    ("appsForMac", "appsForWindows", "updateChannel"),
)
REPORTS = _settings(
    "adminReportSettings",
    "Report settings",
    "/v1.0/admin/reportSettings",
    "ReportSettings",
    ("displayConcealedNames",),
)
PRONOUNS = _settings(
    "pronounsSettings",
    "Pronouns settings",
    "/v1.0/admin/people/pronouns",
    "PeopleSettings",
    ("isEnabledInOrganization",),
)
NAME_PRONUNCIATION = _settings(
    "namePronunciationSettings",
    "Name pronunciation settings",
    "/beta/admin/people/namePronunciation",
    "PeopleSettings",
    ("isEnabledInOrganization",),
    notes=(_BETA,),
)
ITEM_INSIGHTS = _settings(
    "insightsSettings",
    "Item insights settings",
    "/v1.0/admin/people/itemInsights",
    "PeopleSettings",
    ("disabledForGroup", "isEnabledInOrganization"),
    references=(Reference("disabledForGroup", to="group"),),
)
PHOTO_UPDATES = _settings(
    "photoUpdateSettings",
    "Photo update settings",
    "/beta/admin/people/photoUpdateSettings",
    "PeopleSettings",
    EVERYTHING,
    sets=(SetOf("allowedRoles"),),
    references=(Reference("allowedRoles[]", to="unifiedRoleDefinition", by="templateId"),),
    notes=(
        _BETA,
        "Microsoft does not document its properties: everything that it returns is stored and written.",
    ),
)

_CARD = "/v1.0/admin/people/profileCardProperties"

PROFILE_CARD = ResourceType(
    key="profileCardProperty",
    label="Profile card property",
    plural="Profile card properties",
    area="Microsoft 365",
    read=Read(path=_CARD, item_path=f"{_CARD}/{{id}}"),
    permissions=Permissions(
        read=("PeopleSettings.Read.All",),
        write=("PeopleSettings.ReadWrite.All",),
        read_also=("PeopleSettings.ReadWrite.All",),
    ),
    identity=Identity(
        properties=("directoryPropertyName",),
        name=lambda raw: str(raw.get("directoryPropertyName", "")),
    ),
    comparison=Comparison(sets=(SetOf("annotations[].localizations", key="languageTag"),)),
    restore=Restore(
        writable=("annotations", "isVisible"),
        create=Create(
            path=_CARD,
            only=("directoryPropertyName",),
            caller_chooses_id=True,
        ),
        update=Update(path=f"{_CARD}/{{id}}"),
        delete=Delete(path=f"{_CARD}/{{id}}"),
        order=Order(rank=6),
    ),
    audit=AuditHints(log="unifiedAudit", singleton=True),
    notes=(_NOT_IN_THE_DIRECTORYS_LOG,),
)

TYPES = (
    SHAREPOINT,
    FORMS,
    TODO,
    APPS_AND_SERVICES,
    DYNAMICS,
    INSTALLATION,
    REPORTS,
    PRONOUNS,
    NAME_PRONUNCIATION,
    ITEM_INSIGHTS,
    PHOTO_UPDATES,
    PROFILE_CARD,
)
