"""What every new directory has: organisation, licence, built-in roles and strengths, Microsoft's service principals."""

from lavawall.emulator import schema
from lavawall.emulator.permissions import GRAPH_APP_ID
from lavawall.emulator.seed import organisation_settings, tenant_settings
from lavawall.emulator.seed.builder import TenantBuilder, reference_data
from lavawall.emulator.store import Json
from lavawall.emulator.types.applications import MICROSOFT_TENANT
from lavawall.emulator.types.authentication import method_defaults

EXCHANGE_APP_ID = "00000002-0000-0ff1-ce00-000000000000"
AZURE_MANAGEMENT_APP_ID = "797f4846-ba00-4fd7-ba43-dac1f8f63013"
EXCHANGE_ROLES = {
    "full_access_as_app": "dc890d15-9560-4a4c-9b7f-a736ec74ec40",
    "Exchange.ManageAsApp": "dc50a0fb-09a3-484d-be87-e023b12c6440",
}
PHISHING_RESISTANT = ["windowsHelloForBusiness", "fido2", "x509CertificateMultiFactor"]
PASSWORDLESS = [*PHISHING_RESISTANT, "deviceBasedPush"]
MULTI_FACTOR = [
    *PASSWORDLESS,
    "temporaryAccessPassOneTime",
    "temporaryAccessPassMultiUse",
    "password, microsoftAuthenticatorPush",
    "password, softwareOath",
    "password, hardwareOath",
    "password, sms",
    "password, voice",
    "federatedMultiFactor",
]
STRENGTHS = (
    ("00000000-0000-0000-0000-000000000002", "Multifactor authentication", MULTI_FACTOR),
    ("00000000-0000-0000-0000-000000000003", "Passwordless MFA", PASSWORDLESS),
    ("00000000-0000-0000-0000-000000000004", "Phishing-resistant MFA", PHISHING_RESISTANT),
)
METHODS = {
    "Fido2": "fido2AuthenticationMethodConfiguration",
    "MicrosoftAuthenticator": "microsoftAuthenticatorAuthenticationMethodConfiguration",
    "Sms": "smsAuthenticationMethodConfiguration",
    "TemporaryAccessPass": "temporaryAccessPassAuthenticationMethodConfiguration",
    "HardwareOath": "hardwareOathAuthenticationMethodConfiguration",
    "SoftwareOath": "softwareOathAuthenticationMethodConfiguration",
    "Voice": "voiceAuthenticationMethodConfiguration",
    "Email": "emailAuthenticationMethodConfiguration",
    "X509Certificate": "x509CertificateAuthenticationMethodConfiguration",
    "QRCodePin": "qrCodePinAuthenticationMethodConfiguration",
    "VerifiableCredentials": "verifiableCredentialsAuthenticationMethodConfiguration",
}
METHOD_DETAILS: dict[str, Json] = {
    "Fido2": {
        "state": "enabled",
        "isAttestationEnforced": True,
        "isSelfServiceRegistrationAllowed": True,
        "keyRestrictions": {"isEnforced": False, "enforcementType": "block", "aaGuids": []},
    },
    "MicrosoftAuthenticator": {
        "state": "enabled",
        "isSoftwareOathEnabled": False,
        "featureSettings": {
            "displayAppInformationRequiredState": {
                "state": "enabled",
                "includeTarget": {"targetType": "group", "id": "all_users"},
                "excludeTarget": {"targetType": "group", "id": "00000000-0000-0000-0000-000000000000"},
            }
        },
        "includeTargets": [
            {
                "id": "all_users",
                "targetType": "group",
                "isRegistrationRequired": False,
                "authenticationMode": "any",
            }
        ],
    },
    "Sms": {
        "includeTargets": [
            {
                "id": "all_users",
                "targetType": "group",
                "isRegistrationRequired": False,
                "isUsableForSignIn": False,
            }
        ]
    },
    "TemporaryAccessPass": {
        "state": "enabled",
        "defaultLength": 8,
        "defaultLifetimeInMinutes": 60,
        "isUsableOnce": True,
        "maximumLifetimeInMinutes": 480,
        "minimumLifetimeInMinutes": 60,
    },
    "Voice": {"isOfficePhoneAllowed": False},
    "Email": {"allowExternalIdToUseEmailOtp": "default"},
    "QRCodePin": {"pinLength": 8, "standardQRCodeLifetimeInDays": 365},
    "X509Certificate": {
        "authenticationModeConfiguration": {
            "x509CertificateAuthenticationDefaultMode": "x509CertificateSingleFactor",
            "rules": [],
        },
        "certificateUserBindings": [
            {"x509CertificateField": "PrincipalName", "userProperty": "userPrincipalName", "priority": 1}
        ],
        "crlValidationConfiguration": {
            "exemptedCertificateAuthoritiesSubjectKeyIdentifiers": [],
            "state": "disabled",
        },
    },
}


