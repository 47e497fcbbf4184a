"""The differences between two documents of a resource: a JSON Patch for machines, field changes for people.
Called when a snapshot is compared with its predecessor, and on demand. Never reads a database or clock.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

from changes.diff.alignment import Pair, align, match_set, staying
from snapshots.canonical.form import canonical_bytes, canonicalise
from snapshots.canonical.spelling import original
from snapshots.catalog.places import ELEMENT, ROOT, Path, parse, pointer, rules_at
from snapshots.catalog.spec import Document, ResourceType, SetOf
from snapshots.catalog.stream_values import described

Patch = list[dict[str, Any]]
Kind = Literal["added", "removed", "changed"]

_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_TYPE = re.compile(r"type=#microsoft\.graph\.(\w+)")


@dataclass(frozen=True)
class FieldChange:
    """One difference, for display. A set of scalars is one field with added and removed values."""

    path: str
    kind: Kind
    before: Any = None
    after: Any = None
    added: tuple[Any, ...] = ()
    removed: tuple[Any, ...] = ()

    @property
    def label(self) -> str:
        """`conditions.users.excludeUsers` → `Conditions / Users / Exclude users`."""
        return " / ".join(_words(self.path))


@dataclass(frozen=True)
class Difference:
    """The whole difference; false if both documents have the same state."""

    patch: Patch
    fields: tuple[FieldChange, ...]

    def __bool__(self) -> bool:
        return bool(self.patch)


def diff(before: Document | None, after: Document | None, spec: ResourceType) -> Difference:
    """The difference between two canonical documents; None if the resource does not exist on that side."""
    comparison = _Comparison(spec, whole=before is None or after is None)
    if before is None and after is None:
        return Difference([], ())
    if before is None:
        comparison.patch.append({"op": "add", "path": "", "value": after})
        comparison.report(after, _Here(), "added")
    elif after is None:
        comparison.patch.append({"op": "remove", "path": ""})
        comparison.report(before, _Here(), "removed")
    else:
        comparison.compare(before, after, _Here())
    return Difference(comparison.patch, tuple(comparison.fields))


def shown_diff(before: Document | None, after: Document | None, spec: ResourceType) -> Difference:
    """The difference between two stored documents as shown on pages and in the API: in Microsoft's spelling,
    with a description instead of image bytes. Both are compared in the current canonical form, regardless of
    the release that stored them.
    """
    old, new = (described(in_present_form(each, spec), spec) for each in (before, after))
    found = diff(old, new, spec)
    return Difference(original(found.patch), tuple(_as_spelled(field) for field in found.fields))


def _as_spelled(field: FieldChange) -> FieldChange:
    return replace(
        field,
        before=original(field.before),
        after=original(field.after),
        added=original(field.added),
        removed=original(field.removed),
    )


def in_present_form(document: Document | None, spec: ResourceType) -> Document | None:
    return None if document is None else canonicalise(document, spec)


@dataclass(frozen=True)
class _Here:
    """One path in three notations: JSON Pointer, dotted for display, and the spec's."""

    pointer: str = ""
    dotted: str = ""
    path: Path = ROOT

    def key(self, key: str) -> "_Here":
        dotted = f"{self.dotted}.{key}" if self.dotted else key
        return _Here(pointer(self.pointer, key), dotted, (*self.path, key))

    def element(self, index: int, name: str) -> "_Here":
        return _Here(pointer(self.pointer, index), f"{self.dotted}[{name}]", (*self.path, ELEMENT))


