"""Groups: what membership opens decides how much a new member or owner weighs."""

from typing import Any

from tests.changes.severity.casebook import Case, both_sides, changed
from tests.changes.severity.test_conditional_access import EVERYBODY, FINANCE, GLOBAL_ADMINISTRATOR, users
from tests.changes.severity.test_roles import assigned

GROUP: dict[str, Any] = {
    "displayName": "Team",
    "securityEnabled": True,
    "visibility": "Private",
    "members": [{"@odata.type": "#microsoft.graph.user", "id": "anna"}],
    "owners": [{"@odata.type": "#microsoft.graph.user", "id": "anna"}],
}
ASSIGNABLE = {**GROUP, "isAssignableToRole": True}
DYNAMIC = {**GROUP, "groupTypes": ["DynamicMembership"], "membershipRule": 'user.department -eq "IT"'}
EXCLUDED = both_sides(conditionalAccessPolicy={"p": users(EVERYBODY, excludeGroups=["subject-id"])})
INCLUDED = both_sides(conditionalAccessPolicy={"p": users(FINANCE, includeGroups=["subject-id"])})
REPORTED = both_sides(
    conditionalAccessPolicy={"p": {**users(EVERYBODY, excludeGroups=["subject-id"]), "state": "disabled"}}
)
GLOBAL = both_sides(
    unifiedRoleAssignment={"a": assigned(GLOBAL_ADMINISTRATOR, "group", principal="SUBJECT-ID")}
)


def with_eve(group: dict[str, Any], part: str) -> dict[str, Any]:
    return changed(group, lambda d: d[part].append({"@odata.type": "#microsoft.graph.user", "id": "eve"}))


def alone(group: dict[str, Any], part: str) -> dict[str, Any]:
    return changed(group, lambda d: d.pop(part))


def case(
    title: str,
    rule: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    severity: str | None,
    direction: str = "weakens",
    context: dict[str, Any] | None = None,
) -> Case:
    return Case(title, rule, "group", before, after, severity, direction, context or {})


ANYBODY = changed(DYNAMIC, lambda d: d.update(membershipRule="user.accountEnabled -eq true"))

CASES = [
    case("ordinary", "group-member-added", GROUP, with_eve(GROUP, "members"), "low", "neutral"),
    case("role-assignable", "group-member-added", ASSIGNABLE, with_eve(ASSIGNABLE, "members"), "high"),
    case("let out", "group-member-added", GROUP, with_eve(GROUP, "members"), "high", context=EXCLUDED),
    case("holds GA", "group-member-added", GROUP, with_eve(GROUP, "members"), "critical", context=GLOBAL),
    case(
        "let out of a policy that is off",
        "group-member-added",
        GROUP,
        with_eve(GROUP, "members"),
        "low",
        "neutral",
        context=REPORTED,
    ),
    case(
        "under a policy",
        "group-member-added",
        GROUP,
        with_eve(GROUP, "members"),
        "low",
        "strengthens",
        context=INCLUDED,
    ),
    case("left", "group-member-added", with_eve(GROUP, "members"), GROUP, None),
    case("created with members", "group-member-added", None, GROUP, None),
    case("role-assignable, created with members", "group-member-added", None, ASSIGNABLE, "high"),
    case("created with owners", "group-owner-changed", None, GROUP, None),
    case("ordinary", "group-member-removed", GROUP, alone(GROUP, "members"), "low", "neutral"),
    case("under a policy", "group-member-removed", GROUP, alone(GROUP, "members"), "high", context=INCLUDED),
    case(
        "no longer let out",
        "group-member-removed",
        GROUP,
        alone(GROUP, "members"),
        "low",
        "strengthens",
        context=EXCLUDED,
    ),
    case("joined", "group-member-removed", GROUP, with_eve(GROUP, "members"), None),
    case("ordinary", "group-owner-changed", GROUP, with_eve(GROUP, "owners"), "low"),
    case("role-assignable", "group-owner-changed", ASSIGNABLE, with_eve(ASSIGNABLE, "owners"), "high"),
    case("left", "group-owner-changed", GROUP, alone(GROUP, "owners"), "low", "strengthens"),
    case("a member", "group-owner-changed", GROUP, with_eve(GROUP, "members"), None),
    case("ordinary", "group-rule-changed", DYNAMIC, ANYBODY, "low", "neutral"),
    case("let out", "group-rule-changed", DYNAMIC, ANYBODY, "high", "neutral", context=EXCLUDED),
    case("under a policy", "group-rule-changed", DYNAMIC, ANYBODY, "medium", "neutral", context=INCLUDED),
    case("a member", "group-rule-changed", DYNAMIC, with_eve(DYNAMIC, "members"), None),
    case("opened", "group-opened", GROUP, {**GROUP, "visibility": "Public"}, "medium"),
    case(
        "opened, let out", "group-opened", GROUP, {**GROUP, "visibility": "Public"}, "high", context=EXCLUDED
    ),
    case("closed", "group-opened", {**GROUP, "visibility": "Public"}, GROUP, "low", "strengthens"),
    case("hidden", "group-opened", GROUP, {**GROUP, "visibility": "HiddenMembership"}, None),
    case("created", "group-role-assignable", None, ASSIGNABLE, "medium", "neutral"),
    case("ordinary created", "group-role-assignable", None, GROUP, None),
    case("ordinary", "group-deleted", GROUP, None, "low", "neutral"),
    case("under a policy", "group-deleted", GROUP, None, "high", context=INCLUDED),
    case("held a role", "group-deleted", GROUP, None, "medium", "neutral", context=GLOBAL),
    case("created", "group-deleted", None, GROUP, None),
]


def test_the_reason_names_who_joined_and_what_the_group_opens() -> None:
    context = {**EXCLUDED, "principals": {"eve": {"kind": "user", "name": "Eve Example"}}}
    reason = (
        case("", "", GROUP, with_eve(GROUP, "members"), None, context=context).verdict().findings[0].reason
    )
    assert reason == "Eve Example joined the group Team (its members are exempt from policy Baseline)."
