"""The settings in a Settings Catalog policy, including nested ones. Pure; accepts any JSON."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from changes.severity.readers import rows, text
from changes.severity.settings_catalog.vocabulary import Value
from snapshots.catalog.spec import Document


def values_by_setting(document: Document | None) -> dict[str, list[Value]]:
    """Definition ID → all values in the policy, in order. Groups that only contain other settings have none.
    An option is identified by the suffix of its ID: `…_block` of `…_rule_block` is `block`.
    """
    return _collected(row.get("settingInstance") for row in rows(document, "settings"))


def setting_values(group: Mapping[str, Any]) -> dict[str, list[Value]]:
    """The same for the children of one group."""
    return _collected(_listed(group, "children"))


def _collected(instances: Iterable[Any]) -> dict[str, list[Value]]:
    found: dict[str, list[Value]] = {}
    for instance in instances:
        for name, values in _walk(instance):
            found.setdefault(name, []).extend(values)
    return found


def _walk(instance: Any) -> Iterator[tuple[str, list[Value]]]:
    if not isinstance(instance, Mapping):
        return
    name = text(dict(instance), "settingDefinitionId").casefold()
    choices = [instance.get("choiceSettingValue"), *_listed(instance, "choiceSettingCollectionValue")]
    simple = [instance.get("simpleSettingValue"), *_listed(instance, "simpleSettingCollectionValue")]
    groups = [instance.get("groupSettingValue"), *_listed(instance, "groupSettingCollectionValue")]
    if name:
        options = [_option(name, value) for value in _values(choices) if isinstance(value, str)]
        yield name, [*options, *(value for value in _values(simple) if isinstance(value, Value))]
    for holder in (*choices, *groups):
        if isinstance(holder, Mapping):
            for child in _listed(holder, "children"):
                yield from _walk(child)


def _option(name: str, value: str) -> str:
    return value.casefold().removeprefix(f"{name}_")


def _values(holders: list[Any]) -> Iterator[Any]:
    for holder in holders:
        if isinstance(holder, Mapping) and "value" in holder:
            yield holder["value"]


def _listed(holder: Mapping[str, Any], key: str) -> list[Any]:
    value = holder.get(key)
    return value if isinstance(value, list) else []
