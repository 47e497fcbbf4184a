"""Conditional Access policies, named locations and authentication strengths."""

from typing import Any

from tests.roundtrip.model import AUTO, Act, Case, Json, World, impossible

ROOT = "/beta/identity/conditionalAccess"
POLICIES, LOCATIONS = f"{ROOT}/policies", f"{ROOT}/namedLocations"
DELETED = f"{ROOT}/deletedItems"
STRENGTHS = "/v1.0/policies/authenticationStrengthPolicies"
WEAK: Json = {
    "displayName": "Planted policy",
    "state": "enabledForReportingButNotEnforced",
    "conditions": {
        "users": {"includeUsers": ["None"]},
        "applications": {"includeApplications": ["None"]},
        "clientAppTypes": ["all"],
    },
    "grantControls": {"operator": "OR", "builtInControls": ["mfa"]},
}
NETWORK: Json = {
    "@odata.type": "#microsoft.graph.compliantNetworkNamedLocation",
    "displayName": "Compliant networks",
    "compliantNetworkType": "allTenantCompliantNetworks",
    "isTrusted": False,
}
AGENTS: Json = {
    "displayName": "Block risky agents",
    "state": "enabled",
    "conditions": {
        "agentIdRiskLevels": "medium,high",
        "agents": {"includeAgentUsers": ["All"], "excludeAgentUsers": []},
        "applications": {"includeApplications": ["All"]},
        "clientApplications": {"includeAgentIdServicePrincipals": ["All"]},
        "clientAppTypes": ["all"],
        "times": {"includedTimeRanges": [{"daysOfWeek": ["saturday", "sunday"]}]},
        "users": {"includeUsers": ["None"]},
    },
    "grantControls": {"operator": "OR", "builtInControls": ["block"]},
    "sessionControls": {"continuousAccessEvaluation": {"mode": "strictEnforcement"}},
}
TRAFFIC: Json = {
    "displayName": "Strong sign-in for Microsoft 365 traffic",
    "state": "enabledForReportingButNotEnforced",
    "conditions": {
        "applications": {"globalSecureAccess": {"includeTrafficProfiles": "m365,internet"}},
        "clientAppTypes": ["all"],
        "users": {"includeUsers": ["All"]},
    },
    "grantControls": {
        "operator": "OR",
        "authenticationStrength": {"id": "00000000-0000-0000-0000-000000000004"},
    },
}
ANYWHERE: Json = {
    "@odata.type": "#microsoft.graph.ipNamedLocation",
    "displayName": "Anywhere",
    "isTrusted": True,
    "ipRanges": [{"@odata.type": "#microsoft.graph.iPv6CidrRange", "cidrAddress": "2001:db8::/32"}],
}


def policy(world: World) -> Json:
    return world.named(POLICIES, "CA001")


def agents(world: World) -> Json:
    return world.named(POLICIES, str(AGENTS["displayName"]))


def traffic(world: World) -> Json:
    return world.named(POLICIES, str(TRAFFIC["displayName"]))


def network(world: World) -> Json:
    return world.named(LOCATIONS, str(NETWORK["displayName"]))


def _at_v1(path: str) -> str:
    return path.replace("/beta/", "/v1.0/")


def _only_for_low_risk(_world: World, subject: Json) -> Json:
    return {**subject["conditions"], "agentIdRiskLevels": "low", "times": None}


def office(world: World) -> Json:
    return world.named(LOCATIONS, "Hannover")


def blocked_countries(world: World) -> Json:
    location = world.named(LOCATIONS, "Blocked countries")
    return {**location, "_policy": world.named(POLICIES, "CA006")["id"]}


def strength(world: World) -> Json:
    found = world.named(STRENGTHS, "Administrators")
    return {**found, "_policy": world.named(POLICIES, "CA004")["id"]}


DELETED_FOR_GOOD = [
    Act("DELETE", f"{POLICIES}/{{_policy}}"),
    Act("DELETE", f"{LOCATIONS}/{{id}}"),
    Act("DELETE", f"{DELETED}/policies/{{_policy}}"),
    Act("DELETE", f"{DELETED}/namedLocations/{{id}}"),
]
MERE_MFA: Json = {
    "grantControls": {"operator": "OR", "builtInControls": ["mfa"], "authenticationStrength": None}
}


def _excluding_somebody(world: World, subject: Json) -> Any:
    intruder = world.named("/v1.0/users", "Lena")["id"]
    conditions = subject["conditions"]
    return {**conditions, "users": {**conditions["users"], "excludeUsers": [intruder]}}


