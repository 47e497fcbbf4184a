"""Whatever the published schema knows is accepted in a write: every word of every enumeration, every derived type, and
null wherever nothing forbids it. What exports of real tenants hold must not be refused by the emulated cloud.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from lavawall.emulator import registry, schema
from lavawall.emulator import types as _declared  # noqa: F401
from lavawall.emulator.model import EntityType
from lavawall.emulator.validation import checked_body
from tests.facts import derived

DEPTH = 3
FUTURE = "unknownFutureValue"
KINDS = [
    kind
    for kind in registry.KINDS.values()
    if {"create", "update", "replace"} & kind.verbs and schema.exists(kind.schema_name)
]


def accept(kind: EntityType, body: dict[str, Any]) -> None:
    """Raises GraphError where the body is refused."""
    rules = replace(kind.rules, required=())
    checked_body(body, kind.schema_name, rules, creating=True)


def concrete(name: str) -> list[schema.Type]:
    return [each for each in schema.subtypes(name) if not each.abstract]


def bodies(kind: EntityType) -> Iterator[dict[str, Any]]:
    for actual in concrete(kind.schema_name):
        is_plain = actual.name == kind.schema_name and not kind.rules.typed
        named = {} if is_plain else {"@odata.type": actual.odata_type}
        yield named
        for declared in actual.properties.values():
            if declared.name in kind.rules.computed or declared.name == "id" or declared.type == "Edm.Stream":
                continue
            if declared.read_only and declared.name not in kind.rules.writable:
                continue
            for value in values(declared):
                yield {**named, declared.name: value}


def values(declared: schema.Property, depth: int = 0) -> Iterator[Any]:
    """Null where it may be, and each word or derived type that can stand at the property."""
    if declared.nullable:
        yield None
    if declared.is_primitive or not schema.exists(declared.type):
        return
    for value in (
        words(declared.type) if schema.type_named(declared.type).is_enum else objects(declared.type, depth)
    ):
        yield [value] if declared.is_collection else value


def words(name: str) -> Iterator[str]:
    members = [each for each in schema.type_named(name).members if each != FUTURE]
    yield from members
    if schema.type_named(name).is_flags:
        yield ",".join(members)


def objects(name: str, depth: int) -> Iterator[dict[str, Any]]:
    for actual in concrete(name) if depth < DEPTH else ():
        named = {} if actual.name == name else {"@odata.type": actual.odata_type}
        yield named
        for declared in actual.properties.values():
            if not declared.read_only:
                yield from ({**named, declared.name: value} for value in values(declared, depth + 1))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_word_every_derived_type_and_null_is_accepted(kind: EntityType) -> None:
    seen = 0
    for body in bodies(kind):
        accept(kind, body)
        seen += 1
    assert seen


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("mobileApp", {"@odata.type": "#microsoft.graph.winGetApp", "packageIdentifier": "9WZDNCRFJ3PZ"}),
        (
            "mobileApp",
            {"@odata.type": "#microsoft.graph.macOSPkgApp", "includedApps": [{"bundleId": "com.example"}]},
        ),
        (
            "deviceConfiguration",
            {
                "@odata.type": "#microsoft.graph.windowsUpdateForBusinessConfiguration",
                "automaticUpdateMode": "windowsDefault",
            },
        ),
        (
            "deviceCompliancePolicy",
            {
                "@odata.type": "#microsoft.graph.androidDeviceOwnerCompliancePolicy",
                "localActions": [],
                "scheduledActionsForRule": [
                    {"scheduledActionConfigurations": [{"actionType": "remoteLock"}]}
                ],
            },
        ),
        (
            "conditionalAccessPolicy",
            {"sessionControls": {"blockSensitiveActions": None}, "conditions": {"times": None}},
        ),
        ("conditionalAccessPolicy", {"conditions": {"agentIdRiskLevels": "medium,high"}}),
    ],
)
def test_what_exports_of_real_tenants_hold_is_accepted(kind: str, body: dict[str, Any]) -> None:
    accept(registry.kind(kind), body)


def test_the_schema_holds_every_type_and_word_that_the_entity_model_publishes() -> None:
    published = derived("schema")
    lacking = [name for name in published if not schema.exists(name.removeprefix("microsoft.graph."))]
    words_lacking = {
        name: missing
        for name, entry in published.items()
        if name not in lacking
        and (
            missing := set(entry.get("members", ()))
            - set(schema.type_named(name.removeprefix("microsoft.graph.")).members)
        )
    }
    assert (lacking, words_lacking) == ([], {})
