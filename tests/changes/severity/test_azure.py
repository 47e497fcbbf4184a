"""Azure: networks by what they let in, vaults by who reads them, roles by power and scope."""

from typing import Any

import pytest

from changes.severity.engine import grade
from changes.severity.model import Subject
from changes.severity.network.exposure import ranges, reachable
from tests.changes.severity.casebook import Case, both_sides
from tests.changes.severity.casebook_settings import MISSING, OFF, ON, appeared, loosened, untouched, went

NSG, VAULT, LOCK, IDENTITY = "networkSecurityGroup", "keyVault", "managementLock", "managedIdentity"
ASSIGNMENT, DEFINITION = "azureRoleAssignment", "azureRoleDefinition"
SUBSCRIPTION = "/subscriptions/s"
OWNER, CONTRIBUTOR = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "b24988ac-6180-42a0-ab88-20f7382dd24c"
READER, OWN = "acdd72a7-3385-48ef-bd42-f606fba81ae7", "0aaaaaaa-3385-48ef-bd42-f606fba81ae7"


def rule(
    port: str = "22", source: Any = "*", access: str = "Allow", priority: int = 200, **more: Any
) -> dict[str, Any]:
    sources = (
        {"sourceAddressPrefixes": source} if isinstance(source, list) else {"sourceAddressPrefix": source}
    )
    return {
        "name": f"rule-{priority}",
        "properties": {
            "direction": "Inbound",
            "protocol": "Tcp",
            "access": access,
            "priority": priority,
            "destinationPortRange": port,
            "destinationAddressPrefix": "*",
            **sources,
            **more,
        },
    }


def nsg(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"location": "westeurope", "properties": {"securityRules": list(rules)}}


def network(
    before: dict[str, Any] | None, after: dict[str, Any], severity: str | None, direction: str = "weakens"
) -> Case:
    return Case(f"exposure {str(after)[60:200]}", "nsg-exposure", NSG, before, after, severity, direction)


def vault(path: str, strong: Any, weak: Any, severity: str, rule_id: str = "vault-network") -> list[Case]:
    return loosened(VAULT, rule_id, f"properties/{path}", strong, weak, severity)


def policy(who: str, *secrets: str) -> dict[str, Any]:
    return {"tenantId": "t", "objectId": who, "permissions": {"secrets": list(secrets)}}


def policies(*each: dict[str, Any], roles: bool = False) -> dict[str, Any]:
    return {"properties": {"accessPolicies": list(each), "enableRbacAuthorization": roles}}


def case(
    kind: str,
    rule_id: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    severity: str | None,
    direction: str = "weakens",
    context: dict[str, Any] | None = None,
    resource_id: str = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleAssignments/a",
) -> Case:
    title = f"{kind} {severity} {direction}"
    return Case(title, rule_id, kind, before, after, severity, direction, context or {}, resource_id)


def assigned(role: str, scope: str = SUBSCRIPTION, **more: Any) -> dict[str, Any]:
    return {
        "properties": {
            "roleDefinitionId": f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{role}",
            "principalId": "eve",
            "principalType": "User",
            "scope": scope,
            **more,
        }
    }


def custom(*actions: str, withheld: tuple[str, ...] = (), scopes: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "properties": {
            "roleName": "Own role",
            "permissions": [{"actions": list(actions), "notActions": list(withheld)}],
            "assignableScopes": list(scopes),
        }
    }


def without_scope(role: str) -> dict[str, Any]:
    document = assigned(role)
    del document["properties"]["scope"]
    return document


GROUP_SCOPE = f"{SUBSCRIPTION}/resourceGroups/rg"
LIKE_OWNER = both_sides(azureRoleDefinition={f"/x/roleDefinitions/{OWN.upper()}": custom("*")})
LIKE_CONTRIBUTOR = both_sides(
    azureRoleDefinition={OWN: custom("*", withheld=("Microsoft.Authorization/*/Write",))}
)
WEB = rule("443", priority=300)
DENIED = rule("0-65535", access="Deny", priority=100)

