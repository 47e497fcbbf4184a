"""Rules on consent: delegated grants and application permissions, by what they allow and for whom."""

from collections.abc import Iterator

from changes.severity import reference
from changes.severity.model import Context, Hit, Rule, Severity, Subject, strengthens, weakens
from changes.severity.readers import dig, listed, rows, text, texts, word
from changes.severity.surroundings import (
    app_permission,
    display_name,
    either,
    has_fresh_secret,
    is_privileged_principal,
    principal,
    resource_app_id,
)
from snapshots.catalog.spec import Document

GRANT = ("oAuth2PermissionGrant",)
ASSIGNMENT = ("appRoleAssignment",)
EVERYBODY = "allprincipals"
DEFAULT_ACCESS = "00000000-0000-0000-0000-000000000000"
BROAD_WORDS = ("write", "full", "admin", "manage", "all")


def _scopes(document: Document | None) -> dict[str, str]:
    value = dig(document, "scope")
    names = value.split() if isinstance(value, str) else texts(document, "scope")
    return {name.casefold(): name for name in names}


def _for_everybody(document: Document | None) -> bool:
    return word(document, "consentType") == EVERYBODY


def _scope_severity(name: str, document: Document | None, context: Context) -> Severity:
    """Severity of a scope for all users; one level lower for a single user."""
    known = reference.SCOPES.get(name)
    app_id = resource_app_id(context, text(document, "resourceId"))
    if app_id and app_id not in reference.APP_PERMISSIONS:
        known = Severity.LOW
    everybody = known if known is not None else Severity.MEDIUM
    if _for_everybody(document):
        return everybody
    person = text(document, "principalId")
    if person and is_privileged_principal(context, person):
        return everybody
    return everybody if everybody is Severity.LOW else everybody.lowered()


def scope_granted(subject: Subject, context: Context) -> Iterator[Hit]:
    if subject.after is None:
        return
    old, new = _scopes(subject.before), _scopes(subject.after)
    gained = new.keys() - old.keys() if _already_reached(subject.before, subject.after) else set(new)
    if not gained:
        return
    severity = max(_scope_severity(name, subject.after, context) for name in gained)
    worst = [new[name] for name in gained if _scope_severity(name, subject.after, context) == severity]
    client = display_name(context, "servicePrincipal", text(subject.after, "clientId"))
    whom = (
        "all users"
        if _for_everybody(subject.after)
        else principal(context, text(subject.after, "principalId")).name or "one person"
    )
    yield weakens(severity, f"The app {client} may now act on behalf of {whom} with {listed(worst)}.")


def _already_reached(before: Document | None, after: Document) -> bool:
    """Whether the grant covered the same app, resource and users before."""
    same = all(word(before, name) == word(after, name) for name in ("clientId", "resourceId"))
    people = _for_everybody(before) or (
        not _for_everybody(after) and word(before, "principalId") == word(after, "principalId")
    )
    return before is not None and same and people


def scope_revoked(subject: Subject, context: Context) -> Iterator[Hit]:
    old, new = _scopes(subject.before), _scopes(subject.after)
    narrowed = (
        subject.kind == "updated" and _for_everybody(subject.before) and not _for_everybody(subject.after)
    )
    lost = old if narrowed else old.keys() - new.keys()
    if lost and subject.before is not None:
        client = display_name(context, "servicePrincipal", text(subject.before, "clientId"))
        yield strengthens(f"The app {client} lost {listed(old[name] for name in lost)}.")


def _assignment(document: Document | None) -> tuple[str, str, str]:
    return word(document, "principalId"), word(document, "resourceId"), word(document, "appRoleId")


def app_role_granted(subject: Subject, context: Context) -> Iterator[Hit]:
    if subject.after is None or _assignment(subject.before) == _assignment(subject.after):
        return
    principal_id, resource_id, role_id = (
        text(subject.after, name) for name in ("principalId", "resourceId", "appRoleId")
    )
    facts = principal(context, principal_id)
    who = (
        facts.name
        if facts.name != principal_id
        else text(subject.after, "principalDisplayName") or principal_id
    )
    granted = app_permission(context, resource_id, role_id)
    if granted is None:
        yield _custom_role(subject, context, who)
        return
    severity = granted.severity
    fresh = granted.data and severity is Severity.HIGH and has_fresh_secret(context, principal_id)
    reach = "read or change all users' data" if granted.data else "act on the tenant"
    secret = " A credential was added to it at the same time." if fresh else ""
    reason = f"The app {who} may now {reach} on its own, with {granted.name}.{secret}"
    yield weakens(Severity.CRITICAL if fresh else severity, reason)


def _custom_role(subject: Subject, context: Context, who: str) -> Hit:
    """Access to a resource without known severity: one of the tenant's own apps, or an ordinary Microsoft
    permission.
    """
    after = subject.after
    resource_id = text(after, "resourceId")
    resource = display_name(context, "servicePrincipal", resource_id)
    if resource == resource_id:
        resource = text(after, "resourceDisplayName") or resource_id
    role_id = word(after, "appRoleId")
    if role_id == DEFAULT_ACCESS:
        return weakens(Severity.LOW, f"{who} was assigned to the app {resource}.", "")
    value = _role_value(either(context, "servicePrincipal", resource_id), role_id)
    broad = any(part in value.casefold() for part in BROAD_WORDS)
    severity = Severity.MEDIUM if broad and _is_app(subject, context) else Severity.LOW
    return weakens(severity, f"{who} received the role {value or role_id} of the app {resource}.")


def _is_app(subject: Subject, context: Context) -> bool:
    kind = (
        word(subject.after, "principalType")
        or principal(context, text(subject.after, "principalId")).kind.casefold()
    )
    return kind not in {"user", "group"}


def _role_value(resource: Document | None, role_id: str) -> str:
    for row in rows(resource, "appRoles"):
        if word(dict(row), "id") == role_id:
            return text(dict(row), "value")
    return ""


def app_role_revoked(subject: Subject, context: Context) -> Iterator[Hit]:
    if subject.before is None or _assignment(subject.before) == _assignment(subject.after):
        return
    principal_id, resource_id, role_id = (
        text(subject.before, name) for name in ("principalId", "resourceId", "appRoleId")
    )
    granted = app_permission(context, resource_id, role_id)
    what = granted.name if granted else f"the role {role_id}"
    if role_id == DEFAULT_ACCESS:
        what = f"access to the app {display_name(context, 'servicePrincipal', resource_id)}"
    yield strengthens(f"{principal(context, principal_id).name} lost {what}.")


RULES = (
    Rule(
        "consent-scope-granted",
        "An app may act on behalf of users",
        GRANT,
        "T1528",
        scope_granted,
        (
            "Sigma: Delegated Permissions Granted For All Users",
            "Sigma: End User Consent",
            "Sentinel: Mail.Read Permissions Granted to Application",
        ),
    ),
    Rule("consent-scope-revoked", "An app lost consent", GRANT, "", scope_revoked),
    Rule(
        "consent-app-role-granted",
        "An app received an application permission",
        ASSIGNMENT,
        "T1098.003",
        app_role_granted,
        (
            "Sigma: App Granted Privileged Delegated Or App Permissions",
            "Sentinel: Service Principal Assigned App Role With Sensitive Access",
            "Maester MT.1050, MT.1051",
        ),
    ),
    Rule("consent-app-role-revoked", "An app lost a permission", ASSIGNMENT, "", app_role_revoked),
)
