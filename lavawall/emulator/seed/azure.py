"""Furnishes one subscription of the demo: networks, vaults, an identity, and who may do what there."""

from dataclasses import dataclass
from typing import Any

from lavawall.emulator.arm.control import Azure
from lavawall.emulator.arm.identities import IDENTITIES
from lavawall.emulator.arm.networking import APPLICATION_GROUPS, SECURITY_GROUPS
from lavawall.emulator.arm.rbac import ROLE_DEFINITIONS
from lavawall.emulator.arm.vaults import VAULTS
from lavawall.emulator.seed.builder import AppRegistration, TenantBuilder, stable_guid
from lavawall.emulator.seed.furnishing import EMERGENCY_ACCOUNTS, Plan
from lavawall.emulator.store import Json

LOCATIONS = {"CA": "canadacentral", "DE": "germanywestcentral"}
ALLOWED_ROLE_CONDITION = (
    "((!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'})) OR "
    "(@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals "
    "{acdd72a7-3385-48ef-bd42-f606fba81ae7}))"
)
"""Lets its holder assign the role Reader and no other."""


@dataclass(frozen=True)
class Place:
    """The subscription being furnished, with the ids of its scopes and of its identity."""

    azure: Azure
    builder: TenantBuilder
    plan: Plan
    subscription_id: str

    @property
    def scope(self) -> str:
        return f"/subscriptions/{self.subscription_id}"

    @property
    def slug(self) -> str:
        return self.plan.tenant.lower().replace(" ", "-")

    @property
    def group(self) -> str:
        return f"{self.scope}/resourceGroups/rg-{self.slug}"

    @property
    def location(self) -> str:
        return LOCATIONS[self.plan.country]

    @property
    def tags(self) -> dict[str, str]:
        return {"environment": "production", "owner": self.plan.administrator}

    def id(self, type_name: str, name: str) -> str:
        return f"{self.group}/providers/{type_name}/{name}"

    def put(self, identifier: str, properties: Json, **more: Any) -> str:
        return self.azure.put(identifier, {**more, "properties": properties}, self.builder.session())

    def put_tracked(self, type_name: str, name: str, properties: Json) -> str:
        identifier = self.id(type_name, name)
        return self.put(identifier, properties, location=self.location, tags=self.tags)

    def assign(self, scope: str, role: str, principal_id: str, **more: Any) -> None:
        name = self.builder.guid("azureRoleAssignment", f"{scope}/{role}/{principal_id}")
        directory_id = self.builder.directory.directory_id
        session = self.builder.session()
        self.azure.assign(
            scope, role, principal_id, name=name, directory_id=directory_id, session=session, **more
        )


def furnish(builder: TenantBuilder, plan: Plan, reader: AppRegistration, writer: AppRegistration) -> str:
    """Fills the tenant's one subscription and returns its id."""
    subscription_id = stable_guid("subscription", plan.tenant)
    position = Place(Azure(builder.cloud), builder, plan, subscription_id)
    position.azure.add_subscription(
        builder.directory.directory_id, subscription_id, f"{plan.tenant} Production"
    )
    position.azure.add_group(subscription_id, f"rg-{position.slug}", position.location, position.tags)
    _networks(position)
    identity = _identity(position)
    vault = _vaults(position, identity)
    custom_role = _custom_role(position)
    _apps(position, reader, writer)
    _people(position)
    position.assign(vault, "Key Vault Secrets User", identity)
    position.assign(position.group, custom_role, identity)
    return subscription_id


def _rule(name: str, priority: int, ports: str | list[str], source: str | list[str], **more: Any) -> Json:
    return {
        "name": name,
        "properties": {
            "protocol": "Tcp",
            "access": "Allow",
            "direction": "Inbound",
            "priority": priority,
            "sourcePortRange": "*",
            "destinationPortRange" + "s" * isinstance(ports, list): ports,
            "sourceAddressPrefix" + "es" * isinstance(source, list): source,
            "destinationAddressPrefix": "*",
            **more,
        },
    }


def _offices(position: Place, version: int) -> list[str]:
    ranges = [each for _, ranges in position.plan.offices for each in ranges]
    return [each for each in ranges if (":" in each) == (version == 6)]


