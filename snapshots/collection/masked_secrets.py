"""Secrets that responses mask and that Microsoft returns on request, given the permission. Sends reads only.
Only a mark of the secret is stored as content, compared, logged or shown; see
`snapshots.canonical.spelling.Secret`.
"""

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from typing import Any

from snapshots.canonical.form import canonical_bytes
from snapshots.canonical.spelling import Secret as Kept
from snapshots.catalog.spec import Document, ResourceType, Secret
from snapshots.collection.addresses import address, expand_path
from snapshots.collection.answers import object_in
from tenants.microsoft.client import GraphClient
from tenants.microsoft.request import Request
from tenants.trust import vault

NOT_GIVEN_OUT = frozenset({400, 401, 403, 404})
"""Statuses of a secret that is not readable or no longer exists. Its mask stays."""


def fill(client: GraphClient, spec: ResourceType, found: Mapping[str, Document]) -> None:
    """Adds readable secrets to the raw objects. Raises MicrosoftError if nothing can be read at the moment."""
    for secret in spec.secrets:
        asked = [
            (element, _request(spec, secret, object_id, raw, element))
            for object_id, raw in found.items()
            for element in _masked(raw, secret)
        ]
        answers = client.batch([request for _, request in asked])
        for (element, request), response in zip(asked, answers, strict=True):
            if response.status not in NOT_GIVEN_OUT:
                value = object_in(request, response).get("value")
                element[secret.value] = Kept(_mark(value), value) if isinstance(value, str) else None


def same_as_far_as_read(before: Document, after: Document, spec: ResourceType) -> bool:
    """Whether two documents differ only in secrets that were read for one of them."""
    for secret in spec.secrets:
        unread = {*_unread(before, secret), *_unread(after, secret)}
        before, after = (_without(each, secret, unread) for each in (before, after))
    return canonical_bytes(before) == canonical_bytes(after)


def _request(spec: ResourceType, secret: Secret, object_id: str, raw: Document, element: Document) -> Request:
    values = {**address(spec, object_id, raw), "reference": str(element[secret.reference])}
    return Request("GET", expand_path(secret.path, values), service=spec.read.service)


def _masked(raw: Document, secret: Secret) -> Iterator[Document]:
    for element in _elements(raw, secret):
        if isinstance(element.get(secret.reference), str) and secret.masked(element):
            yield element


def _unread(document: Document, secret: Secret) -> Iterator[Any]:
    return (element.get(secret.key) for element in _elements(document, secret) if secret.masked(element))


def _without(document: Document, secret: Secret, keys: set[Any]) -> Document:
    elements = [
        {**element, secret.value: None} if element.get(secret.key) in keys else element
        for element in _elements(document, secret)
    ]
    return {**document, secret.items: sorted(elements, key=canonical_bytes)}


def _elements(document: Document, secret: Secret) -> list[Document]:
    found = document.get(secret.items)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _mark(value: str) -> str:
    digest = hmac.new(vault.secret_key(), value.encode(), hashlib.sha256).hexdigest()
    return f"kept secret {digest[:16]}"
