"""Re-pointing references: the same document with old identifiers replaced where its spec declares references.

Used by the planner (old id → token) and after an execution (old id → new id). Never touches any other string.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from snapshots.canonical.references import Mention
from snapshots.catalog.places import ANY_DEPTH, ANY_KEY, ELEMENT, Path, parse
from snapshots.catalog.spec import Document, Reference, ResourceType
from snapshots.collection.addresses import at, with_value

Repoint = Callable[[Mention], str]
"""What to write in place of a mentioned identifier; itself where it stays."""


def repointed(document: Document, spec: ResourceType, repoint: Repoint) -> Document:
    result: Any = document
    for reference in spec.references:
        result = _at(result, parse(reference.path), partial(_in_reference, reference, repoint))
    for part in spec.parts:
        if part.reference is not None:
            path = (part.name, ELEMENT, part.named_by)
            result = _at(result, path, partial(_in_reference, Reference("", to=part.reference), repoint))
    return dict(result)


def renamed(document: Document, spec: ResourceType, lookup: Callable[[str], str]) -> Document:
    """The document with other own identifiers: its top-level texts, and what it is called as another object."""
    result = {name: lookup(value) if isinstance(value, str) else value for name, value in document.items()}
    for path in spec.principal_identity:
        value = at(result, path)
        if isinstance(value, str):
            result = with_value(result, path, lookup(value))
    return result


def _in_reference(reference: Reference, repoint: Repoint, value: Any) -> Any:
    if not reference.named(value):
        return value
    result = reference.renamed(value, lambda named: repoint(Mention(reference.to, reference.by, named)))
    return value if result == value else result


def _at(value: Any, path: Path, replace: Callable[[Any], Any]) -> Any:
    if not path:
        return replace(value)
    head, rest = path[0], path[1:]
    if head == ANY_DEPTH:
        return _below(_at(value, rest, replace), lambda inner: _at(inner, path, replace))
    if head == ELEMENT:
        return [_at(element, rest, replace) for element in value] if isinstance(value, list) else value
    if not isinstance(value, dict):
        return value
    return {
        key: _at(inner, rest, replace) if head in (key, ANY_KEY) else inner for key, inner in value.items()
    }


def _below(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, list):
        return [change(element) for element in value]
    return {key: change(inner) for key, inner in value.items()} if isinstance(value, dict) else value
