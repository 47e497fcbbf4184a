"""What applications may do: delegated grants and app role assignments."""

from tests.roundtrip.model import Act, Case, Json, World

GRANTS, PRINCIPALS = "/v1.0/oauth2PermissionGrants", "/v1.0/servicePrincipals"
GRAPH = "00000003-0000-0000-c000-000000000000"


def grant(world: World) -> Json:
    return next(iter(world.read(GRANTS)["value"]))


def _graph(world: World) -> Json:
    return next(each for each in world.read(PRINCIPALS)["value"] if each["appId"] == GRAPH)


def assignment(world: World) -> Json:
    graph = _graph(world)
    assigned = world.read(f"{PRINCIPALS}/{graph['id']}/appRoleAssignedTo")["value"]
    freight = world.named(PRINCIPALS, "Freight")["id"]
    mine = next((each for each in assigned if each["principalId"] == freight), assigned[0])
    return {**mine, "_graph": graph["id"]}


def _mailboxes(world: World, subject: Json) -> Json:
    graph = _graph(world)
    role = next(each for each in graph["appRoles"] if each["value"] == "Mail.ReadWrite")
    return {
        "principalId": world.named(PRINCIPALS, "Route Planner")["id"],
        "resourceId": graph["id"],
        "appRoleId": role["id"],
    }


def _for_everybody(world: World, subject: Json) -> Json:
    return {
        "clientId": world.named(PRINCIPALS, "Freight")["id"],
        "consentType": "AllPrincipals",
        "resourceId": _graph(world)["id"],
        "scope": "Mail.Read Files.ReadWrite.All",
    }


CASES = (
    Case(
        key="oAuth2PermissionGrant",
        subject=grant,
        path=f"{GRANTS}/{{id}}",
        updates={"scope": lambda _world, subject: f"{subject['scope']} Mail.ReadWrite"},
        create=[Act("POST", GRANTS, _for_everybody)],
        delete=[Act("DELETE", f"{GRANTS}/{{id}}")],
        types=("servicePrincipal",),
    ),
    Case(
        key="appRoleAssignment",
        subject=assignment,
        path=f"{PRINCIPALS}/{{_graph}}/appRoleAssignedTo/{{id}}",
        create=[Act("POST", f"{PRINCIPALS}/{{_graph}}/appRoleAssignedTo", _mailboxes)],
        delete=[Act("DELETE", f"{PRINCIPALS}/{{_graph}}/appRoleAssignedTo/{{id}}")],
        types=("servicePrincipal",),
    ),
)
