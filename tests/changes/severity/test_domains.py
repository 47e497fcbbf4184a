"""Domains, federation, certificate authorities, outside tokens: whose word on who somebody is counts."""

from typing import Any

from tests.changes.severity.casebook import Case
from tests.changes.severity.casebook_settings import MISSING, OFF, ON, appeared, at, loosened, untouched, went

DOMAIN, FEDERATION = "domain", "internalDomainFederation"
AUTHORITIES = "certificateBasedAuthConfiguration"
CREDENTIAL, IDENTITY = "federatedIdentityCredential", "managedIdentityFederatedCredential"
PROVIDER = {"issuerUri": "http://sts.example.org/trust", "signingCertificate": "MIIC\r\nAAA="}
OURS = {
    "issuer": "CN=Ours",
    "isRootAuthority": True,
    "certificate": "TUlJQw==",
    "certificateRevocationListUrl": "http://crl",
}
THEIRS = {"issuer": "CN=Theirs", "isRootAuthority": False, "certificate": "RVZJTA=="}
GITHUB = {
    "name": "deploy",
    "issuer": "https://token.actions.githubusercontent.com",
    "subject": "repo:org/app:ref:refs/heads/main",
    "audiences": ["api://AzureADTokenExchange"],
}
HELD = {
    "after": {
        "application": {"app": {"appId": "client"}},
        "servicePrincipal": {"sp": {"appId": "client"}},
        "unifiedRoleAssignment": {
            "a": {"roleDefinitionId": "62e90394-69f5-4237-9190-012177145e10", "principalId": "sp"}
        },
    }
}

REPLACEMENTS = {"federation-moved", "federated-credential"}


def changed(
    kind: str,
    rule: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    severity: str | None,
    direction: str = "weakens",
    context: dict[str, Any] | None = None,
    resource_id: str = "subject-id",
) -> Case:
    title = f"{kind} to {str(after)[:60]}"
    replaced = before is not None and after is not None and rule in REPLACEMENTS
    around = context or {}
    return Case(title, rule, kind, before, after, severity, direction, around, resource_id, replaced)


def moved(name: str, after: Any, severity: str | None) -> Case:
    return changed(FEDERATION, "federation-moved", PROVIDER, at(name, after, PROVIDER), severity)


def trusting(*authorities: dict[str, Any]) -> dict[str, Any]:
    return {"certificateAuthorities": list(authorities)}


MANAGED = {"authenticationType": "Managed", "isVerified": True}
CASES = [
    changed(DOMAIN, "domain-federated", MANAGED, {**MANAGED, "authenticationType": "federated"}, "critical"),
    changed(DOMAIN, "domain-federated", None, {"authenticationType": "Federated"}, "critical"),
    changed(DOMAIN, "domain-federated", {"authenticationType": "Federated"}, MANAGED, "medium", "neutral"),
    untouched(DOMAIN, "domain-federated"),
    changed(DOMAIN, "domain-changed", {"isVerified": False}, {"isVerified": True}, "medium"),
    changed(DOMAIN, "domain-changed", {"isDefault": False}, {"isDefault": True}, "medium", "neutral"),
    changed(
        DOMAIN,
        "domain-changed",
        {"supportedServices": ["Email"]},
        {"supportedServices": []},
        "low",
        "neutral",
    ),
    changed(
        DOMAIN,
        "domain-changed",
        {"passwordValidityPeriodInDays": 90},
        {"passwordValidityPeriodInDays": 2147483647},
        "low",
        "neutral",
    ),
    untouched(DOMAIN, "domain-changed", "supportedServices", ["Email", "Yammer"], ["yammer", "email"]),
    appeared(DOMAIN, "domain-life", "medium"),
    went(DOMAIN, "domain-life", "high", "neutral"),
    untouched(DOMAIN, "domain-life"),
    moved("issuerUri", "http://evil.example", "critical"),
    moved("signingCertificate", "RVZJTA==", "critical"),
    moved("nextSigningCertificate", "RVZJTA==", "critical"),
    moved("passiveSignInUri", "https://evil.example", "critical"),
    moved("metadataExchangeUri", "https://evil.example", "critical"),
    moved("passwordResetUri", "https://evil.example", "high"),
    moved("signOutUri", "https://evil.example", "low"),
    moved("signingCertificate", "MIICAAA=\n", None),
    moved("issuerUri", "http://sts.example.org/trust/", None),
    *loosened(
        FEDERATION,
        "federation-mfa",
        "federatedIdpMfaBehavior",
        "rejectMfaByFederatedIdp",
        "acceptIfMfaDoneByFederatedIdp",
        "critical",
    ),
    *loosened(
        FEDERATION,
        "federation-mfa",
        "federatedIdpMfaBehavior",
        MISSING,
        "enforceMfaByFederatedIdp",
        "critical",
    ),
    *loosened(FEDERATION, "federation-mfa", "isSignedAuthenticationRequestRequired", ON, OFF, "medium"),
    untouched(FEDERATION, "federation-mfa"),
    appeared(FEDERATION, "federation-life", "critical"),
    went(FEDERATION, "federation-life", "high", "neutral"),
    untouched(FEDERATION, "federation-life"),
    changed(AUTHORITIES, "certificate-authority", trusting(OURS), trusting(OURS, THEIRS), "critical"),
    changed(AUTHORITIES, "certificate-authority", None, trusting(OURS), "critical"),
    changed(AUTHORITIES, "certificate-authority", trusting(OURS), None, "low", "strengthens"),
    changed(
        AUTHORITIES,
        "certificate-authority",
        trusting(OURS, THEIRS),
        trusting(THEIRS, {**OURS, "certificate": "TUlJ\nQw=="}),
        None,
    ),
    changed(
        AUTHORITIES,
        "certificate-revocation",
        trusting(OURS),
        trusting({k: v for k, v in OURS.items() if k != "certificateRevocationListUrl"}),
        "high",
    ),
    changed(AUTHORITIES, "certificate-revocation", trusting(OURS), trusting(OURS, THEIRS), None),
    changed(CREDENTIAL, "federated-credential", None, GITHUB, "high"),
    changed(CREDENTIAL, "federated-credential", None, GITHUB, "critical", "weakens", HELD, "APP|fic"),
    changed(CREDENTIAL, "federated-credential", GITHUB, {**GITHUB, "subject": "repo:evil/app:ref:x"}, "high"),
    changed(CREDENTIAL, "federated-credential", GITHUB, {**GITHUB, "issuer": "https://evil.example"}, "high"),
    changed(IDENTITY, "federated-credential", None, {"properties": GITHUB}, "high"),
    changed(
        IDENTITY,
        "federated-credential",
        {"properties": GITHUB},
        {"properties": {**GITHUB, "subject": "repo:evil/app:ref:x"}},
        "high",
    ),
    changed(CREDENTIAL, "federated-credential", GITHUB, {**GITHUB, "description": "for releases"}, None),
    changed(CREDENTIAL, "federated-credential-removed", GITHUB, None, "low", "strengthens"),
    changed(IDENTITY, "federated-credential-removed", {"properties": GITHUB}, None, "low", "strengthens"),
    untouched(CREDENTIAL, "federated-credential-removed"),
]
