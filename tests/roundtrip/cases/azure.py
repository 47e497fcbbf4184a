"""Networks, vaults, roles, identities and locks of an Azure subscription, attacked over Azure Resource
Manager.
"""

import re
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from tests.roundtrip.model import Act, Case, Json, World, impossible

NETWORK = "api-version=2023-09-01"
VAULT = "api-version=2023-07-01"
ROLES = "api-version=2022-04-01"
IDENTITY = "api-version=2023-01-31"
LOCKS = "api-version=2020-05-01"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
PLANTED = "3f1c2a9e-6d0b-4a53-8c1f-52f0b7a9d6e4"
STRANGER = "7b0e4f6a-9d1c-4e58-a3b2-0c6d5f8e9a17"
FIXED = "Azure keeps the region of a resource: a PUT with another one is refused."
PLACE_OF_VAULTS = "/subscriptions/{subscription}/providers/Microsoft.KeyVault/locations/{location}"

SPELLINGS = tuple(
    (f"{side}{what}", f"{side}{what}{ending}")
    for side in ("source", "destination")
    for what, ending in (("AddressPrefix", "es"), ("PortRange", "s"))
)

Change = Callable[[Json], None]


def listed(provider: str, version: str, name: str = "") -> Callable[[World], Json]:
    """The resource of the subscription whose name holds a pattern, with the subscription it is in."""

    def subject(world: World) -> Json:
        found = world.read(f"/subscriptions/{world.subscription}/providers/{provider}?{version}")["value"]
        raw = next(each for each in found if re.search(name, each["name"]))
        return {**raw, "subscription": world.subscription}

    return subject


def rewritten(version: str, change: Change) -> list[Act]:
    """A PUT of the whole resource with something in its properties changed."""

    def body(_world: World, subject: Json) -> Json:
        changed: Json = deepcopy({name: subject[name] for name in ("location", "tags") if name in subject})
        changed["properties"] = deepcopy(subject["properties"])
        change(changed["properties"])
        return changed

    return [Act("PUT", f"{{id}}?{version}", body)]


def sets(**properties: Any) -> Change:
    return lambda held: held.update(properties)


def merged(world: World, subject: Json, properties: Json) -> Json:
    """The whole resource with other top-level properties, as PUT wants it."""
    stored: Json = {name: subject[name] for name in ("location", "tags", "properties") if name in subject}
    return {**stored, **properties}


def in_rule(name: str, **properties: Any) -> Change:
    """Other settings of one rule; both spellings of what is set go away first."""

    def change(held: Json) -> None:
        rule = next(each for each in held["securityRules"] if each["name"].startswith(name))
        for each in properties:
            for spelling in next((pair for pair in SPELLINGS if each in pair), ()):
                rule["properties"].pop(spelling, None)
        rule["properties"].update(properties)

    return change


def _swapped(held: Json) -> None:
    by_name = {each["name"]: each["properties"] for each in held["securityRules"]}
    one, other = by_name["AllowHttps"], by_name["AllowAdministration"]
    one["priority"], other["priority"] = other["priority"], one["priority"]


def _without_rule(held: Json) -> None:
    held["securityRules"] = [each for each in held["securityRules"] if each["name"] != "AllowHttps"]


def rule(priority: int, **more: Any) -> Json:
    return {
        "properties": {
            "protocol": "*",
            "access": "Allow",
            "direction": "Inbound",
            "priority": priority,
            "sourcePortRange": "*",
            "sourceAddressPrefix": "*",
            "destinationAddressPrefix": "*",
            "destinationPortRange": "*",
            **more,
        }
    }


def _to_the_group(_world: World, subject: Json) -> Json:
    group = subject["id"].rpartition("/")[0].rsplit("/", 2)[0]
    return {
        "properties": {**rule(150)["properties"], "destinationAddressPrefix": None}
        | {
            "destinationApplicationSecurityGroups": [
                {"id": f"{group}/Microsoft.Network/applicationSecurityGroups/asg-planted"}
            ]
        }
    }


