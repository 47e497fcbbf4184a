"""Conditional Access: what a policy no longer enforces, on whom, and what stays quiet."""

from typing import Any

import pytest

from tests.changes.severity.casebook import Case, both_sides, changed

GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
SECURITY_ADMINISTRATOR = "194ae4cb-b126-40b2-bd5b-6091b380977d"
CA_ADMINISTRATOR = "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9"
REPORTS_READER = "4a5d8f65-41da-4de4-8968-e035b65339cf"
SYNC_ROLE = "d29b2b05-8046-44ba-8758-1e26182fcf32"
PHISHING_RESISTANT = "00000000-0000-0000-0000-000000000004"
PLAIN_MFA = "00000000-0000-0000-0000-000000000002"
PORTALS = "MicrosoftAdminPortals"


def policy(**changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "displayName": "Baseline",
        "state": "enabled",
        "conditions": {
            "users": {"includeUsers": ["All"]},
            "applications": {"includeApplications": ["All"]},
            "clientAppTypes": ["all"],
        },
        "grantControls": {"operator": "OR", "builtInControls": ["mfa"]},
    }
    for path, value in changes.items():
        target = base
        *steps, last = path.split("__")
        for step in steps:
            target = target.setdefault(step, {})
        if value is None:
            target.pop(last, None)
        else:
            target[last] = value
    return base


EVERYBODY = policy()
ADMINS = policy(
    displayName="MFA for privileged roles",
    conditions__users={"includeRoles": [GLOBAL_ADMINISTRATOR, SECURITY_ADMINISTRATOR, CA_ADMINISTRATOR]},
)
FINANCE = policy(displayName="MFA for Finance", conditions__users={"includeGroups": ["finance"]})
LEGACY = policy(
    displayName="Block legacy authentication",
    conditions__clientAppTypes=["exchangeActiveSync", "other"],
    grantControls={"operator": "OR", "builtInControls": ["block"]},
)
DEVICES = policy(
    displayName="Compliant devices",
    conditions__users={"includeGroups": ["finance"]},
    grantControls={"operator": "OR", "builtInControls": ["compliantDevice"]},
)
STRONG = policy(grantControls={"operator": "OR", "authenticationStrength": {"id": PHISHING_RESISTANT}})
SESSIONS = policy(
    sessionControls={"signInFrequency": {"isEnabled": True, "value": 4, "type": "hours"}}, grantControls=None
)
REPORT_ONLY = changed(EVERYBODY, lambda d: d.update(state="enabledForReportingButNotEnforced"))


def state(document: dict[str, Any], value: str) -> dict[str, Any]:
    return changed(document, lambda d: d.update(state=value))


def users(document: dict[str, Any], **lists: Any) -> dict[str, Any]:
    return changed(document, lambda d: d["conditions"]["users"].update(lists))


def conditions(document: dict[str, Any], **values: Any) -> dict[str, Any]:
    return changed(document, lambda d: d["conditions"].update(values))


def controls(document: dict[str, Any], operator: str, *names: str) -> dict[str, Any]:
    value = {"operator": operator, "builtInControls": list(names)}
    return changed(document, lambda d: d.update(grantControls=value))


def case(
    title: str,
    rule: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    severity: str | None,
    direction: str = "weakens",
    context: dict[str, Any] | None = None,
) -> Case:
    return Case(title, rule, "conditionalAccessPolicy", before, after, severity, direction, context or {})


def cloud_apps(kind: str) -> dict[str, Any]:
    return {"cloudAppSecurity": {"isEnabled": True, "cloudAppSecurityType": kind}}


GUEST_KINDS = (
    "internalGuest",
    "b2bCollaborationGuest",
    "b2bCollaborationMember",
    "b2bDirectConnectUser",
    "otherExternalUser",
    "serviceProvider",
)


