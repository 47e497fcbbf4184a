"""Every body that a plan would send fits Microsoft's published schema: no computed property, no unknown one, the right
types. For objects made from the schema, and for documented ones.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from rollbacks.planning import bodies
from snapshots import catalog
from snapshots.canonical.form import canonicalise
from snapshots.catalog.places import ODATA_TYPE
from snapshots.catalog.spec import Document, ResourceType
from tests.facts import derived
from tests.snapshots import published as facts

SPECS = [spec for spec in catalog.all_types() if spec.read.service != "arm"]
_COLLECTION = re.compile(r"Collection\((.*)\)")
_PLAIN: dict[str, type | tuple[type, ...]] = {
    "Edm.Boolean": bool,
    "Edm.Int32": int,
    "Edm.Int64": int,
    "Edm.Double": (int, float),
    "Edm.Single": (int, float),
}
CONTRADICTED = {
    "domain/3.json": "supportedServices is a text where the schema has a list",
    "deviceConfiguration/157.json": "associatedDomains holds objects where the schema has texts",
}
"""Documented responses that are not what the schema says."""
MARKED_READ_ONLY = frozenset({"unifiedRoleDefinition"})
"""The schema marks all of it as read-only, because a built-in one is."""


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.key)
def test_what_a_plan_would_send_fits_the_schema(spec: ResourceType) -> None:
    _fit_the_schema(spec, facts.examples(spec))


@pytest.mark.facts
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.key)
def test_what_a_plan_would_send_for_a_documented_object_fits_the_schema(spec: ResourceType) -> None:
    _fit_the_schema(spec, (each for each in facts.documented(spec) if each[0] not in CONTRADICTED))


def _fit_the_schema(spec: ResourceType, objects: Iterable[tuple[str, Document]]) -> None:
    for name, raw in objects:
        document = canonicalise(_of_today(raw, facts.entity(spec)), spec)
        for kind, body in _bodies(spec, document):
            entity = _entity_of(spec, kind, body)
            said = {name.lower() for name in _said_to_be_written(spec, kind)}
            sent = {key: value for key, value in body.items() if key.lower() not in said}
            problems = list(_problems(sent, entity, ""))
            assert not problems, (name, kind, problems)


def _said_to_be_written(spec: ResourceType, kind: str) -> set[str]:
    """Properties that the schema calls computed and Microsoft's own examples send; and ids that a create chooses."""
    written = set(derived("written").get(spec.key, ()))
    asks = kind == "create" or spec.restore.update.method == "POST"
    return written | ({*spec.identity.properties, *spec.restore.create.only} if asks else set())


def _of_today(value: Any, declared: str) -> Any:
    """Without the members that Microsoft renamed or retired since the example was written."""
    collection = _COLLECTION.fullmatch(declared)
    if collection is not None and isinstance(value, list):
        return [_of_today(element, collection[1]) for element in value]
    if not isinstance(value, dict) or declared not in facts.schema():
        return value
    actual = str(value.get(ODATA_TYPE, "")).removeprefix("#").removeprefix("microsoft.graph.")
    kind = actual if actual in facts.schema() else declared
    properties = facts.properties(kind)
    return {
        name: _of_today(inner, properties[name]["type"]) if name in properties else inner
        for name, inner in value.items()
        if "@" in name or name in properties or facts.is_known(kind, (name,))
    }


def _bodies(spec: ResourceType, document: Document) -> Iterator[tuple[str, Any]]:
    if spec.restore.create.path is not None:
        yield "create", bodies.create_body(spec, document)
    if spec.restore.update.path is not None:
        names = tuple(name for name in sorted(document) if spec.writes(name))
        yield "update", bodies.update_body(spec, {}, document, names)


def _entity_of(spec: ResourceType, kind: str, body: Document) -> str:
    """Schedules are written by requests, which are a type of their own."""
    declared = facts.entity(spec)
    return f"{declared}Request" if "action" in body and f"{declared}Request" in facts.schema() else declared


def _problems(value: Any, declared: str, where: str) -> Iterator[str]:
    collection = _COLLECTION.fullmatch(declared)
    if collection is not None:
        if not isinstance(value, list):
            yield f"{where}: {value!r} is no list"
            return
        for element in value:
            yield from _problems(element, collection[1], f"{where}[]")
    elif value is None or declared == "?":
        return
    elif declared.startswith("Edm."):
        expected = _PLAIN.get(declared, str)
        if not isinstance(value, expected) or (expected is int and isinstance(value, bool)):
            yield f"{where}: {value!r} is no {declared}"
    elif facts.schema().get(declared, {}).get("kind") == "enum":
        if not isinstance(value, str):
            yield f"{where}: {value!r} is no word of {declared}"
    elif not isinstance(value, dict):
        yield f"{where}: {value!r} is no {declared}"
    elif declared in facts.schema():
        yield from _members(value, declared, where)


def _members(value: Document, declared: str, where: str) -> Iterator[str]:
    actual = str(value.get(ODATA_TYPE, "")).removeprefix("#microsoft.graph.")
    properties = facts.properties(actual if actual in facts.schema() else declared)
    for name, inner in value.items():
        if name == ODATA_TYPE or "@odata." in name:
            continue
        at = f"{where}.{name}" if where else name
        found = properties.get(name)
        if found is None:
            if not facts.is_known(actual or declared, (name,)):
                yield f"{at}: {declared} has no such property"
        elif found.get("readOnly") and declared not in MARKED_READ_ONLY:
            yield f"{at}: is computed"
        else:
            yield from _problems(inner, found["type"], at)
