"""What only the beta version of Microsoft Graph has, read from the generated models of its Python SDK.

Used by derive_schema.py. A model lists each property with the function that reads it, which tells the type; entities
are navigation. Nothing tells what may be null, so that everything may.
"""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MODELS = "msgraph_beta/generated/models/"
ENUMERATION = re.compile(r"^class (\w+)\(str, Enum\):", re.MULTILINE)
MEMBER = re.compile(r'^    \w+ = "([^"]+)",', re.MULTILINE)
MODEL = re.compile(r"^class (\w+)\(([^)]*)\):", re.MULTILINE)
ODATA_TYPE = re.compile(r'odata_type: Optional\[str\] = "#microsoft\.graph\.(\w+)"')
READER = re.compile(
    r'^            "(\w+)": lambda n : setattr\(self, \'\w+\', n\.(\w+)\((\w*)\)\),$', re.MULTILINE
)
FLAGS = re.compile(r'writer\.write_enum_value\("(\w+)"')
NO_BASES = frozenset({"AdditionalDataHolder", "BackedModel", "Parsable", ""})

PRIMITIVES = {
    "get_bool_value": "Edm.Boolean",
    "get_bytes_value": "Edm.Binary",
    "get_date_value": "Edm.Date",
    "get_datetime_value": "Edm.DateTimeOffset",
    "get_float_value": "Edm.Double",
    "get_int_value": "Edm.Int64",
    "get_str_value": "Edm.String",
    "get_time_value": "Edm.TimeOfDay",
    "get_timedelta_value": "Edm.Duration",
    "get_uuid_value": "Edm.Guid",
}
ELEMENTS = {
    "UUID": "Edm.Guid",
    "bool": "Edm.Boolean",
    "bytes": "Edm.Binary",
    "float": "Edm.Double",
    "int": "Edm.Int64",
    "str": "Edm.String",
}

# Bases under which the whole directory hangs: only what the schema names of it is wanted.
NO_FAMILIES = frozenset({"directoryObject", "entity", "policyBase", "policyDeletableItem", "stsPolicy"})


@dataclass
class Model:
    """One type of the SDK: an enumeration has members, the others have properties."""

    base: str = ""
    members: list[str] = field(default_factory=list)
    properties: dict[str, str] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)
    """Enumerations of which a property holds several words in one text."""


def with_beta(types: dict[str, Any], wheel: Path) -> dict[str, Any]:
    """The types of a schema with beta's properties, words of enumerations and derived types, and what those need."""
    models = dict(_models(wheel))
    several = {name for model in models.values() for name in model.flags}
    wanted = {name for name in types if name in models} | _derived(types, models)
    result = dict(types)
    while wanted:
        needed: set[str] = set()
        for name in sorted(wanted):
            model = models[name]
            result[name] = _merged(result.get(name, {}), model, models, several=name in several)
            added = _own_types(result[name])
            needed |= {each for each in added if each in models and each not in result}
            if model.base and model.base not in result and model.base in models:
                needed.add(model.base)
        wanted = needed
    return result


def _models(wheel: Path) -> Iterator[tuple[str, Model]]:
    with zipfile.ZipFile(wheel) as archive:
        for path in archive.namelist():
            inside = path.removeprefix(MODELS)
            if path.startswith(MODELS) and inside.endswith(".py") and "/" not in inside:
                yield from _model(archive.read(path).decode())


def _model(source: str) -> Iterator[tuple[str, Model]]:
    enumeration = ENUMERATION.search(source)
    if enumeration is not None:
        yield _named(enumeration[1]), Model(members=MEMBER.findall(source))
        return
    found = MODEL.search(source)
    if found is None:
        return
    bases = [_named(each.strip()) for each in found[2].split(",") if each.strip() not in NO_BASES]
    said = ODATA_TYPE.search(source)
    model = Model(base=bases[0] if bases else "")
    written_as_one = set(FLAGS.findall(source))
    for name, reader, argument in READER.findall(source):
        model.properties[name] = _type(reader, argument, is_one=name in written_as_one)
        if reader == "get_collection_of_enum_values" and name in written_as_one:
            model.flags.add(_named(argument))
    yield said[1] if said is not None else _named(found[1]), model


def _type(reader: str, argument: str, *, is_one: bool) -> str:
    if reader in PRIMITIVES:
        return PRIMITIVES[reader]
    if reader == "get_collection_of_primitive_values":
        return f"Collection({ELEMENTS.get(argument, 'Edm.DateTimeOffset')})"
    name = _named(argument)
    return name if is_one or not reader.startswith("get_collection") else f"Collection({name})"


def _named(class_name: str) -> str:
    return class_name[:1].lower() + class_name[1:]


def _derived(types: dict[str, Any], models: dict[str, Model]) -> set[str]:
    """Beta's members of the families that the schema has."""
    found: set[str] = set()
    size = -1
    while size < len(found):
        size = len(found)
        for name, model in models.items():
            is_known = model.base in found or (model.base in types and model.base not in NO_FAMILIES)
            if is_known and name not in types:
                found.add(name)
    return found


def _merged(
    entry: dict[str, Any], model: Model, models: dict[str, Model], *, several: bool
) -> dict[str, Any]:
    if model.members:
        members = [*entry.get("members", ()), *model.members]
        flags = entry.get("flags", False) if entry else several
        return {**entry, "members": list(dict.fromkeys(members)), **({"flags": True} if flags else {})}
    properties, navigation = dict(entry.get("properties", {})), dict(entry.get("navigation", {}))
    is_new = not entry
    for each, kind in model.properties.items():
        if each == "id":
            continue
        if _is_entity(kind, models):
            if is_new:
                navigation.setdefault(each, kind)
        elif each not in navigation and (each not in properties or properties[each] == "Edm.Untyped beta"):
            properties[each] = f"{kind} beta"
    base = {"base": model.base} if is_new and model.base else {}
    result = {**base, **entry, "properties": properties}
    return {**result, "navigation": navigation} if navigation else result


def _is_entity(kind: str, models: dict[str, Model]) -> bool:
    name = kind.removeprefix("Collection(").removesuffix(")")
    while name in models:
        if name == "entity":
            return True
        name = models[name].base
    return name == "entity"


def _own_types(entry: dict[str, Any]) -> Iterator[str]:
    for declaration in entry.get("properties", {}).values():
        yield declaration.split()[0].rstrip("!").removeprefix("Collection(").removesuffix(")")
