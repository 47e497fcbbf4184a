"""What differs between two documents of a resource: a JSON Patch for machines, field changes for people.

Called when a snapshot is compared with its predecessor, and on demand. Never reads a database or a clock.
"""

import copy
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from snapshots.canonical import canonical_bytes
from snapshots.catalog.places import ELEMENT, ROOT, Path, place, pointer
from snapshots.catalog.spec import Document, ResourceType, SetOf
from snapshots.catalog.streams import described

Patch = list[dict[str, Any]]
Kind = Literal["added", "removed", "changed"]

_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_INDEX = re.compile(r"0|[1-9][0-9]{0,9}")


class PatchError(ValueError):
    """A patch does not fit the document that it was applied to."""


@dataclass(frozen=True)
class FieldChange:
    """One difference, as a person reads it. A set of plain values is one field: what came and what went."""

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
    """All of it; false when the two documents are the same state."""

    patch: Patch
    fields: tuple[FieldChange, ...]

    def __bool__(self) -> bool:
        return bool(self.patch)


def diff(before: Document | None, after: Document | None, spec: ResourceType) -> Difference:
    """The difference of two canonical documents; None is the side on which the resource does not exist."""
    comparison = _Comparison(spec)
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
    """The difference as pages and the API show it: of images not the bytes, but what tells them apart."""
    return diff(described(before, spec), described(after, spec), spec)


def apply(patch: Sequence[dict[str, Any]], before: Document | None) -> Document | None:
    """The document after the patch (RFC 6902 add, remove, replace); `before` is left as it was."""
    document = copy.deepcopy(before)
    for operation in patch:
        document = _apply_one(operation, document)
    return document


@dataclass(frozen=True)
class _Here:
    """The same place in three spellings: JSON Pointer, dotted for people, and the spec's."""

    pointer: str = ""
    dotted: str = ""
    path: Path = ROOT

    def key(self, key: str) -> "_Here":
        dotted = f"{self.dotted}.{key}" if self.dotted else key
        return _Here(pointer(self.pointer, key), dotted, (*self.path, key))

    def element(self, index: int, name: str) -> "_Here":
        return _Here(pointer(self.pointer, index), f"{self.dotted}[{name}]", (*self.path, ELEMENT))


class _Comparison:
    """Walks two values side by side and collects the patch and the field changes on the way."""

    def __init__(self, spec: ResourceType) -> None:
        self.spec = spec
        self.patch: Patch = []
        self.fields: list[FieldChange] = []

    def compare(self, before: Any, after: Any, here: _Here) -> None:
        if isinstance(before, dict) and isinstance(after, dict):
            self._objects(before, after, here)
        elif isinstance(before, list) and isinstance(after, list):
            self._lists(before, after, here)
        elif canonical_bytes(before) != canonical_bytes(after):
            self.patch.append({"op": "replace", "path": here.pointer, "value": after})
            self.fields.append(FieldChange(here.dotted, "changed", before, after))

    def report(self, value: Any, here: _Here, kind: Kind) -> None:
        """Field changes for a value that exists on one side only."""
        declared = place(self.spec, here.path).set_of
        if isinstance(value, dict) and value and (not here.path or here.path[-1] != ELEMENT):
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
        declared = place(self.spec, here.path).set_of
        old, new = _identities(before, declared), _identities(after, declared)
        if declared is None or old is None or new is None or not _same_order(old, new):
            self._by_index(before, after, here)
        elif declared.key is None:
            self._scalar_set(before, after, old, new, here)
        else:
            self._keyed_set(before, after, old, new, here, declared)

    def _by_index(self, before: list[Any], after: list[Any], here: _Here) -> None:
        common = min(len(before), len(after))
        for index in range(common):
            self.compare(before[index], after[index], here.element(index, str(index)))
        for index in range(len(before) - 1, common - 1, -1):
            self._remove(before[index], here.element(index, str(index)))
        for index in range(common, len(after)):
            self._add(after[index], here.element(index, str(index)))

    def _scalar_set(
        self, before: list[Any], after: list[Any], old: list[bytes], new: list[bytes], here: _Here
    ) -> None:
        removed = _missing_from(new, old)
        added = _missing_from(old, new)
        for index in reversed(removed):
            self.patch.append({"op": "remove", "path": f"{here.pointer}/{index}"})
        for index in added:
            self.patch.append({"op": "add", "path": f"{here.pointer}/{index}", "value": after[index]})
        if removed or added:
            came, went = tuple(after[i] for i in added), tuple(before[i] for i in removed)
            kind: Kind = "changed" if came and went else "added" if came else "removed"
            self.fields.append(FieldChange(here.dotted, kind, before, after, came, went))

    def _keyed_set(
        self,
        before: list[Any],
        after: list[Any],
        old: list[bytes],
        new: list[bytes],
        here: _Here,
        declared: SetOf,
    ) -> None:
        for index in reversed(_missing_from(new, old)):
            self._remove(before[index], here.element(index, _element_name(before[index], index, declared)))
        position = {identity: index for index, identity in enumerate(old)}
        for index, identity in enumerate(new):
            element = here.element(index, _element_name(after[index], index, declared))
            if identity in position:
                self.compare(before[position[identity]], after[index], element)
            else:
                self._add(after[index], element)

    def _add(self, value: Any, here: _Here) -> None:
        self.patch.append({"op": "add", "path": here.pointer, "value": value})
        self.report(value, here, "added")

    def _remove(self, value: Any, here: _Here) -> None:
        self.patch.append({"op": "remove", "path": here.pointer})
        self.report(value, here, "removed")


