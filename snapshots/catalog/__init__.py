"""The catalogue: every resource type, declared once. Ask it here; a package scan finds the areas' modules."""

from snapshots.catalog.problems import problems
from snapshots.catalog.registry import (
    UnknownResourceType,
    all_types,
    get,
    lacking_permissions,
    required_permissions,
    restore_order,
)

__all__ = [
    "UnknownResourceType",
    "all_types",
    "get",
    "lacking_permissions",
    "problems",
    "required_permissions",
    "restore_order",
]
