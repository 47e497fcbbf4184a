"""Applications and service principals: new ways in, and new places for tokens."""

from typing import Any

import pytest

from changes.severity.redirects import Trust, registrable, trust_of
from tests.changes.severity.casebook import Case, both_sides, changed
from tests.changes.severity.test_consents import GRAPH_PRINCIPAL, ROLE_MANAGEMENT, granted

APP: dict[str, Any] = {
    "appId": "app-id",
    "displayName": "Payroll",
    "signInAudience": "AzureADMyOrg",
    "identifierUris": ["api://app-id"],
    "web": {"redirectUris": ["https://payroll.example.com/signin"]},
    "passwordCredentials": [{"keyId": "k1", "displayName": "old", "endDateTime": "2027-01-01T00:00:00Z"}],
    "owners": [{"@odata.type": "#microsoft.graph.user", "id": "anna"}],
}
SP: dict[str, Any] = {
    "appId": "app-id",
    "displayName": "Payroll",
    "accountEnabled": True,
    "appRoleAssignmentRequired": True,
    "preferredTokenSigningKeyThumbprint": "AA",
}
HOLDS_TIER_ZERO = both_sides(
    servicePrincipal={"sp": SP, "graph": GRAPH_PRINCIPAL},
    appRoleAssignment={"g": granted(ROLE_MANAGEMENT, principal="sp")},
)


def case(
    title: str,
    rule: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    severity: str | None,
    direction: str = "weakens",
    context: dict[str, Any] | None = None,
    kind: str = "application",
) -> Case:
    return Case(title, rule, kind, before, after, severity, direction, context or {})


def secret(document: dict[str, Any], key: str = "k2") -> dict[str, Any]:
    row = {"keyId": key, "displayName": "new"}
    return changed(document, lambda d: d.setdefault("passwordCredentials", []).append(row))


def redirect(uri: str) -> dict[str, Any]:
    return changed(APP, lambda d: d["web"]["redirectUris"].append(uri))


def put(**values: Any) -> dict[str, Any]:
    return changed(APP, lambda d: d.update(values))


EVE = {"@odata.type": "#microsoft.graph.user", "id": "eve"}
ASKS = {"resourceAppId": "graph", "resourceAccess": [{"id": "one", "type": "Role"}]}
TRUSTS = {"preAuthorizedApplications": [{"appId": "other", "delegatedPermissionIds": ["scope"]}]}

