"""Custom security attributes: definitions that cannot be deleted, typed values, and a log of their own."""

from collections.abc import Iterator
from typing import Any

import pytest

from lavawall.emulator import Emulator, TenantInfo
from tests.emulator.conftest import Client, Json

SETS = "/directory/attributeSets"
DEFINITIONS = "/directory/customSecurityAttributeDefinitions"
CLEARANCE = f"{DEFINITIONS}/Access_Clearance"
VALUE_TYPE = "#Microsoft.DirectoryServices.CustomSecurityAttributeValue"


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


@pytest.fixture
def user(writer: Client) -> str:
    found: str = writer.get("/users?$filter=displayName eq 'Liam Tremblay'")["value"][0]["id"]
    return found


def definition(name: str, **more: Any) -> Json:
    return {
        "attributeSet": "Access",
        "name": name,
        "type": "String",
        "status": "Available",
        "isCollection": False,
        "isSearchable": True,
        "usePreDefinedValuesOnly": False,
        **more,
    }


def values(**attributes: Any) -> Json:
    named = {name.replace("__type", "@odata.type"): value for name, value in attributes.items()}
    return {"customSecurityAttributes": {"Access": {"@odata.type": VALUE_TYPE, **named}}}


def attributes_of(client: Client, path: str) -> Json:
    found: Json = client.get(f"{path}?$select=customSecurityAttributes")["customSecurityAttributes"]
    return found


def test_a_set_is_known_by_its_name_for_ever(writer: Client) -> None:
    writer.post(SETS, {"id": "Projects", "maxAttributesPerSet": 1})
    writer.refused("POST", SETS, {"id": "Projects"}, status=409)
    writer.refused("POST", SETS, {"id": "Two words"})
    writer.done("PATCH", f"{SETS}/Projects", {"description": "What people work on"})
    writer.refused("PATCH", f"{SETS}/Projects", {"id": "Tasks"})
    writer.refused("DELETE", f"{SETS}/Projects", status=405)
    writer.post(DEFINITIONS, definition("Main", attributeSet="Projects"))
    writer.refused("POST", DEFINITIONS, definition("Second", attributeSet="Projects"))
    writer.done("PATCH", f"{DEFINITIONS}/Projects_Main", {"status": "Deprecated"})
    writer.post(DEFINITIONS, definition("Second", attributeSet="Projects"))
    writer.refused("PATCH", f"{DEFINITIONS}/Projects_Main", {"status": "Available"})


@pytest.mark.parametrize(
    "body",
    [
        definition("Clearance"),
        definition("No good name"),
        definition("Orphan", attributeSet="Missing"),
        definition("Kind", type="Date"),
        definition("State", status="Gone"),
        definition("Flag", type="Boolean", isCollection=True),
        definition("Flag", type="Boolean", usePreDefinedValuesOnly=True),
        {"attributeSet": "Access", "name": "Bare", "type": "String"},
    ],
)
def test_definitions_that_are_refused(writer: Client, body: Json) -> None:
    writer.refused("POST", DEFINITIONS, body)


def test_a_definition_keeps_its_nature_and_cannot_be_deleted(writer: Client) -> None:
    body = definition("Badge", allowedValues=[{"id": "Blue", "isActive": True}])
    created = writer.post(DEFINITIONS, body)
    assert created["id"] == "Access_Badge"
    assert writer.get(f"{DEFINITIONS}/Access_Badge?$expand=allowedValues")["allowedValues"] == [
        {"id": "Blue", "isActive": True}
    ]
    assert "allowedValues" not in writer.get(f"{DEFINITIONS}/Access_Badge")
    writer.done("PATCH", f"{DEFINITIONS}/Access_Badge", {"description": "Colour", "type": "String"})
    for name, value in (
        ("type", "Integer"),
        ("isCollection", True),
        ("isSearchable", False),
        ("name", "Card"),
    ):
        writer.refused("PATCH", f"{DEFINITIONS}/Access_Badge", {name: value})
    writer.refused("PATCH", f"{DEFINITIONS}/Access_Badge", {"usePreDefinedValuesOnly": True})
    writer.refused("DELETE", f"{DEFINITIONS}/Access_Badge", status=405)


def test_the_same_value_can_be_allowed_for_two_definitions(writer: Client) -> None:
    writer.post(DEFINITIONS, definition("Area", usePreDefinedValuesOnly=True))
    writer.post(f"{DEFINITIONS}/Access_Area/allowedValues", {"id": "Public", "isActive": True})
    writer.done("PATCH", f"{DEFINITIONS}/Access_Area/allowedValues/Public", {"isActive": False})
    assert writer.get(f"{CLEARANCE}/allowedValues/Public")["isActive"] is True
    writer.refused("POST", f"{CLEARANCE}/allowedValues", {"id": "Public", "isActive": True}, status=409)
    writer.refused("DELETE", f"{CLEARANCE}/allowedValues/Public", status=405)


