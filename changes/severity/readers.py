"""Safe readers of documents for the rules: they return a value of the requested kind for any JSON. IDs and
keywords are compared case-insensitively, so sets of words are case-folded.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from snapshots.catalog.spec import Document

Row = Mapping[str, Any]


def dig(document: Document | None, *path: str) -> Any:
    value: Any = document
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def text(document: Document | None, *path: str) -> str:
    value = dig(document, *path)
    return value if isinstance(value, str) else ""


def word(document: Document | None, *path: str) -> str:
    return text(document, *path).casefold()


def number(document: Document | None, *path: str) -> float | None:
    value = dig(document, *path)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def is_true(document: Document | None, *path: str) -> bool:
    return dig(document, *path) is True


def texts(document: Document | None, *path: str) -> list[str]:
    """The strings of a list, in their original case."""
    value = dig(document, *path)
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def words(document: Document | None, *path: str, separator: str = ",") -> frozenset[str]:
    """The words of a list, or of one string that contains a list."""
    value = dig(document, *path)
    parts: Iterable[Any] = value if isinstance(value, list) else ()
    if isinstance(value, str):
        parts = value.split(separator) if separator.strip() else value.split()
    return frozenset(part.strip().casefold() for part in parts if isinstance(part, str) and part.strip())


def rows(document: Document | None, *path: str) -> list[Row]:
    value = dig(document, *path)
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def keyed(document: Document | None, *path: str, key: str = "id") -> dict[str, Row]:
    """The objects of a list by one of their properties."""
    return {
        str(row[key]).casefold(): row
        for row in rows(document, *path)
        if isinstance(row.get(key), str) and row[key]
    }


def short_type(row: Row | None) -> str:
    """`user` for `#microsoft.graph.user`."""
    value = row.get("@odata.type") if row else None
    return value.rsplit(".", 1)[-1].lstrip("#") if isinstance(value, str) else ""


def listed(names: Iterable[str], limit: int = 3) -> str:
    """`A, B, C and 4 more`: sorted, so that reasons do not depend on order."""
    ordered = sorted(set(names))
    shown, rest = ordered[:limit], len(ordered) - limit
    if rest > 0:
        return f"{', '.join(shown)} and {rest} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)


def counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
