"""Reads the streams of an object: images and style sheets, each from its own URL. Sends reads only."""

from snapshots.catalog.spec import Document, ResourceType, Stream
from snapshots.catalog.stream_values import missing_value, stored_value
from snapshots.collection.addresses import address, expand_path
from tenants.microsoft.client import GraphClient
from tenants.microsoft.errors import (
    BadRequest,
    InvalidAnswer,
    NotFound,
    PermissionMissing,
    ServiceUnavailable,
)

NOT_GIVEN_OUT = (BadRequest, InvalidAnswer, NotFound, PermissionMissing, ServiceUnavailable)


def fill(client: GraphClient, spec: ResourceType, object_id: str, raw: Document) -> None:
    """Adds each stream to the raw object. If the service does not return a stream, a note is stored instead,
    so that a missing image does not fail the object. Raises MicrosoftError if nothing can be read at the
    moment.
    """
    for stream in spec.streams:
        raw.pop(stream.name, None)
        if stream.present(raw):
            raw[stream.name] = _value(client, spec, object_id, raw, stream)


def _value(
    client: GraphClient, spec: ResourceType, object_id: str, raw: Document, stream: Stream
) -> str | None:
    path = expand_path(stream.path, address(spec, object_id, raw))
    try:
        content = client.get_bytes(path, service=spec.read.service)
    except NOT_GIVEN_OUT:
        return missing_value("Microsoft does not give it out")
    return stored_value(stream, content) if content else None
