"""Groups with their members and owners."""

from tests.roundtrip.model import AUTO, Act, Case, Json, World, impossible

GROUPS, USERS = "/v1.0/groups", "/v1.0/users"
OBJECTS = "https://graph.microsoft.com/v1.0/directoryObjects"
DELETED = "/v1.0/directory/deletedItems"
PLANTED: Json = {
    "displayName": "Planted group",
    "mailEnabled": False,
    "mailNickname": "planted",
    "securityEnabled": True,
}


def team(world: World) -> Json:
    """A group that policies and roles name, with a member that goes and a person who comes."""
    found = world.named(GROUPS, "Break-Glass")
    members = world.read(f"{GROUPS}/{found['id']}/members")["value"]
    return {**found, "_member": members[0]["id"]}


def fleet(world: World) -> Json:
    return world.named(GROUPS, "Fleet Team")


def licensed(world: World) -> Json:
    """A group without licences, and one that the tenant has bought."""
    sku = world.read("/v1.0/subscribedSkus")["value"][0]
    return {**team(world), "_sku": sku["skuId"]}


def _with_a_licence(_world: World, subject: Json) -> Json:
    return {"addLicenses": [{"skuId": subject["_sku"], "disabledPlans": []}], "removeLicenses": []}


def _somebody(world: World, _subject: Json) -> Json:
    return {"@odata.id": f"{OBJECTS}/{world.named(USERS, 'Lena')['id']}"}


CASES = (
    Case(
        key="group",
        subject=fleet,
        path=f"{GROUPS}/{{id}}",
        updates={
            "classification": AUTO,
            "description": AUTO,
            "displayName": AUTO,
            "mailNickname": "other",
            "preferredDataLocation": AUTO,
            "preferredLanguage": "fr-CH",
            "securityEnabled": impossible("a group that is neither for mail nor for security cannot be"),
            "theme": "Red",
            "visibility": "Public",
            "groupTypes": impossible("see the dynamic variant: a rule comes with the type"),
            "membershipRule": impossible("see the dynamic variant"),
            "membershipRuleProcessingState": impossible("see the dynamic variant"),
        },
        create=[Act("POST", GROUPS, PLANTED)],
        delete=[Act("DELETE", f"{GROUPS}/{{id}}")],
        more={
            "delete for good": [Act("DELETE", f"{GROUPS}/{{id}}"), Act("DELETE", f"{DELETED}/{{id}}")],
            "owners": [Act("POST", f"{GROUPS}/{{id}}/owners/$ref", _somebody)],
            "made dynamic, so that its members are dropped": [
                Act(
                    "PATCH",
                    f"{GROUPS}/{{id}}",
                    {
                        "groupTypes": ["DynamicMembership"],
                        "membershipRule": "user.accountEnabled -eq true",
                        "membershipRuleProcessingState": "On",
                    },
                )
            ],
        },
    ),
    Case(
        key="group",
        variant="members",
        subject=team,
        path=f"{GROUPS}/{{id}}",
        more={
            "members": [Act("POST", f"{GROUPS}/{{id}}/members/$ref", _somebody)],
            "members taken out": [Act("DELETE", f"{GROUPS}/{{id}}/members/{{_member}}/$ref")],
        },
    ),
    Case(
        key="group",
        variant="licences",
        subject=licensed,
        path=f"{GROUPS}/{{id}}",
        more={"assignedLicenses": [Act("POST", f"{GROUPS}/{{id}}/assignLicense", _with_a_licence)]},
    ),
)
