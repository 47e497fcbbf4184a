"""Names of properties that look like identifiers but never refer to another object in the tenant, in any
type. Exceptions of a single type are declared in `ResourceType.not_references`.
"""

from collections.abc import Iterator, Mapping

from snapshots.catalog.places import ELEMENT, Path, matches, parse
from snapshots.catalog.spec import ResourceType

_MEANINGS: Mapping[str, tuple[str, ...]] = {
    "a word of Microsoft's: an operation, a role's action, a kind, a country, a language": (
        "allowedCloudEndpoints",
        "allowedMemberTypes",
        "allowedResourceActions",
        "audiences",
        "blockedSkus",
        "countriesAndRegions",
        "countriesBlockedForMinors",
        "enabledRules",
        "enforcedSettings",
        "excludedResourceActions",
        "exemptFormats",
        "groupTypes",
        "includeUserActions",
        "infoCatalogs",
        "inheritableSettings",
        "localesToInstall",
        "notAllowedResourceActions",
        "resourceBehaviorOptions",
        "restrictedApps",
        "supportedServices",
    ),
    "a product, a plan, a setting or a template of Microsoft's, the same in every tenant": (
        "disabledPlans",
        "servicePlanId",
        "settingDefinitionId",
        "settingInstanceTemplateId",
        "settingValueTemplateId",
        "skuId",
    ),
    "a name that an app, an extension or its maker has everywhere": (
        "allowedAndroidDeviceModels",
        "allowedBundleIdentifiers",
        "appManagementPackageFamilyNamesToLaunchAfterLogOn",
        "appUserModelId",
        "assessmentAppUserModelId",
        "blockedManufacturers",
        "bundleID",
        "bundleId",
        "customBrowserPackageId",
        "customDialerAppPackageId",
        "desktopApplicationId",
        "displayAppListWithGdiDPIScalingTurnedOff",
        "displayAppListWithGdiDPIScalingTurnedOn",
        "edgeRequiredExtensionPackageFamilyNames",
        "kernelExtensionAllowedTeamIdentifiers",
        "kioskAppUserModelId",
        "messagingRedirectAppPackageId",
        "packageId",
        "phonePublisherId",
        "primaryBundleId",
        "printerNames",
        "systemExtensionsAllowedTeamIdentifiers",
        "targetedPackageIds",
        "windowsAppId",
    ),
    "an address, a host, a domain or a network": (
        "allowedDomains",
        "allowedGoogleAccountDomains",
        "allowedSchemes",
        "allowedUrls",
        "associatedDomains",
        "blockedDomains",
        "blockedSchemes",
        "bluetoothAllowedServices",
        "cacheServerHostNames",
        "contentCachingParents",
        "dnsSearchDomains",
        "dnsServerAddressMatch",
        "dnsSuffixSearchList",
        "dnsSuffixes",
        "domains",
        "edgeHomepageUrls",
        "emailInDomainSuffixes",
        "enterpriseInternalProxyServers",
        "enterpriseNetworkDomainNames",
        "enterpriseProxyServers",
        "exceptions",
        "excludeList",
        "excludeWildcardsInPathWithDomains",
        "excludedDomains",
        "excludedHosts",
        "exemptedUniversalLinks",
        "ipAddresses",
        "kioskBrowserBlockedURLs",
        "kioskBrowserBlockedUrlExceptions",
        "kioskModeWifiAllowedSsids",
        "localAddressRanges",
        "localPortRanges",
        "managedUniversalLinks",
        "neutralDomainResources",
        "proxyExclusionList",
        "remoteAddressRanges",
        "remotePortRanges",
        "replyUrls",
        "resources",
        "safariDomains",
        "safariManagedDomains",
        "safariPasswordAutoFillDomains",
        "scepServerUrls",
        "servers",
        "sharingAllowedDomainList",
        "sharingBlockedDomainList",
        "ssid",
        "ssids",
        "trustedNetworkDomains",
        "trustedServerCertificateNames",
    ),
    "a file, a folder or a process of a device": (
        "advancedThreatProtectionExcludedExtensions",
        "advancedThreatProtectionExcludedFiles",
        "advancedThreatProtectionExcludedFolders",
        "advancedThreatProtectionExcludedProcesses",
        "defenderAdditionalGuardedFolders",
        "defenderAttackSurfaceReductionExcludedPaths",
        "defenderFileExtensionsToExclude",
        "defenderFilesAndFoldersToExclude",
        "defenderGuardedFoldersAllowedAppPaths",
        "defenderProcessesToExclude",
        "excludedFileExtensionsForSyncApp",
        "lockdownExclusionList",
    ),
    "a mail address or a telephone number": (
        "businessPhones",
        "factoryResetDeviceAdministratorEmails",
        "marketingNotificationEmails",
        "notificationEmailAddresses",
        "notificationRecipients",
        "securityComplianceNotificationMails",
        "securityComplianceNotificationPhones",
        "technicalNotificationMails",
    ),
    "a mark of a key, a certificate or an issuer": (
        "allowedIssuerSkis",
        "allowedPolicyOIDs",
        "applicationGuardCertificateThumbprints",
        "exemptedCertificateAuthoritiesSubjectKeyIdentifiers",
        "keyId",
        "md5Hash",
    ),
    "a domain of a directory on the premises": ("allowedDomainGuidsForSyncApp",),
    "words that people or applications chose": ("additionalProperties", "tags", "values"),
}

NEVER_REFERENCES: Mapping[str, str] = {name: what for what, names in _MEANINGS.items() for name in names}
"""Name of the property → what it is instead."""


def declared(spec: ResourceType, path: Path) -> bool:
    """Whether the catalogue says of the place what it names, or that it names nothing."""
    return names_nothing(spec, path) or any(matches(parse(each.path), path) for each in spec.references)


def names_nothing(spec: ResourceType, path: Path) -> bool:
    """Whether what looks like an id there is none of another object."""
    name = next((key for key in reversed(path) if key != ELEMENT), "")
    return (
        name in NEVER_REFERENCES
        or path in _own_ids(spec)
        or any(matches(parse(each), path) for each in spec.not_references)
    )


def _own_ids(spec: ResourceType) -> Iterator[Path]:
    """The object's own id where its document holds it, and those of the elements of its parts."""
    yield ("id",)
    for part in spec.parts:
        if part.key is not None:
            yield (part.name, ELEMENT, part.key)