def _identities(elements: list[Any], declared: SetOf | None) -> list[bytes] | None:
    """What tells the elements of a set apart, in order; None where that does not hold for all of them."""
    if declared is None:
        return None
    identities = [_identity(element, declared) for element in elements]
    if None in identities or len(set(identities)) != len(identities):
        return None
    return [identity for identity in identities if identity is not None]


def _identity(element: Any, declared: SetOf) -> bytes | None:
    if declared.key is None:
        return None if isinstance(element, dict | list) else canonical_bytes(element)
    if isinstance(element, dict) and all(name in element for name in declared.key_names):
        return canonical_bytes([element[name] for name in declared.key_names])
    return None


def _same_order(old: list[bytes], new: list[bytes]) -> bool:
    """Whether what both have stands in the same order, as it does in canonical documents."""
    both = set(old) & set(new)
    return [identity for identity in old if identity in both] == [
        identity for identity in new if identity in both
    ]


def _missing_from(others: list[bytes], identities: list[bytes]) -> list[int]:
    known = set(others)
    return [index for index, identity in enumerate(identities) if identity not in known]


def _element_name(element: Any, index: int, declared: SetOf) -> str:
    if not isinstance(element, dict) or not all(name in element for name in declared.key_names):
        return str(index)
    return ",".join(f"{name}={element[name]}" for name in declared.key_names)


def _words(path: str) -> Iterator[str]:
    for segment in re.split(r"\.(?![^\[]*\])", path.replace("@odata.type", "type")):
        name, bracket, element = segment.partition("[")
        yield _CAPITAL.sub(" ", name).capitalize()
        if bracket:
            yield element.removesuffix("]")


def _unescape(token: str) -> str:
    if re.search(r"~(?![01])", token):
        raise PatchError(f"The path segment '{token}' holds a '~' that is neither '~0' nor '~1'.")
    return token.replace("~1", "/").replace("~0", "~")


def _apply_one(operation: dict[str, Any], document: Any) -> Any:
    kind, target = operation.get("op"), operation.get("path")
    if kind not in _OPERATIONS:
        raise PatchError(f"The operation '{kind}' is not one of add, remove and replace.")
    if not isinstance(target, str) or (target and not target.startswith("/")):
        raise PatchError(f"The path '{target}' is no JSON Pointer: it must be empty or begin with '/'.")
    if kind != "remove" and "value" not in operation:
        raise PatchError(f"The operation '{kind}' at '{target}' has no value.")
    value = copy.deepcopy(operation.get("value"))
    if not target:
        return value if kind != "remove" else None
    *parents, last = [_unescape(token) for token in target[1:].split("/")]
    holder = document
    for token in parents:
        holder = _step(holder, token, target)
    _OPERATIONS[kind](holder, last, value, target)
    return document


def _step(holder: Any, token: str, target: str) -> Any:
    if isinstance(holder, list):
        return holder[_index(token, len(holder), target)]
    if isinstance(holder, dict) and token in holder:
        return holder[token]
    raise PatchError(f"The document has nothing at '{token}' on the way to '{target}'.")


def _index(token: str, length: int, target: str) -> int:
    if not _INDEX.fullmatch(token) or int(token) >= length:
        raise PatchError(f"'{token}' in '{target}' is no position in a list of {length}.")
    return int(token)


def _add(holder: Any, token: str, value: Any, target: str) -> None:
    if isinstance(holder, list):
        holder.insert(len(holder) if token == "-" else _index(token, len(holder) + 1, target), value)
    elif isinstance(holder, dict):
        holder[token] = value
    else:
        raise PatchError(f"Nothing can be added at '{target}': its parent is neither an object nor a list.")


def _replace(holder: Any, token: str, value: Any, target: str) -> None:
    _step(holder, token, target)
    holder[int(token) if isinstance(holder, list) else token] = value


def _remove(holder: Any, token: str, value: Any, target: str) -> None:  # noqa: ARG001
    _step(holder, token, target)
    del holder[int(token) if isinstance(holder, list) else token]


_OPERATIONS: dict[str, Callable[[Any, str, Any, str], None]] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
}
