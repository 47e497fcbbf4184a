"""Directory role definitions and their assignments."""

from tests.roundtrip.model import AUTO, Act, Case, Json, World

ROLES = "/v1.0/roleManagement/directory"
DEFINITIONS, ASSIGNMENTS = f"{ROLES}/roleDefinitions", f"{ROLES}/roleAssignments"
GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
CUSTOM: Json = {
    "displayName": "Planted role",
    "isEnabled": True,
    "rolePermissions": [{"allowedResourceActions": ["microsoft.directory/applications/create"]}],
}


def custom_role(world: World) -> Json:
    role = next(each for each in world.read(DEFINITIONS)["value"] if not each["isBuiltIn"])
    given = world.read(ASSIGNMENTS)["value"]
    return {**role, "_held": next(each["id"] for each in given if each["roleDefinitionId"] == role["id"])}


def helpdesk_assignment(world: World) -> Json:
    helpdesk = world.named(DEFINITIONS, "Helpdesk Administrator")
    return next(
        each for each in world.read(ASSIGNMENTS)["value"] if each["roleDefinitionId"] == helpdesk["id"]
    )


def _to_an_application(world: World, _subject: Json) -> Json:
    return {
        "principalId": world.named("/v1.0/servicePrincipals", "Freight")["id"],
        "roleDefinitionId": GLOBAL_ADMINISTRATOR,
        "directoryScopeId": "/",
    }


CASES = (
    Case(
        key="unifiedRoleDefinition",
        subject=custom_role,
        path=f"{DEFINITIONS}/{{id}}",
        updates={
            "displayName": AUTO,
            "description": AUTO,
            "isEnabled": AUTO,
            "rolePermissions": [
                {"allowedResourceActions": ["microsoft.directory/applications/credentials/update"]}
            ],
        },
        create=[Act("POST", DEFINITIONS, CUSTOM)],
        delete=[Act("DELETE", f"{ASSIGNMENTS}/{{_held}}"), Act("DELETE", f"{DEFINITIONS}/{{id}}")],
        types=("unifiedRoleAssignment",),
    ),
    Case(
        key="unifiedRoleAssignment",
        subject=helpdesk_assignment,
        path=f"{ASSIGNMENTS}/{{id}}",
        create=[Act("POST", ASSIGNMENTS, _to_an_application)],
        delete=[Act("DELETE", f"{ASSIGNMENTS}/{{id}}")],
        types=("unifiedRoleDefinition",),
    ),
)
