"""The docs page of what the two applications need, written from the declarations; the checked-in page must equal it."""

from collections.abc import Iterable, Iterator
from typing import Literal

from snapshots.catalog.registry import all_types, by_permission
from snapshots.catalog.spec import ResourceType

_HEAD = """\
# Permissions

This page is written from the catalogue (`snapshots/catalog/`). It lists the least that does; leave one out, and the
types beside it are reported as forbidden with the permission that is missing, while the rest of the snapshot stands.

What the audit logs need besides stands in [audit-logs.md](audit-logs.md).
"""
_ALL_OF_IT: tuple[tuple[str, Literal["read", "write"], str], ...] = (
    ("Reader application", "read", "Reads every hour. It never writes."),
    ("Writer application", "write", "Besides the reader's: what you want to be able to restore."),
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
