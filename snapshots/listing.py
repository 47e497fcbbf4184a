"""All objects of a type as Microsoft lists them, whatever form the listing has. Sends reads only."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from snapshots.addresses import address, at, elements_at, expand_params, expand_path, placed
from snapshots.canonical import resource_id
from snapshots.catalog.spec import Document, Read, ResourceType, Shadows
from tenants.microsoft.client import GraphClient
from tenants.microsoft.errors import InvalidAnswer, LicenceMissing
from tenants.microsoft.failures import error_for
from tenants.microsoft.request import Request, Response

GONE = 404


@dataclass(frozen=True)
class Scope:
    """Below what a type is listed: ids of its parent type's objects, and the tenant's Azure subscriptions."""

    parents: Sequence[str] = ()
    subscriptions: Sequence[str] = ()


EVERYWHERE = Scope()
"""For types that are listed below nothing."""


@dataclass(frozen=True)
class _Source:
    """One address that is read for a type, and what its objects do not say themselves."""

    path: str
    params: Mapping[str, str]
    says: Mapping[str, str]


def raws(client: GraphClient, spec: ResourceType, scope: Scope = EVERYWHERE) -> Iterator[Document]:
    """Every object of the type. Raises MicrosoftError where any of it could not be read."""
    found = _listed(client, spec, list(_sources(spec, scope)))
    if spec.read.each:
        found = again(client, spec, list(found))
    return existing(client, spec, found)


def existing(client: GraphClient, spec: ResourceType, found: Iterable[Document]) -> Iterator[Document]:
    """Without what only hangs on an object of the type, and what only shows one of another type."""
    read = spec.read
    kept = [raw for raw in found if read.exists is None or read.exists(raw)]
    if read.shadows is None or not kept:
        yield from kept
        return
    by = read.shadows.by
    casting = {_marks(raw, by) for raw in _casting(client, spec, read.shadows)}
    yield from (raw for raw in kept if _marks(raw, by) not in casting)


def _casting(client: GraphClient, spec: ResourceType, shadows: Shadows) -> Iterator[Document]:
    """What casts shadows; nothing does where the tenant has no licence for it."""
    try:
        yield from (
            raw for raw in client.items(shadows.path, service=spec.read.service) if shadows.casts(raw)
        )
    except LicenceMissing:
        return


def _marks(raw: Document, by: Sequence[str]) -> tuple[str, ...]:
    return tuple(str(raw.get(name) or "").lower() for name in by)


def again(client: GraphClient, spec: ResourceType, listed: Sequence[Document]) -> Iterator[Document]:
    """Each listed object read at its own address; what vanished meanwhile is left out."""
    values = [address(spec, resource_id(raw, spec), raw) for raw in listed]
    requests = [
        _request(spec.read, expand_path(spec.read.item_path or "", each), spec.read.item_params)
        for each in values
    ]
    for request, response, each in zip(requests, client.batch(requests), values, strict=True):
        if response.status != GONE:
            yield placed(spec, _object(request, response), each)


def listings(client: GraphClient, requests: Sequence[Request]) -> Iterator[list[Document] | None]:
    """Each request's items; None where the owner vanished meanwhile. Small listings travel in batches."""
    for request, response in zip(requests, client.batch(requests), strict=True):
        yield None if response.status == GONE else _items(client, request, response)


def _sources(spec: ResourceType, scope: Scope) -> Iterator[_Source]:
    read = spec.read
    if read.parent is not None:
        for parent in scope.parents:
            values = {"parent": parent}
            path = expand_path(read.path, values)
            yield _Source(path, expand_params(read.params, values), {read.parent_key: parent})
    elif "{subscription}" in read.path:
        for subscription in scope.subscriptions:
            yield _Source(expand_path(read.path, {"subscription": subscription}), read.params, {})
    else:
        for path in (read.path, *read.also):
            yield _Source(path, read.params, {read.path_key: path.rpartition("/")[2]})


def _listed(client: GraphClient, spec: ResourceType, sources: Sequence[_Source]) -> Iterator[Document]:
    read = spec.read
    for source, held in zip(sources, _held(client, read, sources), strict=True):
        for raw in held:
            if read.items_at is None:
                yield placed(spec, raw, source.says)
                continue
            items = elements_at(raw, read.items_at)
            if items is None:
                raise InvalidAnswer(f"{source.path} came without its {read.items_at}")
            injected = {name: str(at(raw, path) or "") for name, path in read.inject.items()}
            for item in items:
                yield placed(spec, item, {**source.says, **injected})


def _held(client: GraphClient, read: Read, sources: Sequence[_Source]) -> Iterator[list[Document]]:
    """What each source answers with: the objects of a listing, or the one object that it is."""
    requests = [_request(read, source.path, source.params) for source in sources]
    if read.singleton or (read.items_at is not None and not read.inject):
        for request in requests:
            yield [
                client.get(request.path, params=request.params, headers=request.headers, service=read.service)
            ]
    elif read.single:
        for request, response in zip(requests, client.batch(requests), strict=True):
            yield [] if response.status == GONE else [_object(request, response)]
    elif read.parent is not None:
        yield from (items or [] for items in listings(client, requests))
    else:
        for request in requests:
            yield list(_pages(client, request))


def _request(read: Read, path: str, params: Mapping[str, str]) -> Request:
    return Request("GET", path, params=params, headers=read.headers, service=read.service)


def _object(request: Request, response: Response) -> Document:
    if not response.ok:
        raise error_for(request.method, request.path, response, writes=False)
    if not isinstance(response.body, dict):
        raise InvalidAnswer(f"The answer to GET {request.path} is no JSON object")
    return response.body


def _items(client: GraphClient, request: Request, response: Response) -> list[Document]:
    body: Any = _object(request, response)
    if not isinstance(body.get("value"), list):
        raise InvalidAnswer(f"The listing {request.path} came without a list of objects")
    if "@odata.nextLink" in body or "nextLink" in body:
        return list(_pages(client, request))
    items: list[Document] = body["value"]
    return items


def _pages(client: GraphClient, request: Request) -> Iterator[Document]:
    return client.items(request.path, params=request.params, headers=request.headers, service=request.service)
