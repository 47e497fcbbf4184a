"""Formats differences for display: one row per field, members of sets marked, names next to IDs. Used by the
pages of changes and rollbacks. Looks up names; everything else comes from the caller.
"""

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from changes.diff.structural import FieldChange
from changes.severity import reference
from snapshots.canonical.form import canonical_bytes
from snapshots.catalog import words
from snapshots.collection import principals
from tenants.models import Tenant

Mark = Literal["", "added", "removed"]
Names = Mapping[str, str]

SHOWN_UNCHANGED = 6
"""Maximum number of unchanged members of a set to show; the rest is counted."""
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True)
class Item:
    """One value, or one member of a set."""

    text: str
    name: str = ""
    """The name of the object with the ID in `text`."""
    mark: Mark = ""
    multiline: bool = False


@dataclass(frozen=True)
class Cell:
    """One side of a row; `exists` is false if the field is not present."""

    items: tuple[Item, ...]
    unshown: int = 0
    exists: bool = True


@dataclass(frozen=True)
class Row:
    label: str
    path: str
    kind: str
    before: Cell
    after: Cell


def rows(fields: Iterable[FieldChange], names: Names) -> list[Row]:
    return [_row(field, names) for field in fields]


def names_in(tenant: Tenant, fields: Iterable[FieldChange]) -> Names:
    """The names of all IDs in these fields, in one lookup."""
    listed = list(fields)
    found = {text for field in listed for value in (field.before, field.after) for text in _ids(value)}
    found |= {match for field in listed for match in _guids(field.path)}
    if not found:
        return {}
    known = principals.names(tenant, found)
    return {**_permissions(found - known.keys()), **known}


def _permissions(ids: Collection[str]) -> Names:
    """Application permissions of Microsoft's own services."""
    return {
        role_id: permission.name
        for table in reference.APP_PERMISSIONS.values()
        for role_id, permission in table.items()
        if role_id in ids
    }


def _row(field: FieldChange, names: Names) -> Row:
    names = {**names, **_codes_in(field)}
    label = _label(field, names)
    if field.added or field.removed:
        before, after = _set_cells(field, names)
    else:
        before = _cell(field.before, names, exists=field.kind != "added", mark="removed")
        after = _cell(field.after, names, exists=field.kind != "removed", mark="added")
    return Row(label, field.path, field.kind, before, after)


def _codes_in(field: FieldChange) -> Names:
    """Display names of Microsoft's codes, for fields known to contain such codes."""
    last = re.sub(r"\[.*?\]", "", field.path).rpartition(".")[2]
    in_words = _CODES.get(last)
    if in_words is None:
        return {}
    return {
        code.lower(): called
        for value in (field.before, field.after)
        for code in (value if isinstance(value, list) else [value])
        if isinstance(code, str) and (called := in_words(code)) != code
    }


_CODES: Mapping[str, Callable[[str], str]] = {
    "allowedCombinations": words.combination,
    "appliesToCombinations": words.combination,
    "countriesAndRegions": words.country_name,
    "countryLetterCode": words.country_name,
    "usageLocation": words.country_name,
}


def _label(field: FieldChange, names: Names) -> str:
    """An element of a keyed set is shown by its own name, otherwise by the name of the object in its key."""
    element = field.after if field.kind == "added" else field.before
    label = _GUID.sub(lambda match: names.get(match[0].lower(), match[0]), field.label) or "Object"
    if isinstance(element, dict) and isinstance(element.get("displayName"), str) and field.path.endswith("]"):
        holder, _, _ = label.rpartition(" / ")
        return f"{holder} / {element['displayName']}" if holder else label
    return label


def _set_cells(field: FieldChange, names: Names) -> tuple[Cell, Cell]:
    old, new = _members(field.before), _members(field.after)
    went, came = _keys(field.removed), _keys(field.added)
    before = _marked(old, went, "removed", names, exists=field.before is not None)
    return before, _marked(new, came, "added", names, exists=field.after is not None)


def _marked(members: Sequence[Any], moved: set[bytes], mark: Mark, names: Names, *, exists: bool) -> Cell:
    changed = [_item(member, names, mark) for member in members if canonical_bytes(member) in moved]
    same = [_item(member, names) for member in members if canonical_bytes(member) not in moved]
    shown = same if len(same) <= SHOWN_UNCHANGED + 1 else same[:SHOWN_UNCHANGED]
    return Cell((*changed, *shown), unshown=len(same) - len(shown), exists=exists)


def _cell(value: Any, names: Names, *, exists: bool, mark: Mark) -> Cell:
    if not exists:
        return Cell((), exists=False)
    if isinstance(value, list) and value and not any(isinstance(member, dict | list) for member in value):
        return Cell(tuple(_item(member, names, mark) for member in value))
    return Cell((_item(value, names, mark),))


def _item(value: Any, names: Names, mark: Mark = "") -> Item:
    if isinstance(value, str):
        return Item(value or "(empty)", names.get(value.lower(), ""), mark)
    if isinstance(value, dict | list) and value:
        return Item(
            json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True), mark=mark, multiline=True
        )
    text = json.dumps(value)
    return Item(_WORDS.get(text, text), mark=mark)


_WORDS = {"null": "(not set)", "[]": "(none)", "{}": "(empty)", "true": "yes", "false": "no"}


def _members(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _keys(members: Iterable[Any]) -> set[bytes]:
    return {canonical_bytes(member) for member in members}


def _ids(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if _GUID.fullmatch(value):
            yield value.lower()
    elif isinstance(value, list):
        for member in value:
            yield from _ids(member)
    elif isinstance(value, dict):
        for member in value.values():
            yield from _ids(member)


def _guids(path: str) -> Iterator[str]:
    return (match[0].lower() for match in _GUID.finditer(path))
