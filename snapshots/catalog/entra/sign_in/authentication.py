"""Authentication methods: the tenant's policy and each method's configuration, declared for the registry.

Facts: Microsoft Graph's v1.0 metadata and reference pages of these types.
"""

from snapshots.catalog.spec import (
    AuditHints,
    Comparison,
    Create,
    Delete,
    Document,
    Identity,
    Loss,
    Nested,
    Order,
    Permissions,
    RankWithinType,
    Read,
    Reference,
    ResetsToDefault,
    ResourceType,
    Restore,
    SetOf,
    Update,
)
from snapshots.catalog.words import method

_CAMPAIGN = "registrationEnforcement.authenticationMethodsRegistrationCampaign"
_POLICY = "/beta/policies/authenticationMethodsPolicy"
_CONFIGURATIONS = f"{_POLICY}/authenticationMethodConfigurations"
_CAMPAIGN = "registrationEnforcement.authenticationMethodsRegistrationCampaign"

_APP_PIN = "microsoftAuthenticatorPlatformSettings.enforceAppPIN"
_EVERYBODY = frozenset({"all_users", "00000000-0000-0000-0000-000000000000"})
"""Words for everybody and, among the exclusions of a feature, for nobody."""

_PERMISSIONS = Permissions(
    read=("Policy.Read.AuthenticationMethod",),
    write=("Policy.ReadWrite.AuthenticationMethod",),
    read_also=("Policy.Read.All", "Policy.ReadWrite.AuthenticationMethod"),
)

_AUDIT = AuditHints(
    activities=("authentication methods policy update", "authentication methods policy reset"),
    services=("Authentication Methods",),
    singleton=True,
)

AUTHENTICATION_METHODS_POLICY = ResourceType(
    key="authenticationMethodsPolicy",
    label="Authentication methods policy",
    plural="Authentication methods policies",
    area="Authentication",
    read=Read(path=_POLICY, service="directory", singleton=True),
    permissions=_PERMISSIONS,
    comparison=Comparison(
        first_read={
            "microsoftAuthenticatorPlatformSettings": 2,
            f"{_CAMPAIGN}.enforceRegistrationAfterAllowedSnoozes": 2,
            "reportSuspiciousActivitySettings": 2,
            "systemCredentialPreferences": 2,
        },
        volatile=("policyVersion",),
        computed=("authenticationMethodConfigurations", "description", "reconfirmationInDays"),
        sets=(
            SetOf(f"{_CAMPAIGN}.includeTargets", key="id"),
            SetOf(f"{_CAMPAIGN}.excludeTargets", key="id"),
            SetOf(f"{_APP_PIN}.includeTargets", key="id"),
            SetOf(f"{_APP_PIN}.excludeTargets", key="id"),
            SetOf("systemCredentialPreferences.includeTargets", key="id"),
            SetOf("systemCredentialPreferences.excludeTargets", key="id"),
        ),
    ),
    references=(
        Reference(f"{_CAMPAIGN}.includeTargets[].id", to="directoryObject", words=_EVERYBODY),
        Reference(f"{_CAMPAIGN}.excludeTargets[].id", to="directoryObject", words=_EVERYBODY),
        Reference(f"{_APP_PIN}.includeTargets[].id", to="group", words=_EVERYBODY),
        Reference(f"{_APP_PIN}.excludeTargets[].id", to="group", words=_EVERYBODY),
        Reference("systemCredentialPreferences.includeTargets[].id", to="directoryObject", words=_EVERYBODY),
        Reference("systemCredentialPreferences.excludeTargets[].id", to="directoryObject", words=_EVERYBODY),
        Reference("reportSuspiciousActivitySettings.includeTarget.id", to="group", words=_EVERYBODY),
    ),
    restore=Restore(
        writable=(
            "microsoftAuthenticatorPlatformSettings",
            "policyMigrationState",
            "registrationEnforcement",
            "reportSuspiciousActivitySettings",
            "systemCredentialPreferences",
        ),
        update=Update(path=_POLICY),
        order=Order(rank=50),
        losses=(
            Loss("policyMigrationState", "a completed migration from the legacy policies cannot be reverted"),
        ),
    ),
    audit=_AUDIT,
    notes=("The methods are separate resources: authenticationMethodConfiguration.",),
)


def _is_built_in(document: Document) -> bool:
    return document.get("@odata.type") != "#microsoft.graph.externalAuthenticationMethodConfiguration"