def test_an_attribute_has_at_most_a_hundred_predefined_values(writer: Client) -> None:
    many = [{"id": f"V{number}", "isActive": True} for number in range(100)]
    writer.post(DEFINITIONS, definition("Many", allowedValues=many))
    writer.refused("POST", f"{DEFINITIONS}/Access_Many/allowedValues", {"id": "V100", "isActive": True})


def test_values_are_assigned_one_by_one_and_shown_on_request(writer: Client, user: str) -> None:
    path = f"/users/{user}"
    writer.done("PATCH", path, values(Clearance="Public"))
    writer.done("PATCH", path, values(Sites__type="#Collection(String)", Sites=["North"]))
    writer.done("PATCH", path, values(Level__type="#Int32", Level=4))
    assert attributes_of(writer, path)["Access"] == {
        "@odata.type": VALUE_TYPE,
        "Clearance": "Public",
        "Sites@odata.type": "#Collection(String)",
        "Sites": ["North"],
        "Level@odata.type": "#Int32",
        "Level": 4,
    }
    assert "customSecurityAttributes" not in writer.get(path)
    writer.done("PATCH", path, values(Clearance=None, Sites=[], Level=None))
    assert writer.get(f"{path}?$select=customSecurityAttributes").get("customSecurityAttributes") is None


@pytest.mark.parametrize(
    "body",
    [
        values(Clearance="Unheard-of"),
        values(Clearance="Secret"),
        values(Clearance=["Public"]),
        values(Sites="North"),
        values(Sites=["North"]),
        values(Level=4),
        values(Level__type="#Int32", Level="4"),
        values(Level__type="#Int32", Level=True),
        values(Missing="x"),
        {"customSecurityAttributes": {"Access": {"Clearance": "Public"}}},
    ],
)
def test_values_that_do_not_fit_are_refused(writer: Client, user: str, body: Json) -> None:
    writer.refused("PATCH", f"/users/{user}", body)


def test_a_deprecated_attribute_takes_no_values_but_lets_go_of_them(writer: Client, user: str) -> None:
    writer.post(DEFINITIONS, definition("Old"))
    writer.done("PATCH", f"/users/{user}", values(Old="kept"))
    writer.done("PATCH", f"{DEFINITIONS}/Access_Old", {"status": "Deprecated"})
    writer.refused("PATCH", f"/users/{user}", values(Old="new"))
    assert attributes_of(writer, f"/users/{user}")["Access"]["Old"] == "kept"
    writer.done("PATCH", f"/users/{user}", values(Old=None))


def test_service_principals_carry_values_too(writer: Client) -> None:
    principals = writer.get("/servicePrincipals?$filter=displayName eq 'Patient Portal'")["value"]
    path = f"/servicePrincipals/{principals[0]['id']}"
    writer.done("PATCH", path, values(Clearance="Internal"))
    assert attributes_of(writer, path)["Access"]["Clearance"] == "Internal"


def test_values_take_permissions_of_their_own(
    emulator: Emulator, tenant: TenantInfo, reader: Client, writer: Client, user: str
) -> None:
    reader.refused("PATCH", f"/users/{user}", values(Clearance="Public"), status=403)
    writer.refused("PATCH", f"/users/{user}", {"jobTitle": "Boss", **values(Clearance="Public")}, status=403)
    stored = tenant.reader.permissions
    less = [each for each in stored if not each.startswith("CustomSecAttribute")]
    emulator.set_permissions(tenant.directory_id, tenant.reader.client_id, less)
    try:
        reader.get(f"/users/{user}")
        reader.refused("GET", f"/users/{user}?$select=id,customSecurityAttributes", status=403)
        reader.refused("GET", SETS, status=403)
    finally:
        emulator.set_permissions(tenant.directory_id, tenant.reader.client_id, stored)


def test_changes_show_in_the_separate_log_only(
    emulator: Emulator, tenant: TenantInfo, reader: Client, writer: Client, user: str
) -> None:
    ordinary = len(emulator.state(tenant.directory_id).audits)
    writer.done("PATCH", f"/users/{user}", values(Clearance="Internal"))
    writer.done("PATCH", f"{SETS}/Access", {"description": "Renamed"})
    entries = reader.get("/auditLogs/customSecurityAttributeAudits")["value"]
    assert [each["activityDisplayName"] for each in entries[:2]] == [
        "Update attribute set",
        "Update attribute values assigned to a user",
    ]
    assert entries[1]["targetResources"][0]["id"] == user
    assert (
        reader.get(f"/auditLogs/customSecurityAttributeAudits/{entries[1]['id']}")["category"]
        == "AttributeManagement"
    )
    assert len(emulator.state(tenant.directory_id).audits) == ordinary
