"""Request bodies: the least that changes a live object into the wanted one, and the whole for creating it.

An allow-list of top-level properties decides what is ever sent; everything else stays unsent.
"""

from typing import Any

from rollbacks.planning.effects import same
from snapshots.canonical.form import canonical_bytes
from snapshots.catalog.places import ELEMENT, ODATA_TYPE, sets
from snapshots.catalog.spec import Document, ResourceType
from snapshots.collection.addresses import at, with_value
from snapshots.recoverability.verdicts import left_out


def differing(live: Document, wanted: Document) -> tuple[str, ...]:
    """Top-level properties whose values are not the same."""
    return tuple(
        name for name in sorted(live.keys() | wanted.keys()) if not same(live.get(name), wanted.get(name))
    )


def cleared(live: Any, wanted: Any) -> Any:
    """The wanted value, with an explicit null or empty list for whatever is live and no longer wanted.

    Microsoft keeps what a body does not mention; but a value of another type has none of it, and refuses its names.
    """
    if wanted is None:
        return [] if isinstance(live, list) else None
    if isinstance(live, dict) and isinstance(wanted, dict) and _of_one_type(live, wanted):
        return {
            name: cleared(live.get(name), wanted.get(name)) if name in live else wanted[name]
            for name in sorted(live.keys() | wanted.keys())
            if not name.endswith(ODATA_TYPE) or name in wanted
        }
    return wanted


def _of_one_type(left: Document, right: Document) -> bool:
    return ODATA_TYPE not in left or ODATA_TYPE not in right or left[ODATA_TYPE] == right[ODATA_TYPE]


def update_body(spec: ResourceType, live: Document, wanted: Document, names: tuple[str, ...]) -> Document:
    """For PATCH the named properties. For PUT everything that the type takes, its empty sets too, and properties that
    nobody declared: a PUT removes what its body does not hold.
    """
    if spec.restore.update.method == "PUT":
        undeclared = {*left_out(spec, live), *left_out(spec, wanted)}
        live = {**_empty_sets(spec), **live}
        names = tuple(
            name for name in sorted(live.keys() | wanted.keys()) if spec.writes(name) or name in undeclared
        )
    body = {
        name: wanted.get(name) or {}
        if name in spec.comparison.appended_by_policy
        else cleared(live.get(name), wanted.get(name))
        for name in names
    }
    body = _explicit(spec, typed(spec, body, wanted if ODATA_TYPE in wanted else live))
    return body if spec.restore.update.shape is None else spec.restore.update.shape(body, wanted)


def switched_off(spec: ResourceType, live: Document, wanted: Document) -> Document:
    """The live document with everything switched off that has to be before a write may take it away."""
    result = live
    for path in spec.restore.update.switched_off_first:
        key = next(each for each in sets(spec) if each.path == path).key_names
        stays_on = {_key(element, key) for element in at(wanted, path) or []}
        elements = [
            element if _key(element, key) in stays_on else {**element, "isEnabled": False}
            for element in at(live, path) or []
        ]
        result = with_value(result, path, elements) if elements else result
    return result


def in_place_first(spec: ResourceType, live: Document, wanted: Document) -> Document:
    """The live document as it must be before the wanted one is written: what goes is switched off, and what is named
    by the object itself is there.
    """
    result = switched_off(spec, live, wanted)
    for naming, named in spec.restore.create.named_later.items():
        key = next(each for each in sets(spec) if each.path == named).key_names
        have = {_key(element, key) for element in at(live, named) or []}
        new = [element for element in at(wanted, named) or [] if _key(element, key) not in have]
        if new and not same(at(live, naming), at(wanted, naming)):
            result = with_value(result, named, [*(at(result, named) or []), *new])
    return result


def written_later(spec: ResourceType, wanted: Document) -> tuple[str, ...]:
    """Dotted paths of what is wanted and a create does not take."""
    paths = (*spec.restore.create.after, *spec.restore.create.named_later)
    return tuple(path for path in paths if at(wanted, path) is not None)


def _key(element: Document, names: tuple[str, ...]) -> bytes:
    return canonical_bytes([element.get(name) for name in names])


def _empty_sets(spec: ResourceType) -> Document:
    """The document leaves an empty set out; a PUT may not."""
    return {declared.path: [] for declared in spec.comparison.sets if spec.writes(declared.path)}


def create_body(spec: ResourceType, wanted: Document) -> Document:
    body = {name: wanted[name] for name in sorted(wanted) if spec.creates_with(name)}
    for path in written_later(spec, body):
        body = with_value(body, path, None)
    body = _explicit(spec, typed(spec, body, wanted))
    return body if spec.restore.create.shape is None else spec.restore.create.shape(body)


def _explicit(spec: ResourceType, body: Document) -> Document:
    """With the defaults that a document leaves unsaid, in whatever the body sends anyway."""
    for path, value in spec.comparison.defaults.items():
        sent = isinstance(body.get(path.partition(".")[0]), dict)
        if sent and ELEMENT not in path and at(body, path) is None:
            body = with_value(body, path, value)
    return body


def typed(spec: ResourceType, body: Document, like: Document) -> Document:
    """With the object's `@odata.type`, where the type wants it in every body."""
    if spec.restore.typed and ODATA_TYPE in like:
        return {ODATA_TYPE: like[ODATA_TYPE], **body}
    return body


def staged(spec: ResourceType, wanted: Document) -> Document:
    """The wanted document in its harmless form: not enforcing yet."""
    stage = spec.restore.update.staged
    if stage is None or wanted.get(stage.property) not in stage.enforcing:
        return wanted
    return {**wanted, stage.property: stage.via}


def enforcing(spec: ResourceType, document: Document | None) -> bool:
    stage = spec.restore.update.staged
    return stage is not None and document is not None and document.get(stage.property) in stage.enforcing
