"""Networks and vaults in Azure subscriptions, declared for the registry.

Facts: Azure Resource Manager's reference of networkSecurityGroups and vaults. Every type of Azure is written by PUT,
which replaces, so that a write sends the whole object; ids are chosen by the caller and never change.
"""

from collections.abc import Callable, Iterator
from typing import Any

from snapshots.canonical.spelling import with_original_spelling
from snapshots.catalog.azure.common import written_whole
from snapshots.catalog.normalisers import cidr
from snapshots.catalog.spec import (
    AppendedByPolicy,
    AuditHints,
    Comparison,
    Defaults,
    Document,
    Identity,
    Loss,
    NormaliseRaw,
    Order,
    Permissions,
    Read,
    Reference,
    ResourceType,
    SetOf,
    Undelete,
)

_NETWORK = {"api-version": "2023-09-01"}
_VAULT = {"api-version": "2023-07-01"}
_GROUPS = "/subscriptions/{subscription}/providers/Microsoft.Network/networkSecurityGroups"
_VAULTS = "/subscriptions/{subscription}/providers/Microsoft.KeyVault"

POLICY_TAGS = (
    "Tags that an Azure policy of the customer adds to written objects do not count as a difference. "
    "They are listed."
)

_SPELLINGS: tuple[tuple[str, str, Callable[[str], str]], ...] = (
    ("sourceAddressPrefix", "sourceAddressPrefixes", cidr),
    ("destinationAddressPrefix", "destinationAddressPrefixes", cidr),
    ("sourcePortRange", "sourcePortRanges", str.strip),
    ("destinationPortRange", "destinationPortRanges", str.strip),
)
"""Singular and plural of the same, and how one value is spelled."""


def _one_spelling(group: Document) -> Document:
    """Each rule with the singular where there is one value, and with the plural where there are more."""
    properties = group.get("properties")
    if not isinstance(properties, dict) or not isinstance(properties.get("securityRules"), list):
        return group
    rules = [
        {**rule, "properties": _rule(dict(rule.get("properties") or {}))}
        for rule in properties["securityRules"]
    ]
    return {**group, "properties": {**properties, "securityRules": rules}}


def _rule(properties: Document) -> Document:
    for singular, plural, normalise in _SPELLINGS:
        given = [properties.pop(singular, None), *(properties.pop(plural, None) or ())]
        values = sorted({with_original_spelling(normalise(value), value) for value in given if value})
        if len(values) == 1:
            properties[singular] = values[0]
        elif values:
            properties[plural] = values
    return properties


def _rule_sets() -> Iterator[SetOf]:
    rule = "properties.securityRules[].properties"
    yield SetOf("properties.securityRules", key="name")
    yield from (SetOf(f"{rule}.{plural}") for _, plural, _ in _SPELLINGS)
    for side in ("source", "destination"):
        yield SetOf(f"{rule}.{side}ApplicationSecurityGroups", key="id")


NETWORK_SECURITY_GROUP = ResourceType(
    key="networkSecurityGroup",
    label="Network security group",
    plural="Network security groups",
    area="Azure subscriptions",
    read=Read(path=_GROUPS, service="arm", params=_NETWORK, item_path="{id}", item_params=_NETWORK),
    permissions=Permissions(read=("Reader",), write=("Network Contributor",), write_also=("Contributor",)),
    identity=Identity(
        spelling=("name",),
        name=lambda raw: str(raw.get("name") or ""),
    ),
    comparison=Comparison(
        computed=(
            "properties.defaultSecurityRules",
            "properties.flowLogs",
            "properties.networkInterfaces",
            "properties.provisioningState",
            "properties.resourceGuid",
            "properties.securityRules[].etag",
            "properties.securityRules[].id",
            "properties.securityRules[].properties.provisioningState",
            "properties.securityRules[].type",
            "properties.subnets",
            "type",
        ),
        nested_fields={
            f"properties.securityRules[].properties.{side}ApplicationSecurityGroups[]": ("id",)
            for side in ("source", "destination")
        },
        sets=tuple(_rule_sets()),
        normalise={
            "location": "compact",
            "properties.securityRules[].properties.access": "capitalised",
            "properties.securityRules[].properties.direction": "capitalised",
            "properties.securityRules[].properties.protocol": "capitalised",
            "tags.*": "verbatim",
        },
        quirks=(
            NormaliseRaw(_one_spelling),
            Defaults({"properties.flushConnection": False}),
            AppendedByPolicy(("tags",)),
        ),
    ),
    references=tuple(
        Reference(
            f"properties.securityRules[].properties.{side}ApplicationSecurityGroups[].id",
            to="applicationSecurityGroup",
        )
        for side in ("source", "destination")
    ),
    restore=written_whole(
        _NETWORK,
        "location",
        "properties",
        "tags",
        recreate_for=("location",),
        new_id_note=(
            "Subnets and network interfaces refer to the group, not the reverse. Attach them to it "
            "again manually."
        ),
        order=Order(rank=62),
    ),
    audit=AuditHints(
        activities=(
            "microsoft.network/networksecuritygroups/write",
            "microsoft.network/networksecuritygroups/delete",
            "microsoft.network/networksecuritygroups/securityrules/write",
            "microsoft.network/networksecuritygroups/securityrules/delete",
        ),
        services=("Microsoft.Network",),
    ),
    notes=(
        (
            "All rules are written in one request, because two rules that swap priorities would collide if "
            "written one by one."
        ),
        "Microsoft refuses to delete a group that is attached to a subnet or an interface.",
        POLICY_TAGS,
    ),
)


