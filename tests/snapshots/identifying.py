"""Which places of a type's documents hold, or may hold, the ids of other objects: by the published schema, by
documented responses and by the emulator's objects. What the first two tell is kept in `tests/data/identifiers.json`.
"""

import re
from collections.abc import Iterator
from typing import Any

from lavawall.emulator import schema
from snapshots import catalog
from snapshots.canonical.form import canonicalise
from snapshots.catalog.places import ELEMENT, Path, rules_at
from snapshots.catalog.spec import GUID, ResourceType
from tests.snapshots.published import documented, navigation, properties

_LOOKS_LIKE_AN_ID = re.compile(r"(^|[a-z])(id|ids|Id|Ids|ID|IDs|Guids?|guids?)$")
_LOOKS_LIKE_A_LIST = re.compile(r"(Members|Groups|Users|Roles|Templates|List|Recipients|Targets)$")
_UNKNOWN = "?"


def from_facts() -> dict[str, list[str]]:
    """Type → dotted places, as the published schema and documented responses have them."""
    found = {spec.key: set(_in_schema(spec)) for spec in catalog.all_types()}
    for spec in catalog.all_types():
        for _, raw in documented(spec):
            places = holding_guids(canonicalise(raw, spec))
            found[spec.key] |= {at for at in places if _is_its_own(spec, at[0])}
    return {key: sorted(".".join(at) for at in places) for key, places in sorted(found.items()) if places}


def holding_guids(value: Any, at: Path = ()) -> Iterator[Path]:
    """Every place whose text holds a GUID, alone or among other words."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from holding_guids(inner, (*at, key))
    elif isinstance(value, list):
        for element in value:
            yield from holding_guids(element, (*at, ELEMENT))
    elif isinstance(value, str) and GUID.search(value):
        yield at


def _in_schema(spec: ResourceType) -> Iterator[Path]:
    if not spec.on_azure:
        yield from _below(spec, spec.entity, (), ())


def _below(spec: ResourceType, name: str, at: Path, seen: tuple[str, ...]) -> Iterator[Path]:
    for key, facts in properties(name).items():
        kind = facts["type"]
        here = (*at, key)
        if not _is_held(spec, at, here) or (key in navigation(name) and not _is_followed(spec, key)):
            continue
        plain = kind
        while plain.startswith("Collection("):
            plain, here = plain.removeprefix("Collection(")[:-1], (*here, ELEMENT)
        if _may_identify(key, plain, is_list=here[-1] == ELEMENT):
            yield here
        elif not plain.startswith("Edm.") and plain not in seen:
            yield from _below(spec, plain, here, (*seen, plain))


def in_emulator(spec: ResourceType) -> Iterator[Path]:
    """By the schema of the emulator, which knows some types of Intune that the published one lacks."""
    if not spec.on_azure and schema.exists(spec.entity):
        yield from _emulated(spec, spec.entity, (), ())


def _emulated(spec: ResourceType, name: str, at: Path, seen: tuple[str, ...]) -> Iterator[Path]:
    for kind in schema.subtypes(name):
        followed = {key: each for key, each in kind.navigation.items() if _is_followed(spec, key)}
        for key, each in {**kind.properties, **followed}.items():
            here = (*at, key, ELEMENT) if each.is_collection else (*at, key)
            if not _is_held(spec, at, (*at, key)):
                continue
            if _may_identify(key, each.type, is_list=each.is_collection):
                yield here
            elif not each.is_primitive and schema.exists(each.type) and each.type not in seen:
                yield from _emulated(spec, each.type, here, (*seen, each.type))


def _may_identify(key: str, kind: str, *, is_list: bool) -> bool:
    """A GUID, any list of texts, and what has the name of an id; of what only the name is known, lists too."""
    if kind == _UNKNOWN:
        return bool(_LOOKS_LIKE_AN_ID.search(key) or _LOOKS_LIKE_A_LIST.search(key))
    return kind == "Edm.Guid" or (kind == "Edm.String" and (is_list or bool(_LOOKS_LIKE_AN_ID.search(key))))


def _is_held(spec: ResourceType, at: Path, here: Path) -> bool:
    """Whether documents hold the place at all: what nothing reads or keeps is not written either."""
    if (
        rules_at(spec, here).dropped
        or ".".join(each for each in here if each != ELEMENT) in spec.comparison.unread
    ):
        return False
    kept_there = rules_at(spec, at).nested_fields
    if kept_there is not None and here[-1] not in kept_there:
        return False
    selected = {**spec.read.params, **spec.read.item_params}.get("$select")
    return bool(at) or selected is None or here[0] in selected.split(",") or _is_followed(spec, here[0])


def _is_followed(spec: ResourceType, name: str) -> bool:
    """Whether the type reads what a navigation property leads to."""
    parameters = (spec.read.params, *(part.params for part in spec.parts))
    expanded = " ".join(each.get("$expand", "") for each in parameters)
    inner = (each.name for part in spec.parts for each in part.inner)
    return name in {*re.findall(r"\w+", expanded), *inner, *(part.name for part in spec.parts)}


def _is_its_own(spec: ResourceType, name: str) -> bool:
    """Responses that are filed under a type show other objects as well."""
    known = properties(spec.entity)
    return _is_held(spec, (), (name,)) and (name in known or spec.on_azure)
