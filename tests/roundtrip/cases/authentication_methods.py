"""The authentication methods policy and every method's configuration."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.roundtrip.model import AUTO, Act, Case, Json, World, impossible

POLICY = "/beta/policies/authenticationMethodsPolicy"
METHODS = f"{POLICY}/authenticationMethodConfigurations"
EVERYBODY: Json = {"targetType": "group", "id": "all_users"}
AAGUID = "90a3ccdf-635c-4729-a248-9b709135078f"


def method(identifier: str) -> Callable[[World], Json]:
    return lambda world: world.read(f"{METHODS}/{identifier}")


def _for_one_group(world: World, subject: Json) -> list[Json]:
    group = world.named("/v1.0/groups", "Break-Glass")
    target = next(iter(subject["includeTargets"] or []), {"targetType": "group"})
    return [{**_without_annotations(target), "id": group["id"], "targetType": "group"}]


def _excluding_one_group(world: World, _subject: Json) -> list[Json]:
    return [{"id": world.named("/v1.0/groups", "Break-Glass")["id"], "targetType": "group"}]


def _without_annotations(target: Json) -> Json:
    return {name: value for name, value in target.items() if "@odata" not in name or name == "@odata.type"}


def provider(name: str, client: str) -> Json:
    return {
        "@odata.type": "#microsoft.graph.externalAuthenticationMethodConfiguration",
        "displayName": name,
        "state": "enabled",
        "appId": "2ba6c0a6-2a35-4d04-b13e-7d44f5f0d2b1",
        "openIdConnectSetting": {
            "clientId": client,
            "discoveryUrl": "https://login.example.net/.well-known/openid-configuration",
        },
    }


def partner(world: World) -> Json:
    found = world.read(POLICY)["authenticationMethodConfigurations"]
    return next(each for each in found if str(each.get("displayName")).startswith("Partner sign-in"))


def case(identifier: str, **properties: Any) -> Case:
    return Case(
        key="authenticationMethodConfiguration",
        variant=identifier,
        subject=method(identifier),
        path=f"{METHODS}/{identifier}",
        typed=True,
        updates={"state": AUTO, "excludeTargets": _excluding_one_group, **properties},
    )


def policy_case() -> Case:
    campaign: Mapping[str, Any] = {
        "authenticationMethodsRegistrationCampaign": {
            "state": "disabled",
            "snoozeDurationInDays": 14,
            "includeTargets": [],
            "excludeTargets": [],
        }
    }
    return Case(
        key="authenticationMethodsPolicy",
        subject=lambda world: world.read(POLICY),
        path=POLICY,
        updates={
            "policyMigrationState": impossible("a completed migration cannot go back, for nobody"),
            "registrationEnforcement": campaign,
            "microsoftAuthenticatorPlatformSettings": {
                "enforceAppPIN": {"includeTargets": [EVERYBODY], "excludeTargets": []}
            },
            "reportSuspiciousActivitySettings": {
                "state": "disabled",
                "includeTarget": EVERYBODY,
                "voiceReportingCode": 9,
            },
            "systemCredentialPreferences": {
                "state": "disabled",
                "includeTargets": [EVERYBODY],
                "excludeTargets": [],
            },
        },
    )


CASES = (
    policy_case(),
    case(
        "Fido2",
        includeTargets=_for_one_group,
        isAttestationEnforced=AUTO,
        isSelfServiceRegistrationAllowed=AUTO,
        keyRestrictions={"isEnforced": True, "enforcementType": "allow", "aaGuids": [AAGUID]},
        defaultPasskeyProfile=AUTO,
        passkeyProfiles=impossible(
            "the schema has them as a navigation; whether Graph takes them in the body is not verified"
        ),
    ),
    case(
        "MicrosoftAuthenticator",
        includeTargets=_for_one_group,
        isSoftwareOathEnabled=AUTO,
        featureSettings={
            "displayAppInformationRequiredState": {
                "state": "disabled",
                "includeTarget": {"targetType": "group", "id": "all_users"},
                "excludeTarget": {"targetType": "group", "id": "00000000-0000-0000-0000-000000000000"},
            }
        },
    ),
    case("Sms", includeTargets=_for_one_group),
    case("Voice", callerIdNumber="+15550100", isOfficePhoneAllowed=AUTO, includeTargets=_for_one_group),
    case("Email", allowExternalIdToUseEmailOtp="enabled", includeTargets=_for_one_group),
    case("VerifiableCredentials", identityVerificationEventsConfiguration={"isEnabled": True}),
    case("SoftwareOath", includeTargets=_for_one_group),
    case("HardwareOath", includeTargets=_for_one_group),
    case(
        "TemporaryAccessPass",
        defaultLength=AUTO,
        defaultLifetimeInMinutes=AUTO,
        isUsableOnce=AUTO,
        maximumLifetimeInMinutes=AUTO,
        minimumLifetimeInMinutes=lambda _world, subject: subject["minimumLifetimeInMinutes"] - 10,
        includeTargets=_for_one_group,
    ),
    case("QRCodePin", pinLength=AUTO, standardQRCodeLifetimeInDays=lambda _world, _subject: 30),
    case(
        "X509Certificate",
        authenticationModeConfiguration={
            "x509CertificateAuthenticationDefaultMode": "x509CertificateMultiFactor",
            "rules": [],
        },
        certificateUserBindings=[
            {"x509CertificateField": "RFC822Name", "userProperty": "userPrincipalName", "priority": 1}
        ],
        crlValidationConfiguration={
            "exemptedCertificateAuthoritiesSubjectKeyIdentifiers": [
                "9A4248C6AC8C2931AB2A86537818E92E7B6C97B6"
            ],
            "state": "enabled",
        },
        issuerHintsConfiguration={"state": "enabled"},
        requireCertificateSidAlignment=True,
        certificateAuthorityScopes=[
            {
                "publicKeyInfrastructureIdentifier": "Planted",
                "subjectKeyIdentifier": "9A4248C6AC8C2931AB2A86537818E92E7B6C97B6",
                "includeTargets": [],
            }
        ],
        includeTargets=_for_one_group,
    ),
    Case(
        key="authenticationMethodConfiguration",
        variant="external",
        given=[Act("POST", METHODS, provider("Partner sign-in", "partner"))],
        subject=partner,
        path=f"{METHODS}/{{id}}",
        typed=True,
        updates={
            "displayName": AUTO,
            "state": "disabled",
            "appId": "2ba6c0a6-2a35-4d04-b13e-7d44f5f0d2b2",
            "openIdConnectSetting": {
                "clientId": "planted",
                "discoveryUrl": "https://attacker.example/.well-known/openid-configuration",
            },
        },
        create=[Act("POST", METHODS, provider("Planted provider", "planted"))],
        delete=[Act("DELETE", f"{METHODS}/{{id}}")],
    ),
)
