"""Administrative units and their members."""

from tests.roundtrip.model import AUTO, Act, Case, Json, World, impossible

UNITS = "/v1.0/directory/administrativeUnits"
DELETED = "/v1.0/directory/deletedItems"
OBJECTS = "https://graph.microsoft.com/v1.0/directoryObjects"
CHOSEN_AT_BIRTH = "it is chosen when the unit is created"


def front_of_house(world: World) -> Json:
    """A unit with members, to which roles are scoped."""
    found = world.named(UNITS, "Front")
    members = world.read(f"{UNITS}/{found['id']}/members")["value"]
    return {**found, "_member": members[0]["id"]}


def by_rule(world: World) -> Json:
    return world.named(UNITS, "Finance by Rule")


def _somebody(world: World, subject: Json) -> Json:
    inside = {each["id"] for each in world.read(f"{UNITS}/{subject['id']}/members")["value"]}
    stranger = next(each["id"] for each in world.read("/v1.0/users")["value"] if each["id"] not in inside)
    return {"@odata.id": f"{OBJECTS}/{stranger}"}


RULE: Json = {
    "membershipType": "Dynamic",
    "membershipRule": '(user.country -eq "Elsewhere")',
    "membershipRuleProcessingState": "On",
}

CASES = (
    Case(
        key="administrativeUnit",
        subject=front_of_house,
        path=f"{UNITS}/{{id}}",
        updates={
            "displayName": AUTO,
            "description": AUTO,
            "isMemberManagementRestricted": impossible(CHOSEN_AT_BIRTH),
            "visibility": impossible(CHOSEN_AT_BIRTH),
        },
        create=[Act("POST", UNITS, {"displayName": "Planted unit"})],
        delete=[Act("DELETE", f"{UNITS}/{{id}}")],
        more={
            "delete for good": [Act("DELETE", f"{UNITS}/{{id}}"), Act("DELETE", f"{DELETED}/{{id}}")],
            "members": [Act("POST", f"{UNITS}/{{id}}/members/$ref", _somebody)],
            "members taken out": [Act("DELETE", f"{UNITS}/{{id}}/members/{{_member}}/$ref")],
            "made dynamic, so that its members are dropped": [Act("PATCH", f"{UNITS}/{{id}}", RULE)],
        },
        types=("unifiedRoleAssignment", "unifiedRoleEligibilitySchedule", "unifiedRoleAssignmentSchedule"),
    ),
    Case(
        key="administrativeUnit",
        variant="dynamic",
        subject=by_rule,
        path=f"{UNITS}/{{id}}",
        updates={
            "membershipRule": '(user.country -eq "Elsewhere")',
            "membershipRuleProcessingState": "Paused",
            "membershipType": impossible("see below: it takes the rule along"),
        },
        more={
            "made static": [
                Act(
                    "PATCH",
                    f"{UNITS}/{{id}}",
                    {
                        "membershipType": "Assigned",
                        "membershipRule": None,
                        "membershipRuleProcessingState": None,
                    },
                )
            ]
        },
    ),
)
