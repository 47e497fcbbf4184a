"""Rules on domains and their federation: whose word on who somebody is the tenant takes."""

from collections.abc import Iterator
from dataclasses import dataclass

from changes.severity.declared_settings import (
    Life,
    Setting,
    ladder,
    lives,
    on_protects,
    opens,
    tells,
    watching,
)
from changes.severity.model import Context, Hit, Rule, Severity, Subject, neutral, strengthens, weakens
from changes.severity.readers import is_true, listed, text, word, words
from snapshots.catalog.spec import Document

DOMAIN = ("domain",)
FEDERATION = ("internalDomainFederation",)
TRUST = "T1484.002"
FORGED_SAML = "T1606.002"


def _federated(document: Document | None) -> bool:
    return word(document, "authenticationType") == "federated"


def authentication_moved(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    before, after = _federated(subject.before), _federated(subject.after)
    if after and not before:
        yield weakens(
            Severity.CRITICAL,
            f"Domain {subject.name} is federated: whoever holds the provider's key can sign in as anybody there.",
        )
    elif before and not after and subject.kind == "updated":
        reason = f"Domain {subject.name} is managed again: its people now sign in with Microsoft."
        yield neutral(Severity.MEDIUM, reason)


def domain_changed(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    before, after = subject.before, subject.after
    if subject.kind != "updated":
        return
    if is_true(after, "isVerified") and not is_true(before, "isVerified"):
        reason = f"Domain {subject.name} was verified: accounts and federation can now use it."
        yield weakens(Severity.MEDIUM, reason, "T1584.001")
    if is_true(after, "isDefault") != is_true(before, "isDefault"):
        state = "is now" if is_true(after, "isDefault") else "is no longer"
        yield neutral(Severity.MEDIUM, f"Domain {subject.name} {state} the default for new accounts.")
    services = words(before, "supportedServices") ^ words(after, "supportedServices")
    if services:
        yield neutral(Severity.LOW, f"Domain {subject.name} serves other services: {listed(services)}.")
    passwords = ("passwordValidityPeriodInDays", "passwordNotificationWindowInDays")
    if any((before or {}).get(name) != (after or {}).get(name) for name in passwords):
        yield neutral(Severity.LOW, f"Passwords in domain {subject.name} expire at another time.")


@dataclass(frozen=True)
class Pillar:
    """A text on which the trust in a federated provider rests."""

    name: str
    what: str
    severity: Severity
    effect: str
    technique: str = TRUST


PILLARS = (
    Pillar("issuerUri", "issuer", Severity.CRITICAL, "another provider is believed"),
    Pillar(
        "signingCertificate",
        "signing certificate",
        Severity.CRITICAL,
        "its holder can forge a sign-in as anybody in the domain",
        FORGED_SAML,
    ),
    Pillar(
        "nextSigningCertificate",
        "next signing certificate",
        Severity.CRITICAL,
        "its holder can forge a sign-in as anybody in the domain",
        FORGED_SAML,
    ),
    Pillar("passiveSignInUri", "sign-in page", Severity.CRITICAL, "everybody's password is typed there"),
    Pillar("activeSignInUri", "sign-in service", Severity.CRITICAL, "everybody's password is sent there"),
    Pillar(
        "metadataExchangeUri",
        "metadata address",
        Severity.CRITICAL,
        "signing certificates are renewed from there",
    ),
    Pillar(
        "openIdConnectDiscoveryEndpoint",
        "discovery address",
        Severity.CRITICAL,
        "the provider's keys are read from there",
    ),
    Pillar("passwordResetUri", "password reset page", Severity.HIGH, "people are sent there"),
    Pillar("passwordChangeUri", "password change page", Severity.HIGH, "people type their passwords there"),
    Pillar("signOutUri", "sign-out page", Severity.LOW, "people are sent there"),
)


def federation_moved(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    if subject.kind != "updated":
        return
    for pillar in PILLARS:
        before, after = (_bare(text(side, pillar.name)) for side in (subject.before, subject.after))
        if before == after:
            continue
        if after:
            reason = f"The federation {subject.name} has another {pillar.what}: {pillar.effect}."
            yield weakens(pillar.severity, reason, pillar.technique)
        else:
            yield strengthens(f"The federation {subject.name} no longer has a {pillar.what}.")


def _bare(value: str) -> str:
    """Certificates wrap differently, and a final slash says nothing."""
    return "".join(value.split()).rstrip("/")


FEDERATION_SETTINGS = (
    Setting(
        "federatedIdpMfaBehavior",
        "what the provider's MFA counts for",
        ladder(
            "acceptIfMfaDoneByFederatedIdp",
            "enforceMfaByFederatedIdp",
            "rejectMfaByFederatedIdp",
            missing="rejectMfaByFederatedIdp",
        ),
        Severity.CRITICAL,
        "A provider, or whoever forges its tokens, can claim MFA for anybody in the domain",
        "T1556.006",
    ),
    Setting(
        "isSignedAuthenticationRequestRequired",
        "signing of requests to the provider",
        on_protects(),
        Severity.MEDIUM,
        "Requests to the provider can be forged",
    ),
)
SENTINEL = (
    "Sentinel: Modified domain federation trust settings",
    "Sigma: Azure Domain Federation Settings Modified",
)

RULES = (
    Rule(
        "domain-federated",
        "A domain's sign-ins moved to or from a federated provider",
        DOMAIN,
        TRUST,
        authentication_moved,
        ("Elastic: Entra ID Domain Federation Configuration Change", "Sigma: New Federated Domain Added"),
    ),
    Rule(
        "domain-changed",
        "A domain was verified, made the default or otherwise changed",
        DOMAIN,
        TRUST,
        domain_changed,
        ("Elastic: Entra ID Custom Domain Added or Verified",),
    ),
    lives(
        "domain-life",
        "A domain was added or removed",
        "T1584.001",
        {
            DOMAIN[0]: Life(
                created=opens(Severity.MEDIUM, "Once verified, accounts and federation can use it"),
                deleted=tells(
                    Severity.HIGH, "Sign-ins and mail of that domain end, and Microsoft keeps no copy"
                ),
            )
        },
        ("Sentinel: New onmicrosoft domain added to tenant",),
    ),
    Rule(
        "federation-moved", "A federated provider was replaced", FEDERATION, TRUST, federation_moved, SENTINEL
    ),
    Rule(
        "federation-mfa",
        "What a federated provider's word counts for changed",
        FEDERATION,
        TRUST,
        watching(FEDERATION_SETTINGS),
        SENTINEL,
    ),
    lives(
        "federation-life",
        "A domain's federation appeared or went",
        TRUST,
        {
            FEDERATION[0]: Life(
                created=opens(
                    Severity.CRITICAL, "Whoever holds its signing key can sign in as anybody of the domain"
                ),
                deleted=tells(Severity.HIGH, "The domain's people need passwords at Microsoft to sign in"),
            )
        },
        SENTINEL,
    ),
)
