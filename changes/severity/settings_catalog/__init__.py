"""What the protective settings of Intune's Settings Catalog mean, as data: one module for each area."""

import re
from collections.abc import Iterator
from functools import cache

from changes.severity.model import Direction
from changes.severity.settings_catalog import apple, defender, firewall_rules, hardening, linux, windows
from changes.severity.settings_catalog.instances import values_by_setting
from changes.severity.settings_catalog.vocabulary import Declared, Effect, short_id
from snapshots.catalog.spec import Document

DECLARED: tuple[Declared, ...] = (
    *defender.SETTINGS,
    *windows.SETTINGS,
    *hardening.SETTINGS,
    *apple.SETTINGS,
    *linux.SETTINGS,
)


@cache
def declared(definition_id: str) -> Declared | None:
    """None if the meaning of the setting is not declared."""
    short = short_id(definition_id)
    exact = _exact().get(short)
    return exact or next((each for pattern, each in _patterns() if pattern.fullmatch(short)), None)


def effects(before: Document | None, after: Document | None) -> Iterator[Effect]:
    """The effect of a policy change on each setting with a declared meaning."""
    old, new = values_by_setting(before), values_by_setting(after)
    for name in sorted(old.keys() | new.keys()):
        setting = declared(name)
        effect = setting.effect(old.get(name, []), new.get(name, [])) if setting else None
        if effect is not None:
            yield effect
    yield from firewall_rules.effects(before, after)


def unknown_changes(before: Document | None, after: Document | None) -> list[str]:
    """The IDs of changed settings without a declared meaning. A group is identified by its children."""
    old, new = values_by_setting(before), values_by_setting(after)
    explained = any(firewall_rules.effects(before, after))
    return [
        name
        for name in sorted(old.keys() | new.keys())
        if old.get(name, []) != new.get(name, [])
        and declared(name) is None
        and not (explained and short_id(name).startswith(firewall_rules.GROUP))
    ]


def protections(document: Document | None) -> list[Effect]:
    """The severity of losing the whole policy."""
    return [effect for effect in effects(document, None) if effect.direction is Direction.WEAKENS]


@cache
def _exact() -> dict[str, Declared]:
    return {each.id: each for each in DECLARED if "*" not in each.id}


@cache
def _patterns() -> list[tuple[re.Pattern[str], Declared]]:
    return [
        (re.compile(".*".join(map(re.escape, each.id.split("*")))), each)
        for each in DECLARED
        if "*" in each.id
    ]
