"""The entity model of Microsoft Graph, read from data/schema.json. Used to check writes and complete reads."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"
NAMESPACE = "#microsoft.graph."
COLLECTION = re.compile(r"^Collection\((.*)\)$")


@dataclass(frozen=True)
class Property:
    """One property or navigation property as the published schema declares it."""

    name: str
    type: str
    is_collection: bool = False
    nullable: bool = True
    read_only: bool = False
    immutable: bool = False
    beta: bool = False
    """Known to the beta version only."""

    @property
    def is_primitive(self) -> bool:
        return self.type.startswith("Edm.")


@dataclass(frozen=True)
class Type:
    """An entity, complex or enumeration type; inherited properties are included."""

    name: str
    base: "Type | None"
    abstract: bool
    properties: dict[str, Property]
    navigation: dict[str, Property]
    members: tuple[str, ...] = ()
    is_flags: bool = False
    is_open: bool = False
    """Takes properties that the schema does not declare."""

    @cached_property
    def ancestry(self) -> tuple[str, ...]:
        return (self.name, *(self.base.ancestry if self.base else ()))

    @property
    def is_enum(self) -> bool:
        return bool(self.members)

    @property
    def odata_type(self) -> str:
        return NAMESPACE + self.name

    def is_a(self, name: str) -> bool:
        return name in self.ancestry


@cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((DATA / "schema.json").read_text())
    types: dict[str, Any] = document["types"]
    return types


def _property(name: str, declaration: str) -> Property:
    words = declaration.split()
    nullable = not words[0].endswith("!")
    type_name = words[0].rstrip("!")
    collection = COLLECTION.match(type_name)
    return Property(
        name=name,
        type=collection.group(1) if collection else type_name,
        is_collection=collection is not None,
        nullable=nullable,
        read_only="readOnly" in words,
        immutable="immutable" in words,
        beta="beta" in words,
    )


@cache
def type_named(name: str) -> Type:
    """The type of that name; KeyError for a name that the schema does not hold."""
    entry = _document()[name]
    base = type_named(entry["base"]) if "base" in entry else None
    own = {key: _property(key, text) for key, text in entry.get("properties", {}).items()}
    navigation = {key: _property(key, text) for key, text in entry.get("navigation", {}).items()}
    return Type(
        name=name,
        base=base,
        abstract=entry.get("abstract", False),
        properties={**(base.properties if base else {}), **own},
        navigation={**(base.navigation if base else {}), **navigation},
        members=tuple(entry.get("members", ())),
        is_flags=entry.get("flags", False),
        is_open=entry.get("open", False) or (base is not None and base.is_open),
    )


def exists(name: str) -> bool:
    return name in _document()


def subtypes(name: str) -> Iterator[Type]:
    """Every type that can stand where that type is declared, itself included."""
    return (type_named(each) for each in _document() if type_named(each).is_a(name))


def type_of(value: dict[str, Any], declared: str) -> Type:
    """The actual type of a stored value: its @odata.type where it has one, else the declared type."""
    named = str(value.get("@odata.type", "")).removeprefix(NAMESPACE)
    return type_named(named if exists(named) else declared)
