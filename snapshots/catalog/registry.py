"""Finds all declared resource types by scanning this package, and answers queries about them. Used by
collection, planning, permission checks, the API and the docs.
"""

import importlib
import pkgutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Literal

from snapshots.catalog.spec import ResourceType
from tenants.errors import InvalidInput

_PACKAGE = "snapshots.catalog"


class UnknownResourceType(InvalidInput):
    """No resource type has this key."""

    def __init__(self, key: str, known: Iterable[str]) -> None:
        near = get_close_matches(
            key.lower(), by_lower := {name.lower(): name for name in known}, n=3, cutoff=0.75
        )
        advice = (
            f"Did you mean {' or '.join(by_lower[name] for name in near)}?"
            if near
            else (f"The known types are {', '.join(by_lower.values())}.")
        )
        super().__init__(f"There is no resource type '{key}'.", remedy=advice)


def get(key: str) -> ResourceType:
    found = _by_key().get(key)
    if found is None:
        raise UnknownResourceType(key, _by_key())
    return found


def all_types() -> tuple[ResourceType, ...]:
    """In the order of the areas' modules, as the docs show them."""
    return _declared()


def required_permissions(
    purpose: Literal["read", "write"], keys: Iterable[str] | None = None
) -> dict[str, tuple[str, ...]]:
    """Each permission of Microsoft Graph with the keys of the types that need it."""
    specs = _declared() if keys is None else [get(key) for key in keys]
    found = by_permission(purpose, (spec for spec in specs if not spec.on_azure))
    return {permission: tuple(spec.key for spec in needing) for permission, needing in found.items()}


def by_permission(
    purpose: Literal["read", "write"], specs: Iterable[ResourceType]
) -> dict[str, list[ResourceType]]:
    """Each permission, or Azure role, with those of the types that need it."""
    needed: dict[str, list[ResourceType]] = {}
    for spec in specs:
        for permission in spec.permissions.read if purpose == "read" else spec.permissions.write:
            needed.setdefault(permission, []).append(spec)
    return dict(sorted(needed.items()))


def lacking_permissions(
    purpose: Literal["read", "write"], granted: Collection[str]
) -> dict[str, tuple[str, ...]]:
    """Each least-privilege permission that is not granted, with the types that nothing granted covers either."""
    uncovered = [
        spec.key
        for spec in _declared()
        if not (
            spec.permissions.may_read(granted) if purpose == "read" else spec.permissions.may_write(granted)
        )
    ]
    needed = required_permissions(purpose, uncovered)
    return {name: keys for name, keys in needed.items() if name not in granted}


@lru_cache(maxsize=1)
def _declared() -> tuple[ResourceType, ...]:
    return tuple(_scan())


@lru_cache(maxsize=1)
def _by_key() -> Mapping[str, ResourceType]:
    return {spec.key: spec for spec in _declared()}


def _scan() -> Iterator[ResourceType]:
    package = importlib.import_module(_PACKAGE)
    for found in pkgutil.walk_packages(package.__path__, f"{_PACKAGE}."):
        yield from getattr(importlib.import_module(found.name), "TYPES", ())
