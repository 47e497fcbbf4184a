"""Reading one resource type completely, or saying why it could not be. Sends reads only; stores nothing."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from snapshots.canonical import canonicalise, resource_id
from snapshots.catalog.spec import Document, Part, ResourceType
from snapshots.live import expand_path, parts_of, read_live
from tenants.microsoft.client import GraphClient
from tenants.microsoft.errors import InvalidAnswer, PermissionMissing
from tenants.microsoft.failures import error_for
from tenants.microsoft.request import Request, Response

GONE = 404


@dataclass(frozen=True)
class Found:
    """One object as it was read."""

    resource_id: str
    display_name: str
    document: Document


def read_type(client: GraphClient, spec: ResourceType, parents: Sequence[str] = ()) -> list[Found]:
    """Every object of the type with its parts. `parents` are the ids of the parent type's objects, if it has one.

    Raises MicrosoftError where any of it could not be read: a part of a type is no state.
    """
    with _told_of(spec):
        raws = {resource_id(raw, spec): raw for raw in _raws(client, spec, parents)}
        _fill_parts(client, spec, raws)
        return [Found(key, spec.name(raw)[:400], canonicalise(raw, spec)) for key, raw in raws.items()]


@contextmanager
def _told_of(spec: ResourceType) -> Iterator[None]:
    """Whatever goes wrong in reading a type is told as a MicrosoftError that says what helps."""
    try:
        yield
    except PermissionMissing as error:
        raise error.naming(spec.permissions.read) from error
    except (ValueError, AttributeError, TypeError) as error:
        raise InvalidAnswer(
            f"Microsoft answered with an object of type {spec.key} in an unknown form: {error}"
        ) from error


def confirm_missing(client: GraphClient, spec: ResourceType, object_id: str, known: Document) -> Found | None:
    """An object that the list no longer had, read directly: None where it is really gone."""
    if spec.read.item_path is None:
        return None
    with _told_of(spec):
        live = read_live(client, spec, object_id, known)
        if live.document is None or live.raw is None:
            return None
        return Found(object_id, spec.name(live.raw)[:400], live.document)


def _raws(client: GraphClient, spec: ResourceType, parents: Sequence[str]) -> Iterator[Document]:
    read = spec.read
    if read.parent is not None:
        yield from _of_parents(client, spec, parents)
    elif read.singleton:
        yield client.get(read.path, params=read.params, service=read.service)
    elif read.items_at is not None:
        body = client.get(read.path, params=read.params, service=read.service)
        items = body.get(read.items_at)
        if not isinstance(items, list):
            raise InvalidAnswer(f"{read.path} came without its {read.items_at}")
        yield from items
    else:
        yield from client.items(read.path, params=read.params, service=read.service)


def _of_parents(client: GraphClient, spec: ResourceType, parents: Sequence[str]) -> Iterator[Document]:
    paths = [spec.read.path.replace("{parent}", quote(parent, safe="")) for parent in parents]
    for items in _listings(client, spec, paths, spec.read.params):
        yield from items or ()


def _fill_parts(client: GraphClient, spec: ResourceType, raws: dict[str, Document]) -> None:
    for part in spec.parts:
        owners = [key for key, raw in raws.items() if part in parts_of(spec, raw)]
        paths = [expand_path(part.path, owner) for owner in owners]
        for owner, items in zip(owners, _listings(client, spec, paths, part.params), strict=True):
            if items is None:
                del raws[owner]
            else:
                raws[owner][part.name] = _complete(spec, part, items)


def _complete(spec: ResourceType, part: Part, items: list[Document]) -> list[Document]:
    if any(part.key not in item for item in items):
        raise InvalidAnswer(f"An element of {part.name} of a {spec.key} came without its {part.key}")
    return items


def _listings(
    client: GraphClient, spec: ResourceType, paths: Sequence[str], params: Any
) -> Iterator[list[Document] | None]:
    """Each path's items; None where the owner vanished meanwhile. Small listings travel in batches."""
    requests = [Request("GET", path, params=params, service=spec.read.service) for path in paths]
    for request, response in zip(requests, client.batch(requests), strict=True):
        yield None if response.status == GONE else _items(client, request, response)


def _items(client: GraphClient, request: Request, response: Response) -> list[Document]:
    if not response.ok:
        raise error_for(request.method, request.path, response, writes=False)
    body = response.body
    if not isinstance(body, dict) or not isinstance(body.get("value"), list):
        raise InvalidAnswer(f"The listing {request.path} came without a list of objects")
    if "@odata.nextLink" in body:
        return list(client.items(request.path, params=request.params, service=request.service))
    items: list[Document] = body["value"]
    return items
