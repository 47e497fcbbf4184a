"""Cases of rules that are tables: one property in its old and its new value, on a document of that type."""

from typing import Any

from tests.changes.severity.casebook import Case, Document

ON, OFF = True, False
MISSING = object()
"""The property is not there at all."""


def at(path: str, value: Any, base: Document | None = None) -> Document:
    """A copy of `base` with `value` at `path`, whose steps are divided by `/`."""
    head, _, rest = path.partition("/")
    stored = dict(base or {})
    if value is MISSING:
        return stored
    inner = stored.get(head)
    stored[head] = at(rest, value, inner if isinstance(inner, dict) else None) if rest else value
    return stored


def loosened(
    resource_type: str,
    rule: str,
    path: str,
    strong: Any,
    weak: Any,
    severity: str,
    base: Document | None = None,
    context: Document | None = None,
) -> list[Case]:
    """The change for the worse, and its reverse."""
    before, after = at(path, strong, base), at(path, weak, base)
    title = f"{resource_type} {path}"
    around = context or {}
    return [
        Case(title, rule, resource_type, before, after, severity, "weakens", around),
        Case(f"{title}, reversed", rule, resource_type, after, before, "low", "strengthens", around),
    ]


def untouched(
    resource_type: str, rule: str, path: str = "displayName", old: Any = "old name", new: Any = "new name"
) -> Case:
    """A change that the rule has no opinion on."""
    return Case(f"{resource_type} {path}: nothing", rule, resource_type, at(path, old), at(path, new), None)


def appeared(
    resource_type: str,
    rule: str,
    severity: str | None,
    direction: str = "weakens",
    document: Document | None = None,
) -> Case:
    return Case(
        f"{resource_type} created", rule, resource_type, None, document or {"a": 1}, severity, direction
    )


def went(
    resource_type: str,
    rule: str,
    severity: str | None,
    direction: str = "weakens",
    document: Document | None = None,
) -> Case:
    return Case(
        f"{resource_type} deleted", rule, resource_type, document or {"a": 1}, None, severity, direction
    )