CASES = [
    network(nsg(), nsg(rule()), "high"),
    network(None, nsg(rule("3389")), "high"),
    network(nsg(), nsg(rule("*")), "high"),
    network(nsg(), nsg(rule("20-25")), "high"),
    network(nsg(), nsg(rule("443", destinationPortRanges=["80", "5985"])), "high"),
    network(nsg(), nsg(rule(source="Internet")), "high"),
    network(nsg(), nsg(rule(source=["0.0.0.0/1", "128.0.0.0/1"])), "high"),
    network(nsg(), nsg(rule(source="AzureCloud.westeurope")), "high"),
    network(nsg(), nsg(rule(source="::/0", protocol="*")), "high"),
    network(nsg(), nsg(WEB), "medium"),
    network(nsg(DENIED, rule()), nsg(rule()), "high"),
    network(
        nsg(DENIED, rule()),
        nsg({**DENIED, "properties": {**DENIED["properties"], "priority": 900}}, rule()),
        "high",
    ),
    network(nsg(rule()), nsg(), "low", "strengthens"),
    network(nsg(), nsg(rule(source="10.0.0.0/8")), None),
    network(nsg(), nsg(rule(source="203.0.113.0/24")), None),
    network(nsg(), nsg(rule(direction="Outbound")), None),
    network(nsg(), nsg(rule(protocol="Icmp")), None),
    network(nsg(DENIED), nsg(DENIED, rule()), None),
    network(nsg(rule()), nsg(rule(source="0.0.0.0/0", port="22", priority=210)), None),
    case(NSG, "nsg-rules", nsg(), nsg(rule(source="203.0.113.0/24")), "low", "neutral"),
    case(NSG, "nsg-rules", nsg(), nsg(rule()), None),
    appeared(NSG, "nsg-life", "low", "neutral"),
    went(NSG, "nsg-life", "medium"),
    untouched(NSG, "nsg-life", "location"),
    case(VAULT, "vault-policies", policies(), policies(policy("eve", "get", "list")), "high"),
    case(VAULT, "vault-policies", None, policies(policy("eve", "Get")), "high"),
    case(VAULT, "vault-policies", policies(), policies(policy("eve", "list")), "medium"),
    case(VAULT, "vault-policies", policies(roles=True), policies(policy("eve", "get"), roles=True), "low"),
    case(VAULT, "vault-policies", policies(policy("eve", "get")), policies(), "low", "strengthens"),
    case(
        VAULT,
        "vault-policies",
        policies(policy("eve", "get", "list")),
        policies(policy("EVE", "List", "Get")),
        None,
    ),
    case(VAULT, "vault-mode", policies(roles=True), policies(), "high"),
    case(VAULT, "vault-mode", policies(), policies(roles=True), "medium", "neutral"),
    untouched(VAULT, "vault-mode", "location"),
    *vault("networkAcls/defaultAction", "Deny", "Allow", "high"),
    *vault("networkAcls/defaultAction", "deny", MISSING, "high"),
    *vault("publicNetworkAccess", "Disabled", "Enabled", "high"),
    *vault("networkAcls/bypass", "None", "AzureServices", "low"),
    untouched(VAULT, "vault-network", "location"),
    *vault("networkAcls/ipRules", [], [{"value": "203.0.113.7"}], "medium", "vault-addresses"),
    *vault("networkAcls/ipRules", [], [{"value": "0.0.0.0/0"}], "high", "vault-addresses"),
    *vault("networkAcls/virtualNetworkRules", [], [{"id": "/x/subnets/a"}], "medium", "vault-addresses"),
    untouched(VAULT, "vault-addresses", "location"),
    *vault("enablePurgeProtection", ON, MISSING, "high", "vault-survival"),
    *vault("enableSoftDelete", MISSING, OFF, "high", "vault-survival"),
    *vault("softDeleteRetentionInDays", 90, 7, "medium", "vault-survival"),
    untouched(VAULT, "vault-survival", "location"),
    *vault("enabledForDeployment", OFF, ON, "medium", "vault-uses"),
    *vault("enabledForTemplateDeployment", OFF, ON, "medium", "vault-uses"),
    *vault("enabledForDiskEncryption", OFF, ON, "medium", "vault-uses"),
    untouched(VAULT, "vault-uses", "location"),
    appeared(VAULT, "vault-life", "low", "neutral"),
    went(VAULT, "vault-life", "high", "neutral"),
    untouched(VAULT, "vault-life", "location"),
    case(ASSIGNMENT, "azure-role-granted", None, assigned(OWNER), "critical"),
    case(ASSIGNMENT, "azure-role-granted", None, assigned(OWNER.upper(), "/"), "critical"),
    case(ASSIGNMENT, "azure-role-granted", None, without_scope(OWNER), "critical"),
    case(ASSIGNMENT, "azure-role-granted", None, assigned(OWNER, GROUP_SCOPE), "high"),
    case(
        ASSIGNMENT, "azure-role-granted", None, assigned("18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"), "critical"
    ),
    case(
        ASSIGNMENT, "azure-role-granted", None, assigned("f58310d9-a9f6-439a-9e8d-f62e7b41a168"), "critical"
    ),
    case(ASSIGNMENT, "azure-role-granted", None, assigned(CONTRIBUTOR), "high"),
    case(ASSIGNMENT, "azure-role-granted", None, assigned(CONTRIBUTOR, GROUP_SCOPE), "medium"),
    case(ASSIGNMENT, "azure-role-granted", None, assigned(READER), "medium"),
    case(ASSIGNMENT, "azure-role-granted", None, assigned(READER, principalType="ServicePrincipal"), "high"),
    case(ASSIGNMENT, "azure-role-granted", None, assigned(OWN), "medium"),
    case(ASSIGNMENT, "azure-role-granted", None, assigned(OWN, GROUP_SCOPE), "low"),
    case(ASSIGNMENT, "azure-role-granted", None, assigned(OWN), "critical", context=LIKE_OWNER),
    case(ASSIGNMENT, "azure-role-granted", None, assigned(OWN), "high", context=LIKE_CONTRIBUTOR),
    case(ASSIGNMENT, "azure-role-granted", assigned(OWNER, condition="x"), assigned(OWNER), "critical"),
    case(ASSIGNMENT, "azure-role-granted", assigned(OWNER), assigned(OWNER.upper(), description="x"), None),
    case(ASSIGNMENT, "azure-role-removed", assigned(OWNER), None, "low", "strengthens"),
    case(ASSIGNMENT, "azure-role-removed", None, assigned(OWNER), None),
    case(DEFINITION, "azure-role-actions", custom("*/read"), custom("*/read", "*"), "high"),
    case(
        DEFINITION,
        "azure-role-actions",
        custom("*/read"),
        custom("*/read", "Microsoft.Authorization/roleAssignments/write"),
        "high",
    ),
    case(
        DEFINITION, "azure-role-actions", custom("*", withheld=("Microsoft.Compute/*",)), custom("*"), "high"
    ),
    case(
        DEFINITION,
        "azure-role-actions",
        custom("*/read"),
        custom("*/read", "Microsoft.Web/sites/restart/action"),
        "medium",
    ),
    case(DEFINITION, "azure-role-actions", None, custom("*"), "medium"),
    case(DEFINITION, "azure-role-actions", None, custom("Microsoft.Web/sites/read"), "low"),
    case(DEFINITION, "azure-role-actions", custom("*"), custom(), "low", "strengthens"),
    case(DEFINITION, "azure-role-actions", custom("*/read"), None, "low", "neutral"),
    case(DEFINITION, "azure-role-actions", custom("A/x", "b/y"), custom("B/y", "a/X"), None),
    case(
        DEFINITION,
        "azure-role-scopes",
        custom(scopes=(GROUP_SCOPE,)),
        custom(scopes=(GROUP_SCOPE, SUBSCRIPTION)),
        "medium",
    ),
    case(
        DEFINITION,
        "azure-role-scopes",
        custom(scopes=(GROUP_SCOPE,)),
        custom(scopes=(GROUP_SCOPE.upper(),)),
        None,
    ),
    *loosened(LOCK, "lock-level", "properties/level", "ReadOnly", "CanNotDelete", "medium"),
    untouched(LOCK, "lock-level", "properties/notes"),
    appeared(LOCK, "azure-guard-life", "low", "neutral"),
    went(LOCK, "azure-guard-life", "medium"),
    appeared(IDENTITY, "azure-guard-life", "low", "neutral"),
    went(IDENTITY, "azure-guard-life", "medium", "neutral"),
    untouched(IDENTITY, "azure-guard-life", "location"),
]