def _enabled_first(wanted: Document) -> int:
    return 0 if wanted.get("state") == "enabled" else 1


AUTHENTICATION_METHOD_CONFIGURATION = ResourceType(
    key="authenticationMethodConfiguration",
    label="Authentication method",
    plural="Authentication methods",
    area="Authentication",
    read=Read(
        path=_POLICY,
        service="directory",
        item_path=f"{_CONFIGURATIONS}/{{id}}",
        quirks=(Nested("authenticationMethodConfigurations"),),
    ),
    permissions=_PERMISSIONS,
    identity=Identity(name=lambda raw: str(raw.get("displayName") or method(str(raw.get("id") or "")))),
    comparison=Comparison(
        first_read={
            "callerIdNumber": 2,
            "featureSettings.companionAppAllowedState": 2,
            "featureSettings.numberMatchingRequiredState": 2,
            "identityVerificationEventsConfiguration": 2,
            "requireCertificateSidAlignment": 2,
        },
        sets=(
            SetOf("includeTargets", key="id"),
            SetOf("excludeTargets", key="id"),
            SetOf("includeTargets[].allowedPasskeyProfiles"),
            SetOf("keyRestrictions.aaGuids"),
            SetOf("passkeyProfiles", key="id"),
            SetOf("certificateUserBindings", key="x509CertificateField"),
            SetOf("certificateAuthorityScopes", key="subjectKeyIdentifier"),
            SetOf("certificateAuthorityScopes[].includeTargets", key="id"),
            SetOf("authenticationModeConfiguration.rules", key=("x509CertificateRuleType", "identifier")),
            SetOf("crlValidationConfiguration.exemptedCertificateAuthoritiesSubjectKeyIdentifiers"),
        ),
    ),
    references=(
        Reference("includeTargets[].id", to="group", words=_EVERYBODY),
        Reference("excludeTargets[].id", to="group", words=_EVERYBODY),
        Reference("featureSettings.*.includeTarget.id", to="group", words=_EVERYBODY),
        Reference("featureSettings.*.excludeTarget.id", to="group", words=_EVERYBODY),
        Reference("certificateAuthorityScopes[].includeTargets[].id", to="group", words=_EVERYBODY),
        Reference("appId", to="servicePrincipal", by="appId", if_gone="kept"),
    ),
    not_references={
        "defaultPasskeyProfile": "one of the method's own profiles",
        "includeTargets[].allowedPasskeyProfiles[]": "the method's own profiles",
        "keyRestrictions.aaGuids[]": "models of security keys",
        "openIdConnectSetting.clientId": "what the provider calls this tenant",
        "passkeyProfiles[].id": "the profile's own id",
    },
    restore=Restore(
        writable=(
            "state",
            "includeTargets",
            "excludeTargets",
            "allowExternalIdToUseEmailOtp",
            "appId",
            "authenticationModeConfiguration",
            "callerIdNumber",
            "certificateAuthorityScopes",
            "certificateUserBindings",
            "crlValidationConfiguration",
            "defaultLength",
            "defaultLifetimeInMinutes",
            "defaultPasskeyProfile",
            "displayName",
            "featureSettings",
            "identityVerificationEventsConfiguration",
            "isAttestationEnforced",
            "isOfficePhoneAllowed",
            "isSelfServiceRegistrationAllowed",
            "isSoftwareOathEnabled",
            "isUsableOnce",
            "issuerHintsConfiguration",
            "keyRestrictions",
            "maximumLifetimeInMinutes",
            "minimumLifetimeInMinutes",
            "openIdConnectSetting",
            "passkeyProfiles",
            "pinLength",
            "requireCertificateSidAlignment",
            "standardQRCodeLifetimeInDays",
        ),
        typed=True,
        create=Create(path=_CONFIGURATIONS),
        update=Update(path=f"{_CONFIGURATIONS}/{{id}}"),
        delete=Delete(path=f"{_CONFIGURATIONS}/{{id}}", quirks=(ResetsToDefault(_is_built_in),)),
        order=Order(rank=50, quirks=(RankWithinType(_enabled_first),)),
    ),
    audit=_AUDIT,
    notes=(
        "Every method is written at its own URL, always with its type.",
        "Only external methods can be created; DELETE resets a built-in method to Microsoft's default.",
        "A plan enables methods before it disables others, so that no user is left without a method.",
    ),
)

TYPES = (AUTHENTICATION_METHODS_POLICY, AUTHENTICATION_METHOD_CONFIGURATION)
