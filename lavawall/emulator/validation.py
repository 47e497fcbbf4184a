"""Checks a request body against the published schema and a type's own rules, and returns what is to be stored."""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from lavawall.emulator import schema
from lavawall.emulator.errors import bad_request

INT32 = range(-(2**31), 2**31)
INT64 = range(-(2**63), 2**63)
DATE = re.compile(r"^\d{4}-\d\d-\d\d$")
DURATION = re.compile(r"^-?P(?=.)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?$")


def _is_guid(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(UUID(value))
    except ValueError:
        return False


def _is_date_time(value: Any) -> bool:
    if not isinstance(value, str) or "T" not in value:
        return False
    trimmed = re.sub(r"(\.\d{6})\d+", r"\1", value)
    try:
        return datetime.fromisoformat(trimmed).tzinfo is not None
    except ValueError:
        return False


def _is_base64(value: Any) -> bool:
    try:
        return isinstance(value, str) and base64.b64decode(value, validate=True) is not None
    except binascii.Error:
        return False


PRIMITIVES: dict[str, Callable[[Any], bool]] = {
    "Edm.String": lambda value: isinstance(value, str),
    "Edm.Boolean": lambda value: isinstance(value, bool),
    "Edm.Int32": lambda value: isinstance(value, int) and not isinstance(value, bool) and value in INT32,
    "Edm.Int64": lambda value: isinstance(value, int) and not isinstance(value, bool) and value in INT64,
    "Edm.Single": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "Edm.Double": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "Edm.DateTimeOffset": _is_date_time,
    "Edm.Guid": _is_guid,
    "Edm.Binary": _is_base64,
    "Edm.TimeOfDay": lambda value: isinstance(value, str),
    "Edm.Duration": lambda value: isinstance(value, str) and bool(DURATION.match(value)),
    "Edm.Date": lambda value: isinstance(value, str) and bool(DATE.match(value)),
    "Edm.Untyped": lambda _: True,
    "Edm.Stream": lambda _: False,
}


@dataclass(frozen=True)
class WriteRules:
    """What a type allows beyond its schema.

    `inline` names navigation properties that travel in the body, `bindable` those that take @odata.bind,
    `typed` asks for an @odata.type though the declared type is not abstract.
    """

    computed: frozenset[str] = frozenset()
    immutable: frozenset[str] = frozenset()
    writable: frozenset[str] = frozenset()
    required: tuple[str, ...] = ()
    inline: frozenset[str] = frozenset()
    bindable: frozenset[str] = frozenset()
    typed: bool = False


@dataclass(frozen=True)
class Allowed:
    """What a body may hold beyond the declared properties of v1.0: see WriteRules.inline, and the API's version."""

    inline: frozenset[str]
    version: str


def actual_type(body: dict[str, Any], declared: str, where: str, *, typed: bool = False) -> schema.Type:
    """The type a body claims to be; refuses one that is missing where it is needed, or that does not fit."""
    claimed = body.get("@odata.type")
    if claimed is None:
        declared_type = schema.type_named(declared)
        if declared_type.abstract or typed:
            raise bad_request(f"A type named in '@odata.type' is required for {where}.", "BadRequest")
        return declared_type
    name = str(claimed).removeprefix(schema.NAMESPACE).removeprefix("microsoft.graph.")
    if not schema.exists(name) or not schema.type_named(name).is_a(declared):
        raise bad_request(f"'{claimed}' is not a type that can be used for {where}.", "BadRequest")
    found = schema.type_named(name)
    if found.abstract:
        raise bad_request(f"'{claimed}' is abstract; {where} needs a concrete type.", "BadRequest")
    return found


def checked_body(
    body: Any, declared: str, rules: WriteRules, *, creating: bool, version: str = "beta"
) -> dict[str, Any]:
    """The body as it is to be stored, or a 400 that names the first property at fault."""
    if not isinstance(body, dict):
        raise bad_request("Unable to read JSON request payload. An object is expected.", "BadRequest")
    body_type = actual_type(body, declared, declared, typed=rules.typed)
    allowed = Allowed(rules.inline, version)
    checked: dict[str, Any] = {}
    for name, value in body.items():
        if "@odata." in name:
            _check_annotation(name, rules)
            continue
        found = _find_property(name, body_type, allowed)
        _check_writable(found, rules, creating=creating)
        checked[name] = _checked_value(value, found, name, allowed)
    if body_type.name != declared:
        checked["@odata.type"] = body_type.odata_type
    if creating:
        _check_required(checked, rules.required)
    return checked


def _check_annotation(name: str, rules: WriteRules) -> None:
    target, _, annotation = name.partition("@odata.")
    if annotation == "bind" and target not in rules.bindable:
        raise bad_request(f"The property '{target}' does not support '@odata.bind'.")


def _find_property(name: str, owner: schema.Type, allowed: Allowed) -> schema.Property:
    found = owner.properties.get(name)
    if found is None and name in allowed.inline:
        found = owner.navigation.get(name)
    if found is None and owner.is_open:
        return schema.Property(name, "Edm.Untyped")
    if found is None or (found.beta and allowed.version != "beta"):
        raise bad_request(f"Invalid property '{name}': it is not a property of type '{owner.name}'.")
    return found


def _check_writable(found: schema.Property, rules: WriteRules, *, creating: bool) -> None:
    name = found.name
    if name in rules.computed or (found.read_only and name not in rules.writable):
        raise bad_request(f"Property '{name}' is read-only and cannot be set.")
    if not creating and (name in rules.immutable or found.immutable):
        raise bad_request(f"Property '{name}' can only be set when the object is created.")
    if found.type == "Edm.Stream":
        raise bad_request(f"Property '{name}' is a stream and is written at its own address.")


def _checked_value(value: Any, declared: schema.Property, path: str, allowed: Allowed) -> Any:
    if declared.is_collection:
        if value is None:
            return []
        if not isinstance(value, list):
            raise _wrong_type(path, f"a list of {declared.type}")
        return [_checked_item(each, declared.type, path, allowed) for each in value]
    if value is None:
        if not declared.nullable:
            raise bad_request(f"Property '{path}' cannot be null.")
        return None
    return _checked_item(value, declared.type, path, allowed)


def _checked_item(value: Any, type_name: str, path: str, allowed: Allowed) -> Any:
    if type_name.startswith("Edm."):
        if not PRIMITIVES[type_name](value):
            raise _wrong_type(path, type_name)
        return value
    if not schema.exists(type_name):
        return value
    declared = schema.type_named(type_name)
    if declared.is_enum:
        return _checked_enum(value, declared, path)
    return _checked_complex(value, type_name, path, allowed)


def _checked_enum(value: Any, declared: schema.Type, path: str) -> str:
    parts = [part.strip() for part in value.split(",")] if isinstance(value, str) else []
    known = set(declared.members) - {"unknownFutureValue"}
    if not parts or (len(parts) > 1 and not declared.is_flags) or not known.issuperset(parts):
        raise bad_request(f"Property '{path}' has an invalid value: '{value}' is no {declared.name}.")
    return str(value)


def _checked_complex(value: Any, type_name: str, path: str, allowed: Allowed) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong_type(path, type_name)
    value_type = actual_type(value, type_name, path)
    checked: dict[str, Any] = {}
    for name, item in value.items():
        if "@odata." in name:
            if value_type.is_open:
                checked[name] = item
            continue
        found = _find_property(name, value_type, allowed)
        if found.read_only and not value_type.is_a("entity"):
            raise bad_request(f"Property '{path}/{name}' is read-only and cannot be set.")
        checked[name] = _checked_value(item, found, f"{path}/{name}", allowed)
    if value_type.name != type_name:
        checked["@odata.type"] = value_type.odata_type
    return checked


def _check_required(body: dict[str, Any], required: tuple[str, ...]) -> None:
    for path in required:
        value: Any = body
        for part in path.split("/"):
            value = value.get(part) if isinstance(value, dict) else None
        if value in (None, ""):
            raise bad_request(f"A value is required for property '{path}' of the resource.")


def _wrong_type(path: str, expected: str) -> Exception:
    return bad_request(
        f"Cannot convert the value of property '{path}': {expected} is expected.", "BadRequest"
    )