NETWORKS = Case(
    key="networkSecurityGroup",
    subject=listed("Microsoft.Network/networkSecurityGroups", NETWORK, "web"),
    path=f"{{id}}?{NETWORK}",
    method="PUT",
    shape=merged,
    updates={
        "location": impossible(FIXED),
        "properties": {"securityRules": []},
        "tags": {"owner": "eve"},
    },
    create=[
        Act(
            "PUT",
            f"{{id}}-planted?{NETWORK}",
            {"location": "canadacentral", "properties": {"securityRules": [{"name": "any", **rule(100)}]}},
        )
    ],
    delete="Microsoft refuses to delete a group that is attached to a subnet.",
    more={
        "tags are merged": [Act("PATCH", f"{{id}}?{NETWORK}", {"tags": {"planted": "yes"}})],
        "connections are flushed": rewritten(NETWORK, sets(flushConnection=True)),
        "a rule is added": [Act("PUT", f"{{id}}/securityRules/Planted?{NETWORK}", rule(101))],
        "a rule to an application group is added": [
            Act("PUT", f"{{id}}/securityRules/Planted?{NETWORK}", _to_the_group)
        ],
        "a rule is removed": [Act("DELETE", f"{{id}}/securityRules/AllowHttps?{NETWORK}")],
        "a rule is left out": rewritten(NETWORK, _without_rule),
        "two rules swap their priorities": rewritten(NETWORK, _swapped),
        **{
            f"a rule's {name}": rewritten(NETWORK, in_rule("AllowHttps", **{name: value}))
            for name, value in (
                ("access", "Deny"),
                ("description", "Nothing to see here"),
                ("destinationAddressPrefix", "VirtualNetwork"),
                ("destinationAddressPrefixes", ["10.1.0.0/16", "10.2.0.0/16"]),
                ("destinationPortRange", "0-65535"),
                ("destinationPortRanges", ["22", "443"]),
                ("direction", "Outbound"),
                ("priority", 4000),
                ("protocol", "*"),
                ("sourceAddressPrefix", "203.0.113.9"),
                ("sourceAddressPrefixes", ["203.0.113.9", "2001:db8::/32"]),
                ("sourcePortRange", "1024-65535"),
                ("sourcePortRanges", ["1024", "2048"]),
            )
        },
        "another rule's list of addresses": rewritten(
            NETWORK, in_rule("AllowAdministration", sourceAddressPrefix="*")
        ),
    },
)

UNBOUND_NETWORKS = Case(
    key="networkSecurityGroup",
    variant="unbound",
    subject=listed("Microsoft.Network/networkSecurityGroups", NETWORK, "data"),
    path=f"{{id}}?{NETWORK}",
    method="PUT",
    shape=merged,
    create="it is created under the other variant",
    delete=[Act("DELETE", f"{{id}}?{NETWORK}")],
    more={
        "made anew in another region": [
            Act("DELETE", f"{{id}}?{NETWORK}"),
            Act("PUT", f"{{id}}?{NETWORK}", {"location": "westeurope", "properties": {"securityRules": []}}),
        ],
        "an application group is left out": rewritten(
            NETWORK, in_rule("AllowDatabase", sourceApplicationSecurityGroups=None, sourceAddressPrefix="*")
        ),
    },
)


def _another_policy(world: World, permissions: Json) -> Json:
    return {"tenantId": world.directory_id, "objectId": STRANGER, "permissions": permissions}


def _policy_for_a_stranger(world: World, _subject: Json) -> Json:
    return {"properties": {"accessPolicies": [_another_policy(world, {"secrets": ["get", "list"]})]}}


def _all_for_everybody(_world: World, subject: Json) -> Json:
    widened = [
        {
            **each,
            "permissions": {"keys": ["all"], "secrets": ["all"], "certificates": ["all"], "storage": ["all"]},
        }
        for each in subject["properties"]["accessPolicies"]
    ]
    return {"properties": {"accessPolicies": widened}}


