"""Published facts about Microsoft's API: the schema and documented responses.

They are looked for in the folder that LAVAWALL_FACTS names, or beside the repository.
"""

import json
import os
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from lavawall.emulator import schema as emulated
from snapshots.catalog.places import ANY_DEPTH, ANY_KEY, ELEMENT, ODATA_TYPE
from snapshots.catalog.spec import Document, ResourceType

BESIDE = Path(__file__).parents[2].parent / "shared" / "graph"
FACTS = Path(os.environ.get("LAVAWALL_FACTS", BESIDE))

needs_facts = pytest.mark.skipif(
    not (FACTS / "types.json").is_file(),
    reason=f"no facts about Microsoft's API in {FACTS}; set LAVAWALL_FACTS to the folder that holds types.json",
)

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
    folder = FACTS / "responses"
    for entry in json.loads((folder / "index.json").read_text(encoding="utf-8")):
        if _is_of(entry, spec) and not entry["placeholder_values"]:
            body = json.loads((folder / entry["file"]).read_text(encoding="utf-8"))
            for raw in _objects(body, spec):
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
    loaded: dict[str, Any] = json.loads((FACTS / "types.json").read_text(encoding="utf-8"))
    return loaded


def entity(spec: ResourceType) -> str:
    return spec.entity or spec.key


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
    extra = (
        *declared.get("beta_extra_properties", ()),
        *declared.get("beta_extra_navigation", ()),
        *declared.get("names", {}).get("properties", ()),
        *declared.get("names", {}).get("navigationProperties", ()),
    )
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
    names = declared.get("names", {}).get("navigationProperties", ())
    return {*declared.get("navigation", ()), *declared.get("beta_extra_navigation", ()), *names}


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


def _element_type(facts: Any) -> str:
    kind = facts["type"] if isinstance(facts, dict) else str(facts)
    return str(kind).removeprefix("Collection(").removesuffix(")")
