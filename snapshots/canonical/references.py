"""The references in a document, as declared by its spec. Pure; used for display names, severity and planning."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from snapshots.catalog.places import ANY_DEPTH, ANY_KEY, ELEMENT, parse
from snapshots.catalog.spec import GUID, Document, Reference, ResourceType
from snapshots.collection.addresses import at

PRINCIPAL_TYPES = frozenset({"user", "group", "servicePrincipal", "directoryObject"})


@dataclass(frozen=True)
class Mention:
    """An ID in a document, and the resource type (and property) to which it refers."""

    to: str
    by: str
    value: str


def mentions(spec: ResourceType, document: Document) -> Iterator[Mention]:
    """All references in the document that are IDs and not special words."""
    for reference, value in references_in(spec, document):
        yield Mention(reference.to, reference.by, value)


def references_in(spec: ResourceType, document: Document) -> Iterator[tuple[Reference, str]]:
    """Each reference's declaration and the identifier found there."""
    for reference in spec.references:
        for value in values_at(document, parse(reference.path)):
            for named in reference.named(value):
                yield reference, named
    for part in spec.parts:
        if part.reference is None:
            continue
        found = Reference(f"{part.name}[].{part.named_by}", to=part.reference)
        for element in document.get(part.name, []):
            yield found, element[part.named_by]


def principals_of(spec: ResourceType, document: Document) -> set[str]:
    """IDs of users, groups and service principals. Anything that is not a GUID is an unknown special word of
    Microsoft: it cannot be looked up and does not refer to an object that could be missing.
    """
    return {
        mention.value
        for mention in mentions(spec, document)
        if mention.to in PRINCIPAL_TYPES and mention.by == "id" and GUID.fullmatch(mention.value)
    }


def means(mention: Mention, spec: ResourceType, resource_id: str, document: Document) -> bool:
    """Whether the mention refers to this resource by a value that a recreated resource would not have."""
    if any(
        mention.to in (kind, "directoryObject") and mention.by == by and mention.value == at(document, path)
        for path, (kind, by) in spec.principal_identity.items()
    ):
        return True
    if mention.to not in (spec.key, "directoryObject"):
        return False
    if mention.by == "id":
        return mention.value == resource_id and not spec.restore.create.caller_chooses_id
    return mention.value == document.get(mention.by)


def values_at(value: Any, path: tuple[str, ...]) -> Iterator[Any]:
    if not path:
        yield value
    elif path[0] == ANY_DEPTH:
        yield from values_at(value, path[1:])
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        for each in inner:
            yield from values_at(each, path)
    elif path[0] == ELEMENT:
        for element in value if isinstance(value, list) else ():
            yield from values_at(element, path[1:])
    elif isinstance(value, dict):
        keys = value if path[0] == ANY_KEY else (path[0],)
        for key in keys:
            if key in value:
                yield from values_at(value[key], path[1:])
