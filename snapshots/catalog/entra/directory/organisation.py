"""The organisation itself, its branding, and the synchronisation of its directory, declared for the registry.

Facts: Microsoft Graph's v1.0 metadata and reference pages of these types.
"""

from collections.abc import Callable

from snapshots.catalog.spec import (
    AuditHints,
    Comparison,
    Create,
    Delete,
    Document,
    Headers,
    Identity,
    Loss,
    OnePerParent,
    Order,
    Permissions,
    Read,
    Reference,
    ResourceType,
    Restore,
    SetOf,
    Stream,
    Update,
)
from snapshots.catalog.stream_values import lost

_ORGANIZATION = "/v1.0/organization"
_BRANDING = f"{_ORGANIZATION}/{{organizationId}}/branding"
_SYNCHRONIZATION = "/v1.0/directory/onPremisesSynchronization"

_BY_HAND = "is compared, and must be changed back manually in the admin centre"

ORGANIZATION = ResourceType(
    key="organization",
    label="Organisation",
    plural="Organisation",
    area="Organisation",
    read=Read(path=_ORGANIZATION, item_path=f"{_ORGANIZATION}/{{id}}"),
    permissions=Permissions(
        read=("Organization.Read.All",),
        write=("Organization.ReadWrite.All",),
        read_also=("Directory.Read.All", "Directory.ReadWrite.All", "Organization.ReadWrite.All"),
    ),
    comparison=Comparison(
        volatile=(
            "assignedPlans",
            "directorySizeQuota",
            "onPremisesLastPasswordSyncDateTime",
            "partnerTenantType",
            "partnerInformation",
            "provisionedPlans",
            "resourceQuotas",
            "tenantType",
            "verifiedDomains",
        ),
        sets=(
            SetOf("businessPhones"),
            SetOf("marketingNotificationEmails"),
            SetOf("securityComplianceNotificationMails"),
            SetOf("securityComplianceNotificationPhones"),
            SetOf("technicalNotificationMails"),
        ),
        unread={
            "certificateConnectorSetting": "only the beta version has it",
            "isMultipleDataLocationsForServicesEnabled": "only the beta version has it; Microsoft sets it",
        },
    ),
    restore=Restore(
        writable=(
            "marketingNotificationEmails",
            "preferredLanguage",
            "privacyProfile",
            "securityComplianceNotificationMails",
            "securityComplianceNotificationPhones",
            "technicalNotificationMails",
        ),
        update=Update(path=f"{_ORGANIZATION}/{{id}}"),
        order=Order(rank=5),
        losses=tuple(
            Loss(name, _BY_HAND)
            for name in (
                "businessPhones",
                "city",
                "country",
                "countryLetterCode",
                "defaultUsageLocation",
                "displayName",
                "mobileDeviceManagementAuthority",
                "onPremisesSyncEnabled",
                "postalCode",
                "state",
                "street",
            )
        ),
    ),
    audit=AuditHints(
        activities=(
            "set company information",
            "set company contact information",
            "set directory feature on tenant",
            "set dirsyncenabled flag",
            "update organization",
        ),
        services=("Core Directory",),
    ),
    notes=("Licensed plans and domains are left out: they change automatically or are separate types.",),
)

_STREAMS = (
    "backgroundImage",
    "bannerLogo",
    "customCSS",
    "favicon",
    "headerLogo",
    "squareLogo",
    "squareLogoDark",
)
_OF_THE_DEFAULT = "/logintenantbranding/0/"
"""Part of the address of an image that a language has from the default branding."""


def _streams(locale: str, *, default: bool) -> tuple[Stream, ...]:
    return tuple(
        Stream(
            name,
            f"{_BRANDING}/localizations/{locale}/{name}",
            present=_own(f"{name}RelativeUrl", default=default),
            kind="text/css" if name == "customCSS" else "image/*",
            removed_first=default,
        )
        for name in _STREAMS
    )


def _own(address: str, *, default: bool) -> Callable[[Document], bool]:
    """Whether an image is there, and not only shown because the default branding has it."""
    return lambda raw: bool(raw.get(address)) and (default or _OF_THE_DEFAULT not in raw[address])


_APPEARANCE = (
    "backgroundColor",
    "contentCustomization",
    "customAccountResetCredentialsUrl",
    "customCannotAccessYourAccountText",
    "customCannotAccessYourAccountUrl",
    "customForgotMyPasswordText",
    "customPrivacyAndCookiesText",
    "customPrivacyAndCookiesUrl",
    "customResetItNowText",
    "customTermsOfUseText",
    "customTermsOfUseUrl",
    "headerBackgroundColor",
    "loginPageLayoutConfiguration",
    "loginPageTextVisibilitySettings",
    "signInPageText",
    "usernameHintText",
)
_BRANDING_PERMISSIONS = Permissions(
    read=("OrganizationalBranding.Read.All",),
    write=("OrganizationalBranding.ReadWrite.All",),
    read_also=("Organization.Read.All", "Organization.ReadWrite.All", "OrganizationalBranding.ReadWrite.All"),
)
_BRANDING_COMPUTED = (
    "cdnList",
    "contentCustomization.attributeCollectionRelativeUrl",
    "contentCustomization.registrationCampaignRelativeUrl",
    *(f"{name}RelativeUrl" for name in _STREAMS),
)
_STREAM_NOTE = (
    "Images and style sheets are stored byte by byte, each read with a separate request. Unverified: "
    "that Microsoft returns them unchanged and accepts a DELETE of each."
)
_BRANDING_AUDIT = AuditHints(
    activities=(
        "set company branding",
        "update company branding",
        "update branding",
        "delete branding",
        "add branding",
        "set company information",
    ),
    services=("Core Directory",),
    singleton=True,
)

