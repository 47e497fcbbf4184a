"""Values of custom security attributes on users and service principals."""

from typing import Any

from lavawall.emulator.errors import bad_request
from lavawall.emulator.model import Guard, Write
from lavawall.emulator.store import Directory, Json, Record
from lavawall.emulator.types.security_attributes import DEFINITION, LONGEST_VALUE, VALUE

PROPERTY = "customSecurityAttributes"
VALUE_TYPE = "#Microsoft.DirectoryServices.CustomSecurityAttributeValue"
GUARD = Guard(
    read=("CustomSecAttributeAssignment.Read.All", "CustomSecAttributeAssignment.ReadWrite.All"),
    write=("CustomSecAttributeAssignment.ReadWrite.All",),
)
NATIVE = {"Boolean": bool, "Integer": int, "String": str}
WIRE_TYPES = {"Boolean": "Boolean", "Integer": "Int32", "String": "String"}
SELF_EVIDENT = frozenset({"Boolean", "String"})


def check_attributes(write: Write) -> None:
    """What is sent is assigned, null and [] take away, all other attributes stay."""
    if PROPERTY not in write.body:
        return
    sets: Json = {name: dict(values) for name, values in ((write.before or {}).get(PROPERTY) or {}).items()}
    for set_name, values in (write.body[PROPERTY] or {}).items():
        if not isinstance(values, dict) or values.get("@odata.type") != VALUE_TYPE:
            raise bad_request(f"The attribute set '{set_name}' needs the '@odata.type' '{VALUE_TYPE}'.")
        stored = sets.setdefault(set_name, {"@odata.type": VALUE_TYPE})
        for name in [name for name in values if "@" not in name]:
            _assign(write.session.directory, set_name, name, values, stored)
    assigned = {name: values for name, values in sets.items() if len(values) > 1}
    write.after[PROPERTY] = assigned or None


def _assign(directory: Directory, set_name: str, name: str, values: Json, stored: Json) -> None:
    definition = directory.get(DEFINITION, f"{set_name}_{name}")
    if definition is None:
        raise bad_request(f"The attribute '{set_name}_{name}' is not defined.")
    annotation, value = f"{name}@odata.type", values[name]
    stored.pop(name, None)
    stored.pop(annotation, None)
    if value is None or value == []:
        return
    _check_assigned(directory, definition, value, values.get(annotation))
    if annotation in values:
        stored[annotation] = values[annotation]
    stored[name] = value


def _check_assigned(directory: Directory, definition: Record, value: Any, wire_type: Any) -> None:
    declared, name = definition.body, definition.id
    if declared["status"] != "Available":
        raise bad_request(f"The attribute '{name}' is deprecated and takes no values.")
    many = bool(declared.get("isCollection"))
    if many != isinstance(value, list):
        raise bad_request(f"The attribute '{name}' takes {'a list' if many else 'one value'}.")
    expected = WIRE_TYPES[declared["type"]]
    expected = f"#Collection({expected})" if many else f"#{expected}"
    if wire_type != expected and not (wire_type is None and not many and declared["type"] in SELF_EVIDENT):
        raise bad_request(f"The attribute '{name}' needs the annotation '@odata.type' with '{expected}'.")
    for item in value if many else [value]:
        if type(item) is not NATIVE[declared["type"]] or len(str(item)) > LONGEST_VALUE:
            raise bad_request(f"'{item}' is no {declared['type']} for the attribute '{name}'.")
        if declared.get("usePreDefinedValuesOnly") and not _is_allowed(directory, name, str(item)):
            raise bad_request(f"'{item}' is no active predefined value of the attribute '{name}'.")


def _is_allowed(directory: Directory, definition: str, value: str) -> bool:
    found = directory.get(VALUE, f"{definition}/{value}")
    return found is not None and bool(found.body["isActive"])
