"""One object as it is in the tenant now: for confirming deletions, for plans, and just before each write.

Reads through whatever client it is given; never writes.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from snapshots.canonical import canonicalise, resource_id
from snapshots.catalog import registry
from snapshots.catalog.spec import Document, Part, ResourceType
from tenants.microsoft.client import GraphClient
from tenants.microsoft.errors import BadRequest, NotFound, PermissionMissing

_FIELD = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Live:
    """`document` is None where the object is absent; `deleted` says that its soft-delete container holds it."""

    document: Document | None
    raw: Document | None = None
    deleted: bool = False


def expand_path(template: str, object_id: str, document: Mapping[str, Any] | None = None) -> str:
    """Fills `{id}` and `{anyTopLevelProperty}` of the document, percent-encoded."""

    def value(match: re.Match[str]) -> str:
        name = match[1]
        found = object_id if name == "id" else (document or {}).get(name)
        if not isinstance(found, str) or not found:
            raise ValueError(f"The path {template} needs {name}, which the object does not have.")
        return quote(found, safe="")

    return _FIELD.sub(value, template)


def read_live(client: GraphClient, spec: ResourceType, object_id: str, known: Document | None = None) -> Live:
    """The object now. `known` is its last known document, where the type's path needs a property of it.

    Raises MicrosoftError where the answer is neither the object nor its absence.
    """
    raw = _raw(client, spec, object_id, known)
    if raw is None:
        return Live(document=None, deleted=is_deleted_softly(client, spec, object_id))
    for part in parts_of(spec, raw):
        raw[part.name] = list(read_part(client, spec, part, object_id))
    return Live(document=canonicalise(raw, spec), raw=raw)


def read_part(client: GraphClient, spec: ResourceType, part: Part, object_id: str) -> Iterator[Document]:
    path = expand_path(part.path, object_id)
    return client.items(path, params=part.params, service=spec.read.service)


def parts_of(spec: ResourceType, raw: Document) -> list[Part]:
    return [part for part in spec.parts if part.only_when is None or part.only_when(raw)]


def is_deleted_softly(client: GraphClient, spec: ResourceType, object_id: str) -> bool:
    """Whether the soft-delete container holds the object; False where there is none, or we may not look into it."""
    undelete = spec.restore.undelete
    if undelete is None:
        return False
    try:
        client.get(expand_path(undelete.item_path, object_id), service=spec.read.service)
    except (NotFound, PermissionMissing, BadRequest):
        return False
    return True


def _raw(client: GraphClient, spec: ResourceType, object_id: str, known: Document | None) -> Document | None:
    read = spec.read
    if read.singleton:
        return client.get(read.path, params=read.params, service=read.service)
    if read.item_path is None:
        return next((raw for raw in _listing(client, spec) if resource_id(raw, spec) == object_id), None)
    try:
        path = expand_path(read.item_path, object_id, known)
        return client.get(path, params=read.item_params, service=read.service)
    except NotFound:
        return None


def _listing(client: GraphClient, spec: ResourceType) -> Iterator[Document]:
    """All objects of a type that cannot be read one by one."""
    read = spec.read
    if read.items_at is not None:
        body = client.get(read.path, params=read.params, service=read.service)
        yield from body.get(read.items_at, [])
    elif read.parent is not None:
        parent = registry.get(read.parent)
        for owner in client.items(parent.read.path, params=parent.read.params, service=parent.read.service):
            path = read.path.replace("{parent}", quote(str(owner["id"]), safe=""))
            yield from client.items(path, params=read.params, service=read.service)
    else:
        yield from client.items(read.path, params=read.params, service=read.service)
