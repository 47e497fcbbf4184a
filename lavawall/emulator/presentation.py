"""Turns stored records into what a GET returns: computed members, nulls, $select, $expand and Graph's loose order."""

import random
from dataclasses import dataclass
from typing import Any

from lavawall.emulator import registry, schema
from lavawall.emulator.model import EntityType
from lavawall.emulator.spelling import respelling
from lavawall.emulator.store import DIRECTORY_OBJECT_TYPES, Json, Record, Session

NULL_DROP_RATE = 0.3
LARGEST_EXPANSION = 20
_ZERO = {"Edm.Boolean": False, "Edm.Int32": 0, "Edm.Int64": 0, "Edm.Double": 0, "Edm.Single": 0}


@dataclass(frozen=True)
class Variation:
    """How one response differs from the last though nothing changed; none when shuffling is off."""

    source: random.Random | None
    version: str = "beta"

    def shuffled(self, items: list[Any]) -> list[Any]:
        return self.source.sample(items, len(items)) if self.source else items

    def drops_null(self) -> bool:
        return self.source is not None and self.source.random() < NULL_DROP_RATE


def variation_of(session: Session) -> Variation:
    source = session.randomness.fork() if session.options.shuffle else None
    return Variation(source, session.version)


@dataclass
class View:
    """One record being presented: hooks of a type may complete or hide members of `body`."""

    session: Session
    record: Record
    body: Json
    select: tuple[str, ...]
    single: bool


def _unset(declared: schema.Property) -> Any:
    """What a member reads as that nobody ever set."""
    if declared.is_collection:
        return []
    if declared.nullable:
        return None
    if schema.exists(declared.type) and schema.type_named(declared.type).is_enum:
        return schema.type_named(declared.type).members[0]
    return _ZERO.get(declared.type)


def _presented(value: Any, declared: schema.Property, vary: Variation, ordered: frozenset[str]) -> Any:
    if isinstance(value, list):
        items = [_presented(item, declared, vary, ordered) for item in value]
        return items if declared.name in ordered else vary.shuffled(items)
    if isinstance(value, dict) and schema.exists(declared.type):
        return _completed(value, schema.type_of(value, declared.type), vary, ordered)
    if (
        isinstance(value, str)
        and ", " in value
        and not declared.is_primitive
        and schema.exists(declared.type)
    ):
        return ", ".join(vary.shuffled(value.split(", ")))
    if isinstance(value, str) and vary.source is not None:
        return respelling(value, declared, vary.source)
    return value


def _completed(value: Json, actual: schema.Type, vary: Variation, ordered: frozenset[str]) -> Json:
    """Every declared member of a complex value, unset ones as null, [] or missing."""
    complete: Json = {name: item for name, item in value.items() if "@odata." in name}
    if actual.is_open:
        complete |= {name: item for name, item in value.items() if name not in actual.properties}
    for name, declared in actual.properties.items():
        if declared.beta and (vary.version != "beta" or name not in value):
            continue
        item = value.get(name)
        if name not in value or item is None:
            item = _unset(declared)
        if item is None and vary.drops_null():
            continue
        complete[name] = _presented(item, declared, vary, ordered)
    for name, declared in actual.navigation.items():
        if name in value:
            complete[name] = _presented(value[name], declared, vary, ordered)
    return dict(vary.shuffled(list(complete.items())))


def present(
    session: Session,
    kind: EntityType,
    record: Record,
    *,
    select: tuple[str, ...] = (),
    expand: tuple[str, ...] = (),
    single: bool = False,
    polymorphic: bool = False,
) -> Json:
    """The record as Graph would show it to this session now."""
    vary = variation_of(session)
    actual = schema.type_of(record.body, kind.schema_name)
    view = View(session, record, dict(record.body), select, single)
    if kind.present is not None:
        kind.present(view)
    whole = _completed(view.body, actual, vary, kind.ordered)
    hidden = frozenset() if single else kind.single_only
    shown = {
        name: value
        for name, value in whole.items()
        if name not in hidden and _is_shown(name, kind, actual, select)
    }
    if polymorphic:
        shown["@odata.type"] = actual.odata_type
    for name in expand:
        if name in kind.expand:
            shown[name.split("(")[0]] = kind.expand[name](session, record)
        else:
            targets = next(link.targets for link in kind.links if link.name == name)
            shown[name] = shown_objects(session, list(record.links[name])[:LARGEST_EXPANSION], targets)
    return dict(vary.shuffled(list(shown.items())))


def shown_objects(
    session: Session, identifiers: list[str], types: tuple[str, ...] = DIRECTORY_OBJECT_TYPES
) -> list[Json]:
    """The objects behind ids, each with its type; ids of objects that are gone are left out."""
    found = [session.directory.directory_object(identifier, types) for identifier in identifiers]
    return [
        present(session, registry.kind(record.type_name), record, polymorphic=True)
        for record in found
        if record is not None
    ]


def _is_shown(name: str, kind: EntityType, actual: schema.Type, select: tuple[str, ...]) -> bool:
    if "@odata." in name:
        return True
    declared = actual.properties.get(name)
    if declared is not None and declared.type == "Edm.Stream":
        return False
    if select:
        return name in select
    if name in kind.on_request:
        return False
    return kind.default_select is None or name in kind.default_select
