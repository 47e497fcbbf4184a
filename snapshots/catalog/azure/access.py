"""Access in Azure subscriptions: roles, role assignments, managed identities, and locks. Sources: Azure
Resource Manager's reference of roleDefinitions, roleAssignments, locks and userAssignedIdentities.
"""

from snapshots.canonical.spelling import with_original_spelling
from snapshots.catalog.azure.common import written_whole
from snapshots.catalog.azure.networks_and_vaults import POLICY_TAGS
from snapshots.catalog.spec import (
    AppendedByPolicy,
    AuditHints,
    Comparison,
    Document,
    Guards,
    Identity,
    NormaliseRaw,
    Order,
    Permissions,
    PrincipalIdentity,
    Read,
    Reference,
    ResourceType,
    SetOf,
    WrittenFirst,
    WrittenLast,
)
from snapshots.catalog.texts import role_condition

_ROLES = {"api-version": "2022-04-01"}
_IDENTITY = {"api-version": "2023-01-31"}
_LOCK = {"api-version": "2020-05-01"}
_SUBSCRIPTION = "/subscriptions/{subscription}/providers"
_AUTHORIZATION = f"{_SUBSCRIPTION}/Microsoft.Authorization"
_ROLE_DEFINITION = "/providers/microsoft.authorization/roledefinitions/"
_STAMPS = tuple(f"properties.{name}" for name in ("createdBy", "createdOn", "updatedBy", "updatedOn"))
_ADMINISTRATOR = Permissions(
    read=("Reader",),
    write=("Role Based Access Control Administrator",),
    write_also=("Owner", "User Access Administrator"),
)

STRICTNESS = {"NotSpecified": 0, "CanNotDelete": 1, "ReadOnly": 2}
"""The level of a lock: none, no deletion, or read-only."""

_WELL_KNOWN = {
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": "Owner",
    "acdd72a7-3385-48ef-bd42-f606fba81ae7": "Reader",
    "b24988ac-6180-42a0-ab88-20f7382dd24c": "Contributor",
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": "User Access Administrator",
    "f58310d9-a9f6-439a-9e8d-f62e7b41a168": "Role Based Access Control Administrator",
    "00482a5a-887f-4fb3-b363-3b7fe8e74483": "Key Vault Administrator",
    "db79e9a7-68ee-4b58-9aeb-b90e7c24fcba": "Key Vault Certificate User",
    "a4417e6f-fecd-4de8-b567-7b0420556985": "Key Vault Certificates Officer",
    "f25e0fa2-a7c8-4377-a976-54943a77a395": "Key Vault Contributor",
    "8b54135c-b56d-4d72-a534-26097cfdc8d8": "Key Vault Data Access Administrator",
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7": "Key Vault Secrets Officer",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
    "e40ec5ca-96e0-45a2-b4ff-59039f2c2b59": "Managed Identity Contributor",
    "f1a07417-d97a-45cb-824c-7a7467783830": "Managed Identity Operator",
    "4d97b98b-1d4f-4787-a291-c67834d212e7": "Network Contributor",
    "fb1c8493-542b-48eb-b624-b4c8fea62acd": "Security Admin",
}
"""Names of built-in roles by GUID."""


_SUBSCRIPTIONS = "/subscriptions/"


def _inner(document: Document) -> Document:
    properties = document.get("properties")
    return properties if isinstance(properties, dict) else {}


def _named(raw: Document) -> str:
    return str(raw.get("name") or "")


def _subscription_of(raw: Document) -> str:
    return "/".join(str(raw.get("id") or "").split("/")[:3])


def _within_its_subscription(assignment: Document) -> Document:
    """The role ID in the assignment's own subscription, because Azure uses a different ID for each scope."""
    properties = _inner(assignment)
    role = str(properties.get("roleDefinitionId") or "")
    if not role.lower().startswith(_ROLE_DEFINITION):
        return assignment
    return {
        **assignment,
        "properties": {
            **properties,
            "roleDefinitionId": with_original_spelling(_subscription_of(assignment) + role, role),
        },
    }


def _who_as_what(raw: Document) -> str:
    properties = _inner(raw)
    role = str(properties.get("roleDefinitionId") or "").rpartition("/")[2].lower()
    scope = str(raw.get("id") or "").lower().partition("/providers/microsoft.authorization/")[0]
    where = (
        f"subscription {scope[len(_SUBSCRIPTIONS) :]}" if scope.count("/") == 2 else scope.rpartition("/")[2]
    )
    return f"{properties.get('principalId')} as {_WELL_KNOWN.get(role, role)} at {where}"