def guests(*kinds: str, tenants: list[str] | None = None) -> dict[str, Any]:
    members = {"membershipKind": "enumerated", "members": tenants} if tenants else {"membershipKind": "all"}
    return {"guestOrExternalUserTypes": ",".join(kinds), "externalTenants": members}


HOLDS_GLOBAL_ADMINISTRATOR = both_sides(
    unifiedRoleAssignment={"a": {"roleDefinitionId": GLOBAL_ADMINISTRATOR, "principalId": "anna"}}
)

CASES = [
    case("admin MFA off", "ca-policy-disabled", ADMINS, state(ADMINS, "disabled"), "critical"),
    case("MFA for all off", "ca-policy-disabled", EVERYBODY, state(EVERYBODY, "disabled"), "critical"),
    case("MFA of one group off", "ca-policy-disabled", FINANCE, state(FINANCE, "disabled"), "high"),
    case("legacy block off", "ca-policy-disabled", LEGACY, state(LEGACY, "disabled"), "high"),
    case("device policy of a group off", "ca-policy-disabled", DEVICES, state(DEVICES, "disabled"), "medium"),
    case("report-only to off", "ca-policy-disabled", REPORT_ONLY, state(REPORT_ONLY, "disabled"), None),
    case(
        "admin MFA reports only",
        "ca-policy-report-only",
        ADMINS,
        state(ADMINS, "enabledForReportingButNotEnforced"),
        "critical",
    ),
    case("enforced again", "ca-policy-report-only", REPORT_ONLY, EVERYBODY, None),
    case("admin MFA deleted", "ca-policy-deleted", ADMINS, None, "critical"),
    case("legacy block deleted", "ca-policy-deleted", LEGACY, None, "high"),
    case("report-only policy deleted", "ca-policy-deleted", REPORT_ONLY, None, "low", "neutral"),
    case("policy created", "ca-policy-deleted", None, ADMINS, None),
    case(
        "report-only to off",
        "ca-policy-staged",
        REPORT_ONLY,
        state(REPORT_ONLY, "disabled"),
        "low",
        "neutral",
    ),
    case(
        "nobody left",
        "ca-policy-emptied",
        ADMINS,
        changed(ADMINS, lambda d: d["conditions"].update(users={"includeUsers": ["None"]})),
        "critical",
    ),
    case(
        "its only group is excluded",
        "ca-policy-emptied",
        FINANCE,
        users(FINANCE, excludeGroups=["finance"]),
        "high",
    ),
    case("another group", "ca-policy-emptied", FINANCE, users(FINANCE, includeGroups=["sales"]), None),
    case("report-only created", "ca-policy-staged", None, REPORT_ONLY, "low", "neutral"),
    case("enforced created", "ca-policy-staged", None, EVERYBODY, None),
    case(
        "everybody blocked",
        "ca-policy-locks-out",
        None,
        controls(EVERYBODY, "OR", "block"),
        "high",
        "neutral",
    ),
    case(
        "everybody but one blocked",
        "ca-policy-locks-out",
        None,
        users(controls(EVERYBODY, "OR", "block"), excludeUsers=["spare"]),
        None,
    ),
    case("user excluded", "ca-people-excluded", EVERYBODY, users(EVERYBODY, excludeUsers=["eve"]), "high"),
    case(
        "guests excluded",
        "ca-people-excluded",
        EVERYBODY,
        users(
            EVERYBODY,
            excludeGuestsOrExternalUsers={
                "guestOrExternalUserTypes": "b2bCollaborationGuest,internalGuest",
                "externalTenants": {"membershipKind": "all"},
            },
        ),
        "high",
    ),
    case(
        "admin excluded",
        "ca-people-excluded",
        EVERYBODY,
        users(EVERYBODY, excludeUsers=["anna"]),
        "critical",
        context=HOLDS_GLOBAL_ADMINISTRATOR,
    ),
    case(
        "global administrators excluded",
        "ca-people-excluded",
        EVERYBODY,
        users(EVERYBODY, excludeRoles=[GLOBAL_ADMINISTRATOR]),
        "critical",
    ),
    case(
        "excluded from the block",
        "ca-people-excluded",
        LEGACY,
        users(LEGACY, excludeGroups=["scanners"]),
        "high",
    ),
    case(
        "report-only exclusion",
        "ca-people-excluded",
        REPORT_ONLY,
        users(REPORT_ONLY, excludeUsers=["eve"]),
        "medium",
    ),
    case(
        "synchronisation excluded",
        "ca-people-excluded",
        EVERYBODY,
        users(EVERYBODY, excludeRoles=[SYNC_ROLE]),
        "medium",
    ),
    case(
        "documented break-glass excluded",
        "ca-people-excluded",
        EVERYBODY,
        users(EVERYBODY, excludeGroups=["spare"]),
        "medium",
        context={"principals": {"spare": {"kind": "group", "name": "Spare keys", "break_glass": True}}},
    ),
    case(
        "break-glass and somebody else excluded",
        "ca-people-excluded",
        EVERYBODY,
        users(EVERYBODY, excludeGroups=["spare", "eve"]),
        "high",
        context={"principals": {"spare": {"kind": "group", "name": "Spare keys", "break_glass": True}}},
    ),
    case(
        "exclusion ended",
        "ca-people-excluded",
        users(EVERYBODY, excludeUsers=["eve"]),
        EVERYBODY,
        None,
    ),
    case(
        "role dropped from admin MFA",
        "ca-people-dropped",
        ADMINS,
        users(ADMINS, includeRoles=[SECURITY_ADMINISTRATOR, CA_ADMINISTRATOR]),
        "critical",
    ),
    case(
        "all users to one group",
        "ca-people-dropped",
        EVERYBODY,
        users(EVERYBODY, includeUsers=[], includeGroups=["finance"]),
        "critical",
    ),
    case(
        "ordinary role dropped",
        "ca-people-dropped",
        users(FINANCE, includeRoles=[REPORTS_READER]),
        FINANCE,
        "high",
    ),
    case(
        "group to all users",
        "ca-people-dropped",
        FINANCE,
        users(FINANCE, includeGroups=[], includeUsers=["All"]),
        None,
    ),
    case(
        "one application excluded",
        "ca-applications-dropped",
        EVERYBODY,
        conditions(
            EVERYBODY, applications={"includeApplications": ["All"], "excludeApplications": ["payroll"]}
        ),
        "high",
    ),
    case(
        "all applications to one",
        "ca-applications-dropped",
        EVERYBODY,
        conditions(EVERYBODY, applications={"includeApplications": ["payroll"]}),
        "critical",
    ),
    case(
        "one application to all",
        "ca-applications-dropped",
        conditions(EVERYBODY, applications={"includeApplications": ["payroll"]}),
        EVERYBODY,
        None,
    ),
    case(
        "workload left out",
        "ca-workloads-dropped",
        changed(
            LEGACY,
            lambda d: d["conditions"].update(
                users={}, clientApplications={"includeServicePrincipals": ["build", "deploy"]}
            ),
        ),
        changed(
            LEGACY,
            lambda d: d["conditions"].update(
                users={}, clientApplications={"includeServicePrincipals": ["build"]}
            ),
        ),
        "high",
    ),
    case(
        "workload added",
        "ca-workloads-dropped",
        conditions(LEGACY, clientApplications={"includeServicePrincipals": ["build"]}),
        conditions(LEGACY, clientApplications={"includeServicePrincipals": ["build", "deploy"]}),
        None,
    ),
    case(
        "trusted locations excluded",
        "ca-locations-dropped",
        EVERYBODY,
        conditions(EVERYBODY, locations={"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}),
        "high",
    ),
    case(
        "only one country",
        "ca-locations-dropped",
        EVERYBODY,
        conditions(EVERYBODY, locations={"includeLocations": ["elsewhere"]}),
        "high",
    ),
    case(
        "the same said twice",
        "ca-locations-dropped",
        EVERYBODY,
        conditions(EVERYBODY, locations={"includeLocations": ["All"]}),
        None,
    ),
    case(
        "browsers only",
        "ca-conditions-narrowed",
        EVERYBODY,
        conditions(EVERYBODY, clientAppTypes=["browser"]),
        "high",
    ),
    case(
        "only at high risk",
        "ca-conditions-narrowed",
        EVERYBODY,
        conditions(EVERYBODY, signInRiskLevels=["high"]),
        "critical",
    ),
    case(
        "Linux excluded",
        "ca-conditions-narrowed",
        FINANCE,
        conditions(FINANCE, platforms={"includePlatforms": ["all"], "excludePlatforms": ["linux"]}),
        "high",
    ),
    case(
        "medium risk too",
        "ca-conditions-narrowed",
        conditions(EVERYBODY, signInRiskLevels=["high"]),
        conditions(EVERYBODY, signInRiskLevels=["high", "medium"]),
        None,
    ),
    case(
        "each client named",
        "ca-conditions-narrowed",
        EVERYBODY,
        conditions(
            EVERYBODY,
            clientAppTypes=["browser", "mobileAppsAndDesktopClients", "exchangeActiveSync", "other"],
        ),
        None,
    ),
    case(
        "device filter",
        "ca-filter-changed",
        EVERYBODY,
        conditions(
            EVERYBODY, devices={"deviceFilter": {"mode": "exclude", "rule": "device.trustType -eq 'x'"}}
        ),
        "high",
    ),
    case("no filter", "ca-filter-changed", EVERYBODY, state(EVERYBODY, "disabled"), None),
    case(
        "MFA or device", "ca-grant-weakened", ADMINS, controls(ADMINS, "OR", "mfa", "compliantDevice"), "high"
    ),
    case(
        "and to or",
        "ca-grant-weakened",
        controls(ADMINS, "AND", "mfa", "compliantDevice"),
        controls(ADMINS, "OR", "mfa", "compliantDevice"),
        "high",
    ),
    case("MFA to device", "ca-grant-weakened", ADMINS, controls(ADMINS, "OR", "compliantDevice"), "critical"),
    case(
        "no control left",
        "ca-grant-weakened",
        EVERYBODY,
        changed(EVERYBODY, lambda d: d.pop("grantControls")),
        "critical",
    ),
    case("phishing-resistant to MFA", "ca-grant-weakened", STRONG, EVERYBODY, "high"),
    case(
        "strength to a weaker one",
        "ca-grant-weakened",
        STRONG,
        changed(STRONG, lambda d: d["grantControls"].update(authenticationStrength={"id": PLAIN_MFA})),
        "high",
    ),
    case(
        "strength to a custom one that takes text messages",
        "ca-grant-weakened",
        STRONG,
        changed(STRONG, lambda d: d["grantControls"].update(authenticationStrength={"id": "own"})),
        "high",
        context=both_sides(
            authenticationStrengthPolicy={"own": {"allowedCombinations": ["fido2", "password,sms"]}}
        ),
    ),
    case("block to MFA", "ca-grant-weakened", LEGACY, controls(LEGACY, "OR", "mfa"), "high"),
    case(
        "device to hybrid joined",
        "ca-grant-weakened",
        DEVICES,
        controls(DEVICES, "OR", "domainJoinedDevice"),
        "medium",
        "neutral",
    ),
    case(
        "MFA and device",
        "ca-grant-weakened",
        EVERYBODY,
        controls(EVERYBODY, "AND", "mfa", "compliantDevice"),
        None,
    ),
    case("MFA to phishing-resistant", "ca-grant-weakened", EVERYBODY, STRONG, None),
    case(
        "longer sessions",
        "ca-session-weakened",
        SESSIONS,
        changed(SESSIONS, lambda d: d["sessionControls"]["signInFrequency"].update(value=30, type="days")),
        "medium",
    ),
    case(
        "sessions in hours as days",
        "ca-session-weakened",
        changed(SESSIONS, lambda d: d["sessionControls"]["signInFrequency"].update(value=24)),
        changed(SESSIONS, lambda d: d["sessionControls"]["signInFrequency"].update(value=1, type="days")),
        None,
    ),
    case(
        "asked every time to once a day",
        "ca-session-weakened",
        changed(
            SESSIONS,
            lambda d: d.update(
                sessionControls={"signInFrequency": {"isEnabled": True, "frequencyInterval": "everyTime"}}
            ),
        ),
        changed(SESSIONS, lambda d: d["sessionControls"]["signInFrequency"].update(value=1, type="days")),
        "medium",
    ),
    case(
        "download block to monitoring, for administrators",
        "ca-session-weakened",
        {**ADMINS, "sessionControls": cloud_apps("blockDownloads")},
        {**ADMINS, "sessionControls": cloud_apps("monitorOnly")},
        "high",
    ),
    case(
        "persistent sessions",
        "ca-session-weakened",
        SESSIONS,
        changed(
            SESSIONS,
            lambda d: d["sessionControls"].update(persistentBrowser={"isEnabled": True, "mode": "always"}),
        ),
        "medium",
    ),
    case(
        "application filter replaced",
        "ca-filter-changed",
        conditions(EVERYBODY, devices={"deviceFilter": {"mode": "exclude", "rule": "a"}}),
        conditions(EVERYBODY, devices={"deviceFilter": {"mode": "exclude", "rule": "b"}}),
        "medium",
        "neutral",
    ),
    case(
        "filter removed",
        "ca-filter-changed",
        conditions(EVERYBODY, devices={"deviceFilter": {"mode": "exclude", "rule": "a"}}),
        EVERYBODY,
        "low",
        "strengthens",
    ),
    case(
        "guests in the new words",
        "ca-people-dropped",
        users(FINANCE, includeUsers=["GuestsOrExternalUsers"]),
        users(FINANCE, includeGuestsOrExternalUsers=guests(*GUEST_KINDS)),
        None,
    ),
    case(
        "one kind of guests left",
        "ca-people-dropped",
        users(FINANCE, includeUsers=["GuestsOrExternalUsers"]),
        users(FINANCE, includeGuestsOrExternalUsers=guests("internalGuest")),
        "high",
    ),
    case(
        "guests of one tenant left",
        "ca-people-dropped",
        users(FINANCE, includeGuestsOrExternalUsers=guests("internalGuest")),
        users(FINANCE, includeGuestsOrExternalUsers=guests("internalGuest", tenants=["partner"])),
        "high",
    ),
    case("enforced", "ca-policy-tightened", REPORT_ONLY, EVERYBODY, "low", "strengthens"),
    case("created enforced", "ca-policy-tightened", None, LEGACY, "low", "strengthens"),
    case(
        "renamed",
        "ca-policy-tightened",
        EVERYBODY,
        changed(EVERYBODY, lambda d: d.update(displayName="x")),
        None,
    ),
]


def test_the_reason_names_the_effect_and_the_audience() -> None:
    reason = case("", "", ADMINS, state(ADMINS, "disabled"), None).verdict().findings[0].reason
    assert reason == (
        "Multi-factor authentication is no longer required for 3 administrator roles: "
        "policy MFA for privileged roles was switched from enabled to disabled."
    )


def test_another_enforced_policy_that_covers_the_same_sign_ins_lowers_by_one_step() -> None:
    context = both_sides(conditionalAccessPolicy={"other": {**EVERYBODY, "displayName": "The other"}})
    verdict = case("", "", EVERYBODY, state(EVERYBODY, "disabled"), None, context=context).verdict()
    assert verdict.severity == "high"
    assert "The other" in verdict.findings[0].reason


@pytest.mark.parametrize(
    "other",
    [
        users(EVERYBODY, excludeUsers=["somebody"]),
        conditions(EVERYBODY, clientAppTypes=["browser"]),
        controls(EVERYBODY, "OR", "mfa", "compliantDevice"),
        REPORT_ONLY,
        FINANCE,
    ],
    ids=["with an exclusion", "browsers only", "weaker", "report-only", "one group"],
)
def test_a_policy_that_covers_less_lowers_nothing(other: dict[str, Any]) -> None:
    context = both_sides(conditionalAccessPolicy={"other": other})
    verdict = case("", "", EVERYBODY, state(EVERYBODY, "disabled"), None, context=context).verdict()
    assert verdict.severity == "critical"


def test_mfa_of_named_privileged_roles_never_drops_below_high() -> None:
    context = both_sides(conditionalAccessPolicy={"other": EVERYBODY}) | {
        "principals": {"spare": {"kind": "user", "break_glass": True}}
    }
    disabled = case("", "", ADMINS, state(ADMINS, "disabled"), None, context=context).verdict()
    excluded = case("", "", ADMINS, users(ADMINS, excludeUsers=["spare"]), None, context=context).verdict()
    assert disabled.severity == "high"
    assert excluded.severity == "high"


def test_a_policy_named_for_administrators_counts_as_theirs() -> None:
    named = {**FINANCE, "displayName": "Require MFA for admins"}
    assert case("", "", named, state(named, "disabled"), None).verdict().severity == "critical"


def test_letter_case_of_ids_and_words_makes_no_difference() -> None:
    upper = users(ADMINS, includeRoles=[GLOBAL_ADMINISTRATOR.upper()])
    lower = users(ADMINS, includeRoles=[GLOBAL_ADMINISTRATOR])
    assert case("", "", upper, lower, None).verdict().direction == "neutral"


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (EVERYBODY, "all users"),
        (ADMINS, "3 administrator roles"),
        (
            users(FINANCE, includeRoles=[GLOBAL_ADMINISTRATOR]),
            "group Finance team and role Global Administrator",
        ),
        (users(FINANCE, includeGroups=[], includeUsers=["eve"]), "Eve Example"),
        (
            users(FINANCE, includeGroups=[], includeGuestsOrExternalUsers=guests("internalGuest")),
            "guests and external users",
        ),
        (
            conditions(EVERYBODY, applications={"includeApplications": [PORTALS]}),
            "all users in Microsoft admin portals",
        ),
        (conditions(EVERYBODY, applications={"includeApplications": ["pay"]}), "all users in Payroll"),
        (
            conditions(EVERYBODY, users={}, clientApplications={"includeServicePrincipals": ["a", "b"]}),
            "2 service principals",
        ),
    ],
)
def test_a_reason_names_people_and_applications_as_the_tenant_does(
    document: dict[str, Any], words: str
) -> None:
    context = {
        **both_sides(
            group={"finance": {"displayName": "Finance team"}},
            servicePrincipal={"sp": {"appId": "pay", "displayName": "Payroll"}},
        ),
        "principals": {"eve": {"kind": "user", "name": "Eve Example"}},
    }
    reasons = [
        found.reason for found in case("", "", document, None, None, context=context).verdict().findings
    ]
    assert any(f"required for {words}:" in reason for reason in reasons), reasons


def test_an_unknown_strength_counts_as_plain_mfa_that_may_be_less_than_the_best() -> None:
    def asks(strength: str) -> dict[str, Any]:
        return changed(STRONG, lambda d: d["grantControls"].update(authenticationStrength={"id": strength}))

    assert case("", "", STRONG, asks("own"), None).verdict().severity == "high"
    assert case("", "", asks("own"), STRONG, None).verdict().direction == "strengthens"
    assert case("", "", asks("own"), asks("another"), None).verdict().direction == "neutral"
