"""Policies that applications and service principals carry: token, claims and sign-in policies, credential rules."""

import json
from typing import Any

from lavawall.emulator import audit, entities, recycle, registry
from lavawall.emulator.errors import bad_request, conflict
from lavawall.emulator.model import Action, Audit, EntityType, Link, Permissions, Write
from lavawall.emulator.requests import Answer, Call
from lavawall.emulator.store import Record, Session
from lavawall.emulator.types.tenant_policies import policy_audit
from lavawall.emulator.validation import WriteRules

READ: Permissions = ("Policy.Read.All", "Policy.ReadWrite.ApplicationConfiguration")
WRITE: Permissions = ("Policy.ReadWrite.ApplicationConfiguration",)
ASSIGN: Permissions = (
    "Policy.Read.All & Application.ReadWrite.All",
    "Policy.ReadWrite.ApplicationConfiguration & Application.ReadWrite.All",
)
ROLLOUT: Permissions = ("Policy.ReadWrite.FeatureRollout",)
DEFAULT_MANAGEMENT = "00000000-0000-0000-0000-000000000000"
COLLECTIONS = {
    "tokenLifetimePolicy": "tokenLifetimePolicies",
    "claimsMappingPolicy": "claimsMappingPolicies",
    "homeRealmDiscoveryPolicy": "homeRealmDiscoveryPolicies",
    "tokenIssuancePolicy": "tokenIssuancePolicies",
    "activityBasedTimeoutPolicy": "activityBasedTimeoutPolicies",
    "appManagementPolicy": "appManagementPolicies",
}


def check_definition(write: Write) -> None:
    """`definition` is a list of one string, which holds a JSON object with one member: the policy."""
    definition = write.after.get("definition") or []
    try:
        parsed: Any = [json.loads(each) for each in definition]
    except ValueError as error:
        raise bad_request(f"The definition of the policy is no JSON: {error}.") from error
    if len(parsed) != 1 or not isinstance(parsed[0], dict) or len(parsed[0]) != 1:
        raise bad_request("'definition' takes one string with one JSON object that names the policy.")


def check_one_of_a_kind(_session: Session, owner: Record, policy: Record) -> None:
    """An object carries at most one policy of a kind."""
    if owner.links[COLLECTIONS[policy.type_name]]:
        raise conflict(f"A policy of the type {policy.type_name} is assigned to the object already.")


def policy_links(noun: str, *kinds: str) -> tuple[Link, ...]:
    """The policies of these kinds as links of an application or service principal."""
    return tuple(
        Link(
            name=COLLECTIONS[kind],
            targets=(kind,),
            added=f"Add policy to {noun}",
            removed=f"Remove policy from {noun}",
            category="Policy",
            check_add=check_one_of_a_kind,
            read=(*READ, "Application.Read.All", "Application.ReadWrite.All"),
            write=ASSIGN,
        )
        for kind in kinds
    )


def list_carriers(call: Call) -> Answer:
    """The applications and service principals that carry a policy."""
    collection = call.url.split("?")[0].rstrip("/").split("/")[-3]
    kind = next(name for name, each in COLLECTIONS.items() if each.lower() == collection.lower())
    policy = entities.find(call.session, registry.kind(kind), call.parameter("id"))
    carriers = [
        each.id
        for type_name in ("application", "servicePrincipal")
        for each in call.session.directory.all(type_name)
        if policy.id in each.links[COLLECTIONS[kind]]
    ]
    return recycle.list_objects(call, carriers, context="directoryObjects")


def check_rollout(write: Write) -> None:
    own_id = (write.before or {}).get("id")
    for other in write.session.directory.records["featureRolloutPolicy"].values():
        if other.body["feature"] == write.after["feature"] and other.id != own_id:
            raise conflict(f"A rollout policy for the feature '{write.after['feature']}' exists already.")


def _audit() -> Audit:
    return Audit(
        service=audit.CORE_DIRECTORY,
        category="Policy",
        target_type="Policy",
        create="Add policy",
        update="Update policy",
        delete="Delete policy",
    )


def _sts_policy(name: str) -> EntityType:
    return EntityType(
        name=name,
        path=f"/policies/{COLLECTIONS[name]}",
        read=READ,
        write=WRITE,
        rules=WriteRules(computed=frozenset({"deletedDateTime"}), required=("displayName", "definition")),
        defaults={"isOrganizationDefault": False},
        audit=_audit(),
        checks=(check_definition,),
        dates=(),
        actions=(Action("GET", "appliesTo", list_carriers, (*READ, "Application.Read.All")),),
        ordered=frozenset({"definition"}),
    )


KINDS = (
    _sts_policy("tokenLifetimePolicy"),
    _sts_policy("claimsMappingPolicy"),
    _sts_policy("homeRealmDiscoveryPolicy"),
    _sts_policy("tokenIssuancePolicy"),
    _sts_policy("activityBasedTimeoutPolicy"),
    EntityType(
        name="featureRolloutPolicy",
        path="/policies/featureRolloutPolicies",
        read=("Policy.Read.All", "Directory.Read.All", "Directory.ReadWrite.All", *ROLLOUT),
        write=ROLLOUT,
        rules=WriteRules(immutable=frozenset({"feature"}), required=("displayName", "feature", "isEnabled")),
        defaults={"isAppliedToOrganization": False},
        audit=_audit(),
        links=(
            Link(
                name="appliesTo",
                targets=("group",),
                added="Add group to feature rollout",
                removed="Remove group from feature rollout",
                category="Policy",
            ),
        ),
        checks=(check_rollout,),
        dates=(),
        repeatable=frozenset({"feature"}),
    ),
    EntityType(
        name="tenantAppManagementPolicy",
        path="/policies/defaultAppManagementPolicy",
        singleton=DEFAULT_MANAGEMENT,
        verbs=frozenset({"get", "update"}),
        read=READ,
        write=WRITE,
        rules=WriteRules(computed=frozenset({"deletedDateTime"})),
        audit=policy_audit("Update tenant app management policy"),
        dates=(),
    ),
    EntityType(
        name="appManagementPolicy",
        path="/policies/appManagementPolicies",
        read=READ,
        write=WRITE,
        rules=WriteRules(computed=frozenset({"deletedDateTime"}), required=("displayName",)),
        defaults={"isEnabled": False},
        audit=_audit(),
        dates=(),
        actions=(Action("GET", "appliesTo", list_carriers, (*READ, "Application.Read.All")),),
    ),
)
