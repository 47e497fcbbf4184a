"""Rules on domains and their federation: which identity providers the tenant trusts."""

from collections.abc import Iterator
from dataclasses import dataclass

from changes.severity.declared_settings import (
    Life,
    Setting,
    always,
    ladder,
    lives,
    on_protects,
    opens,
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
            f"Domain {subject.name} is now federated. Anyone with the provider's signing key can sign "
            "in as any user of the domain.",
        )
    elif before and not after and subject.kind == "updated":
        reason = f"Domain {subject.name} is now managed: its users sign in with Microsoft."
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
    """A setting on which the trust in a federated provider depends."""

    name: str
    what: str
    severity: Severity
    effect: str
    technique: str = TRUST


PILLARS = (
    Pillar("issuerUri", "issuer", Severity.CRITICAL, "another provider is trusted"),
    Pillar(
        "signingCertificate",
        "signing certificate",
        Severity.CRITICAL,
        "its holder can forge a sign-in as any user of the domain",
        FORGED_SAML,
    ),
    Pillar(
        "nextSigningCertificate",
        "next signing certificate",
        Severity.CRITICAL,
        "its holder can forge a sign-in as any user of the domain",
        FORGED_SAML,
    ),
    Pillar("passiveSignInUri", "sign-in page", Severity.CRITICAL, "all users enter their password there"),
    Pillar("activeSignInUri", "sign-in service", Severity.CRITICAL, "all users' passwords are sent there"),
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
    Pillar("passwordResetUri", "password reset page", Severity.HIGH, "users are sent there"),
    Pillar("passwordChangeUri", "password change page", Severity.HIGH, "users enter their passwords there"),
    Pillar("signOutUri", "sign-out page", Severity.LOW, "users are sent there"),
)


def federation_moved(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    if subject.kind != "updated":
        return
    for pillar in PILLARS:
        before, after = (_bare(text(side, pillar.name)) for side in (subject.before, subject.after))
        if before == after:
            continue
        if after:
            reason = f"The federation {subject.name} has a new {pillar.what}: {pillar.effect}."
            yield weakens(pillar.severity, reason, pillar.technique)
        else:
            yield strengthens(f"The federation {subject.name} no longer has a {pillar.what}.")


def _bare(value: str) -> str:
    """Line breaks in certificates and a trailing slash are ignored."""
    return "".join(value.split()).rstrip("/")


FEDERATION_SETTINGS = (
    Setting(
        "federatedIdpMfaBehavior",
        "the handling of the provider's MFA",
        ladder(
            "acceptIfMfaDoneByFederatedIdp",
            "enforceMfaByFederatedIdp",
            "rejectMfaByFederatedIdp",
            missing="rejectMfaByFederatedIdp",
        ),
        Severity.CRITICAL,
        "The provider, or anyone who forges its tokens, can claim MFA for any user of the domain",
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
        "A domain was switched between managed and federated",
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
                deleted=always(
                    Severity.HIGH,
                    "Sign-in and mail with that domain stop working, and Microsoft keeps no copy",
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
        "Trust in a federated provider changed",
        FEDERATION,
        TRUST,
        watching(FEDERATION_SETTINGS),
        SENTINEL,
    ),
    lives(
        "federation-life",
        "The federation of a domain was created or deleted",
        TRUST,
        {
            FEDERATION[0]: Life(
                created=opens(
                    Severity.CRITICAL, "Anyone with its signing key can sign in as any user of the domain"
                ),
                deleted=always(Severity.HIGH, "The domain's users need Microsoft passwords to sign in"),
            )
        },
        SENTINEL,
    ),
)