def _first_policy(_world: World, subject: Json) -> Json:
    return {
        "properties": {"accessPolicies": [{**subject["properties"]["accessPolicies"][0], "permissions": {}}]}
    }


def _other_addresses(held: Json) -> None:
    held["networkAcls"] = {**held["networkAcls"], "ipRules": [{"value": "203.0.113.0/24"}]}


def _another_network(held: Json) -> None:
    subnet = "/subscriptions/9/resourceGroups/r/providers/Microsoft.Network/virtualNetworks/v/subnets/planted"
    held["networkAcls"] = {**held["networkAcls"], "virtualNetworkRules": [{"id": subnet}]}


def _networks(**more: Any) -> Change:
    def change(held: Json) -> None:
        held["networkAcls"] = {**(held["networkAcls"] or {}), **more}

    return change


def planted_vault(world: World, subject: Json) -> Json:
    properties = {
        "tenantId": world.directory_id,
        "sku": {"family": "A", "name": "standard"},
        "accessPolicies": [_another_policy(world, {"secrets": ["all"]})],
    }
    return {"location": subject["location"], "properties": properties}


VAULTS = Case(
    key="keyVault",
    subject=listed("Microsoft.KeyVault/vaults", VAULT, r"kv-brenner-(?!rbac)"),
    path=f"{{id}}?{VAULT}",
    method="PUT",
    shape=merged,
    updates={
        "location": impossible(FIXED),
        "properties": impossible("Each of its settings is attacked by itself."),
        "tags": {"owner": "eve"},
    },
    create=[Act("PUT", f"{{id}}x?{VAULT}", planted_vault)],
    delete=[Act("DELETE", f"{{id}}?{VAULT}")],
    more={
        "deleted for good": [
            Act("DELETE", f"{{id}}?{VAULT}"),
            Act("POST", f"{PLACE_OF_VAULTS}/deletedVaults/{{name}}/purge?{VAULT}"),
        ],
        "an access policy is added": [
            Act("PUT", f"{{id}}/accessPolicies/add?{VAULT}", _policy_for_a_stranger)
        ],
        "access policies are replaced": [
            Act("PUT", f"{{id}}/accessPolicies/replace?{VAULT}", _all_for_everybody)
        ],
        "an access policy is removed": [Act("PUT", f"{{id}}/accessPolicies/remove?{VAULT}", _first_policy)],
        "all access policies are left out": rewritten(VAULT, sets(accessPolicies=[])),
        "roles decide": rewritten(VAULT, sets(enableRbacAuthorization=True)),
        "virtual machines read it": rewritten(VAULT, sets(enabledForDeployment=True)),
        "disk encryption reads it": rewritten(VAULT, sets(enabledForDiskEncryption=True)),
        "deployments read it": rewritten(VAULT, sets(enabledForTemplateDeployment=True)),
        "public access is closed": rewritten(VAULT, sets(publicNetworkAccess="Disabled")),
        "the kind of keys": rewritten(VAULT, sets(sku={"family": "A", "name": "premium"})),
        "the firewall is gone": rewritten(VAULT, sets(networkAcls=None)),
        "the firewall lets in": rewritten(VAULT, _networks(defaultAction="Allow")),
        "the firewall lets nothing pass": rewritten(VAULT, _networks(bypass="None")),
        "other addresses": rewritten(VAULT, _other_addresses),
        "another network": rewritten(VAULT, _another_network),
        "purge protection": rewritten(
            VAULT, sets(enablePurgeProtection=True, publicNetworkAccess="Disabled")
        ),
    },
    lost={"purge protection": frozenset({"properties"})},
)

