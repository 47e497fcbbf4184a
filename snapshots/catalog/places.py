"""What a spec declares about one path of a document. Used by the canonical form and the diff. A path consists
of keys, with `[]` for any element of a list. Values are not considered.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from snapshots.catalog.spec import Document, Part, ResourceType, SetOf

Path = tuple[str, ...]

ELEMENT = "[]"
ANY_KEY = "*"
ANY_DEPTH = "**"
ODATA_TYPE = "@odata.type"
ROOT: Path = ()

ALWAYS_VOLATILE = frozenset(
    {
        "createdBy",
        "createdDateTime",
        "deletedDateTime",
        "etag",
        "lastModifiedBy",
        "lastModifiedDateTime",
        "modifiedDateTime",
        "onPremisesLastSyncDateTime",
        "renewedDateTime",
        "version",
    }
)
"""Bookkeeping of Graph's entities: never state, neither on an object nor on an element of its parts."""

_SEGMENT = re.compile(r"@odata\.type|\[\]|[^.\[\]]+")


@dataclass(frozen=True)
class PathRules:
    """Everything declared about one place."""

    dropped: bool = False
    nested_fields: tuple[str, ...] | None = None
    set_of: SetOf | None = None
    normaliser: str | None = None
    default: Any = None
    """What absence means here."""


@lru_cache(maxsize=4096)
def parse(path: str) -> Path:
    return tuple(_SEGMENT.findall(path))


def matches(pattern: Path, path: Path) -> bool:
    if ANY_DEPTH in pattern:
        at = pattern.index(ANY_DEPTH)
        rest = pattern[at + 1 :]
        return matches(pattern[:at], path[:at]) and any(
            matches(rest, path[start:]) for start in range(at, len(path) + 1)
        )
    return len(pattern) == len(path) and all(
        wanted == found or (wanted == ANY_KEY and found != ELEMENT)
        for wanted, found in zip(pattern, path, strict=True)
    )


def pointer(holder: str, key: str | int) -> str:
    """The JSON Pointer of something inside what `holder` points to."""
    return f"{holder}/{str(key).replace('~', '~0').replace('/', '~1')}"


@lru_cache(maxsize=16384)
def rules_at(spec: ResourceType, path: Path) -> PathRules:
    return PathRules(
        dropped=_dropped(spec, path),
        nested_fields=next(
            (fields for holder, fields in _nested_fields(spec) if matches(parse(holder), path)), None
        ),
        set_of=_set_at(spec, path),
        normaliser=next(
            (name for at, name in spec.comparison.normalise.items() if matches(parse(at), path)), None
        ),
        default=next(
            (value for at, value in spec.comparison.defaults.items() if matches(parse(at), path)), None
        ),
    )


def with_defaults(document: Document, spec: ResourceType) -> Document:
    """The document with what it leaves unsaid because it is the default; whatever the JSON holds."""
    filled = document
    for path, default in spec.comparison.defaults.items():
        filled = _filled(filled, parse(path), default)
    return filled


def _filled(value: Any, path: Path, default: Any) -> Any:
    if not path:
        return default if value is None else value
    if path[0] == ELEMENT:
        return [_filled(each, path[1:], default) for each in value] if isinstance(value, list) else value
    if value is None:
        return {path[0]: _filled(None, path[1:], default)} if ELEMENT not in path else None
    return (
        {**value, path[0]: _filled(value.get(path[0]), path[1:], default)}
        if isinstance(value, dict)
        else value
    )


def sets(spec: ResourceType) -> Iterator[SetOf]:
    """The declared sets; each part is a keyed one."""
    yield from spec.comparison.sets
    for part in spec.parts:
        yield SetOf(part.name, key=part.key or spec.comparison.element_keys.get(part.name))
        yield from (SetOf(f"{part.name}{ELEMENT}.{inner.name}", key=inner.key) for inner in part.inner)


def _set_at(spec: ResourceType, path: Path) -> SetOf | None:
    declared = next((each for each in sets(spec) if matches(parse(each.path), path)), None)
    if (
        declared is None
        and spec.comparison.ordered is not None
        and path
        and path[-1] not in (*spec.comparison.ordered, ELEMENT)
    ):
        return SetOf(".".join(path), key=spec.comparison.element_keys.get(path[-1]))
    return declared


def _nested_fields(spec: ResourceType) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield from spec.comparison.nested_fields.items()
    for part in spec.parts:
        if part.projected_fields is not None:
            yield f"{part.name}{ELEMENT}", part.projected_fields


def _dropped(spec: ResourceType, path: Path) -> bool:
    if len(path) == 1:
        always = (
            (path[0] == "id" and "id" not in spec.restore.create.only)
            or path[0] in ALWAYS_VOLATILE
            or (path[0] == ODATA_TYPE and not spec.restore.typed)
        )
    else:
        always = len(path) == 3 and path[2] in ALWAYS_VOLATILE and _part(spec, path) is not None
    return (
        always or _any_matches(spec.comparison.volatile, path) or _any_matches(spec.comparison.computed, path)
    )


def _part(spec: ResourceType, path: Path) -> Part | None:
    return next((part for part in spec.parts if path[:2] == (part.name, ELEMENT)), None)


def _any_matches(patterns: tuple[str, ...], path: Path) -> bool:
    return any(matches(parse(pattern), path) for pattern in patterns)
