"""What Microsoft publishes about a type: its schema, which the tests carry, and documented responses."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from lavawall.emulator import schema as emulated
from snapshots.catalog.places import ANY_DEPTH, ANY_KEY, ELEMENT, ODATA_TYPE
from snapshots.catalog.spec import Document, ResourceType
from tests import facts

_REQUEST = re.compile(r"\w+ (https://graph\.microsoft\.com)?(/v1\.0|/beta)?(?P<path>/[^?]*)")

DOCUMENTED_AS = {
    "keyVault": ("armKeyVault", ""),
    "managedIdentity": ("armUserAssignedIdentity", ""),
    "networkSecurityGroup": ("armNetworkSecurityGroup", ""),
    "adminReportSettings": ("adminSettings", "/reportSettings"),
    "insightsSettings": ("adminSettings", "/itemInsights"),
    "organizationalBrandingLocalization": ("organizationalBranding", "/localizations"),
    "profileCardProperty": ("adminSettings", "/profileCardProperties"),
}
"""Types whose responses are filed under another name: that name, and what their addresses have in common."""


def documented(spec: ResourceType) -> Iterator[tuple[str, Document]]:
    """Name and object of each documented response that shows the type. Only for tests with the mark `facts`."""
    for entry in facts.published("responses/index.json"):
        if _is_of(entry, spec) and not entry["placeholder_values"]:
            for raw in _objects(facts.published(f"responses/{entry['file']}"), spec):
                yield entry["file"], raw


def _is_of(entry: dict[str, Any], spec: ResourceType) -> bool:
    """By its type, or by the path of its request."""
    kind, at = DOCUMENTED_AS.get(spec.key, (spec.key, ""))
    if entry["type"] == kind and at in entry["request"]:
        return True
    found = _REQUEST.match(entry["request"])
    own = spec.read.path.removeprefix("/v1.0").removeprefix("/beta")
    path = found["path"].rstrip("/") if found else ""
    return path == own or path.rpartition("/")[0] == own


def _objects(body: Any, spec: ResourceType) -> Iterator[Document]:
    held = body.get("value", body) if isinstance(body, dict) else body
    for raw in held if isinstance(held, list) else [held]:
        if isinstance(raw, dict):
            yield raw
            yield from raw.get(spec.read.items_at or "", ())


@lru_cache(maxsize=1)
def schema() -> dict[str, Any]:
    return {name: _read(entry) for name, entry in facts.derived("schema").items()}


def _read(entry: dict[str, Any]) -> dict[str, Any]:
    return entry | {kind: _members(entry.get(kind, {})) for kind in ("properties", "navigation")}


def _members(types: dict[str, str]) -> dict[str, dict[str, Any]]:
    return {
        name: {"type": text.removesuffix(facts.READ_ONLY), "readOnly": text.endswith(facts.READ_ONLY)}
        for name, text in types.items()
    }


_SAMPLES: dict[str, Any] = {
    "Edm.Boolean": True,
    "Edm.Int32": 3,
    "Edm.Int64": 3,
    "Edm.Double": 1.5,
    "Edm.Single": 1.5,
    "Edm.Guid": "2b8c5b5e-8f0e-4c57-8a83-0d4fb2d4e001",
    "Edm.DateTimeOffset": "2026-03-04T05:06:07Z",
    "Edm.Duration": "PT8H",
}
_DEEPEST = 4


def examples(spec: ResourceType) -> Iterator[tuple[str, Document]]:
    """An object of the type and of each type derived from it, with a value in every place that the schema knows."""
    own = entity(spec)
    for kind in (own, *schema().get(own, {}).get("derived", ())):
        marked = {} if kind == own else {ODATA_TYPE: f"#microsoft.graph.{kind}"}
        yield kind, marked | _example(kind, 0)


def _example(kind: str, depth: int) -> Document:
    members = _properties_of_ancestors(kind)
    plain = {name: each["type"] for name, each in members.items() if name not in navigation(kind)}
    return {name: _sample(declared, depth) for name, declared in plain.items() if declared != "?"}


def _sample(declared: str, depth: int) -> Any:
    if declared.startswith("Collection("):
        element = _sample(_element_type({"type": declared}), depth)
        return [] if element is None else [element]
    found = schema().get(declared, {})
    if found.get("kind") == "enum":
        return found["members"][0]
    if found:
        return _example(declared, depth + 1) if depth < _DEEPEST else None
    return _SAMPLES.get(declared, "text" if declared.startswith("Edm.") else None)


def entity(spec: ResourceType) -> str:
    return spec.entity


def properties(name: str) -> dict[str, Any]:
    """A type's properties with those of its ancestors and of everything derived from it."""
    declared = schema().get(name, {})
    found: dict[str, Any] = {}
    if declared.get("base"):
        found |= _properties_of_ancestors(declared["base"])
    for family in (name, *declared.get("derived", ())):
        found |= _own_properties(family)
    return found


def _properties_of_ancestors(name: str) -> dict[str, Any]:
    declared = schema().get(name, {})
    inherited = _properties_of_ancestors(declared["base"]) if declared.get("base") else {}
    return inherited | _own_properties(name)


def _own_properties(name: str) -> dict[str, Any]:
    declared = schema().get(name, {})
    extra = (*declared.get("other_properties", ()), *declared.get("other_navigation", ()))
    return {
        **{extra_name: {"type": "?"} for extra_name in extra},
        **declared.get("navigation", {}),
        **declared.get("properties", {}),
    }


def navigation(name: str) -> set[str]:
    """Those of a type's properties that lead to other objects, with its ancestors' and its descendants'."""
    declared = schema().get(name, {})
    found = set(_navigation_of_ancestors(declared.get("base") or ""))
    for family in (name, *declared.get("derived", ())):
        found |= _own_navigation(family)
    return found


def _navigation_of_ancestors(name: str) -> set[str]:
    declared = schema().get(name, {})
    inherited = _navigation_of_ancestors(declared["base"]) if declared.get("base") else set()
    return inherited | _own_navigation(name)


def _own_navigation(name: str) -> set[str]:
    declared = schema().get(name, {})
    return {*declared.get("navigation", ()), *declared.get("other_navigation", ())}


def is_known(name: str, path: tuple[str, ...]) -> bool:
    """Whether the path exists, as far as the schema reaches."""
    if not path or path[0] in (ODATA_TYPE, ANY_DEPTH) or name not in schema():
        return True
    key, *rest = path
    known = properties(name)
    if not known or _only_beta_has(name, key):
        return True
    candidates = list(known) if key == ANY_KEY else [key]
    remaining = tuple(rest)
    while remaining and remaining[0] == ELEMENT:
        remaining = remaining[1:]
    return any(
        candidate in known and is_known(_element_type(known[candidate]), remaining)
        for candidate in candidates
    )


def _only_beta_has(name: str, key: str) -> bool:
    """The entity model names few of beta's properties; the emulator's schema has them from Microsoft's beta SDK."""
    return emulated.exists(name) and any(
        key in actual.properties and actual.properties[key].beta for actual in emulated.subtypes(name)
    )


def _element_type(declared: dict[str, Any]) -> str:
    return str(declared["type"]).removeprefix("Collection(").removesuffix(")")