CASES = [
    case("secret", "app-credential-added", APP, secret(APP), "high"),
    case(
        "certificate",
        "app-credential-added",
        APP,
        put(keyCredentials=[{"keyId": "c", "type": "AsymmetricX509Cert", "usage": "Verify"}]),
        "high",
    ),
    case("on a service principal", "app-credential-added", SP, secret(SP), "high", kind="servicePrincipal"),
    case("on a powerful app", "app-credential-added", APP, secret(APP), "critical", context=HOLDS_TIER_ZERO),
    case("with a new app", "app-credential-added", None, APP, None),
    case("removed", "app-credential-added", secret(APP), APP, None),
    case("removed", "app-credential-removed", secret(APP), APP, "low", "strengthens"),
    case("added", "app-credential-removed", APP, secret(APP), None),
    case(
        "lives longer",
        "app-credential-altered",
        APP,
        changed(APP, lambda d: d["passwordCredentials"][0].update(endDateTime="2299-01-01T00:00:00Z")),
        "medium",
        "neutral",
    ),
    case("renamed", "app-credential-altered", APP, put(displayName="Wages"), None),
    case("a stranger", "app-redirect-added", APP, redirect("https://collect.evil.test/"), "high"),
    case("wildcard", "app-redirect-added", APP, redirect("https://*.example.com/"), "high"),
    case("without encryption", "app-redirect-added", APP, redirect("http://payroll.example.com/"), "high"),
    case("own scheme", "app-redirect-added", APP, redirect("msauth.example://auth"), "medium"),
    case("same domain", "app-redirect-added", APP, redirect("https://new.example.com/"), "low", "neutral"),
    case("own machine", "app-redirect-added", APP, redirect("http://localhost:8080"), "low", "neutral"),
    case("created with a wildcard", "app-redirect-added", None, redirect("https://*.example.com/"), "medium"),
    case("created with its own", "app-redirect-added", None, APP, None),
    case("removed", "app-redirect-removed", redirect("https://new.example.com/"), APP, "low", "strengthens"),
    case("added", "app-redirect-removed", APP, redirect("https://new.example.com/"), None),
    case(
        "another identifier",
        "app-identifier-changed",
        APP,
        put(identifierUris=["api://app-id", "https://evil.test/api"]),
        "medium",
    ),
    case("one less", "app-identifier-changed", APP, put(identifierUris=[]), "low", "neutral"),
    case("renamed", "app-identifier-changed", APP, put(displayName="Wages"), None),
    case("owner", "app-owner-changed", APP, put(owners=[*APP["owners"], EVE]), "low"),
    case(
        "owner of a powerful app",
        "app-owner-changed",
        APP,
        put(owners=[*APP["owners"], EVE]),
        "high",
        context=HOLDS_TIER_ZERO,
    ),
    case("owner left", "app-owner-changed", APP, put(owners=[]), "low", "neutral"),
    case("created", "app-owner-changed", None, APP, None),
    case("asks", "app-access-requested", APP, put(requiredResourceAccess=[ASKS]), "low", "neutral"),
    case("asks no more", "app-access-requested", put(requiredResourceAccess=[ASKS]), APP, None),
    case(
        "any organisation", "app-audience-changed", APP, put(signInAudience="AzureADMultipleOrgs"), "medium"
    ),
    case(
        "own organisation",
        "app-audience-changed",
        put(signInAudience="AzureADandPersonalMicrosoftAccount"),
        APP,
        "low",
        "strengthens",
    ),
    case("renamed", "app-audience-changed", APP, put(displayName="Wages"), None),
    case("another app", "app-preauthorised", APP, put(api=TRUSTS), "medium"),
    case("withdrawn", "app-preauthorised", put(api=TRUSTS), APP, "low", "strengthens"),
    case("created", "app-preauthorised", None, put(api=TRUSTS), None),
    case("public client", "app-switch", APP, put(isFallbackPublicClient=True), "medium"),
    case(
        "unverified email",
        "app-switch",
        put(authenticationBehaviors={"removeUnverifiedEmailClaim": True}),
        put(authenticationBehaviors={"removeUnverifiedEmailClaim": False}),
        "high",
    ),
    case(
        "everybody may use it",
        "app-switch",
        SP,
        {**SP, "appRoleAssignmentRequired": False},
        "medium",
        kind="servicePrincipal",
    ),
    case(
        "switched off",
        "app-switch",
        SP,
        {**SP, "accountEnabled": False},
        "low",
        "strengthens",
        kind="servicePrincipal",
    ),
    case("renamed", "app-switch", APP, put(displayName="Wages"), None),
    case(
        "another certificate",
        "app-signing-key",
        SP,
        {**SP, "preferredTokenSigningKeyThumbprint": "BB"},
        "medium",
        "neutral",
        kind="servicePrincipal",
    ),
    case("renamed", "app-signing-key", SP, {**SP, "displayName": "Wages"}, None, kind="servicePrincipal"),
    case("created", "app-created-or-deleted", None, APP, "low", "neutral"),
    case("deleted", "app-created-or-deleted", SP, None, "medium", "neutral", kind="servicePrincipal"),
    case("renamed", "app-created-or-deleted", APP, put(displayName="Wages"), None),
]


@pytest.mark.parametrize(
    ("uri", "trust"),
    [
        ("https://app.example.com/x", Trust.KNOWN),
        ("https://example.com.evil.test/", Trust.FOREIGN),
        ("https://example.com@evil.test/", Trust.FOREIGN),
        ("https://evil.test#.example.com", Trust.FOREIGN),
        ("http://localhost.evil.test/", Trust.UNSAFE),
        ("http://127.0.0.1:5000/cb", Trust.LOCAL),
        ("https://[broken", Trust.UNSAFE),
        ("myapp://auth", Trust.SCHEME),
        ("", Trust.UNSAFE),
    ],
)
def test_a_redirect_address_is_trusted_by_its_real_host(uri: str, trust: Trust) -> None:
    assert trust_of(uri, frozenset({"example.com"})) is trust


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("a.b.example.com", "example.com"),
        ("shop.example.co.uk", "example.co.uk"),
        ("mine.azurewebsites.net", "mine.azurewebsites.net"),
        ("203.0.113.5", "203.0.113.5"),
        ("intranet", "intranet"),
    ],
)
def test_the_registered_part_of_a_host_is_found(host: str, domain: str) -> None:
    assert registrable(host) == domain


def test_the_reason_names_what_the_application_holds() -> None:
    verdict = case("", "", APP, secret(APP), None, context=HOLDS_TIER_ZERO).verdict()
    assert verdict.findings[0].reason == (
        "Anyone with the new secret new can sign in as the application Payroll. "
        "It holds RoleManagement.ReadWrite.Directory."
    )
