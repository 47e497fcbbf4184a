"""Rules on federated credentials: external tokens that can be used to sign in as an application or an
identity.
"""

from collections.abc import Iterator

from changes.severity.model import Context, Hit, Rule, Severity, Subject, strengthens, weakens
from changes.severity.readers import dig, text, word, words
from changes.severity.surroundings import either, powers, service_principals_of
from snapshots.catalog.spec import Document

ON_APPLICATION = "federatedIdentityCredential"
ON_IDENTITY = "managedIdentityFederatedCredential"


def _facts(document: Document | None) -> Document:
    """In Azure the facts are under `properties`, in Graph at the top level."""
    inner = dig(document, "properties")
    return {**(document or {}), **(inner if isinstance(inner, dict) else {})}


def _trusted(document: Document | None) -> tuple[object, ...]:
    facts = _facts(document)
    return (
        text(facts, "issuer").rstrip("/"),
        text(facts, "subject"),
        tuple(sorted(words(facts, "audiences"))),
        repr(facts.get("claimsMatchingExpression")),
    )


def _critical(subject: Subject, context: Context) -> bool:
    """Whether the parent (the first part of the credential's ID) controls the tenant."""
    parent = subject.resource_id.replace("|", "/").split("/", 1)[0]
    app_id = word(either(context, "application", parent), "appId")
    return any(
        severity is Severity.CRITICAL
        for key in service_principals_of(context, app_id)
        for _, severity in powers(context, key)
    )


def outside_token(subject: Subject, context: Context) -> Iterator[Hit]:
    if subject.after is None or _trusted(subject.before) == _trusted(subject.after):
        return
    facts = _facts(subject.after)
    severity = Severity.CRITICAL if _critical(subject, context) else Severity.HIGH
    whose = "the managed identity" if subject.resource_type == ON_IDENTITY else "the application"
    whom = text(facts, "subject") or "any identity that matches its expression"
    issuer = text(facts, "issuer") or "an unknown issuer"
    yield weakens(severity, f"{subject.name} lets {whom} at {issuer} sign in as {whose} without a secret.")


def outside_token_ended(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    if subject.kind == "deleted":
        yield strengthens(f"{subject.name} no longer lets {text(_facts(subject.before), 'issuer')} sign in.")


RULES = (
    Rule(
        "federated-credential",
        "An external token can sign in as an application or identity",
        (ON_APPLICATION, ON_IDENTITY),
        "T1098.001",
        outside_token,
        ("Elastic: Entra ID Federated Identity Credential Issuer Modified",),
    ),
    Rule(
        "federated-credential-removed",
        "A federated credential was removed",
        (ON_APPLICATION, ON_IDENTITY),
        "",
        outside_token_ended,
    ),
)
