"""Directory roles: the role, the kind of principal and the scope decide."""

from typing import Any

from tests.changes.severity.casebook import Case, both_sides, changed
from tests.changes.severity.test_conditional_access import GLOBAL_ADMINISTRATOR, REPORTS_READER

USER_ADMINISTRATOR = "fe930be7-5e62-47db-91af-98c3a49a38b1"
GLOBAL_READER = "f2ef992c-3afb-46b9-b7cf-a126ee74c451"


def assigned(role: str, kind: str = "user", scope: str = "/", principal: str = "eve") -> dict[str, Any]:
    return {
        "roleDefinitionId": role,
        "principalId": principal,
        "directoryScopeId": scope,
        "principal": {"@odata.type": f"#microsoft.graph.{kind}"},
    }


def case(
    title: str,
    rule: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    severity: str | None,
    direction: str = "weakens",
    context: dict[str, Any] | None = None,
) -> Case:
    return Case(title, rule, "unifiedRoleAssignment", before, after, severity, direction, context or {})


def custom(*actions: str) -> dict[str, Any]:
    return {"displayName": "Own role", "rolePermissions": [{"allowedResourceActions": list(actions)}]}


def definition(
    title: str,
    rule: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    severity: str | None,
    direction: str = "weakens",
) -> Case:
    return Case(title, rule, "unifiedRoleDefinition", before, after, severity, direction)


READ = "microsoft.directory/applications/standard/read"
CREDENTIALS = "microsoft.directory/applications/credentials/update"
GUEST = {"principals": {"eve": {"kind": "user", "name": "Eve", "is_guest": True}}}
OWN_ROLE = both_sides(unifiedRoleDefinition={"own": custom(CREDENTIALS)})
ONE_LEFT = {
    "before": {},
    "after": {"unifiedRoleAssignment": {"a": assigned(GLOBAL_ADMINISTRATOR, principal="anna")}},
}
TWO_LEFT = {
    "before": {},
    "after": {
        "unifiedRoleAssignment": {
            "a": assigned(GLOBAL_ADMINISTRATOR, principal="anna"),
            "b": assigned(GLOBAL_ADMINISTRATOR, principal="bert"),
        }
    },
}

CASES = [
    case("app as GA", "role-granted", None, assigned(GLOBAL_ADMINISTRATOR, "servicePrincipal"), "critical"),
    case("group as GA", "role-granted", None, assigned(GLOBAL_ADMINISTRATOR, "group"), "critical"),
    case("user as GA", "role-granted", None, assigned(GLOBAL_ADMINISTRATOR), "critical"),
    case("user administrator", "role-granted", None, assigned(USER_ADMINISTRATOR), "high"),
    case(
        "app as user administrator",
        "role-granted",
        None,
        assigned(USER_ADMINISTRATOR, "servicePrincipal"),
        "high",
    ),
    case(
        "user administrator of one unit",
        "role-granted",
        None,
        assigned(USER_ADMINISTRATOR, scope="/administrativeUnits/unit"),
        "medium",
    ),
    case(
        "one unit to the tenant",
        "role-granted",
        assigned(USER_ADMINISTRATOR, scope="/administrativeUnits/unit"),
        assigned(USER_ADMINISTRATOR),
        "high",
    ),
    case("global reader", "role-granted", None, assigned(GLOBAL_READER), "medium"),
    case("guest as global reader", "role-granted", None, assigned(GLOBAL_READER), "high", context=GUEST),
    case("reports reader", "role-granted", None, assigned(REPORTS_READER), "low"),
    case("unknown role", "role-granted", None, assigned("own"), "medium"),
    case("powerful own role", "role-granted", None, assigned("own"), "high", context=OWN_ROLE),
    case("removed", "role-granted", assigned(GLOBAL_ADMINISTRATOR), None, None),
    case("removed", "role-removed", assigned(GLOBAL_ADMINISTRATOR), None, "low", "strengthens"),
    case(
        "two administrators left",
        "role-removed",
        assigned(GLOBAL_ADMINISTRATOR),
        None,
        "low",
        "strengthens",
        context=TWO_LEFT,
    ),
    case(
        "one administrator left",
        "role-removed",
        assigned(GLOBAL_ADMINISTRATOR),
        None,
        "high",
        "neutral",
        context=ONE_LEFT,
    ),
    case("granted", "role-removed", None, assigned(GLOBAL_ADMINISTRATOR), None),
    definition("credentials", "role-definition-widened", custom(READ), custom(READ, CREDENTIALS), "high"),
    definition("created with credentials", "role-definition-widened", None, custom(CREDENTIALS), "medium"),
    definition(
        "an ordinary write",
        "role-definition-widened",
        custom(READ),
        custom(READ, "microsoft.directory/contacts/basic/update"),
        "medium",
    ),
    definition(
        "a read",
        "role-definition-widened",
        custom(READ),
        custom(READ, "microsoft.directory/roleAssignments/standard/read"),
        "low",
    ),
    definition(
        "by Microsoft",
        "role-definition-widened",
        {**custom(READ), "isBuiltIn": True},
        {**custom(READ, CREDENTIALS), "isBuiltIn": True},
        "low",
        "neutral",
    ),
    definition("fewer", "role-definition-widened", custom(READ, CREDENTIALS), custom(READ), None),
    definition(
        "fewer",
        "role-definition-narrowed",
        custom(READ, CREDENTIALS),
        custom(READ),
        "low",
        "strengthens",
    ),
    definition("more", "role-definition-narrowed", custom(READ), custom(READ, CREDENTIALS), None),
]


def test_the_reason_names_the_principal_the_role_and_what_it_means() -> None:
    context = {"principals": {"eve": {"kind": "servicePrincipal", "name": "Sync helper"}}}
    after = changed(assigned(GLOBAL_ADMINISTRATOR), lambda d: d.pop("principal"))
    assert case("", "", None, after, None, context=context).verdict().findings[0].reason == (
        "The service principal Sync helper received the role Global Administrator over the whole tenant. "
        "It gives control of the tenant."
    )
