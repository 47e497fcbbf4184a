"""Consent: which data or power an app received, and on whose behalf."""

from typing import Any

from tests.changes.severity.casebook import Case, both_sides

GRAPH_PRINCIPAL: dict[str, Any] = {
    "appId": "00000003-0000-0000-c000-000000000000",
    "displayName": "Microsoft Graph",
}
OWN_API: dict[str, Any] = {
    "appId": "own-app",
    "displayName": "Own API",
    "appRoles": [{"id": "r-read", "value": "Orders.Read"}, {"id": "r-write", "value": "Orders.ReadWrite"}],
}
SHAREPOINT: dict[str, Any] = {"appId": "00000003-0000-0ff1-ce00-000000000000", "displayName": "SharePoint"}
ROLE_MANAGEMENT = "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8"
MAIL_READ_WRITE = "e2a3a72e-5f79-4c64-b1b1-878b674786c9"
FILES_READ_WRITE_ALL = "75359482-378d-4052-8f01-80520e7db3cd"
USER_READ_ALL = "df021288-bdef-4463-88db-98f22de89214"
USER_READ_WRITE_ALL = "741f803b-c850-494e-b5df-cde7c675a1ca"
DEFAULT_ACCESS = "00000000-0000-0000-0000-000000000000"
GRAPH = both_sides(servicePrincipal={"graph": GRAPH_PRINCIPAL})
OWN = both_sides(servicePrincipal={"own": OWN_API})


def granted(role: str, principal: str = "app", resource: str = "graph") -> dict[str, Any]:
    return {"appRoleId": role, "principalId": principal, "resourceId": resource}


def consent(scope: str, who: str | None = None, resource: str = "graph") -> dict[str, Any]:
    grant = {"clientId": "app", "resourceId": resource, "scope": scope}
    if who is None:
        return {**grant, "consentType": "AllPrincipals"}
    return {**grant, "consentType": "Principal", "principalId": who}


def role(
    title: str,
    rule: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    severity: str | None,
    direction: str = "weakens",
    context: dict[str, Any] | None = None,
) -> Case:
    return Case(title, rule, "appRoleAssignment", before, after, severity, direction, context or {})


def scope(
    title: str,
    rule: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    severity: str | None,
    direction: str = "weakens",
    context: dict[str, Any] | None = None,
) -> Case:
    return Case(title, rule, "oAuth2PermissionGrant", before, after, severity, direction, context or {})


FRESH_SECRET = {
    "before": {"servicePrincipal": {"graph": GRAPH_PRINCIPAL}},
    "after": {
        "servicePrincipal": {"graph": GRAPH_PRINCIPAL, "app": {"appId": "a"}},
        "application": {"o": {"appId": "a", "passwordCredentials": [{"keyId": "k"}]}},
    },
}

CASES = [
    role("all mail", "consent-app-role-granted", None, granted(MAIL_READ_WRITE), "high"),
    role("all files", "consent-app-role-granted", None, granted(FILES_READ_WRITE_ALL), "high", context=GRAPH),
    role(
        "all mail with a new secret",
        "consent-app-role-granted",
        None,
        granted(MAIL_READ_WRITE),
        "critical",
        context=FRESH_SECRET,
    ),
    role("roles", "consent-app-role-granted", None, granted(ROLE_MANAGEMENT), "critical"),
    role("everybody's profile", "consent-app-role-granted", None, granted(USER_READ_ALL), "medium"),
    role(
        "the same id on another resource",
        "consent-app-role-granted",
        None,
        granted(ROLE_MANAGEMENT, resource="own"),
        "low",
        context=OWN,
    ),
    role(
        "SharePoint's own permission",
        "consent-app-role-granted",
        None,
        granted(USER_READ_WRITE_ALL, resource="sharepoint"),
        "critical",
        context=both_sides(servicePrincipal={"sharepoint": SHAREPOINT}),
    ),
    role(
        "own read role",
        "consent-app-role-granted",
        None,
        granted("r-read", resource="own"),
        "low",
        context=OWN,
    ),
    role(
        "own write role",
        "consent-app-role-granted",
        None,
        granted("r-write", resource="own"),
        "medium",
        context=OWN,
    ),
    role("default access", "consent-app-role-granted", None, granted(DEFAULT_ACCESS, "anna", "own"), "low"),
    role("revoked", "consent-app-role-granted", granted(MAIL_READ_WRITE), None, None),
    role("revoked", "consent-app-role-revoked", granted(MAIL_READ_WRITE), None, "low", "strengthens"),
    role("granted", "consent-app-role-revoked", None, granted(MAIL_READ_WRITE), None),
    scope("directory for all", "consent-scope-granted", None, consent("Directory.ReadWrite.All"), "critical"),
    scope("mail for all", "consent-scope-granted", None, consent(" Mail.Read offline_access"), "high"),
    scope(
        "mail of one", "consent-scope-granted", None, consent("Mail.Read offline_access", "anna"), "medium"
    ),
    scope(
        "sign-in of one", "consent-scope-granted", None, consent("openid profile User.Read", "anna"), "low"
    ),
    scope("unknown for all", "consent-scope-granted", None, consent("Something.New"), "medium"),
    scope(
        "unknown of an own API",
        "consent-scope-granted",
        None,
        consent("access", resource="own"),
        "low",
        context=OWN,
    ),
    scope(
        "one more",
        "consent-scope-granted",
        consent("User.Read"),
        consent("Files.ReadWrite.All User.Read"),
        "high",
    ),
    scope("one to all", "consent-scope-granted", consent("Mail.Read", "anna"), consent("Mail.Read"), "high"),
    scope(
        "order",
        "consent-scope-granted",
        consent("Mail.Read User.Read"),
        consent(" User.Read  Mail.Read"),
        None,
    ),
    scope("one less", "consent-scope-granted", consent("Mail.Read User.Read"), consent("User.Read"), None),
    scope(
        "one less",
        "consent-scope-revoked",
        consent("Mail.Read User.Read"),
        consent("User.Read"),
        "low",
        "strengthens",
    ),
    scope("one more", "consent-scope-revoked", consent("User.Read"), consent("Mail.Read User.Read"), None),
]


def test_the_reason_names_the_app_and_the_permission() -> None:
    context = {**GRAPH, "principals": {"app": {"kind": "servicePrincipal", "name": "Mail helper"}}}
    verdict = role("", "", None, granted(MAIL_READ_WRITE), None, context=context).verdict()
    assert verdict.findings[0].reason == (
        "The app Mail helper may now read or change all users' data on its own, with Mail.ReadWrite."
    )