def lay(builder: TenantBuilder, country: str) -> None:
    """Lays the base of a new directory."""
    _organisation(builder, country)
    _roles(builder)
    _microsoft_service_principals(builder)
    _strengths(builder)
    _methods(builder)
    tenant_settings.settle(builder)
    organisation_settings.settle(builder)


def _organisation(builder: TenantBuilder, country: str) -> None:
    directory = builder.directory
    builder.add(
        "organization",
        {},
        computed={
            "id": directory.directory_id,
            "displayName": directory.name,
            "countryLetterCode": country,
            "tenantType": "AAD",
        },
    )
    builder.add(
        "subscribedSku",
        {
            "appliesTo": "User",
            "capabilityStatus": "Enabled",
            "consumedUnits": 20,
            "prepaidUnits": {"enabled": 50, "lockedOut": 0, "suspended": 0, "warning": 0},
            "servicePlans": [
                {
                    "appliesTo": "User",
                    "provisioningStatus": "Success",
                    "servicePlanId": "eec0eb4f-6444-4f95-aba0-50c24d67f998",
                    "servicePlanName": "AAD_PREMIUM_P2",
                }
            ],
            "skuId": "84a661c4-e949-4bd2-a560-ed7766fcaf2b",
            "skuPartNumber": "AAD_PREMIUM_P2",
        },
        name="AAD_PREMIUM_P2",
    )


def _roles(builder: TenantBuilder) -> None:
    for name, template_id in reference_data("directory_roles")["roles"].items():
        builder.add(
            "unifiedRoleDefinition",
            {
                "displayName": name,
                "isEnabled": True,
                "rolePermissions": [{"allowedResourceActions": [], "condition": None}],
                "templateId": template_id,
                "version": "1",
            },
            computed={"id": template_id, "isBuiltIn": True},
        )


def _app_roles(roles: dict[str, str]) -> list[Json]:
    return [
        {
            "allowedMemberTypes": ["Application"],
            "description": value,
            "displayName": value,
            "id": identifier,
            "isEnabled": True,
            "origin": "Application",
            "value": value,
        }
        for value, identifier in roles.items()
    ]


def _scopes(scopes: dict[str, str]) -> list[Json]:
    return [
        {
            "adminConsentDescription": value,
            "adminConsentDisplayName": value,
            "id": identifier,
            "isEnabled": True,
            "type": "User" if value.endswith(("User.Read", "profile", "openid", "email")) else "Admin",
            "value": value,
        }
        for value, identifier in scopes.items()
    ]


def _microsoft_service_principals(builder: TenantBuilder) -> None:
    graph = reference_data("graph_permissions")
    table: tuple[tuple[str, str, dict[str, str], dict[str, str]], ...] = (
        (GRAPH_APP_ID, "Microsoft Graph", graph["application"], graph["delegated"]),
        (EXCHANGE_APP_ID, "Office 365 Exchange Online", EXCHANGE_ROLES, {}),
        (AZURE_MANAGEMENT_APP_ID, "Windows Azure Service Management API", {}, {}),
    )
    for app_id, name, roles, scopes in table:
        builder.add(
            "servicePrincipal",
            {"appId": app_id},
            name=name,
            computed={
                "displayName": name,
                "appDisplayName": name,
                "appOwnerOrganizationId": MICROSOFT_TENANT,
                "appRoles": _app_roles(roles),
                "oauth2PermissionScopes": _scopes(scopes),
                "servicePrincipalNames": [app_id],
                "signInAudience": "AzureADMultipleOrgs",
            },
        )


def _strengths(builder: TenantBuilder) -> None:
    for identifier, name, combinations in STRENGTHS:
        builder.add(
            "authenticationStrengthPolicy",
            {
                "displayName": name,
                "description": f"Built-in strength: {name}",
                "allowedCombinations": combinations,
            },
            computed={"id": identifier, "policyType": "builtIn", "requirementsSatisfied": "mfa"},
        )


def _methods(builder: TenantBuilder) -> None:
    campaign = {
        "snoozeDurationInDays": 1,
        "state": "default",
        "excludeTargets": [],
        "includeTargets": [
            {
                "id": "all_users",
                "targetType": "group",
                "targetedAuthenticationMethod": "microsoftAuthenticator",
            }
        ],
    }
    builder.add(
        "authenticationMethodsPolicy",
        {
            "policyMigrationState": "migrationComplete",
            "registrationEnforcement": {"authenticationMethodsRegistrationCampaign": campaign},
        },
        computed={
            "id": "authenticationMethodsPolicy",
            "displayName": "Authentication Methods Policy",
            "description": "Which authentication methods users of the tenant may register and use",
            "policyVersion": "1.5",
        },
    )
    for identifier, type_name in METHODS.items():
        body = method_defaults(schema.NAMESPACE + type_name, identifier) | METHOD_DETAILS.get(identifier, {})
        builder.add(
            "authenticationMethodConfiguration",
            {name: value for name, value in body.items() if name != "id"},
            computed={"id": identifier},
        )
