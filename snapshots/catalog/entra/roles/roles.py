"""Directory roles: definitions and assignments, declared for the registry.

Facts: Microsoft Graph's v1.0 metadata and reference pages of these types.
"""

from snapshots.catalog.spec import (
    AuditHints,
    Comparison,
    Create,
    Delete,
    DerivedFrom,
    Document,
    Guards,
    Identity,
    Loss,
    Order,
    Permissions,
    Read,
    Reference,
    ResourceType,
    Restore,
    SetOf,
    Undelete,
    Update,
)

_DIRECTORY = "/v1.0/roleManagement/directory"

_PERMISSIONS = Permissions(
    read=("RoleManagement.Read.Directory",),
    write=("RoleManagement.ReadWrite.Directory",),
    read_also=("Directory.Read.All", "Directory.ReadWrite.All", "RoleManagement.ReadWrite.Directory"),
)


def _built_in(document: Document) -> str | None:
    return "Microsoft's built-in roles cannot be changed." if document.get("isBuiltIn") is True else None


ROLE_DEFINITION = ResourceType(
    key="unifiedRoleDefinition",
    label="Role definition",
    plural="Role definitions",
    area="Roles",
    read=Read(path=f"{_DIRECTORY}/roleDefinitions", item_path=f"{_DIRECTORY}/roleDefinitions/{{id}}"),
    permissions=_PERMISSIONS,
    identity=Identity(natural_key=("displayName",)),
    comparison=Comparison(
        computed=("allowedPrincipalTypes", "inheritsPermissionsFrom", "isPrivileged", "resourceScopes"),
        sets=(
            SetOf("rolePermissions"),
            SetOf("rolePermissions[].allowedResourceActions"),
            SetOf("rolePermissions[].excludedResourceActions"),
        ),
    ),
    not_references={"templateId": "its own id as a template, which a new role keeps"},
    restore=Restore(
        writable=("displayName", "description", "isEnabled", "rolePermissions"),
        create=Create(
            path=f"{_DIRECTORY}/roleDefinitions",
            only=("templateId",),
            given=("isBuiltIn",),
            new_id_note="Assignments of the old role are recreated for the new one.",
        ),
        update=Update(path=f"{_DIRECTORY}/roleDefinitions/{{id}}"),
        delete=Delete(path=f"{_DIRECTORY}/roleDefinitions/{{id}}"),
        undelete=Undelete(
            item_path=f"{_DIRECTORY}/deletedItems/roleDefinitions/{{id}}",
            restore_path=f"{_DIRECTORY}/deletedItems/roleDefinitions/{{id}}/restore",
            doubt="Not every tenant keeps deleted custom roles.",
        ),
        order=Order(rank=60),
        guards=Guards(protected=_built_in),
    ),
    audit=AuditHints(
        activities=("add role definition", "update role definition", "delete role definition", "update role"),
        services=("Core Directory",),
    ),
    licence="Microsoft Entra ID P1 for custom roles",
    notes=(
        "Built-in roles are read to name assignments, and because Microsoft changes them.",
        "Not every tenant keeps deleted custom roles: otherwise, the role is recreated.",
        "The template ID of a recreated role is sent to Graph. If Graph keeps it, references stay valid.",
    ),
)


SCOPE_REFERENCES = (
    Reference(
        "directoryScopeId", to="administrativeUnit", words=frozenset({"/"}), prefix="/administrativeUnits/"
    ),
    Reference("directoryScopeId", to="attributeSet", words=frozenset({"/"}), prefix="/attributeSets/"),
    Reference("directoryScopeId", to="directoryObject", words=frozenset({"/"}), prefix="/"),
)
APP_SCOPE = {
    "appScopeId": "a scope inside an application, as an access package catalogue, which only that knows"
}


def comes_from_a_schedule(schedule: Document) -> bool:
    """Whether an active schedule is an activation, or ends: all others are plain role assignments."""
    info = schedule.get("scheduleInfo") or {}
    kind = str((info.get("expiration") or {}).get("type") or "noExpiration")
    activated = str(schedule.get("assignmentType") or "").lower() == "activated"
    return activated or kind.lower() != "noexpiration"


def _assignment_name(raw: Document) -> str:
    principal = raw.get("principal")
    known = principal.get("displayName") if isinstance(principal, dict) else None
    return f"{known or raw.get('principalId', '')} as {raw.get('roleDefinitionId', '')}"


ROLE_ASSIGNMENT = ResourceType(
    key="unifiedRoleAssignment",
    label="Role assignment",
    plural="Role assignments",
    area="Roles",
    read=Read(
        path=f"{_DIRECTORY}/roleAssignments",
        params={"$expand": "principal"},
        item_path=f"{_DIRECTORY}/roleAssignments/{{id}}",
        item_params={"$expand": "principal"},
        quirks=(
            DerivedFrom(
                path=f"{_DIRECTORY}/roleAssignmentSchedules",
                by=("principalId", "roleDefinitionId", "directoryScopeId"),
                is_source=comes_from_a_schedule,
            ),
        ),
    ),
    permissions=_PERMISSIONS,
    identity=Identity(
        natural_key=("principalId", "roleDefinitionId", "directoryScopeId", "appScopeId"),
        name=_assignment_name,
    ),
    comparison=Comparison(
        computed=(
            "appScope",
            "directoryScope",
            "principalOrganizationId",
            "resourceScope",
            "roleDefinition",
        ),
        nested_fields={"principal": ("@odata.type",)},
    ),
    references=(
        Reference("principalId", to="directoryObject"),
        Reference("roleDefinitionId", to="unifiedRoleDefinition"),
        *SCOPE_REFERENCES,
    ),
    not_references=APP_SCOPE,
    restore=Restore(
        create=Create(
            path=f"{_DIRECTORY}/roleAssignments",
            only=("principalId", "roleDefinitionId", "directoryScopeId", "appScopeId", "condition"),
            given=("principal",),
            new_id_note="Nothing refers to an assignment.",
        ),
        delete=Delete(path=f"{_DIRECTORY}/roleAssignments/{{id}}"),
        order=Order(rank=70),
        losses=(Loss("id", "a recreated assignment gets a new ID"),),
    ),
    audit=AuditHints(
        activities=(
            "add member to role",
            "remove member from role",
            "add scoped member to role",
            "remove scoped member from role",
            "add member to role scoped over restricted management administrative unit",
            "remove member from role scoped over restricted management administrative unit",
            "add role assignment to role definition",
            "remove role assignment from role definition",
            "update member in role in pim completed",
        ),
        services=("Core Directory", "PIM"),
        targets=("principalId", "roleDefinitionId"),
    ),
    notes=(
        "Graph cannot update assignments: a changed one is deleted and recreated.",
        "The kind of the principal (user, group, service principal) is part of the state.",
        "Graph refuses to remove the last Global Administrator.",
        (
            "Permanent assignments are stored here. Graph also lists assignments that were activated "
            "through PIM or have an end date, but these belong to their schedule, so that each fact is "
            "reported and restored once."
        ),
        (
            "Roles scoped to an administrative unit are stored here; the unit's scoped role members show "
            "the same data."
        ),
    ),
)

TYPES = (ROLE_DEFINITION, ROLE_ASSIGNMENT)