def _defined_above(document: Document) -> str | None:
    scopes = [str(scope).lower() for scope in _inner(document).get("assignableScopes") or ()]
    if any(scope.startswith("/subscriptions/") for scope in scopes):
        return None
    return "The role is defined for a management group above the subscription and must be changed there."


ROLE_DEFINITION = ResourceType(
    key="azureRoleDefinition",
    label="Custom Azure role",
    plural="Custom Azure roles",
    area="Azure subscriptions",
    read=Read(
        path=f"{_AUTHORIZATION}/roleDefinitions",
        service="arm",
        params={**_ROLES, "$filter": "type eq 'CustomRole'"},
        exists=lambda raw: _inner(raw).get("type") == "CustomRole",
        item_path="{id}",
        item_params=_ROLES,
    ),
    permissions=Permissions(read=("Reader",), write=("User Access Administrator",), write_also=("Owner",)),
    identity=Identity(
        spelling=("name",),
        name=lambda raw: str(_inner(raw).get("roleName") or _named(raw)),
    ),
    comparison=Comparison(
        computed=(*_STAMPS, "properties.type", "type"),
        sets=(
            SetOf("properties.assignableScopes"),
            SetOf("properties.permissions"),
            SetOf("properties.permissions[].actions"),
            SetOf("properties.permissions[].dataActions"),
            SetOf("properties.permissions[].notActions"),
            SetOf("properties.permissions[].notDataActions"),
        ),
    ),
    not_references={
        "name": "its own ID, which does not change",
        "properties.assignableScopes[]": "subscriptions and groups of resources, which are addresses",
    },
    restore=written_whole(
        _ROLES,
        "properties",
        guards=Guards(protected=_defined_above),
        order=Order(rank=61),
    ),
    audit=AuditHints(
        activities=(
            "microsoft.authorization/roledefinitions/write",
            "microsoft.authorization/roledefinitions/delete",
        ),
        services=("Microsoft.Authorization",),
    ),
    notes=(
        "Built-in roles are read-only and not stored.",
        "Microsoft refuses to delete an assigned role, so its assignments are deleted first.",
    ),
)

ROLE_ASSIGNMENT = ResourceType(
    key="azureRoleAssignment",
    label="Azure role assignment",
    plural="Azure role assignments",
    area="Azure subscriptions",
    read=Read(
        path=f"{_AUTHORIZATION}/roleAssignments",
        service="arm",
        params=_ROLES,
        exists=lambda raw: str(raw.get("id") or "").lower().startswith("/subscriptions/"),
        item_path="{id}",
        item_params=_ROLES,
    ),
    permissions=_ADMINISTRATOR,
    identity=Identity(
        spelling=("name",),
        name=_who_as_what,
    ),
    comparison=Comparison(
        computed=(*_STAMPS, "properties.scope", "type"), quirks=(NormaliseRaw(_within_its_subscription),)
    ),
    references=(
        Reference("properties.principalId", to="directoryObject"),
        Reference("properties.roleDefinitionId", to="azureRoleDefinition"),
        Reference("properties.delegatedManagedIdentityResourceId", to="managedIdentity"),
        role_condition("properties.condition"),
    ),
    not_references={"name": "its own ID, which does not change"},
    restore=written_whole(
        _ROLES,
        "properties",
        recreate_for=(
            "properties.principalId",
            "properties.roleDefinitionId",
            "properties.delegatedManagedIdentityResourceId",
        ),
        order=Order(rank=65),
    ),
    audit=AuditHints(
        activities=(
            "microsoft.authorization/roleassignments/write",
            "microsoft.authorization/roleassignments/delete",
        ),
        services=("Microsoft.Authorization",),
        targets=("properties.principalId",),
    ),
    notes=(
        "Assignments inherited by a subscription are not part of its state and are not stored.",
        (
            "Only description and condition of an assignment can be changed. For other changes it is "
            "recreated under its GUID."
        ),
        (
            "The principal's kind is included in the request, so that a principal that has not replicated "
            "yet is accepted."
        ),
    ),
)

