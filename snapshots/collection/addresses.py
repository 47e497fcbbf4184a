"""Where an object of a type is found: its paths and query parameters, filled with what identifies it. Pure."""

import re
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import quote

from snapshots.catalog.spec import AZURE_ID, Document, ResourceType
from snapshots.collection.errors import IncompleteObject

_FIELD = re.compile(r"\{(\w+)\}")


def address(spec: ResourceType, object_id: str, document: Mapping[str, Any] | None = None) -> dict[str, str]:
    """What the placeholders of a type's paths stand for: texts of the document, the parts of a composed id, `id` and,
    for Azure, the collection (`scope`) and the `subscription` that the object is in, and its `name` there.
    """
    values = {name: value for name, value in (document or {}).items() if isinstance(value, str)}
    values["id"] = object_id
    parts = object_id.split("|")
    if len(parts) == len(spec.identity) > 1:
        values |= dict(zip(spec.identity, parts, strict=True))
    if AZURE_ID.match(object_id):
        scope, _, name = object_id.rpartition("/")
        values = {"name": name, **values, "scope": scope, "subscription": object_id.split("/")[2]}
    return values


def present_identity(spec: ResourceType, object_id: str, document: Mapping[str, Any]) -> str:
    """A composed id with those of its parts that the document holds as they are there; any other id as it is."""
    parts = object_id.split("|")
    if len(parts) != len(spec.identity) or len(parts) == 1:
        return object_id
    return "|".join(str(document.get(name) or part) for name, part in zip(spec.identity, parts, strict=True))


def expand_path(template: str, values: Mapping[str, str], later: Collection[str] = ()) -> str:
    """The path with its placeholders filled, percent-encoded; an Azure id keeps its slashes. What is only known `later`
    stays a placeholder.
    """

    def value(match: re.Match[str]) -> str:
        found = values.get(match[1])
        if not found and match[1] in later:
            return match[0]
        if not found:
            raise IncompleteObject(f"The path {template} needs {match[1]}, which the object does not have.")
        return quote(found, safe="/" if AZURE_ID.match(found) else "")

    return _FIELD.sub(value, template)


def expand_params(params: Mapping[str, str], values: Mapping[str, str]) -> dict[str, str]:
    """Query parameters with their placeholders filled, as OData quotes text."""
    return {
        name: _FIELD.sub(lambda match: values.get(match[1], "").replace("'", "''"), text)
        for name, text in params.items()
    }


def placed(spec: ResourceType, raw: Document, values: Mapping[str, str]) -> Document:
    """The object with the properties that say where it is, which the service's answer leaves out."""
    known = {**values, spec.read.id_key: raw.get("id")}
    return {**raw, **{name: known[name] for name in sorted(spec.addressing) if known.get(name)}}


def place_of(spec: ResourceType, raw: Mapping[str, Any] | None) -> dict[str, str]:
    """The properties that say where an object is."""
    return {name: str(raw[name]) for name in sorted(spec.addressing) if raw is not None and raw.get(name)}


def at(value: Any, path: str) -> Any:
    """The value at a dotted path of keys; None where there is none."""
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def with_value(document: Document, path: str, value: Any) -> Document:
    """The document with another value at a dotted path; None takes the key away."""
    head, _, rest = path.partition(".")
    inner = value if not rest else with_value(document.get(head) or {}, rest, value)
    kept = {name: each for name, each in document.items() if name != head}
    return kept if inner is None else {**kept, head: inner}
