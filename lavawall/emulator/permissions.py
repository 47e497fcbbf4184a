"""Who may do what: an app by the roles granted to its service principal, a user by directory roles, both live."""

from lavawall.emulator.errors import bad_request, denied, invalid_token
from lavawall.emulator.model import Permissions
from lavawall.emulator.store import Caller, Directory, Record, Session

GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"


def app_permissions(directory: Directory, service_principal_id: str) -> frozenset[str]:
    """Values of the app roles that a service principal holds on Microsoft Graph now."""
    graph = directory.by_property("servicePrincipal", "appId", GRAPH_APP_ID)
    if graph is None:
        return frozenset()
    values = {role["id"]: role["value"] for role in graph.body.get("appRoles", [])}
    return frozenset(
        values[record.body["appRoleId"]]
        for record in directory.all("appRoleAssignment")
        if record.body["principalId"] == service_principal_id
        and record.body["resourceId"] == graph.id
        and record.body["appRoleId"] in values
    )


def holds_role(directory: Directory, principal_id: str, template_id: str) -> bool:
    """Whether a principal holds a role tenant-wide, directly or through a role-assignable group."""
    groups = {group.id for group in directory.all("group") if principal_id in group.links["members"]}
    return any(
        record.body["roleDefinitionId"] == template_id
        and record.body.get("directoryScopeId") == "/"
        and record.body["principalId"] in groups | {principal_id}
        for record in directory.all("unifiedRoleAssignment")
    )


def global_administrators(directory: Directory) -> list[Record]:
    return [
        record
        for record in directory.all("unifiedRoleAssignment")
        if record.body["roleDefinitionId"] == GLOBAL_ADMINISTRATOR
        and record.body.get("directoryScopeId") == "/"
    ]


def _app_allowed(held: frozenset[str], needed: Permissions) -> bool:
    return any(all(name in held for name in each.split(" & ")) for each in needed)


def authorise(directory: Directory, caller: Caller, needed: Permissions, *, writes: bool) -> None:
    """Refuses with 401 when the caller is gone, with 403 when it may not."""
    if caller.kind == "user":
        user = directory.get("user", caller.object_id)
        if user is None or user.body.get("accountEnabled") is False:
            raise invalid_token("The user of this access token is disabled or does not exist.")
        if writes and not holds_role(directory, caller.object_id, GLOBAL_ADMINISTRATOR):
            raise denied()
        return
    service_principal = directory.get("servicePrincipal", caller.object_id)
    if service_principal is None or service_principal.body.get("accountEnabled") is False:
        raise invalid_token(
            "The application of this access token is disabled or not present in the directory."
        )
    if not _app_allowed(app_permissions(directory, caller.object_id), needed):
        raise denied()


def keep_one_administrator(session: Session, principal: Record) -> None:
    """Refuses to take away the last principal that is Global Administrator."""
    administrators = {each.body["principalId"] for each in global_administrators(session.directory)}
    if administrators == {principal.id}:
        raise bad_request("The last Global Administrator of the directory cannot be removed.")
