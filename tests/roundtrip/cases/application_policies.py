"""Policies of applications: tokens, claims, sign-in, credentials; and federated credentials."""

import json
from typing import Any

from tests.roundtrip.model import AUTO, Act, Case, Json, World

POLICIES = "/v1.0/policies"
APPLICATIONS = "/v1.0/applications"
DEFAULT = "/beta/policies/defaultAppManagementPolicy"
CUSTOM = "/beta/policies/appManagementPolicies"
FEDERATED = "/beta/applications/{_application}/federatedIdentityCredentials"
NO_LIMITS: Json = {"passwordCredentials": [], "keyCredentials": []}
NO_NEW_SECRETS: Json = {
    "passwordCredentials": [
        {
            "restrictionType": "passwordAddition",
            "state": "enabled",
            "maxLifetime": None,
            "restrictForAppsCreatedAfterDateTime": "2025-01-01T00:00:00Z",
        }
    ]
}


def federated(world: World) -> Json:
    for application in world.read(APPLICATIONS)["value"]:
        listing = world.read(f"{APPLICATIONS}/{application['id']}/federatedIdentityCredentials")
        for credential in listing["value"]:
            return {**credential, "_application": application["id"]}
    raise LookupError("no application has a federated credential")


def _in_its_place(_world: World, subject: Json) -> Json:
    stored = {name: subject[name] for name in ("name", "issuer", "subject")}
    return {**stored, "audiences": ["api://planted"]}


def held_by_none(collection: str) -> Any:
    """A policy, with an application and a service principal to plant it on."""

    def subject(world: World) -> Json:
        policy = world.read(f"{POLICIES}/{collection}")["value"][0]
        holders = world.read(f"{POLICIES}/{collection}/{policy['id']}/appliesTo")["value"]
        taken = {each["id"] for each in holders}
        principals = world.read("/v1.0/servicePrincipals")["value"]
        return {
            **policy,
            "_principal": next(each["id"] for each in principals if each["id"] not in taken),
            "_policy": f"https://graph.microsoft.com/v1.0/policies/{collection}/{policy['id']}",
        }

    return subject


def _assigned(collection: str) -> Act:
    return Act(
        "POST",
        f"/v1.0/servicePrincipals/{{_principal}}/{collection}/$ref",
        lambda _world, subject: {"@odata.id": subject["_policy"]},
    )


def _sts(key: str, collection: str, definition: Json) -> Case:
    path = f"{POLICIES}/{collection}"
    planted = {
        "displayName": "Planted",
        "definition": [json.dumps(definition)],
        "isOrganizationDefault": False,
    }
    return Case(
        key=key,
        subject=held_by_none(collection),
        path=f"{path}/{{id}}",
        updates={
            "definition": [json.dumps(definition)],
            "description": AUTO,
            "displayName": AUTO,
            "isOrganizationDefault": AUTO,
        },
        create=[Act("POST", path, planted)],
        delete=[Act("DELETE", f"{path}/{{id}}")],
        more={"appliesTo": TENANT_WIDE if key == "activityBasedTimeoutPolicy" else [_assigned(collection)]},
    )


TENANT_WIDE = "it applies to the whole tenant and is held by no application"

CASES = (
    _sts(
        "tokenLifetimePolicy",
        "tokenLifetimePolicies",
        {"TokenLifetimePolicy": {"Version": 1, "AccessTokenLifetime": "23:59:59"}},
    ),
    _sts(
        "tokenIssuancePolicy",
        "tokenIssuancePolicies",
        {
            "TokenIssuancePolicy": {
                "Version": 1,
                "SigningAlgorithm": "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
            }
        },
    ),
    _sts(
        "claimsMappingPolicy",
        "claimsMappingPolicies",
        {"ClaimsMappingPolicy": {"Version": 1, "IncludeBasicClaimSet": "false", "ClaimsSchema": []}},
    ),
    _sts(
        "homeRealmDiscoveryPolicy",
        "homeRealmDiscoveryPolicies",
        {"HomeRealmDiscoveryPolicy": {"AllowCloudPasswordValidation": True}},
    ),
    _sts(
        "activityBasedTimeoutPolicy",
        "activityBasedTimeoutPolicies",
        {
            "ActivityBasedTimeoutPolicy": {
                "Version": 1,
                "ApplicationPolicies": [{"ApplicationId": "default", "WebSessionIdleTimeout": "23:00:00"}],
            }
        },
    ),
    Case(
        key="tenantAppManagementPolicy",
        subject=lambda world: world.read(DEFAULT),
        path=DEFAULT,
        updates={
            "isEnabled": AUTO,
            "applicationRestrictions": NO_NEW_SECRETS,
            "servicePrincipalRestrictions": NO_NEW_SECRETS,
        },
        create="the tenant has one",
        delete="the tenant has one",
    ),
    Case(
        key="appManagementPolicy",
        subject=held_by_none("appManagementPolicies"),
        path=f"{CUSTOM}/{{id}}",
        updates={
            "displayName": AUTO,
            "description": AUTO,
            "isEnabled": AUTO,
            "restrictions": {
                **NO_LIMITS,
                "applicationRestrictions": {"audiences": None, "redirectUris": None},
            },
        },
        create=[
            Act("POST", CUSTOM, {"displayName": "Planted", "isEnabled": True, "restrictions": NO_NEW_SECRETS})
        ],
        delete=[Act("DELETE", f"{CUSTOM}/{{id}}")],
        more={"appliesTo": [_assigned("appManagementPolicies")]},
    ),
    Case(
        key="federatedIdentityCredential",
        subject=federated,
        path=f"{FEDERATED}/{{id}}",
        updates={
            "audiences": ["api://planted"],
            "description": AUTO,
            "issuer": "https://issuer.example.net/planted",
            "subject": AUTO,
        },
        create=[
            Act(
                "POST",
                FEDERATED,
                {
                    "name": "planted",
                    "issuer": "https://issuer.example.net",
                    "subject": "repo:intruder/tools:ref:refs/heads/main",
                    "audiences": ["api://AzureADTokenExchange"],
                },
            )
        ],
        delete=[Act("DELETE", f"{FEDERATED}/{{id}}")],
        more={
            "claimsMatchingExpression": [
                Act(
                    "PATCH",
                    f"{FEDERATED}/{{id}}",
                    {
                        "subject": None,
                        "claimsMatchingExpression": {
                            "languageVersion": 1,
                            "value": "claims['sub'] matches 'repo:intruder/*'",
                        },
                    },
                )
            ],
            "another of the same subject in its place": [
                Act("DELETE", f"{FEDERATED}/{{id}}"),
                Act("POST", FEDERATED, _in_its_place),
            ],
            "deleted for good with its application": [
                Act("DELETE", f"{APPLICATIONS}/{{_application}}"),
                Act("DELETE", "/v1.0/directory/deletedItems/{_application}"),
            ],
        },
        types=("application",),
        lost={"deleted for good with its application": frozenset({"passwordCredentials", "appId"})},
    ),
)
