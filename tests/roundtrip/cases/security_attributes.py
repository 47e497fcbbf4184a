"""Custom security attributes: sets, definitions, and the values that users and service principals have."""

from typing import Any

from tests.roundtrip.model import AUTO, Act, Case, Json, World, impossible

SETS = "/v1.0/directory/attributeSets"
DEFINITIONS = "/v1.0/directory/customSecurityAttributeDefinitions"
SELECTED = "$select=id,displayName,customSecurityAttributes"
VALUE = "#Microsoft.DirectoryServices.CustomSecurityAttributeValue"
NEVER_DELETED = "Microsoft deletes none"


def attribute_set(world: World) -> Json:
    return world.named(SETS, "Access", by="id")


def clearance(world: World) -> Json:
    """The definition that has allowed values."""
    return world.read(f"{DEFINITIONS}/Access_Clearance")


def holder(world: World) -> Json:
    users = world.read(f"/v1.0/users?{SELECTED}&$top=999")["value"]
    found = next(each for each in users if each.get("customSecurityAttributes"))
    out_of_reach = {
        member["id"]
        for unit in world.read("/v1.0/directory/administrativeUnits")["value"]
        if unit.get("isMemberManagementRestricted")
        for member in world.read(f"/v1.0/directory/administrativeUnits/{unit['id']}/members")["value"]
    }
    others = (each["id"] for each in users if not each.get("customSecurityAttributes"))
    return {**found, "_other": next(each for each in others if each not in out_of_reach)}


def robot(world: World) -> Json:
    return world.named("/v1.0/servicePrincipals", "Route Planner")


def _values(**values: Any) -> Json:
    return {"customSecurityAttributes": {"Access": {"@odata.type": VALUE, **values}}}


FREE: Json = {
    "attributeSet": "Fleet",
    "name": "Depot",
    "type": "String",
    "isCollection": False,
    "isSearchable": True,
    "status": "Available",
    "usePreDefinedValuesOnly": False,
}

CASES = (
    Case(
        key="attributeSet",
        subject=attribute_set,
        path=f"{SETS}/{{id}}",
        updates={"description": AUTO, "maxAttributesPerSet": AUTO},
        create="what Microsoft never deletes stays, as the plan says",
        delete=NEVER_DELETED,
    ),
    Case(
        key="customSecurityAttributeDefinition",
        subject=clearance,
        path=f"{DEFINITIONS}/{{id}}",
        updates={
            "description": AUTO,
            "status": "Deprecated",
            "usePreDefinedValuesOnly": impossible(
                "once other values are allowed, Microsoft does not allow restricting them again; the "
                "plan says so"
            ),
        },
        delete=NEVER_DELETED,
        create="what Microsoft never deletes is deprecated, as the plan says",
        more={
            "allowedValues": [
                Act("PATCH", f"{DEFINITIONS}/{{id}}/allowedValues/Secret", {"isActive": True}),
                Act("PATCH", f"{DEFINITIONS}/{{id}}/allowedValues/Public", {"isActive": False}),
            ],
            "an added allowed value": [
                Act("POST", f"{DEFINITIONS}/{{id}}/allowedValues", {"id": "Planted", "isActive": True})
            ],
        },
        lost={"an added allowed value": frozenset({"allowedValues"})},
    ),
    Case(
        key="customSecurityAttributeAssignment",
        subject=holder,
        path="/v1.0/users/{id}",
        updates={
            "customSecurityAttributes": _values(
                Clearance="Public", **{"Level@odata.type": "#Int32"}, Level=9
            )["customSecurityAttributes"]
        },
        create=[
            Act(
                "PATCH",
                "/v1.0/users/{_other}",
                _values(**{"Sites@odata.type": "#Collection(String)"}, Sites=["Planted"]),
            )
        ],
        delete=[Act("PATCH", "/v1.0/users/{id}", _values(Clearance=None, Level=None, Sites=[]))],
        given=(
            Act("POST", SETS, {"id": "Fleet", "maxAttributesPerSet": 25}),
            Act("POST", DEFINITIONS, FREE),
        ),
        more={
            "values of another set": [
                Act(
                    "PATCH",
                    "/v1.0/users/{id}",
                    {"customSecurityAttributes": {"Fleet": {"@odata.type": VALUE, "Depot": "Planted"}}},
                )
            ],
            "fewer values": [Act("PATCH", "/v1.0/users/{id}", _values(Level=None, Sites=[]))],
        },
    ),
    Case(
        key="customSecurityAttributeAssignment",
        variant="service-principal",
        subject=robot,
        path="/v1.0/servicePrincipals/{id}",
        create=[Act("PATCH", "/v1.0/servicePrincipals/{id}", _values(Clearance="Internal"))],
    ),
)