BRANDING = ResourceType(
    key="organizationalBranding",
    label="Sign-in page branding",
    plural="Sign-in page branding",
    area="Organisation",
    read=Read(
        path=f"{_ORGANIZATION}/{{parent}}/branding",
        parent="organization",
        parent_key="organizationId",
        item_path=_BRANDING,
        quirks=(Headers({"Accept-Language": "0"}), OnePerParent(), *_streams("0", default=True)),
    ),
    permissions=_BRANDING_PERMISSIONS,
    identity=Identity(
        properties=("organizationId",),
        name=lambda _raw: "Default branding",
    ),
    comparison=Comparison(computed=_BRANDING_COMPUTED),
    references=(Reference("organizationId", to="organization"),),
    restore=Restore(
        writable=_APPEARANCE,
        create=Create(path=_BRANDING, method="PUT", caller_chooses_id=True),
        update=Update(path=_BRANDING),
        delete=Delete(path=_BRANDING),
        order=Order(rank=6),
        losses=lost(_STREAMS),
    ),
    audit=_BRANDING_AUDIT,
    licence="Microsoft Entra ID P1",
    notes=(
        _STREAM_NOTE,
        "It can be deleted only without images, which are removed first.",
        "Graph returns 404 if no branding was ever set.",
    ),
)


def _is_of_a_language(raw: Document) -> bool:
    """The default branding is listed among its localizations, under `0` or `default`."""
    return raw.get("id") not in ("0", "default")


LOCALIZATION = ResourceType(
    key="organizationalBrandingLocalization",
    label="Sign-in page branding in a language",
    plural="Sign-in page branding by language",
    area="Organisation",
    read=Read(
        path=f"{_ORGANIZATION}/{{parent}}/branding/localizations",
        parent="organization",
        parent_key="organizationId",
        exists=_is_of_a_language,
        item_path=f"{_BRANDING}/localizations/{{id}}",
        quirks=(*_streams("{id}", default=False),),
    ),
    permissions=_BRANDING_PERMISSIONS,
    identity=Identity(name=lambda raw: f"Branding in {raw.get('id', '')}"),
    comparison=Comparison(computed=_BRANDING_COMPUTED),
    references=(Reference("organizationId", to="organizationalBranding"),),
    restore=Restore(
        writable=_APPEARANCE,
        create=Create(
            path=f"{_BRANDING}/localizations",
            only=("id",),
            caller_chooses_id=True,
        ),
        update=Update(path=f"{_BRANDING}/localizations/{{id}}"),
        delete=Delete(path=f"{_BRANDING}/localizations/{{id}}"),
        order=Order(rank=7),
        losses=lost(_STREAMS),
    ),
    audit=_BRANDING_AUDIT,
    licence="Microsoft Entra ID P1",
    notes=(_STREAM_NOTE,),
)

DIRECTORY_SYNCHRONIZATION = ResourceType(
    key="onPremisesDirectorySynchronization",
    label="Directory synchronisation",
    plural="Directory synchronisation",
    area="Organisation",
    read=Read(path=_SYNCHRONIZATION, item_path=f"{_SYNCHRONIZATION}/{{id}}"),
    permissions=Permissions(
        read=("OnPremDirectorySynchronization.Read.All",),
        write=("OnPremDirectorySynchronization.ReadWrite.All",),
        read_also=("OnPremDirectorySynchronization.ReadWrite.All",),
    ),
    identity=Identity(name=lambda _raw: "Directory synchronisation"),
    comparison=Comparison(nested_fields={"configuration": ("accidentalDeletionPrevention",)}),
    restore=Restore(
        writable=("configuration", "features"),
        update=Update(path=f"{_SYNCHRONIZATION}/{{id}}"),
        order=Order(rank=5),
    ),
    audit=AuditHints(
        activities=(
            "set dirsync feature",
            "set directory feature on tenant",
            "set company information",
            "update company settings",
        ),
        services=("Core Directory",),
    ),
    notes=("Only the administrators' setting is stored: the protection against accidental deletions.",),
)

TYPES = (ORGANIZATION, BRANDING, LOCALIZATION, DIRECTORY_SYNCHRONIZATION)