CASES = (
    Case(
        key="conditionalAccessPolicy",
        subject=policy,
        path=f"{POLICIES}/{{id}}",
        updates={
            "displayName": AUTO,
            "description": AUTO,
            "state": "disabled",
            "conditions": _excluding_somebody,
            "grantControls": {"operator": "OR", "builtInControls": ["compliantDevice", "mfa"]},
            "sessionControls": {"persistentBrowser": {"isEnabled": True, "mode": "always"}},
        },
        create=[Act("POST", POLICIES, WEAK)],
        delete=[Act("DELETE", f"{POLICIES}/{{id}}")],
        more={
            "delete for good": [
                Act("DELETE", f"{POLICIES}/{{id}}"),
                Act("DELETE", f"{DELETED}/policies/{{id}}"),
            ]
        },
    ),
    Case(
        key="namedLocation",
        subject=office,
        path=f"{LOCATIONS}/{{id}}",
        typed=True,
        updates={
            "displayName": AUTO,
            "isTrusted": AUTO,
            "ipRanges": ANYWHERE["ipRanges"],
        },
        create=[Act("POST", LOCATIONS, ANYWHERE)],
        delete=[
            Act("PATCH", f"{LOCATIONS}/{{id}}", {"@odata.type": ANYWHERE["@odata.type"], "isTrusted": False}),
            Act("DELETE", f"{LOCATIONS}/{{id}}"),
        ],
        types=("conditionalAccessPolicy",),
    ),
    Case(
        key="conditionalAccessPolicy",
        variant="agents",
        given=[Act("POST", POLICIES, AGENTS)],
        subject=agents,
        path=f"{POLICIES}/{{id}}",
        updates={"conditions": _only_for_low_risk, "sessionControls": None},
        delete=[
            Act("DELETE", f"{POLICIES}/{{id}}"),
            Act("DELETE", f"{DELETED}/policies/{{id}}"),
        ],
        more={
            "write at v1.0, which takes what it does not know away": [
                Act(
                    "PATCH",
                    _at_v1(f"{POLICIES}/{{id}}"),
                    {
                        "conditions": {
                            "applications": {"includeApplications": ["All"]},
                            "clientAppTypes": ["all"],
                            "users": {"includeUsers": ["None"]},
                        }
                    },
                )
            ]
        },
    ),
    Case(
        key="conditionalAccessPolicy",
        variant="traffic",
        given=[Act("POST", POLICIES, TRAFFIC)],
        subject=traffic,
        path=f"{POLICIES}/{{id}}",
        updates={"state": "disabled"},
        delete=[
            Act("DELETE", f"{POLICIES}/{{id}}"),
            Act("DELETE", f"{DELETED}/policies/{{id}}"),
        ],
    ),
    Case(
        key="namedLocation",
        variant="compliant network",
        given=[Act("POST", LOCATIONS, NETWORK)],
        subject=network,
        path=f"{LOCATIONS}/{{id}}",
        typed=True,
        updates={
            "displayName": AUTO,
            "compliantNetworkType": impossible("Microsoft knows one kind only"),
        },
        delete=[
            Act("DELETE", f"{LOCATIONS}/{{id}}"),
            Act("DELETE", f"{DELETED}/namedLocations/{{id}}"),
        ],
    ),
    Case(
        key="namedLocation",
        variant="countries",
        subject=blocked_countries,
        path=f"{LOCATIONS}/{{id}}",
        typed=True,
        updates={
            "countriesAndRegions": ["KP"],
            "countryLookupMethod": AUTO,
            "includeUnknownCountriesAndRegions": AUTO,
        },
        more={"delete for good together with the policy that names it": DELETED_FOR_GOOD},
        types=("conditionalAccessPolicy",),
    ),
    Case(
        key="authenticationStrengthPolicy",
        subject=strength,
        path=f"{STRENGTHS}/{{id}}",
        updates={"displayName": AUTO, "description": AUTO},
        create=[
            Act("POST", STRENGTHS, {"displayName": "Planted", "allowedCombinations": ["password,sms"]}),
        ],
        delete=[
            Act("PATCH", f"{POLICIES}/{{_policy}}", MERE_MFA),
            Act("DELETE", f"{STRENGTHS}/{{id}}"),
        ],
        more={
            "allowedCombinations": [
                Act(
                    "POST",
                    f"{STRENGTHS}/{{id}}/updateAllowedCombinations",
                    {"allowedCombinations": ["password,sms", "fido2"]},
                )
            ],
            "combinationConfigurations": [
                Act(
                    "POST",
                    f"{STRENGTHS}/{{id}}/combinationConfigurations",
                    {
                        "@odata.type": "#microsoft.graph.fido2CombinationConfiguration",
                        "appliesToCombinations": ["fido2"],
                        "allowedAAGUIDs": ["de1e552d-db1d-4423-a619-566b625cdc84"],
                    },
                )
            ],
        },
        types=("conditionalAccessPolicy",),
    ),
)