def _networks(position: Place) -> None:
    rules = [
        _rule("AllowHttps", 100, "443", "Internet", description="The public site"),
        _rule("AllowAdministration", 200, ["22", "3389"], _offices(position, 4)),
        _rule("DenyEverythingElse", 4096, "*", "*", access="Deny", protocol="*"),
    ]
    inside = _offices(position, 6)
    if inside:
        rules.append(_rule("AllowAdministrationIPv6", 210, ["22", "3389"], inside))
    web = position.put_tracked(SECURITY_GROUPS, f"nsg-{position.slug}-web", {"securityRules": rules})
    subnet = position.id("Microsoft.Network/virtualNetworks", f"vnet-{position.slug}/subnets/web")
    position.azure.bind(web, subnet)
    application = position.put_tracked(APPLICATION_GROUPS, "asg-web", {})
    database = _rule("AllowDatabase", 100, "1433", "VirtualNetwork")
    del database["properties"]["sourceAddressPrefix"]
    database["properties"]["sourceApplicationSecurityGroups"] = [{"id": application}]
    outbound = _rule("DenyInternet", 300, "*", "*", access="Deny", direction="Outbound")
    outbound["properties"]["destinationAddressPrefix"] = "Internet"
    position.put_tracked(
        SECURITY_GROUPS, f"nsg-{position.slug}-data", {"securityRules": [database, outbound]}
    )


def _identity(position: Place) -> str:
    """A deployment identity that a repository's workflow signs in as; the id of its service principal."""
    name = f"id-{position.slug}-deploy"
    ids = {
        "principalId": position.builder.guid("servicePrincipal", name),
        "clientId": position.builder.guid("appId", name),
    }
    identity = position.put_tracked(IDENTITIES, name, ids)
    trust = {
        "issuer": "https://token.actions.githubusercontent.com",
        "subject": f"repo:{position.slug}/infrastructure:ref:refs/heads/main",
        "audiences": ["api://AzureADTokenExchange"],
    }
    position.put(f"{identity}/federatedIdentityCredentials/main-branch", trust)
    return ids["principalId"]


def _vaults(position: Place, identity: str) -> str:
    """One vault with access policies and one that goes by roles; the id of the latter."""
    tenant_id, short = position.builder.directory.directory_id, position.subscription_id[:6]
    word = position.slug.partition("-")[0]
    administrators = position.builder.guid("group", "IT Administrators")
    common: Json = {"tenantId": tenant_id, "sku": {"family": "A", "name": "standard"}}
    policies = [
        {
            "tenantId": tenant_id,
            "objectId": administrators,
            "permissions": {
                "keys": ["get", "list", "create", "delete"],
                "secrets": ["get", "list", "set", "delete"],
                "certificates": ["get", "list"],
            },
        },
        {
            "tenantId": tenant_id,
            "objectId": identity,
            "permissions": {"secrets": ["get"], "keys": [], "certificates": []},
        },
    ]
    rules = [{"value": each} for each in _offices(position, 4)]
    position.put_tracked(
        VAULTS,
        f"kv-{word}-{short}",
        {
            **common,
            "accessPolicies": policies,
            "networkAcls": {
                "bypass": "AzureServices",
                "defaultAction": "Deny",
                "ipRules": rules,
                "virtualNetworkRules": [],
            },
        },
    )
    return position.put_tracked(
        VAULTS,
        f"kv-{word}-rbac-{short}",
        {
            **common,
            "accessPolicies": [],
            "enableRbacAuthorization": True,
            "enablePurgeProtection": True,
            "softDeleteRetentionInDays": 30,
        },
    )


def _custom_role(position: Place) -> str:
    """A role for those who only change firewall rules; its guid."""
    name = position.builder.guid("azureRoleDefinition", "Firewall Rule Operator")
    properties = {
        "roleName": "Firewall Rule Operator",
        "description": "Changes the rules of network security groups and nothing else",
        "assignableScopes": [position.scope],
        "permissions": [
            {
                "actions": [f"{SECURITY_GROUPS}/read", f"{SECURITY_GROUPS}/securityRules/*"],
                "notActions": [f"{SECURITY_GROUPS}/securityRules/delete"],
                "dataActions": [],
                "notDataActions": [],
            }
        ],
    }
    position.put(f"{position.scope}/providers/{ROLE_DEFINITIONS}/{name}", properties)
    return name


def _apps(position: Place, reader: AppRegistration, writer: AppRegistration) -> None:
    position.assign(position.scope, "Reader", position.builder.service_principal(reader.client_id).id)
    principal = position.builder.service_principal(writer.client_id).id
    for role in ("Contributor", "Role Based Access Control Administrator"):
        position.assign(position.scope, role, principal)


def _people(position: Place) -> None:
    def user(name: str) -> str:
        return position.builder.guid("user", name)

    administrators = position.builder.guid("group", "IT Administrators")
    operator, helper = position.plan.people[1][0], position.plan.people[0][0]
    position.assign("/", "User Access Administrator", user(EMERGENCY_ACCOUNTS[0]))
    position.assign(position.scope, "Owner", user(position.plan.administrator))
    position.assign(position.group, "Contributor", administrators, description="Keeps the workloads running")
    position.assign(position.group, "Reader", user(operator))
    position.assign(
        position.group,
        "Role Based Access Control Administrator",
        user(helper),
        condition=ALLOWED_ROLE_CONDITION,
        conditionVersion="2.0",
    )
