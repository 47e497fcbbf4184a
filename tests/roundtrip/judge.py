"""Compares what the emulator itself holds before an attack and after its rollback. Shares no code with the product.

An object that is gone is paired with a new one of its type, the most alike first. New identifiers are then put in the
place of old ones in everything that was held before, also inside texts. What still differs is a finding, unless
`service_written` declares that the service itself makes the difference. Objects of other types than those that were
rolled back must be exactly as the attack left them.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.roundtrip import service_written

Json = Any
State = Mapping[str, Mapping[str, Json]]
"""Type → key → body, as `Emulator.export` returns it."""

SHORTEST_NAME = 20
"""Shorter keys (a number, a word) are not looked for inside other texts."""
NUMBERED = {"roleScopeTag": "roleScopeTagIds"}
"""Types whose keys are numbers → the property of other objects that holds such numbers."""


class _Absent:
    def __repr__(self) -> str:
        return "absent"


ABSENT = _Absent()


@dataclass(frozen=True)
class Difference:
    """One value that differs. `path` is dotted; `[]` stands for any element of an array; empty: the whole object."""

    type_name: str
    key: str
    """Before the attack; of an object that was not there, its key now."""
    path: str
    before: Json
    after: Json
    is_new: bool = False
    """The object has another key than before."""

    def __str__(self) -> str:
        what = f"{self.type_name} {self.key}: {self.path or 'the object'}"
        return f"{what} was {self.before!r} and is {self.after!r}"


def findings(before: State, attacked: State, after: State, others: Collection[str] = ()) -> list[Difference]:
    """Everything that is not as before. `others`: types that were not rolled back, with their sub-resources. They are
    as the attack left them, unless they came back as before together with what was.
    """
    states = [_by_owner(each) for each in (before, attacked, after)]
    (then, then_theirs), (meanwhile, left_theirs), (now, now_theirs) = (
        _divided(each, others) for each in states
    )
    changed = {(each.type_name, each.key) for each in _unexplained(_plainly(left_theirs, now_theirs))}
    return [
        *differences(then, now, meanwhile),
        *(
            each
            for each in differences({**then, **then_theirs}, {**now, **now_theirs}, states[1])
            if (each.type_name, each.key) in changed
        ),
    ]


def _by_owner(state: State) -> State:
    """With properties that are the state of another type apart from the object that they are kept with."""
    divided: dict[str, dict[str, Json]] = {}
    for type_name, held in state.items():
        for key, body in held.items():
            own = {name: each for name, each in body.items() if name not in service_written.BELONGS_TO}
            divided.setdefault(type_name, {})[key] = own
            for name in (each for each in body.keys() - own.keys() if not _hollow(body[each])):
                owner = f"{service_written.BELONGS_TO[name]}/{name}"
                divided.setdefault(owner, {})[f"{type_name} {key}"] = {name: body[name]}
    return divided


def _divided(state: State, others: Collection[str]) -> tuple[State, State]:
    """What was rolled back, and the rest."""
    aside = {name for name in state if name.partition("/")[0] in others or name in others}
    return (
        {name: held for name, held in state.items() if name not in aside},
        {name: held for name, held in state.items() if name in aside},
    )


def _plainly(attacked: State, after: State) -> Iterator[Difference]:
    for type_name in sorted({*attacked, *after}):
        then, now = attacked.get(type_name, {}), after.get(type_name, {})
        for key in sorted({*then, *now}):
            for path, was, found in _unequal(then.get(key, ABSENT), now.get(key, ABSENT), ""):
                yield Difference(type_name, key, path, was, found)


def differences(before: State, after: State, meanwhile: State | None = None) -> list[Difference]:
    """Everything that differs, new identifiers and what the service writes aside. What is missing `meanwhile` was
    created anew, if it is there again.
    """
    pairs = {name: _pairs(before[name], after[name]) for name in before.keys() & after.keys()}
    names = _new_names(before, after, pairs)
    found: list[Difference] = []
    for name in sorted({*before, *after}):
        gone = before.get(name, {}).keys() - (before if meanwhile is None else meanwhile).get(name, {}).keys()
        found += _of_type(
            name, before.get(name, {}), after.get(name, {}), pairs.get(name, {}), names, frozenset(gone)
        )
    return [*_unexplained(found)]


def _unexplained(found: Iterable[Difference]) -> Iterator[Difference]:
    for each in found:
        if not service_written.explains(
            each.type_name, each.path, each.before, each.after, is_new=each.is_new
        ):
            yield each


def _of_type(
    type_name: str,
    then: Mapping[str, Json],
    now: Mapping[str, Json],
    successors: Mapping[str, str],
    names: Mapping[str, str],
    gone: frozenset[str],
) -> Iterator[Difference]:
    is_log = type_name in service_written.LOGS
    for key, body in then.items():
        successor = next((each for each in (key, _text(key, names, "")) if each in now), successors.get(key))
        if successor is None:
            yield Difference(type_name, key, "", body, ABSENT)
            continue
        one = body if is_log else _renamed(body, names)
        one, other = (service_written.spelled_alike(type_name, each) for each in (one, now[successor]))
        for path, was, found in _unequal(one, other, ""):
            yield Difference(type_name, key, path, was, found, successor != key or key in gone)
    if not is_log:
        for key in sorted(now.keys() - then.keys() - {*successors.values()}):
            yield Difference(type_name, key, "", ABSENT, now[key], is_new=True)


def _pairs(then: Mapping[str, Json], now: Mapping[str, Json]) -> dict[str, str]:
    """Key of what is gone → key of its successor, one to one."""
    gone, new = then.keys() - now.keys(), now.keys() - then.keys()
    taken: dict[str, str] = {}
    for _, one, other in sorted(
        (-_likeness(then[one], now[other]), one, other) for one in gone for other in new
    ):
        if one not in taken and other not in taken.values():
            taken[one] = other
    return taken


def _likeness(one: Json, other: Json) -> int:
    return len({*_leaves(one)} & {*_leaves(other)})


def _leaves(value: Json, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _leaves(each, f"{path}.{name}")
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each, f"{path}[]")
    else:
        yield path, repr(value)


def _new_names(before: State, after: State, pairs: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Identifier of before → identifier of after: of new objects, and of old ones the service gave another."""
    names: dict[str, str] = {}
    for type_name in pairs:
        successors = {key: key for key in before[type_name].keys() & after[type_name].keys()}
        for one, other in {**successors, **pairs[type_name]}.items():
            if one != other:
                names |= _parts_of_key(one, other)
            for path in service_written.IDENTIFIERS.get(type_name, ("id",)):
                then, now = _at(before[type_name][one], path), _at(after[type_name][other], path)
                if isinstance(then, str) and isinstance(now, str) and then != now:
                    names[then] = now
    return names


