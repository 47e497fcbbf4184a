"""Responses from Microsoft: one object, or the objects of a listing over all its pages. Sends reads only."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

from snapshots.catalog.spec import Document
from tenants.microsoft.client import GraphClient
from tenants.microsoft.errors import AuthenticationFailed, InvalidAnswer, MicrosoftError
from tenants.microsoft.failures import error_for
from tenants.microsoft.request import Request, Response

GONE = 404
Failed: TypeAlias = list[MicrosoftError] | None
"""Collects failures of single requests so that the others can be used. None if any failure is fatal."""


def listings(
    client: GraphClient, requests: Sequence[Request], failed: Failed = None
) -> Iterator[list[Document] | None]:
    """Each request's items. None if the owner was deleted in the meantime, or if the request failed and
    `failed` is given. Small listings are batched.
    """
    for request, response in zip(requests, client.batch(requests), strict=True):
        items = None
        if response.status != GONE:
            with noting(failed):
                items = _items_in(client, request, response)
        yield items


@contextmanager
def noting(failed: Failed) -> Iterator[None]:
    """Adds the failure of one request to `failed` if given, otherwise raises it."""
    try:
        yield
    except AuthenticationFailed:
        raise
    except MicrosoftError as error:
        if failed is None:
            raise
        failed.append(error)


def object_in(request: Request, response: Response) -> Document:
    if not response.ok:
        raise error_for(request.method, request.path, response, writes=False)
    if not isinstance(response.body, dict):
        raise InvalidAnswer(f"The answer to GET {request.path} is not a JSON object")
    return response.body


def _items_in(client: GraphClient, request: Request, response: Response) -> list[Document]:
    body: Any = object_in(request, response)
    items = objects(body.get("value"), f"The listing {request.path}")
    if "@odata.nextLink" in body or "nextLink" in body:
        return list(pages(client, request))
    return items


def objects(value: Any, where: str) -> list[Document]:
    """Checks that the value is an array of objects. Raises InvalidAnswer."""
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise InvalidAnswer(f"{where} does not contain a list of objects")
    return value


def pages(client: GraphClient, request: Request) -> Iterator[Document]:
    return client.items(request.path, params=request.params, headers=request.headers, service=request.service)