@pytest.mark.parametrize(
    ("ports", "written"),
    [(1 << 22, ["22"]), (0b1110, ["1-3"]), ((1 << 65536) - 1, ["0-65535"]), (0b101, ["0", "2"]), (0, [])],
    ids=("one", "a range", "all", "two", "none"),
)
def test_ports_are_named_as_people_write_them(ports: int, written: list[str]) -> None:
    assert ranges(ports) == written


def test_the_order_of_rules_is_their_priority_and_nothing_else() -> None:
    assert reachable(nsg(rule(), DENIED)) == reachable(nsg(DENIED, rule())) == {"tcp": 0, "udp": 0}


def test_the_reason_names_the_ports() -> None:
    assert network(nsg(), nsg(rule("20-22")), "high").verdict().findings[0].reason == (
        "subject-id now lets the internet reach tcp 20-22 (including remote administration or databases)."
    )


@pytest.mark.parametrize("after", [{}, {"networkAcls": {"bypass": "None"}}])
def test_a_reason_names_the_default_that_took_the_place_of_a_value(after: dict[str, Any]) -> None:
    before = {"properties": {"networkAcls": {"defaultAction": "Deny"}}}
    findings = grade(Subject("keyVault", "v", before, {"properties": after})).findings
    reasons = " ".join(finding.reason for finding in findings)
    assert "the default for unknown addresses is Allow instead of Deny." in reasons
    assert "not set" not in reasons