def _parts_of_key(one: str, other: str) -> dict[str, str]:
    """Both keys whole and, where keys are joined from several identifiers, part by part."""
    parts, others = re.split(r"[|_]", one), re.split(r"[|_]", other)
    joined = dict(zip(parts, others, strict=True)) if len(parts) == len(others) else {}
    return {one: other, **joined}


def _at(body: Json, path: str) -> Json:
    for name in path.split("."):
        body = body.get(name) if isinstance(body, dict) else None
    return body


def _renamed(value: Json, names: Mapping[str, str], inside: str = "") -> Json:
    if isinstance(value, dict):
        return {_text(key, names, ""): _renamed(each, names, key) for key, each in value.items()}
    if isinstance(value, list):
        return [_renamed(each, names, inside) for each in value]
    return _text(value, names, inside) if isinstance(value, str) else value


def _text(text: str, names: Mapping[str, str], inside: str) -> str:
    if inside in {"id", *NUMBERED.values()} and text in names:
        return names[text]
    for old, new in names.items():
        if len(old) >= SHORTEST_NAME and old in text:
            text = text.replace(old, new)
    return text


def _unequal(then: Json, now: Json, path: str) -> Iterator[tuple[str, Json, Json]]:
    if isinstance(then, dict) and isinstance(now, dict):
        for name in sorted({*then, *now}):
            inside = f"{path}.{name}" if path else name
            yield from _unequal(then.get(name, ABSENT), now.get(name, ABSENT), inside)
    elif isinstance(then, list) and isinstance(now, list):
        yield from _unequal_lists(then, now, f"{path}[]")
    elif not _same(then, now):
        yield path, then, now


def _unequal_lists(then: list[Json], now: list[Json], path: str) -> Iterator[tuple[str, Json, Json]]:
    """Elements are matched by content: the export sorts no array, and the emulator shuffles what has no order."""
    left = [each for each in then if not _hollow(each)]
    right = [each for each in now if not _hollow(each)]
    for each in [*left]:
        if (
            twin := next((other for other in right if not [*_unequal(each, other, "")]), ABSENT)
        ) is not ABSENT:
            left.remove(each)
            right.remove(twin)
    if len(left) != len(right):
        yield path, left, right
        return
    for one in left:
        other = max(right, key=lambda each: _likeness(one, each))
        right.remove(other)
        yield from _unequal(one, other, path)


def _same(then: Json, now: Json) -> bool:
    """Nothing is the same as a null, a missing property, and a value in which nothing is said. False, zero and the
    empty text say something.
    """
    if _hollow(then) and _hollow(now):
        return True
    if isinstance(then, str) and isinstance(now, str):
        return _instant(then) == _instant(now)
    return type(then) is type(now) and bool(then == now)


def _hollow(value: Json) -> bool:
    if isinstance(value, dict):
        return all(_hollow(each) for each in value.values())
    if isinstance(value, list):
        return all(_hollow(each) for each in value)
    return value is None or value is ABSENT


def _instant(text: str) -> str:
    """Zero has several spellings in the offset and the fraction of an instant."""
    return re.sub(r"(?<=\d\d:\d\d:\d\d)(?:\.0+)?(?:\+00:00|Z)$", "Z", text)


def shown(found: list[Difference]) -> str:
    return "\n".join(json.dumps(str(each))[1:-1] for each in found)
