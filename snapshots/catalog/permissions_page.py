"""Generates docs/permissions.md from the declarations. The checked-in page must match."""

from collections.abc import Iterable, Iterator
from typing import Literal

from snapshots.catalog.registry import all_types, by_permission
from snapshots.catalog.spec import ResourceType

_HEAD = """\
# Permissions

This page is generated from the catalogue (`snapshots/catalog/`). It lists the least privileged permissions. If one is
not granted, the types next to it are reported as forbidden with the missing permission; all other types are still
collected. For the permissions of the audit logs see [audit-logs.md](audit-logs.md).
"""
_ALL_OF_IT: tuple[tuple[str, Literal["read", "write"], str], ...] = (
    ("Reader application", "read", "Reads every hour and never writes."),
    (
        "Writer application",
        "write",
        "The reader's permissions, and those for everything you want to be able to restore.",
    ),
)


def markdown() -> str:
    """The whole page."""
    graph = [spec for spec in all_types() if not spec.on_azure]
    azure = [spec for spec in all_types() if spec.on_azure]
    lines = [_HEAD.rstrip("\n")]
    for title, purpose, what in _ALL_OF_IT:
        lines += [
            "",
            f"## {title}",
            "",
            what,
            "",
            "| application permission (admin consent) | for |",
            "|---|---|",
        ]
        lines += _rows(purpose, graph)
        lines += ["", "| Azure role on each subscription | for |", "|---|---|", *_rows(purpose, azure)]
    return "\n".join(lines) + "\n"


def _rows(purpose: Literal["read", "write"], specs: Iterable[ResourceType]) -> Iterator[str]:
    for permission, needing in by_permission(purpose, specs).items():
        yield f"| `{permission}` | {', '.join(sorted(spec.plural for spec in needing))} |"
