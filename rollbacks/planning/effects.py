"""What a request makes of a document, and whether a document already shows it.

The planner foresees later states with it; the executor tells by it whether a lost request arrived.
"""

from collections.abc import Iterable
from typing import Any

from rollbacks.planning.model import Effect, EffectKind
from snapshots.canonical.form import canonical_bytes, canonicalise
from snapshots.catalog.places import sets
from snapshots.catalog.spec import Document, Part, ResourceType

_ARRIVES = frozenset({EffectKind.CREATE, EffectKind.UNDELETE})


def same(left: Document | None, right: Document | None) -> bool:
    return canonical_bytes(left) == canonical_bytes(right)


def comparable(document: Document | None, spec: ResourceType) -> Document | None:
    """Without the IDs that the service chooses for elements of parts and the spelling of the object's ID: neither is
    state in a recreated object.
    """
    if document is None:
        return None
    acted = {action.property for action in spec.restore.update.actions}
    chosen = {
        part.name: part.named_by
        for part in spec.parts
        if (part.create_path or part.name in acted) and _service_names(part)
    }
    return {
        name: sorted((_without(chosen[name], each) for each in value), key=canonical_bytes)
        if name in chosen
        else value
        for name, value in document.items()
        if name not in spec.identity.spelling
    }


def without_appended(
    live: Document | None, wanted: Document | None, before: Document | None, spec: ResourceType
) -> tuple[Document | None, tuple[str, ...]]:
    """The live document without the entries that nobody asked for and that were not there before our write: a policy
    of the customer added them. With their paths.
    """
    if live is None or wanted is None:
        return live, ()
    added = []
    for name in spec.comparison.appended_by_policy:
        entries = live.get(name) or {}
        known = {*(wanted.get(name) or {}), *((before or {}).get(name) or {})}
        foreign = sorted(entries.keys() - known)
        if foreign:
            added += [f"{name}.{each}" for each in foreign]
            live = {**live, name: {key: value for key, value in entries.items() if key in known}}
    return canonicalise(live, spec), tuple(added)


def part_of(spec: ResourceType, name: str) -> Part | None:
    return next((part for part in spec.parts if part.name == name), None)


def foreseeable(effect: Effect, spec: ResourceType) -> bool:
    """Whether the document after the request is known before it: not where Microsoft chooses an id or contents."""
    if effect.kind is EffectKind.SET:
        parts = [part_of(spec, name) for name in effect.values]
        return not any(part is not None and _service_names(part) for part in parts)
    return effect.kind not in _ARRIVES and not (
        effect.kind is EffectKind.ADD and _keyed_by_service(effect, spec)
    )


def after(effect: Effect, document: Document | None, spec: ResourceType) -> Document | None:
    """The document after a foreseeable request."""
    if effect.kind is EffectKind.DELETE or document is None:
        return None
    changed = dict(document)
    if effect.kind is EffectKind.SET:
        changed.update(effect.values)
        for part in spec.parts:
            if not part.exists_for(changed):
                changed.pop(part.name, None)
    else:
        spoken_of = {_identity(element, effect, spec) for element in effect.elements}
        remaining = [
            each for each in changed.get(effect.of, []) if _identity(each, effect, spec) not in spoken_of
        ]
        changed[effect.of] = remaining if effect.kind is EffectKind.REMOVE else [*remaining, *effect.elements]
    return canonicalise(changed, spec)


def shown(effect: Effect, document: Document | None, spec: ResourceType) -> bool:
    """Whether the document is one that the request would not change any more."""
    if effect.kind is EffectKind.DELETE:
        return document is None
    if document is None:
        return False
    if effect.kind in _ARRIVES:
        return True
    if effect.kind is EffectKind.ADD:
        present = {_identity(each, effect, spec) for each in document.get(effect.of, [])}
        return all(_identity(element, effect, spec) in present for element in effect.elements)
    reached = after(effect, document, spec)
    return same(comparable(reached, spec), comparable(canonicalise(document, spec), spec))


def _keyed_by_service(effect: Effect, spec: ResourceType) -> bool:
    part = part_of(spec, effect.of)
    return part is not None and _service_names(part)


def _service_names(part: Part) -> bool:
    """Whether Microsoft chooses the keys of the part's elements."""
    return part.key is not None and part.reference is None and not part.caller_chooses_keys


def _identity(element: Any, effect: Effect, spec: ResourceType) -> bytes:
    """By key; an element whose key the service chooses is added by its content."""
    if not isinstance(element, dict):
        return canonical_bytes(element)
    keys = _key_names(effect.of, sets(spec))
    if effect.kind is EffectKind.ADD and _keyed_by_service(effect, spec):
        return canonical_bytes(_without(keys[0], element))
    return canonical_bytes([element.get(name) for name in keys])


def _key_names(of: str, declared: Iterable[Any]) -> tuple[str, ...]:
    return next((tuple(each.key_names) for each in declared if each.path == of), ())


def _without(key: str, element: Document) -> Document:
    return {name: value for name, value in element.items() if name != key}