MANAGED_IDENTITY = ResourceType(
    key="managedIdentity",
    label="Managed identity",
    plural="Managed identities",
    area="Azure subscriptions",
    read=Read(
        path=f"{_SUBSCRIPTION}/Microsoft.ManagedIdentity/userAssignedIdentities",
        service="arm",
        params=_IDENTITY,
        item_path="{id}",
        item_params=_IDENTITY,
    ),
    permissions=Permissions(
        read=("Reader",), write=("Managed Identity Contributor",), write_also=("Contributor",)
    ),
    identity=Identity(
        spelling=("name",),
        name=_named,
        quirks=(
            PrincipalIdentity(
                {
                    "properties.principalId": ("servicePrincipal", "id"),
                    "properties.clientId": ("servicePrincipal", "appId"),
                }
            ),
        ),
    ),
    comparison=Comparison(
        computed=("properties.tenantId", "systemData", "type"),
        normalise={"location": "compact", "tags.*": "verbatim"},
        quirks=(AppendedByPolicy(("tags",)),),
    ),
    not_references={
        "properties.clientId": "its own ID in the directory; references to it are updated",
        "properties.principalId": "its own ID in the directory; references to it are updated",
    },
    restore=written_whole(
        _IDENTITY,
        "location",
        "tags",
        given=("properties",),
        recreate_for=("location",),
        new_id_note=(
            "Its service principal gets a new object ID and client ID. Role assignments, access "
            "policies, memberships and grants that refer to the old ones are updated. A client ID in "
            "the settings of resources that use it must be changed manually."
        ),
        order=Order(rank=60),
    ),
    audit=AuditHints(
        activities=(
            "microsoft.managedidentity/userassignedidentities/write",
            "microsoft.managedidentity/userassignedidentities/delete",
        ),
        services=("Microsoft.ManagedIdentity",),
    ),
    notes=(
        "An identity is also a service principal in the directory, which is created and deleted with it.",
        POLICY_TAGS,
    ),
)

FEDERATED_CREDENTIAL = ResourceType(
    key="managedIdentityFederatedCredential",
    label="Federated credential of a managed identity",
    plural="Federated credentials of managed identities",
    area="Azure subscriptions",
    read=Read(
        path="{parent}/federatedIdentityCredentials",
        service="arm",
        params=_IDENTITY,
        parent="managedIdentity",
        parent_key="identity",
        item_path="{id}",
        item_params=_IDENTITY,
    ),
    permissions=MANAGED_IDENTITY.permissions,
    identity=Identity(
        spelling=("name",),
        name=_named,
    ),
    comparison=Comparison(computed=("systemData", "type"), sets=(SetOf("properties.audiences"),)),
    references=(
        Reference("identity", to="managedIdentity"),
        Reference("properties.subject", to="servicePrincipal", guids=True, if_gone="kept"),
    ),
    restore=written_whole(
        _IDENTITY,
        "properties",
        order=Order(rank=63),
    ),
    audit=AuditHints(
        activities=(
            "microsoft.managedidentity/userassignedidentities/federatedidentitycredentials/write",
            "microsoft.managedidentity/userassignedidentities/federatedidentitycredentials/delete",
        ),
        services=("Microsoft.ManagedIdentity",),
        targets=("identity",),
    ),
    notes=("It is deleted with its identity and restored after it.",),
)


def _strictness(document: Document | None) -> int:
    return STRICTNESS.get(str(_inner(document or {}).get("level")), 0)


def _stands_in_the_way(live: Document | None, wanted: Document | None) -> bool:
    return _strictness(live) > _strictness(wanted)


LOCK = ResourceType(
    key="managementLock",
    label="Lock",
    plural="Locks",
    area="Azure subscriptions",
    read=Read(
        path=f"{_AUTHORIZATION}/locks",
        service="arm",
        params=_LOCK,
        item_path="{id}",
        item_params=_LOCK,
    ),
    permissions=Permissions(
        read=("Reader",), write=("User Access Administrator",), write_also=("Owner", "Locks Contributor")
    ),
    identity=Identity(
        spelling=("name",),
        name=_named,
    ),
    comparison=Comparison(
        computed=("systemData", "type"), sets=(SetOf("properties.owners", key="applicationId"),)
    ),
    references=(
        Reference("properties.owners[].applicationId", to="servicePrincipal", by="appId", if_gone="kept"),
    ),
    restore=written_whole(
        _LOCK,
        "properties",
        order=Order(rank=66, quirks=(WrittenFirst(_stands_in_the_way), WrittenLast(lambda _wanted: True))),
    ),
    audit=AuditHints(
        activities=("microsoft.authorization/locks/write", "microsoft.authorization/locks/delete"),
        services=("Microsoft.Authorization",),
    ),
    notes=(
        "Removing or loosening a lock is the first step of a plan, and restoring a lock is the last.",
        "If another lock prevents a step, the plan cannot be executed and names the lock.",
    ),
)

TYPES = (ROLE_DEFINITION, ROLE_ASSIGNMENT, MANAGED_IDENTITY, FEDERATED_CREDENTIAL, LOCK)
