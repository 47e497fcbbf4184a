"""What applications may do: delegated grants and app role assignments, declared for the registry.

Facts: Microsoft Graph's v1.0 metadata and reference pages of these types.
"""

from snapshots.catalog.spec import (
    AuditHints,
    Comparison,
    Create,
    Delete,
    Document,
    Identity,
    Loss,
    Order,
    Permissions,
    Read,
    Reference,
    ResourceType,
    Restore,
    Update,
)

_GRANTS = "/v1.0/oauth2PermissionGrants"
_ASSIGNMENTS = "/v1.0/servicePrincipals/{resourceId}/appRoleAssignedTo"


def _grant_name(raw: Document) -> str:
    audience = "all users" if raw.get("consentType") == "AllPrincipals" else "one user"
    return f"{' '.join(str(raw.get('scope') or '').split())} for {audience}".strip()


PERMISSION_GRANT = ResourceType(
    key="oAuth2PermissionGrant",
    label="Delegated permission grant",
    plural="Delegated permission grants",
    area="Applications",
    read=Read(path=_GRANTS, item_path=f"{_GRANTS}/{{id}}"),
    permissions=Permissions(
        read=("Directory.Read.All",),
        write=("DelegatedPermissionGrant.ReadWrite.All",),
        read_also=("DelegatedPermissionGrant.ReadWrite.All", "Directory.ReadWrite.All"),
        write_also=("Directory.ReadWrite.All",),
    ),
    identity=Identity(
        natural_key=("clientId", "consentType", "principalId", "resourceId"),
        name=_grant_name,
    ),
    comparison=Comparison(computed=("expiryTime", "startTime"), normalise={"scope": "space_set"}),
    references=(
        Reference("clientId", to="servicePrincipal"),
        Reference("resourceId", to="servicePrincipal"),
        Reference("principalId", to="user"),
    ),
    restore=Restore(
        writable=("scope",),
        create=Create(
            path=_GRANTS,
            only=("clientId", "consentType", "principalId", "resourceId"),
            new_id_note="Nothing refers to a grant.",
        ),
        update=Update(path=f"{_GRANTS}/{{id}}"),
        delete=Delete(path=f"{_GRANTS}/{{id}}"),
        order=Order(rank=80),
    ),
    audit=AuditHints(
        activities=(
            "add delegated permission grant",
            "update delegated permission grant",
            "remove delegated permission grant",
            "consent to application",
        ),
        services=("Core Directory",),
        targets=("clientId", "resourceId"),
    ),
    notes=(
        "The scope is a set of words; order and whitespace do not matter.",
        "An undeleted service principal may also restore its grants; existing ones are not added again.",
    ),
)


def _assignment_name(raw: Document) -> str:
    holder = raw.get("principalDisplayName") or raw.get("principalId") or ""
    return f"{holder} on {raw.get('resourceDisplayName') or raw.get('resourceId') or ''}"


APP_ROLE_ASSIGNMENT = ResourceType(
    key="appRoleAssignment",
    label="App role assignment",
    plural="App role assignments",
    area="Applications",
    read=Read(
        path="/v1.0/servicePrincipals/{parent}/appRoleAssignedTo",
        params={"$top": "999"},
        parent="servicePrincipal",
        item_path=f"{_ASSIGNMENTS}/{{id}}",
    ),
    permissions=Permissions(
        read=("Application.Read.All",),
        write=("Application.Read.All", "AppRoleAssignment.ReadWrite.All"),
        read_also=("Application.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"),
    ),
    identity=Identity(
        natural_key=("principalId", "resourceId", "appRoleId"),
        name=_assignment_name,
    ),
    comparison=Comparison(computed=("creationTimestamp", "principalDisplayName", "resourceDisplayName")),
    references=(
        Reference("principalId", to="directoryObject"),
        Reference("resourceId", to="servicePrincipal"),
    ),
    not_references={"appRoleId": "a role of the resource, whose ids a new application keeps"},
    restore=Restore(
        create=Create(
            path=_ASSIGNMENTS,
            only=("principalId", "resourceId", "appRoleId"),
            given=("principalType",),
            new_id_note="Nothing refers to an assignment.",
        ),
        delete=Delete(path=f"{_ASSIGNMENTS}/{{id}}"),
        order=Order(rank=80),
        losses=(Loss("id", "a recreated assignment gets a new ID"),),
    ),
    audit=AuditHints(
        activities=(
            "add app role assignment to service principal",
            "remove app role assignment from service principal",
            "add app role assignment to group",
            "remove app role assignment from group",
            "add app role assignment grant to user",
            "remove app role assignment from user",
            "consent to application",
        ),
        services=("Core Directory",),
        targets=("principalId", "resourceId"),
    ),
    notes=(
        "Read once per resource service principal, so that every holder of its roles is seen.",
        "Graph cannot update assignments: a changed one is deleted and recreated.",
        "The app role ID of zeros means default access without a role.",
    ),
)

TYPES = (PERMISSION_GRANT, APP_ROLE_ASSIGNMENT)
