"""Who may do what in Azure: role assignments at or above a scope, held directly or through groups, all read live."""

from fnmatch import fnmatchcase

from lavawall.emulator.arm.builtin import BUILT_IN
from lavawall.emulator.arm.errors import ArmError
from lavawall.emulator.arm.ids import covers, last_segment
from lavawall.emulator.arm.state import AzureTenant, Resource
from lavawall.emulator.store import Caller, Directory, Json

ROLE_ASSIGNMENTS = "Microsoft.Authorization/roleAssignments"
ROLE_DEFINITIONS = "Microsoft.Authorization/roleDefinitions"


def role_definition(azure: AzureTenant, identifier: str) -> Json | None:
    """The properties of a built-in or custom role; both are known by the last part of their id."""
    wanted = last_segment(identifier).lower()
    if wanted in BUILT_IN:
        return BUILT_IN[wanted]
    found = next((each for each in azure.all(ROLE_DEFINITIONS) if each.name.lower() == wanted), None)
    return found.properties if found is not None else None


def identities_of(directory: Directory, principal_id: str) -> set[str]:
    """The principal with all groups that it is in, through other groups too."""
    known, fresh = {principal_id}, {principal_id}
    while fresh:
        fresh = {
            group.id for group in directory.all("group") if fresh.intersection(group.links["members"])
        } - known
        known |= fresh
    return known


def _matches(patterns: list[str], action: str) -> bool:
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)


def _permits(role: Json, action: str) -> bool:
    return any(
        _matches(each.get("actions") or [], action) and not _matches(each.get("notActions") or [], action)
        for each in role["permissions"]
    )


def assignments_of(azure: AzureTenant, principal_id: str) -> list[Resource]:
    held_by = identities_of(azure.directory, principal_id)
    return [each for each in azure.all(ROLE_ASSIGNMENTS) if each.properties["principalId"] in held_by]


def is_allowed(azure: AzureTenant, principal_id: str, action: str, scope: str) -> bool:
    for assignment in assignments_of(azure, principal_id):
        role = role_definition(azure, assignment.properties["roleDefinitionId"])
        if role is not None and covers(assignment.properties["scope"], scope) and _permits(role, action):
            return True
    return False


def check_caller(directory: Directory, caller: Caller) -> None:
    """Refuses a token whose user or service principal is gone or disabled."""
    kind = "user" if caller.kind == "user" else "servicePrincipal"
    principal = directory.get(kind, caller.object_id)
    if principal is None or principal.body.get("accountEnabled") is False:
        raise ArmError(
            401, "InvalidAuthenticationToken", "The principal of this access token is disabled or gone."
        )


def authorise(azure: AzureTenant, caller: Caller, action: str, scope: str) -> None:
    if not is_allowed(azure, caller.object_id, action, scope):
        raise ArmError(
            403,
            "AuthorizationFailed",
            f"The client '{caller.app_id}' with object id '{caller.object_id}' does not have authorization to "
            f"perform action '{action}' over scope '{scope or '/'}' or the scope is invalid. If access was "
            "recently granted, please refresh your credentials.",
        )
