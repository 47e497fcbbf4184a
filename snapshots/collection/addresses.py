"""Builds the paths and query parameters of an object from its identity. Pure."""

import re
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import quote

from snapshots.catalog.spec import AZURE_ID, Document, ResourceType
from snapshots.collection.errors import IncompleteObject

_FIELD = re.compile(r"\{(\w+)\}")


def address(spec: ResourceType, object_id: str, document: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Values for the placeholders in a type's paths: texts of the document, the parts of a composed ID, `id`
    and, for Azure, the object's collection (`scope`), `subscription` and `name`.
    """
    values = {name: value for name, value in (document or {}).items() if isinstance(value, str)}
    values["id"] = object_id
    parts = object_id.split("|")
    if len(parts) == len(spec.identity.properties) > 1:
        values |= dict(zip(spec.identity.properties, parts, strict=True))
    if AZURE_ID.match(object_id):
        scope, _, name = object_id.rpartition("/")
        values = {"name": name, **values, "scope": scope, "subscription": object_id.split("/")[2]}
    return values


def present_identity(spec: ResourceType, object_id: str, document: Mapping[str, Any]) -> str:
    """A composed ID, with parts taken from the document where it contains them. Other IDs are returned
    unchanged.
    """
    parts = object_id.split("|")
    if len(parts) != len(spec.identity.properties) or len(parts) == 1:
        return object_id
    return "|".join(
        str(document.get(name) or part) for name, part in zip(spec.identity.properties, parts, strict=True)
    )


def expand_path(template: str, values: Mapping[str, str], later: Collection[str] = ()) -> str:
    """The path with its placeholders filled in and percent-encoded; an Azure ID keeps its slashes. Values
    that are only known `later` stay placeholders.
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
    """Query parameters with their placeholders filled in, quoted for OData."""
    return {
        name: _FIELD.sub(lambda match: values.get(match[1], "").replace("'", "''"), text)
        for name, text in params.items()
    }


def with_location(spec: ResourceType, raw: Document, values: Mapping[str, str]) -> Document:
    """The object with its location properties, which the service's response omits."""
    known = {**values, spec.read.id_key: raw.get("id")}
    return {**raw, **{name: known[name] for name in sorted(spec.addressing) if known.get(name)}}


def location_of(spec: ResourceType, raw: Mapping[str, Any] | None) -> dict[str, str]:
    """The properties that locate an object."""
    return {name: str(raw[name]) for name in sorted(spec.addressing) if raw is not None and raw.get(name)}


def at(value: Any, path: str) -> Any:
    """The value at a dotted path of keys, or None."""
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def with_value(document: Document, path: str, value: Any) -> Document:
    """The document with a different value at a dotted path; None removes the key."""
    head, _, rest = path.partition(".")
    inner = value if not rest else with_value(document.get(head) or {}, rest, value)
    remaining = {name: each for name, each in document.items() if name != head}
    return remaining if inner is None else {**remaining, head: inner}
