"""Lists all objects of a type, for every kind of listing. Sends reads only."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from snapshots.canonical.form import resource_id
from snapshots.catalog.spec import Document, Read, ResourceType
from snapshots.collection.addresses import address, at, expand_params, expand_path, with_location
from snapshots.collection.answers import GONE, Failed, listings, noting, object_in, objects, pages
from snapshots.collection.derived import CompanionListings, leave_out
from tenants.microsoft.client import GraphClient
from tenants.microsoft.request import Request


@dataclass(frozen=True)
class Scope:
    """The scope in which a type is listed: IDs of its parent objects, and the tenant's Azure subscriptions."""

    parents: Sequence[str] = ()
    subscriptions: Sequence[str] = ()
    companion_listings: CompanionListings | None = None
    failed: Failed = None
    """Collects failures while the rest of the type is read. Without it, one failure fails the type."""


EVERYWHERE = Scope()
"""For types without a parent."""


@dataclass(frozen=True)
class _Source:
    """A URL that is read for a type, and properties to add to its objects."""

    path: str
    params: Mapping[str, str]
    context: Mapping[str, str]


def iter_raw(client: GraphClient, spec: ResourceType, scope: Scope = EVERYWHERE) -> Iterator[Document]:
    """All objects of the type. Raises MicrosoftError if any of them could not be read."""
    found = _listed(client, spec, list(_sources(spec, scope)), scope.failed)
    return existing(client, spec, _whole(client, spec, found, scope.failed), scope.companion_listings)


def _whole(
    client: GraphClient, spec: ResourceType, found: Iterable[Document], failed: Failed
) -> Iterator[Document]:
    """Adds properties that the listing omits."""
    each = spec.read.each
    partial: list[Document] = []
    for raw in found:
        if each is True or (callable(each) and each(raw)):
            partial.append(raw)
        else:
            yield raw
    yield from reread(client, spec, partial, failed)


def existing(
    client: GraphClient,
    spec: ResourceType,
    found: Iterable[Document],
    companion_listings: CompanionListings | None = None,
) -> Iterator[Document]:
    """Without objects that are not of this type, and without objects that only repeat one of another type."""
    exists = spec.read.exists
    yield from leave_out(
        client, spec, (raw for raw in found if exists is None or exists(raw)), companion_listings
    )


def narrowed(client: GraphClient, spec: ResourceType, values: Mapping[str, str]) -> Iterator[Document]:
    """The listing, filtered to the object with these values."""
    source = _Source(spec.read.path, expand_params(spec.read.find_params, values), {})
    return existing(client, spec, _listed(client, spec, [source]))


def reread(
    client: GraphClient, spec: ResourceType, listed: Sequence[Document], failed: Failed = None
) -> Iterator[Document]:
    """Reads each listed object at its own URL; objects deleted in the meantime are left out."""
    values = [address(spec, resource_id(raw, spec), raw) for raw in listed]
    requests = [
        _request(spec.read, expand_path(spec.read.item_path or "", each), spec.read.item_params)
        for each in values
    ]
    for request, response, each in zip(requests, client.batch(requests), values, strict=True):
        if response.status == GONE:
            continue
        found: Document | None = None
        with noting(failed):
            found = object_in(request, response)
        if found is not None:
            yield with_location(spec, found, each)


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
        for path in read.listings:
            yield _Source(path, read.params, {read.path_key: path.rpartition("/")[2]})


def _listed(
    client: GraphClient, spec: ResourceType, sources: Sequence[_Source], failed: Failed = None
) -> Iterator[Document]:
    read = spec.read
    for source, held in zip(sources, _held(client, read, sources, failed), strict=True):
        for raw in held:
            if read.items_at is None:
                yield with_location(spec, raw, source.context)
                continue
            items = objects(at(raw, read.items_at), f"{read.items_at} of {source.path}")
            injected = {name: str(at(raw, path) or "") for name, path in read.inject.items()}
            for item in items:
                yield with_location(spec, item, {**source.context, **injected})


def _held(
    client: GraphClient, read: Read, sources: Sequence[_Source], failed: Failed
) -> Iterator[list[Document]]:
    """The response of each source: the objects of a listing, or a single object."""
    requests = [_request(read, source.path, source.params) for source in sources]
    if read.singleton or (read.items_at is not None and not read.inject):
        for request in requests:
            yield [
                client.get(request.path, params=request.params, headers=request.headers, service=read.service)
            ]
    elif read.one_per_parent:
        for request, response in zip(requests, client.batch(requests), strict=True):
            held: list[Document] = []
            if response.status != GONE:
                with noting(failed):
                    held = [object_in(request, response)]
            yield held
    elif read.parent is not None:
        yield from (items or [] for items in listings(client, requests, failed))
    else:
        for request in requests:
            held = []
            with noting(failed):
                held = list(pages(client, request))
            yield held


def _request(read: Read, path: str, params: Mapping[str, str]) -> Request:
    return Request("GET", path, params=params, headers=read.headers, service=read.service)
