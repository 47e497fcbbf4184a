"""The catalogue of resource types. Each type is declared once; a package scan finds the modules."""

from snapshots.catalog.problems import problems
from snapshots.catalog.registry import (
    UnknownResourceType,
    all_types,
    get,
    lacking_permissions,
    required_permissions,
)

__all__ = [
    "UnknownResourceType",
    "all_types",
    "get",
    "lacking_permissions",
    "problems",
    "required_permissions",
]
