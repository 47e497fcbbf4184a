"""References to people and groups that exist no more: Microsoft refuses a body that names one, so a plan leaves them
out and says so. Asks the live tenant who exists; changes targets only.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from rollbacks.planning.model import Target
from snapshots import principals
from snapshots.addresses import at
from snapshots.catalog import registry
from snapshots.catalog.places import ANY_KEY, ELEMENT, Path, parse
from snapshots.catalog.spec import Document, Reference, ResourceType
from snapshots.references import PRINCIPAL_TYPES, principals_of
from tenants.microsoft.client import GraphClient

_GONE = object()


@dataclass(frozen=True)
class Pruned:
    """The targets without dangling references, and what was left out, in words."""

    targets: list[Target]
    warnings: tuple[str, ...] = ()


def without_dangling(client: GraphClient, targets: Sequence[Target]) -> Pruned:
    """Raises MicrosoftError where it cannot be asked who exists."""
    coming_back = {each for target in targets for each in _identifiers(target)}
    named = {
        each
        for target in targets
        if target.wanted is not None
        for each in _needed_by(registry.get(target.resource_type), target.wanted)
    } - coming_back
    missing = named - principals.existing(client, named)
    if not missing:
        return Pruned(list(targets))
    kept: list[Target] = []
    warnings: list[str] = []
    for target in targets:
        spec = registry.get(target.resource_type)
        lost = _needed_by(spec, target.wanted) & missing if target.wanted is not None else set()
        if target.wanted is None or not lost:
            kept.append(target)
            continue
        who = f"{spec.label} “{target.display_name or target.resource_id}”"
        pruned = _pruned(target.wanted, spec, missing)
        if pruned is None:
            warnings.append(
                f"{who} cannot be restored: it is of {', '.join(sorted(lost))}, who exists no more."
            )
        else:
            warnings.append(f"{who} comes back without {', '.join(sorted(lost))}, who exists no more.")
            kept.append(replace(target, wanted=pruned))
    return Pruned(kept, tuple(warnings))


def _needed_by(spec: ResourceType, document: Document) -> set[str]:
    """Whom a body must not name if they are gone."""
    strict = tuple(reference for reference in spec.references if reference.if_gone == "left out")
    return principals_of(replace(spec, references=strict), document)


def _identifiers(target: Target) -> Iterator[str]:
    """By what a resource that comes back is named as a principal."""
    if target.wanted is not None:
        yield target.resource_id
        for path in registry.get(target.resource_type).embodies:
            yield str(at(target.wanted, path) or "")


def _pruned(document: Document, spec: ResourceType, missing: set[str]) -> Document | None:
    """Without the elements and settings that name somebody missing; None where the document itself is about them."""
    value: Any = document
    places = [
        (parse(reference.path), partial(_names_one_of, reference, missing))
        for reference in spec.references
        if reference.to in PRINCIPAL_TYPES and reference.if_gone == "left out"
    ]
    places += [
        ((part.name, ELEMENT, part.named_by), partial(_names_one_of, Reference("", part.reference), missing))
        for part in spec.parts
        if part.reference in PRINCIPAL_TYPES
    ]
    told = {*spec.identity, *spec.natural_key, *spec.restore.create_only}
    for path, gone in places:
        left = _without(value, path, gone)
        if left is not _GONE:
            value = left
        elif len(path) == 1 and path[0] not in told:
            value = {name: each for name, each in value.items() if name != path[0]}
        else:
            return None
    return dict(value)


def _names_one_of(reference: Reference, missing: set[str], value: Any) -> bool:
    return not missing.isdisjoint(reference.named(value))


def _without(value: Any, path: Path, gone: Callable[[Any], bool]) -> Any:
    """The value without what is missing at the path: a list loses the element, a map of any keys the entry, everything
    else is gone itself.
    """
    if not path:
        return _GONE if gone(value) else value
    if path[0] == ELEMENT:
        if not isinstance(value, list):
            return value
        elements = (_without(element, path[1:], gone) for element in value)
        return [element for element in elements if element is not _GONE]
    if isinstance(value, dict) and path[0] == ANY_KEY:
        entries = {name: _without(each, path[1:], gone) for name, each in value.items()}
        return {name: each for name, each in entries.items() if each is not _GONE}
    if not isinstance(value, dict) or path[0] not in value:
        return value
    inner = _without(value[path[0]], path[1:], gone)
    return _GONE if inner is _GONE else {**value, path[0]: inner}