RBAC_VAULTS = Case(
    key="keyVault",
    variant="by roles",
    subject=listed("Microsoft.KeyVault/vaults", VAULT, "-rbac-"),
    path=f"{{id}}?{VAULT}",
    create="it is created under the other variant",
    delete=[Act("DELETE", f"{{id}}?{VAULT}")],
    more={
        "deleted for good": "A vault with purge protection cannot be purged.",
        "policies decide": rewritten(VAULT, sets(enableRbacAuthorization=False)),
        "a firewall appears": rewritten(VAULT, _networks(defaultAction="Deny")),
    },
    types=("azureRoleAssignment",),
)


def custom_role(world: World) -> Json:
    roles = f"/subscriptions/{world.subscription}/providers/Microsoft.Authorization"
    defined = world.read(f"{roles}/roleDefinitions?{ROLES}")["value"]
    found = next(each for each in defined if each["properties"]["type"] == "CustomRole")
    given = world.read(f"{roles}/roleAssignments?{ROLES}")["value"]
    held = next(
        each["id"]
        for each in given
        if each["properties"]["roleDefinitionId"].lower().endswith(found["name"].lower())
    )
    return {**found, "_held": held, "_scope": found["id"].rpartition("/")[0]}


def _permission(**more: list[str]) -> list[Json]:
    return [{"actions": [], "notActions": [], "dataActions": [], "notDataActions": [], **more}]


def _planted_role(_world: World, subject: Json) -> Json:
    properties = {
        **subject["properties"],
        "roleName": "Planted role",
        "permissions": _permission(actions=["*"]),
    }
    return {"properties": properties}


def _narrower(_world: World, subject: Json) -> Json:
    group = subject["_held"].partition("/providers/")[0]
    return {"properties": {**subject["properties"], "assignableScopes": [group]}}


DEFINITIONS = Case(
    key="azureRoleDefinition",
    subject=custom_role,
    path=f"{{id}}?{ROLES}",
    create=[Act("PUT", f"{{_scope}}/{PLANTED}?{ROLES}", _planted_role)],
    delete=[Act("DELETE", f"{{_held}}?{ROLES}"), Act("DELETE", f"{{id}}?{ROLES}")],
    more={
        "its name": rewritten(ROLES, sets(roleName="Firewall Helper")),
        "its description": rewritten(ROLES, sets(description="Harmless")),
        "its actions": rewritten(ROLES, sets(permissions=_permission(actions=["*"]))),
        "its data actions": rewritten(
            ROLES,
            sets(permissions=_permission(dataActions=["Microsoft.KeyVault/vaults/secrets/*"])),
        ),
        "where it can be given": [Act("PUT", f"{{id}}?{ROLES}", _narrower)],
    },
    types=("azureRoleAssignment",),
)


def conditioned(world: World) -> Json:
    """The assignment with a condition."""
    path = f"/subscriptions/{world.subscription}/providers/Microsoft.Authorization/roleAssignments?{ROLES}"
    found = next(each for each in world.read(path)["value"] if each["properties"].get("condition"))
    return {**found, "_scope": found["id"].rpartition("/")[0]}


def _given(role: str) -> Callable[[World, Json], Json]:
    def body(world: World, subject: Json) -> Json:
        held = subject["properties"]
        name = held["roleDefinitionId"].rpartition("/")[0]
        properties = {"principalId": held["principalId"], "roleDefinitionId": f"{name}/{role}"}
        return {"properties": properties}

    return body


def _to_an_application(world: World, subject: Json) -> Json:
    properties = dict(subject["properties"])
    principal = world.named("/v1.0/servicePrincipals", "Freight")["id"]
    return {"properties": {**properties, "principalId": principal, "principalType": "ServicePrincipal"}}


