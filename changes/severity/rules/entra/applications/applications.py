"""Rules on applications and service principals: new ways to sign in as them, and new recipients of their
tokens.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from changes.severity.model import Context, Hit, Rule, Severity, Subject, neutral, strengthens, weakens
from changes.severity.readers import Row, counted, dig, is_true, keyed, listed, rows, text, texts, word
from changes.severity.redirects import Trust, hosts_of, trust_of
from changes.severity.surroundings import new_credentials, powers, principal, service_principals_of
from snapshots.catalog.spec import Document

APPLICATION = ("application",)
SERVICE_PRINCIPAL = ("servicePrincipal",)
BOTH = APPLICATION + SERVICE_PRINCIPAL
REDIRECTS = (
    ("web", "redirectUris"),
    ("spa", "redirectUris"),
    ("publicClient", "redirectUris"),
    ("replyUrls",),
)
NOUNS = {"application": "application", "servicePrincipal": "service principal"}


def _noun(subject: Subject) -> str:
    return f"{NOUNS[subject.resource_type]} {subject.name}"


def _powers(subject: Subject, context: Context) -> list[tuple[str, Severity]]:
    """What someone who signs in as the subject can do, as far as the context knows."""
    if subject.resource_type == "servicePrincipal":
        return powers(context, subject.resource_id)
    app_id = text(subject.document, "appId")
    return [power for key in service_principals_of(context, app_id) for power in powers(context, key)]


def _holds(held: list[tuple[str, Severity]]) -> str:
    return f" It holds {listed(name for name, _ in held)}." if held else ""


def credential_added(subject: Subject, context: Context) -> Iterator[Hit]:
    added = new_credentials(subject.before, subject.after)
    if not added or subject.kind != "updated":
        return
    held = _powers(subject, context)
    critical = any(severity is Severity.CRITICAL for _, severity in held)
    reason = (
        f"Anyone with the new {listed(added.values())} can sign in as the {_noun(subject)}.{_holds(held)}"
    )
    yield weakens(Severity.CRITICAL if critical else Severity.HIGH, reason)


def credential_removed(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    removed = new_credentials(subject.after, subject.before)
    if removed and subject.kind == "updated":
        yield strengthens(f"The {_noun(subject)} lost {listed(removed.values())}.")


def credential_extended(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    """A credential with a known key ID changed."""
    if subject.kind != "updated":
        return
    for name in ("passwordCredentials", "keyCredentials"):
        old, new = keyed(subject.before, name, key="keyId"), keyed(subject.after, name, key="keyId")
        for key in sorted(old.keys() & new.keys()):
            if _essence(old[key]) != _essence(new[key]):
                reason = f"The credential {key} of the {_noun(subject)} was replaced under the same key ID."
                yield neutral(Severity.MEDIUM, reason)


def _essence(row: Row) -> tuple[object, ...]:
    return tuple(
        repr(row.get(name)) for name in ("endDateTime", "customKeyIdentifier", "type", "usage", "hint")
    )


def redirect_added(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    if subject.after is None:
        return
    added = _redirects(subject.after) - _redirects(subject.before)
    known = hosts_of(subject.before)
    if subject.kind == "created":
        unsafe = [uri for uri in added if trust_of(uri, known) is Trust.UNSAFE]
        if unsafe:
            reason = f"The {_noun(subject)} was created with an unsafe redirect address: {listed(unsafe)}."
            yield weakens(Severity.MEDIUM, reason)
        return
    for uri in sorted(added):
        trust = trust_of(uri, known)
        reason = f"Tokens of the {_noun(subject)} can now be sent to {uri}: {trust.value}."
        if trust in {Trust.UNSAFE, Trust.FOREIGN}:
            yield weakens(Severity.HIGH, reason)
        elif trust is Trust.SCHEME:
            yield weakens(Severity.MEDIUM, reason)
        else:
            yield neutral(Severity.LOW, reason)


def redirect_removed(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    removed = _redirects(subject.before) - _redirects(subject.after)
    if removed and subject.kind == "updated":
        yield strengthens(f"Tokens of the {_noun(subject)} can no longer be sent to {listed(removed)}.")


def _redirects(document: Document | None) -> set[str]:
    return {uri for path in REDIRECTS for uri in texts(document, *path)}


def identifier_changed(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    old, new = set(texts(subject.before, "identifierUris")), set(texts(subject.after, "identifierUris"))
    if subject.kind != "updated" or old == new:
        return
    if new - old:
        reason = f"The {_noun(subject)} now also answers to the identifier {listed(new - old)}."
        yield weakens(Severity.MEDIUM, reason)
    else:
        yield neutral(Severity.LOW, f"The {_noun(subject)} lost the identifier {listed(old - new)}.", "")


def owner_changed(subject: Subject, context: Context) -> Iterator[Hit]:
    old, new = keyed(subject.before, "owners"), keyed(subject.after, "owners")
    if subject.kind != "updated":
        return
    if added := new.keys() - old.keys():
        held = _powers(subject, context)
        names = listed(principal(context, key).name for key in added)
        reason = f"{names} may now add credentials to the {_noun(subject)}.{_holds(held)}"
        yield weakens(Severity.HIGH if held else Severity.LOW, reason)
    if removed := old.keys() - new.keys():
        names = listed(principal(context, key).name for key in removed)
        yield neutral(Severity.LOW, f"{names} no longer owns the {_noun(subject)}.", "")


def access_requested(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    """Only a request: nothing is granted until someone consents."""
    if subject.kind != "updated":
        return
    old, new = _requested(subject.before), _requested(subject.after)
    if new - old:
        what = counted(len(new - old), "permission")
        yield neutral(Severity.LOW, f"The {_noun(subject)} requests {what} more. This does not grant them.")


def _requested(document: Document | None) -> set[tuple[str, str, str]]:
    return {
        (resource, key, word(dict(access), "type"))
        for resource, row in keyed(document, "requiredResourceAccess", key="resourceAppId").items()
        for key, access in keyed(dict(row), "resourceAccess").items()
    }


AUDIENCES = (
    "azureadmyorg",
    "azureadmultipleorgs",
    "azureadandpersonalmicrosoftaccount",
    "personalmicrosoftaccount",
)


def audience_changed(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    before, after = word(subject.before, "signInAudience"), word(subject.after, "signInAudience")
    if subject.kind != "updated" or before not in AUDIENCES or after not in AUDIENCES:
        return
    name = text(subject.after, "signInAudience")
    if AUDIENCES.index(after) > AUDIENCES.index(before):
        yield weakens(
            Severity.MEDIUM, f"Accounts of other organisations may use the {_noun(subject)}: {name}."
        )
    elif after != before:
        yield strengthens(f"Fewer accounts may use the {_noun(subject)}: {name}.")


def preauthorised(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    if subject.kind != "updated":
        return
    old, new = _preauthorised(subject.before), _preauthorised(subject.after)
    if new - old:
        names = listed(app for app, _ in new - old)
        yield weakens(
            Severity.MEDIUM, f"The apps {names} get tokens for the {_noun(subject)} without asking people."
        )
    elif old - new:
        yield strengthens(f"Fewer apps get tokens for the {_noun(subject)} without asking people.")


def _preauthorised(document: Document | None) -> set[tuple[str, str]]:
    return {
        (text(dict(row), "appId"), scope)
        for row in rows(document, "api", "preAuthorizedApplications")
        for scope in texts(dict(row), "delegatedPermissionIds")
    }


@dataclass(frozen=True)
class Switch:
    """A boolean property with a safer value."""

    path: tuple[str, ...]
    safe: bool
    severity: Severity
    effect: str


SWITCHES = {
    "application": (
        Switch(
            ("isFallbackPublicClient",),
            safe=False,
            severity=Severity.MEDIUM,
            effect="public clients may sign in without a secret",
        ),
        Switch(
            ("web", "implicitGrantSettings", "enableAccessTokenIssuance"),
            safe=False,
            severity=Severity.MEDIUM,
            effect="access tokens are returned in the browser's URL",
        ),
        Switch(
            ("web", "implicitGrantSettings", "enableIdTokenIssuance"),
            safe=False,
            severity=Severity.LOW,
            effect="ID tokens are returned in the browser's URL",
        ),
        Switch(
            ("api", "acceptMappedClaims"),
            safe=False,
            severity=Severity.MEDIUM,
            effect="claims can be rewritten without a signing key",
        ),
        Switch(
            ("servicePrincipalLockConfiguration", "isEnabled"),
            safe=True,
            severity=Severity.MEDIUM,
            effect="credentials can be added to its service principals in other tenants",
        ),
        Switch(
            ("authenticationBehaviors", "removeUnverifiedEmailClaim"),
            safe=True,
            severity=Severity.HIGH,
            effect="an unverified email address is passed on as a claim",
        ),
    ),
    "servicePrincipal": (
        Switch(
            ("accountEnabled",),
            safe=False,
            severity=Severity.MEDIUM,
            effect="sign-in to it was re-enabled",
        ),
        Switch(
            ("appRoleAssignmentRequired",),
            safe=True,
            severity=Severity.MEDIUM,
            effect="all users may use it without an assignment",
        ),
    ),
}


def switch_turned(subject: Subject, context: Context) -> Iterator[Hit]:
    if subject.kind != "updated":
        return
    for switch in SWITCHES[subject.resource_type]:
        before, after = dig(subject.before, *switch.path), dig(subject.after, *switch.path)
        safe_before, safe_after = (is_true({"is": value}, "is") == switch.safe for value in (before, after))
        if safe_before and not safe_after:
            held = _powers(subject, context)
            severity = max(switch.severity, Severity.HIGH) if held else switch.severity
            yield weakens(severity, f"The {_noun(subject)} is less protected: {switch.effect}.{_holds(held)}")
        elif safe_after and not safe_before:
            yield strengthens(
                f"The {_noun(subject)} is better protected. This no longer applies: {switch.effect}."
            )


def signing_key_changed(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    name = "preferredTokenSigningKeyThumbprint"
    before, after = text(subject.before, name), text(subject.after, name)
    if subject.kind == "updated" and before and before != after:
        reason = f"The {_noun(subject)} now signs tokens with another certificate: {after or 'none'}."
        yield neutral(Severity.MEDIUM, reason)


def created_or_deleted(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    if subject.kind == "created":
        yield neutral(Severity.LOW, f"The {_noun(subject)} was created.", "T1136.003")
    elif subject.kind == "deleted":
        reason = f"The {_noun(subject)} was deleted. Everything that signs in with it stops working."
        yield neutral(Severity.MEDIUM, reason, "T1489")


RULES = (
    Rule(
        "app-credential-added",
        "A credential was added",
        BOTH,
        "T1098.001",
        credential_added,
        (
            "Sigma: Added Credentials to Existing Application",
            "Elastic: Entra ID Application Credential Modified",
            "Sentinel: New access credential added to Application or Service Principal",
        ),
    ),
    Rule("app-credential-removed", "A credential was removed", BOTH, "", credential_removed),
    Rule("app-credential-altered", "A credential was altered", BOTH, "T1098.001", credential_extended),
    Rule(
        "app-redirect-added",
        "A redirect address was added",
        BOTH,
        "T1528",
        redirect_added,
        (
            "Sigma: Application URI Configuration Changes",
            "Elastic: Entra ID OAuth Application Redirect URI Modified",
            "Sentinel: URL Added to Application from Unknown Domain",
        ),
    ),
    Rule("app-redirect-removed", "A redirect address was removed", BOTH, "", redirect_removed),
    Rule(
        "app-identifier-changed",
        "An identifier URI changed",
        APPLICATION,
        "T1078.004",
        identifier_changed,
        ("Sigma: Application AppID Uri Configuration Changes", "Sentinel: Application ID URI Changed"),
    ),
    Rule(
        "app-owner-changed",
        "Owners changed",
        BOTH,
        "T1098",
        owner_changed,
        ("Sigma: Added Owner To Application", "Sentinel: Changes to Application Ownership"),
    ),
    Rule("app-access-requested", "More permissions were requested", APPLICATION, "", access_requested),
    Rule("app-audience-changed", "The sign-in audience changed", APPLICATION, "T1078.004", audience_changed),
    Rule("app-preauthorised", "Apps were preauthorised", APPLICATION, "T1528", preauthorised),
    Rule("app-switch", "A protective setting was switched", BOTH, "T1078.004", switch_turned),
    Rule(
        "app-signing-key",
        "The token signing certificate changed",
        SERVICE_PRINCIPAL,
        "T1606.002",
        signing_key_changed,
    ),
    Rule(
        "app-created-or-deleted",
        "An application or service principal was created or deleted",
        BOTH,
        "",
        created_or_deleted,
        (
            "Sigma: Azure Service Principal Created",
            "Sigma: Azure Application Deleted",
            "Elastic: Entra ID Service Principal Created",
        ),
    ),
)
