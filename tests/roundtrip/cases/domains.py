"""Domains and their federation."""

from tests.roundtrip.model import AUTO, Act, Case, Json, World

DOMAINS = "/v1.0/domains"
PLANTED = "planted.example.org"
CERTIFICATE = "MIIBsTCCAVugAwIBAgIUPlanted"


def managed(world: World) -> Json:
    """A domain in which an application has a name."""
    found = world.named(DOMAINS, "brennerlogistics.example.com", by="id")
    return {
        **found,
        "_application": world.named("/v1.0/applications", "Route Planner")["id"],
        "_default": next(each["id"] for each in world.read(DOMAINS)["value"] if each["isDefault"]),
    }


def federation(world: World) -> Json:
    for domain in world.read(DOMAINS)["value"]:
        if domain["authenticationType"] == "Federated":
            (found,) = world.read(f"{DOMAINS}/{domain['id']}/federationConfiguration")["value"]
            return {**found, "_domain": domain["id"]}
    raise LookupError("no domain is federated")


FEDERATION = f"{DOMAINS}/{{_domain}}/federationConfiguration/{{id}}"

CASES = (
    Case(
        key="domain",
        subject=managed,
        path=f"{DOMAINS}/{{id}}",
        updates={
            "isDefault": True,
            "passwordNotificationWindowInDays": AUTO,
            "passwordValidityPeriodInDays": AUTO,
            "supportedServices": [],
        },
        create=[Act("POST", DOMAINS, {"id": PLANTED})],
        delete=[
            Act("PATCH", "/v1.0/applications/{_application}", {"identifierUris": []}),
            Act("DELETE", f"{DOMAINS}/{{id}}"),
        ],
        lost={
            "delete": frozenset(
                {
                    "isVerified",
                    "isAdminManaged",
                    "passwordNotificationWindowInDays",
                    "passwordValidityPeriodInDays",
                    "supportedServices",
                }
            )
        },
    ),
    Case(
        key="domain",
        variant="default",
        subject=managed,
        path=f"{DOMAINS}/{{id}}",
        more={
            "another default, and other passwords in the one before": [
                Act("PATCH", f"{DOMAINS}/{{id}}", {"isDefault": True}),
                Act("PATCH", f"{DOMAINS}/{{_default}}", {"passwordValidityPeriodInDays": 730}),
            ],
        },
    ),
    Case(
        key="internalDomainFederation",
        subject=federation,
        path=FEDERATION,
        together=True,
        updates={
            "activeSignInUri": "https://sts.planted.example.org/usernamemixed",
            "displayName": AUTO,
            "federatedIdpMfaBehavior": "acceptIfMfaDoneByFederatedIdp",
            "isSignedAuthenticationRequestRequired": AUTO,
            "issuerUri": "https://sts.planted.example.org/trust",
            "metadataExchangeUri": "https://sts.planted.example.org/mex",
            "nextSigningCertificate": CERTIFICATE,
            "passiveSignInUri": "https://sts.planted.example.org/ls",
            "passwordResetUri": "https://sts.planted.example.org/reset",
            "preferredAuthenticationProtocol": AUTO,
            "promptLoginBehavior": AUTO,
            "signOutUri": "https://sts.planted.example.org/out",
            "signingCertificate": CERTIFICATE,
        },
        create=[
            Act(
                "POST",
                f"{DOMAINS}/brennerlogistics.example.com/federationConfiguration",
                lambda _world, subject: {
                    "@odata.type": "#microsoft.graph.internalDomainFederation",
                    **{
                        name: value
                        for name, value in subject.items()
                        if "@" not in name and name not in ("id", "_domain", "signingCertificateUpdateStatus")
                    },
                    "issuerUri": "https://sts.planted.example.org/own",
                },
            )
        ],
        delete=[Act("DELETE", FEDERATION)],
        types=("domain",),
    ),
)