ASSIGNMENTS = Case(
    key="azureRoleAssignment",
    subject=conditioned,
    path=f"{{id}}?{ROLES}",
    create=[Act("PUT", f"{{_scope}}/{PLANTED}?{ROLES}", _given(CONTRIBUTOR))],
    delete=[Act("DELETE", f"{{id}}?{ROLES}")],
    more={
        "its condition is gone": rewritten(ROLES, sets(condition=None, conditionVersion=None)),
        "its description": rewritten(ROLES, sets(description="Approved by the board")),
        "another role under its guid": [
            Act("DELETE", f"{{id}}?{ROLES}"),
            Act("PUT", f"{{id}}?{ROLES}", _given(READER)),
        ],
        "another principal under its guid": [
            Act("DELETE", f"{{id}}?{ROLES}"),
            Act("PUT", f"{{id}}?{ROLES}", _to_an_application),
        ],
        "inherited assignments": "What is assigned above a subscription is no state of it.",
    },
)

IDENTITIES = Case(
    key="managedIdentity",
    subject=listed("Microsoft.ManagedIdentity/userAssignedIdentities", IDENTITY),
    path=f"{{id}}?{IDENTITY}",
    method="PUT",
    shape=merged,
    updates={
        "location": impossible(FIXED),
        "tags": {"owner": "eve"},
    },
    create=[Act("PUT", f"{{id}}-planted?{IDENTITY}", {"location": "canadacentral"})],
    delete=[Act("DELETE", f"{{id}}?{IDENTITY}")],
    more={"tags are merged": [Act("PATCH", f"{{id}}?{IDENTITY}", {"tags": {"planted": "yes"}})]},
    types=("managedIdentityFederatedCredential", "azureRoleAssignment", "keyVault", "servicePrincipal"),
)


def trust(world: World) -> Json:
    identity = IDENTITIES.subject(world)
    found = world.read(f"{identity['id']}/federatedIdentityCredentials?{IDENTITY}")["value"][0]
    return {**found, "_identity": identity["id"]}


CREDENTIALS = Case(
    key="managedIdentityFederatedCredential",
    subject=trust,
    path=f"{{id}}?{IDENTITY}",
    create=[
        Act(
            "PUT",
            f"{{_identity}}/federatedIdentityCredentials/planted?{IDENTITY}",
            {
                "properties": {
                    "issuer": "https://token.actions.githubusercontent.com",
                    "subject": "repo:eve/tools:ref:refs/heads/main",
                    "audiences": ["api://AzureADTokenExchange"],
                }
            },
        )
    ],
    delete=[Act("DELETE", f"{{id}}?{IDENTITY}")],
    more={
        "its issuer": rewritten(IDENTITY, sets(issuer="https://login.example.org")),
        "its subject": rewritten(IDENTITY, sets(subject="repo:eve/tools:ref:refs/heads/main")),
        "its audience": rewritten(IDENTITY, sets(audiences=["api://Elsewhere"])),
    },
    types=("managedIdentity",),
)


def vault_to_lock(world: World) -> Json:
    return VAULTS.subject(world)


PLANTED_LOCK = f"{{id}}/providers/Microsoft.Authorization/locks/planted?{LOCKS}"
LOCKED = {"properties": {"level": "ReadOnly", "notes": "Planted"}}

TYPES_OF_LOCKS = Case(
    key="managementLock",
    subject=vault_to_lock,
    path=PLANTED_LOCK,
    create=[Act("PUT", PLANTED_LOCK, LOCKED)],
    delete="A lock is deleted in the tests of rollbacks under locks: the seeded tenant has none.",
    more={
        "planted over what was changed before": [
            Act(
                "PUT",
                f"{{id}}?{VAULT}",
                lambda world, subject: merged(world, subject, {"tags": {"owner": "eve"}}),
            ),
            Act("PUT", PLANTED_LOCK, LOCKED),
        ]
    },
    types=("keyVault",),
)

CASES = (
    NETWORKS,
    UNBOUND_NETWORKS,
    VAULTS,
    RBAC_VAULTS,
    DEFINITIONS,
    ASSIGNMENTS,
    IDENTITIES,
    CREDENTIALS,
    TYPES_OF_LOCKS,
)