def _recovering(wanted: Document) -> Document:
    """The place and the kind that the vault had; its contents are kept by the service."""
    properties: dict[str, Any] = wanted.get("properties") or {}
    required = {name: properties[name] for name in ("sku", "tenantId") if name in properties}
    return {"location": wanted.get("location"), "properties": {"createMode": "recover", **required}}


KEY_VAULT = ResourceType(
    key="keyVault",
    label="Key vault",
    plural="Key vaults",
    area="Azure subscriptions",
    read=Read(path=f"{_VAULTS}/vaults", service="arm", params=_VAULT, item_path="{id}", item_params=_VAULT),
    permissions=Permissions(read=("Reader",), write=("Key Vault Contributor",), write_also=("Contributor",)),
    identity=Identity(
        spelling=("name",),
        name=lambda raw: str(raw.get("name") or ""),
    ),
    comparison=Comparison(
        computed=(
            "properties.hsmPoolResourceId",
            "properties.privateEndpointConnections",
            "properties.provisioningState",
            "properties.vaultUri",
            "systemData",
            "type",
        ),
        sets=(
            SetOf("properties.accessPolicies", key=("tenantId", "objectId", "applicationId")),
            SetOf("properties.accessPolicies[].permissions.certificates"),
            SetOf("properties.accessPolicies[].permissions.keys"),
            SetOf("properties.accessPolicies[].permissions.secrets"),
            SetOf("properties.accessPolicies[].permissions.storage"),
            SetOf("properties.networkAcls.ipRules", key="value"),
            SetOf("properties.networkAcls.virtualNetworkRules", key="id"),
        ),
        normalise={
            "location": "compact",
            "properties.accessPolicies[].permissions.*[]": "lower",
            "properties.networkAcls.ipRules[].value": "cidr",
            "properties.sku.name": "lower",
            "tags.*": "verbatim",
        },
        quirks=(
            Defaults(
                {
                    "properties.enableRbacAuthorization": False,
                    "properties.enabledForDeployment": False,
                    "properties.enabledForDiskEncryption": False,
                    "properties.enabledForTemplateDeployment": False,
                    "properties.networkAcls.bypass": "AzureServices",
                    "properties.networkAcls.defaultAction": "Allow",
                    "properties.networkAcls.virtualNetworkRules[].ignoreMissingVnetServiceEndpoint": False,
                    "properties.publicNetworkAccess": "Enabled",
                }
            ),
            AppendedByPolicy(("tags",)),
        ),
    ),
    references=(
        Reference("properties.accessPolicies[].objectId", to="directoryObject", if_gone="kept"),
        Reference(
            "properties.accessPolicies[].applicationId", to="servicePrincipal", by="appId", if_gone="kept"
        ),
        Reference("properties.networkAcls.virtualNetworkRules[].id", to="subnet"),
    ),
    not_references={
        "properties.accessPolicies[].tenantId": "the directory itself",
        "properties.tenantId": "the directory itself",
    },
    restore=written_whole(
        _VAULT,
        "location",
        "properties",
        "tags",
        undelete=Undelete(
            item_path=f"{_VAULTS}/locations/{{location}}/deletedVaults/{{name}}",
            restore_path="{id}",
            method="PUT",
            body=_recovering,
            note=(
                "Its keys, secrets and certificates are restored with it. Role assignments and locks "
                "on it are restored only if they are part of this plan."
            ),
        ),
        losses=(
            Loss("location", "a vault cannot move", fixed=True),
            Loss("properties.tenantId", "a vault stays with its directory", fixed=True),
            Loss(
                "properties.enablePurgeProtection",
                "purge protection cannot be disabled",
                fixed=lambda value: value is True,
            ),
            Loss(
                "properties.enableSoftDelete",
                "soft delete cannot be disabled",
                fixed=lambda value: value is True,
            ),
            Loss(
                "properties.softDeleteRetentionInDays",
                "the soft-delete retention can only be set when a vault is created",
                fixed=True,
            ),
        ),
        new_id_note=(
            "It was purged, with all its keys, secrets and certificates. Restore them from their "
            "original source. Role assignments and locks on it are restored only if they are part of "
            "this plan."
        ),
        order=Order(rank=62),
    ),
    audit=AuditHints(
        activities=(
            "microsoft.keyvault/vaults/write",
            "microsoft.keyvault/vaults/delete",
            "microsoft.keyvault/vaults/accesspolicies/write",
            "microsoft.keyvault/locations/deletedvaults/purge/action",
        ),
        services=("Microsoft.KeyVault",),
    ),
    notes=(
        "A deleted vault is recovered into its resource group and region; its name is blocked until then.",
        "If a vault uses Azure roles, its access policies are stored but have no effect.",
        "Access policies may refer to principals that no longer exist; they are stored unchanged.",
        POLICY_TAGS,
    ),
)

TYPES = (NETWORK_SECURITY_GROUP, KEY_VAULT)
