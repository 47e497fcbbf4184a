"""The canonical form: equal states have equal values, regardless of key order, set order, nulls and letter
case. A text whose canonical spelling differs from Microsoft's keeps the original
(`snapshots.canonical.spelling`), which comparisons ignore. Called for every collected object and by all
comparisons. Never reads a database, clock or setting.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from snapshots.canonical.spelling import with_original_spelling
from snapshots.catalog.declared_types import NAMESPACE, declared_type
from snapshots.catalog.normalisers import NORMALISERS
from snapshots.catalog.places import ELEMENT, ODATA_TYPE, ROOT, Path, rules_at
from snapshots.catalog.spec import AZURE_ID, GUID, Document, ResourceType, SetOf
from snapshots.collection.errors import IncompleteObject

_ANNOTATION = re.compile(r"@(odata|microsoft\.graph)\.")
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)", re.IGNORECASE)


def canonicalise(raw: Mapping[str, Any], spec: ResourceType) -> Document:
    """The document of an object as returned by Graph. Applied to a document, it returns the same document."""
    return _object(spec.comparison.normalise_raw(dict(raw)), ROOT, spec, spec.entity)


def canonical_bytes(document: Any) -> bytes:
    """The bytes that are stored and hashed. Two states are equal if these bytes are equal."""
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def resource_id(raw: Mapping[str, Any], spec: ResourceType) -> str:
    """The identity of an object: its ID or natural key, or the type's key for a singleton."""
    if spec.read.singleton:
        return spec.key
    values = [raw.get(name) for name in spec.identity.properties]
    if not all(isinstance(value, str) and value for value in values):
        raise IncompleteObject(
            f"An object of type {spec.key} has no {' and '.join(spec.identity.properties)}, which identifies it. "
            "Read the type again. If the problem persists, the API returns a format that the catalogue "
            "does not know."
        )
    return "|".join(_text(str(value)) for value in values)


def _value(value: Any, path: Path, spec: ResourceType, declared_as: str) -> Any:
    if isinstance(value, Mapping):
        return _object(value, path, spec, declared_as)
    if isinstance(value, list):
        declared = rules_at(spec, path).set_of
        elements = [_value(element, (*path, ELEMENT), spec, declared_as) for element in value]
        return elements if declared is None else _set(elements, declared)
    if isinstance(value, str):
        return _string(value, path, spec)
    return value


def _object(raw: Mapping[str, Any], path: Path, spec: ResourceType, declared_as: str) -> Document:
    """`declared_as` is the type that Microsoft declares for the value; an `@odata.type` that repeats it is
    dropped.
    """
    nested_fields = rules_at(spec, path).nested_fields
    named = raw.get(ODATA_TYPE)
    own_type = _type_name(named).removeprefix(NAMESPACE) if isinstance(named, str) else declared_as
    document: Document = {}
    for key in sorted(raw):
        inside = (*path, key)
        if _is_annotation(key, spec) or (nested_fields is not None and key not in nested_fields):
            continue
        rule = rules_at(spec, inside)
        if rule.dropped or (key == ODATA_TYPE and path and own_type == declared_as):
            continue
        value = _value(raw[key], inside, spec, declared_type(own_type, key))
        if value is None or (rule.default is not None and value == rule.default):
            continue
        if value == {} or (value == [] and rule.set_of is not None):
            continue
        document[key] = value
    return document


def _is_annotation(key: str, spec: ResourceType) -> bool:
    """Protocol keys, annotations of other properties (`members@odata.context`) and advertised actions."""
    if spec.on_azure or key == ODATA_TYPE or (spec.comparison.typed_values and key.endswith(ODATA_TYPE)):
        return False
    return key.startswith(("@", "#")) or _ANNOTATION.search(key) is not None


def _set(elements: list[Any], declared: SetOf) -> list[Any]:
    """Sorted, without duplicates and empty elements."""
    distinct = {
        canonical_bytes(element): element for element in elements if element is not None and element != {}
    }
    return [
        element
        for _, element in sorted(distinct.items(), key=lambda item: (_rank(item[1], declared), item[0]))
    ]


def _rank(element: Any, declared: SetOf) -> tuple[int, float, bytes]:
    """Numbers by value; text by its bytes; objects by their key."""
    if isinstance(element, Mapping):
        return (2, 0, canonical_bytes(list(declared.key_of(element))))
    if isinstance(element, (int, float)) and not isinstance(element, bool):
        return (0, element, b"")
    return (1, 0, canonical_bytes(element))


def _string(value: str, path: Path, spec: ResourceType) -> str | None:
    key = path[-1]
    if key == ODATA_TYPE:
        return _type_name(value)
    normaliser = rules_at(spec, path).normaliser
    if normaliser is not None:
        compared = NORMALISERS[normaliser](value)
    else:
        compared = _instant(value) if key.endswith("DateTime") else _text(value)
    return None if compared is None else with_original_spelling(compared, value)


def _text(value: str) -> str:
    """GUIDs and IDs of Azure resources are compared case-insensitively; all other text is compared exactly."""
    return value.lower() if GUID.fullmatch(value) or AZURE_ID.match(value) else value


def _type_name(value: str) -> str:
    name = value.removeprefix("#")
    return f"#{name}" if "." in name else f"#microsoft.graph.{name}"


def _instant(value: str) -> str:
    found = _INSTANT.fullmatch(value)
    if found is None:
        return value
    try:
        instant = datetime.fromisoformat(found[1] + found[2].upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return value
    return f"{instant.replace(tzinfo=None).isoformat()}Z"
