"""Another value for a property that the published schema allows: what an intruder might write there."""

import base64
from typing import Any

from lavawall.emulator import schema

_OTHER: dict[str, Any] = {
    "Edm.DateTimeOffset": "2031-03-04T05:06:07Z",
    "Edm.Date": "2031-03-04",
    "Edm.Duration": "PT3H",
    "Edm.TimeOfDay": "03:04:05.0000000",
    "Edm.Guid": "9f0c7f0e-5c5c-4b7a-9a5f-2f5b4d6a7c81",
    "Edm.Binary": base64.b64encode(b"planted").decode(),
    "Edm.Untyped": "planted",
}
_DEEPEST = 3


def varied(subject: dict[str, Any], name: str, declared: str) -> Any:
    """A value for the property that differs from the subject's own."""
    owner = schema.type_of(subject, declared)
    return _varied(subject.get(name), owner.properties[name])


def _varied(value: Any, declared: schema.Property, depth: int = 0) -> Any:
    if declared.is_collection:
        return [*(value or []), _made(declared, depth)]
    kind = declared.type
    if kind == "Edm.Boolean":
        return not value
    if kind == "Edm.String":
        return f"{value or 'planted'} too"
    if kind in {"Edm.Int32", "Edm.Int64", "Edm.Double", "Edm.Single"}:
        return (value or 0) + 1
    if kind.startswith("Edm."):
        return _OTHER[kind]
    owner = schema.type_named(kind)
    if owner.is_enum:
        return next(each for each in owner.members if each not in {value, "unknownFutureValue"})
    return _complex(value, kind, depth)


def _complex(value: Any, declared: str, depth: int) -> Any:
    """The value with every plain member changed; a new instance where there is none."""
    if not isinstance(value, dict):
        return _instance(declared, depth)
    actual = schema.type_of(value, declared)
    changed = {name: each for name, each in value.items() if not _is_noise(name)}
    for name, each in actual.properties.items():
        plain = each.is_primitive or schema.type_named(each.type).is_enum if _known(each.type) else False
        if plain and not each.is_collection and not each.read_only and not each.beta and name in value:
            changed[name] = _varied(value[name], each, depth + 1)
    return changed


def _instance(declared: str, depth: int) -> dict[str, Any]:
    actual = next(each for each in schema.subtypes(declared) if not each.abstract)
    made: dict[str, Any] = {} if actual.name == declared else {"@odata.type": actual.odata_type}
    for name, each in actual.properties.items():
        if each.read_only or each.beta or each.type == "Edm.Stream" or not _known(each.type):
            continue
        if each.is_primitive or schema.type_named(each.type).is_enum:
            made[name] = [_made(each, depth)] if each.is_collection else _made(each, depth)
        elif depth < _DEEPEST and not each.nullable:
            made[name] = [] if each.is_collection else _instance(each.type, depth + 1)
    return made


def _made(declared: schema.Property, depth: int) -> Any:
    single = schema.Property(declared.name, declared.type)
    if not declared.is_primitive and _known(declared.type) and not schema.type_named(declared.type).is_enum:
        return _instance(declared.type, depth + 1)
    return _varied(None, single, depth)


def _known(kind: str) -> bool:
    return kind.startswith("Edm.") or schema.exists(kind)


def _is_noise(name: str) -> bool:
    return "@odata." in name and name != "@odata.type"
