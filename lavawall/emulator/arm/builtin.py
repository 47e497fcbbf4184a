"""The built-in roles of Azure that matter here, under their well-known ids."""

from lavawall.emulator.store import Json

LAID_DOWN = "2015-02-02T21:55:09.8806423Z"
_READ = "*/read"
_GROUPS = "Microsoft.Resources/subscriptions/resourceGroups/read"
_DEPLOYMENTS = "Microsoft.Resources/deployments/*"
_ASSIGNMENTS = "Microsoft.Authorization/*/read"


def _role(
    name: str,
    description: str,
    actions: tuple[str, ...] = (),
    not_actions: tuple[str, ...] = (),
    data_actions: tuple[str, ...] = (),
) -> Json:
    permission = {
        "actions": list(actions),
        "notActions": list(not_actions),
        "dataActions": list(data_actions),
        "notDataActions": [],
    }
    return {
        "roleName": name,
        "type": "BuiltInRole",
        "description": description,
        "assignableScopes": ["/"],
        "permissions": [permission],
        "createdOn": LAID_DOWN,
        "updatedOn": LAID_DOWN,
        "createdBy": None,
        "updatedBy": None,
    }


BUILT_IN: dict[str, Json] = {
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": _role("Owner", "Everything, access included.", ("*",)),
    "b24988ac-6180-42a0-ab88-20f7382dd24c": _role(
        "Contributor",
        "Everything but access.",
        ("*",),
        (
            "Microsoft.Authorization/*/Delete",
            "Microsoft.Authorization/*/Write",
            "Microsoft.Authorization/elevateAccess/Action",
        ),
    ),
    "acdd72a7-3385-48ef-bd42-f606fba81ae7": _role("Reader", "Reads everything, changes nothing.", (_READ,)),
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": _role(
        "User Access Administrator",
        "Reads everything and manages access.",
        (_READ, "Microsoft.Authorization/*", "Microsoft.Support/*"),
    ),
    "f58310d9-a9f6-439a-9e8d-f62e7b41a168": _role(
        "Role Based Access Control Administrator",
        "Reads everything and assigns roles.",
        (
            "Microsoft.Authorization/roleAssignments/write",
            "Microsoft.Authorization/roleAssignments/delete",
            _READ,
            "Microsoft.Support/*",
        ),
    ),
    "4d97b98b-1d4f-4787-a291-c67834d212e7": _role(
        "Network Contributor",
        "Manages networks.",
        (_ASSIGNMENTS, "Microsoft.Network/*", _DEPLOYMENTS, _GROUPS),
    ),
    "fb1c8493-542b-48eb-b624-b4c8fea62acd": _role(
        "Security Admin",
        "Manages security policies and alerts.",
        (_ASSIGNMENTS, "Microsoft.Security/*", _DEPLOYMENTS, _GROUPS),
    ),
    "9980e02c-c2be-4d73-94e8-173b1dc7cf3c": _role(
        "Virtual Machine Contributor",
        "Manages virtual machines, not the networks they are in.",
        (_ASSIGNMENTS, "Microsoft.Compute/virtualMachines/*", _DEPLOYMENTS, _GROUPS),
    ),
    "17d1049b-9a84-46fb-8f53-869881c3d3ab": _role(
        "Storage Account Contributor",
        "Manages storage accounts, keys included.",
        (_ASSIGNMENTS, "Microsoft.Storage/storageAccounts/*", _DEPLOYMENTS, _GROUPS),
    ),
    "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1": _role(
        "Storage Blob Data Reader",
        "Reads blobs.",
        ("Microsoft.Storage/storageAccounts/blobServices/containers/read",),
        (),
        ("Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read",),
    ),
    "f25e0fa2-a7c8-4377-a976-54943a77a395": _role(
        "Key Vault Contributor",
        "Manages vaults, not what is in them.",
        (_ASSIGNMENTS, "Microsoft.KeyVault/*", _DEPLOYMENTS, _GROUPS),
        (
            "Microsoft.KeyVault/locations/deletedVaults/purge/action",
            "Microsoft.KeyVault/hsmPools/*",
            "Microsoft.KeyVault/managedHsms/*",
        ),
    ),
    "00482a5a-887f-4fb3-b363-3b7fe8e74483": _role(
        "Key Vault Administrator",
        "Manages everything inside a vault.",
        (_ASSIGNMENTS, _GROUPS, "Microsoft.KeyVault/vaults/*/read"),
        (),
        ("Microsoft.KeyVault/vaults/*",),
    ),
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7": _role(
        "Key Vault Secrets Officer",
        "Manages secrets.",
        (_ASSIGNMENTS, _GROUPS, "Microsoft.KeyVault/vaults/*/read"),
        (),
        ("Microsoft.KeyVault/vaults/secrets/*",),
    ),
    "4633458b-17de-408a-b874-0445c86b69e6": _role(
        "Key Vault Secrets User",
        "Reads secrets.",
        (),
        (),
        (
            "Microsoft.KeyVault/vaults/secrets/getSecret/action",
            "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
        ),
    ),
    "e40ec5ca-96e0-45a2-b4ff-59039f2c2b59": _role(
        "Managed Identity Contributor",
        "Manages user-assigned identities.",
        ("Microsoft.ManagedIdentity/userAssignedIdentities/*", _ASSIGNMENTS, _DEPLOYMENTS, _GROUPS),
    ),
    "f1a07417-d97a-45cb-824c-7a7467783830": _role(
        "Managed Identity Operator",
        "Reads and assigns user-assigned identities.",
        (
            "Microsoft.ManagedIdentity/userAssignedIdentities/*/read",
            "Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action",
            _ASSIGNMENTS,
            _GROUPS,
        ),
    ),
}


def role_id(name: str) -> str:
    """The well-known id of a built-in role."""
    return next(identifier for identifier, role in BUILT_IN.items() if role["roleName"] == name)
