"""Reads the live state of one object: to confirm deletions, for plans, and just before each write. Never
writes.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from snapshots.canonical.form import canonicalise, resource_id
from snapshots.catalog import registry
from snapshots.catalog.spec import Document, Part, ResourceType
from snapshots.collection import masked_secrets, stream_reading
from snapshots.collection.addresses import address, expand_path, with_location
from snapshots.collection.derived import leave_out_of_parts
from snapshots.collection.listing import Scope, existing, iter_raw, narrowed
from tenants.microsoft.client import GraphClient
from tenants.microsoft.errors import BadRequest, NotFound, PermissionMissing


@dataclass(frozen=True)
class Live:
    """`document` is None if the object does not exist; `deleted` tells whether it is in the deleted items."""

    document: Document | None
    raw: Document | None = None
    deleted: bool = False


def read_live(client: GraphClient, spec: ResourceType, object_id: str, known: Document | None = None) -> Live:
    """The live object. `known` is its last known document, needed if the type's path contains a property of
    it. Raises MicrosoftError if the response is neither the object nor proof of its absence.
    """
    raw = _raw(client, spec, object_id, known)
    if raw is None:
        return Live(document=None, deleted=is_deleted_softly(client, spec, object_id, known))
    for part in parts_of(spec, raw):
        raw[part.name] = list(read_part(client, spec, part, object_id, raw))
    leave_out_of_parts(client, spec, {object_id: raw})
    stream_reading.fill(client, spec, object_id, raw)
    masked_secrets.fill(client, spec, {object_id: raw})
    return Live(document=canonicalise(raw, spec), raw=raw)


def read_part(
    client: GraphClient, spec: ResourceType, part: Part, object_id: str, raw: Document
) -> Iterator[Document]:
    values = address(spec, object_id, raw)
    for element in client.items(
        expand_path(part.path, values),
        params=part.params,
        headers=spec.read.headers,
        service=spec.read.service,
    ):
        for inner in part.inner:
            path = expand_path(inner.path, {**values, "element": str(element[part.named_by])})
            element[inner.name] = list(client.items(path, params=inner.params, service=spec.read.service))
        yield element


def parts_of(spec: ResourceType, raw: Document) -> list[Part]:
    return [part for part in spec.parts if part.exists_for(raw)]


def is_deleted_softly(
    client: GraphClient, spec: ResourceType, object_id: str, known: Document | None = None
) -> bool:
    """Whether the object is in the deleted items. False if the type has none or they are not readable."""
    undelete = spec.restore.undelete
    if undelete is None:
        return False
    try:
        path = expand_path(undelete.item_path, address(spec, object_id, known))
        client.get(path, params=spec.restore.params, service=spec.read.service)
    except (NotFound, PermissionMissing, BadRequest):
        return False
    return True


def _raw(client: GraphClient, spec: ResourceType, object_id: str, known: Document | None) -> Document | None:
    read = spec.read
    if read.singleton:
        return client.get(read.path, params=read.params, headers=read.headers, service=read.service)
    values = address(spec, object_id, known)
    if read.item_path is None:
        candidates = _candidates(client, spec, values)
        return next((raw for raw in candidates if resource_id(raw, spec) == object_id), None)
    try:
        raw = client.get(
            expand_path(read.item_path, values),
            params=read.item_params,
            headers=read.headers,
            service=read.service,
        )
    except NotFound:
        return None
    return next(existing(client, spec, [with_location(spec, raw, values)]), None)


def _candidates(client: GraphClient, spec: ResourceType, values: dict[str, str]) -> Iterator[Document]:
    """Candidates for an object without its own URL: the filtered listing, or all objects of the type."""
    read = spec.read
    if read.find_params:
        return narrowed(client, spec, values)
    parents = []
    if read.parent is not None:
        parent = registry.get(read.parent)
        parents = [resource_id(raw, parent) for raw in iter_raw(client, parent)]
    return iter_raw(client, spec, Scope(parents))