class _Comparison:
    """Walks two values in parallel and collects the patch and the field changes."""

    def __init__(self, spec: ResourceType, *, whole: bool = False) -> None:
        """`whole`: the resource itself was created or deleted, so no defaults apply."""
        self.spec = spec
        self.whole = whole
        self.patch: Patch = []
        self.fields: list[FieldChange] = []

    def compare(self, before: Any, after: Any, here: _Here) -> None:
        if isinstance(before, dict) and isinstance(after, dict):
            self._objects(before, after, here)
        elif isinstance(before, list) and isinstance(after, list):
            self._lists(before, after, here)
        elif not _same(before, after):
            self.patch.append({"op": "replace", "path": here.pointer, "value": after})
            self.fields.append(FieldChange(here.dotted, "changed", before, after))

    def report(self, value: Any, here: _Here, kind: Kind) -> None:
        """Field changes for a value that exists on one side only. The default, if any, applies on the other
        side.
        """
        declared, default = rules_at(self.spec, here.path).set_of, rules_at(self.spec, here.path).default
        if default is not None and not self.whole:
            before, after = (default, value) if kind == "added" else (value, default)
            self.fields.append(FieldChange(here.dotted, "changed", before, after))
        elif isinstance(value, dict) and value and (not here.path or here.path[-1] != ELEMENT):
            for key in sorted(value):
                self.report(value[key], here.key(key), kind)
        elif isinstance(value, list) and value and declared is not None and declared.key is not None:
            for index, element in enumerate(value):
                self.report(element, here.element(index, _element_name(element, index, declared)), kind)
        else:
            members = tuple(value) if isinstance(value, list) and declared is not None else ()
            if kind == "added":
                self.fields.append(FieldChange(here.dotted, kind, after=value, added=members))
            else:
                self.fields.append(FieldChange(here.dotted, kind, before=value, removed=members))

    def _objects(self, before: Document, after: Document, here: _Here) -> None:
        for key in sorted(before.keys() | after.keys()):
            inside = here.key(key)
            if key not in after:
                self.patch.append({"op": "remove", "path": inside.pointer})
                self.report(before[key], inside, "removed")
            elif key not in before:
                self.patch.append({"op": "add", "path": inside.pointer, "value": after[key]})
                self.report(after[key], inside, "added")
            else:
                self.compare(before[key], after[key], inside)

    def _lists(self, before: list[Any], after: list[Any], here: _Here) -> None:
        declared = rules_at(self.spec, here.path).set_of
        if declared is None:
            self._elements(before, after, align(before, after), here)
            return
        old, new = _keys(before, declared), _keys(after, declared)
        pairs = match_set(before, after, old, new)
        if _is_canonical_set_of_values([*before, *after], pairs):
            self._values(before, after, pairs, here)
        else:
            self._elements(before, after, pairs, here, declared)

    def _values(self, before: list[Any], after: list[Any], pairs: list[Pair], here: _Here) -> None:
        removed, added = _left_over(len(before), len(after), pairs)
        for index in reversed(removed):
            self.patch.append({"op": "remove", "path": f"{here.pointer}/{index}"})
        for index in added:
            self.patch.append({"op": "add", "path": f"{here.pointer}/{index}", "value": after[index]})
        if removed or added:
            came, went = tuple(after[i] for i in added), tuple(before[i] for i in removed)
            kind: Kind = "changed" if came and went else "added" if came else "removed"
            self.fields.append(FieldChange(here.dotted, kind, before, after, came, went))

    def _elements(
        self,
        before: list[Any],
        after: list[Any],
        pairs: list[Pair],
        here: _Here,
        declared: SetOf | None = None,
    ) -> None:
        """Removes elements from the end, then adds new elements and compares the remaining ones from the
        start. A moved element is removed and added in the patch; for display, only changes inside it are
        shown.
        """
        matched = {new: old for old, new in staying(pairs, before, after)}
        moved = {new: old for old, new in pairs if new not in matched and not _same(before[old], after[new])}
        remaining, moving = set(matched.values()), set(moved.values())
        for index in range(len(before) - 1, -1, -1):
            element = here.element(index, _element_name(before[index], index, declared))
            if index in moving:
                self.patch.append({"op": "remove", "path": element.pointer})
            elif index not in remaining:
                self._remove(before[index], element)
        for index, value in enumerate(after):
            element = here.element(index, _element_name(value, index, declared))
            if index in matched:
                self.compare(before[matched[index]], value, element)
            elif index in moved:
                self.patch.append({"op": "add", "path": element.pointer, "value": value})
                inside = _Comparison(self.spec)
                inside.compare(before[moved[index]], value, element)
                self.fields += inside.fields
            else:
                self._add(value, element)

    def _add(self, value: Any, here: _Here) -> None:
        self.patch.append({"op": "add", "path": here.pointer, "value": value})
        self.report(value, here, "added")

    def _remove(self, value: Any, here: _Here) -> None:
        self.patch.append({"op": "remove", "path": here.pointer})
        self.report(value, here, "removed")


def _same(before: Any, after: Any) -> bool:
    return canonical_bytes(before) == canonical_bytes(after)


def _keys(elements: list[Any], declared: SetOf) -> list[bytes | None]:
    return [_key(element, declared) for element in elements]


def _key(element: Any, declared: SetOf) -> bytes | None:
    values = declared.key_of(element)
    return None if all(value is None for value in values) else canonical_bytes(list(values))


def _is_canonical_set_of_values(elements: list[Any], pairs: list[Pair]) -> bool:
    """Whether this is a set of scalars, which is displayed as one field."""
    in_order = all(one[0] < other[0] for one, other in pairwise(pairs))
    return in_order and not any(isinstance(element, dict | list) for element in elements)


def _left_over(before: int, after: int, pairs: list[Pair]) -> tuple[list[int], list[int]]:
    old, new = {pair[0] for pair in pairs}, {pair[1] for pair in pairs}
    return [i for i in range(before) if i not in old], [i for i in range(after) if i not in new]


def _element_name(element: Any, index: int, declared: SetOf | None) -> str:
    """Identifies an element by its key (using the last part of each key name), otherwise by its position."""
    if declared is None:
        return str(index)
    key = zip(declared.key_names, declared.key_of(element), strict=True)
    named = [f"{parse(name)[-1]}={value}" for name, value in key if value is not None]
    return ",".join(named) or str(index)


def _words(path: str) -> Iterator[str]:
    for segment in re.split(r"\.(?![^\[]*\])", path.replace("@odata.type", "type")):
        name, bracket, element = segment.partition("[")
        yield _CAPITAL.sub(" ", name).capitalize()
        if bracket:
            yield _TYPE.sub(lambda found: _CAPITAL.sub(" ", found[1]).lower(), element.removesuffix("]"))
