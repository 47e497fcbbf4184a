"""Live objects that could be taken for one that a plan creates: the same natural key under other ids. Reads only."""

from collections.abc import Mapping

from snapshots.canonical import canonicalise, resource_id
from snapshots.catalog.spec import Document, ResourceType
from snapshots.live import expand_path
from tenants.microsoft.client import GraphClient
from tenants.microsoft.errors import NotFound


def twins(client: GraphClient, spec: ResourceType, wanted: Document) -> Mapping[str, Document]:
    """By id. A type without a natural key is compared by all that a create would send."""
    restore = spec.restore
    names = spec.natural_key or tuple(
        name for name in (*restore.writable, *restore.create_only) if name in wanted
    )
    try:
        path = expand_path(restore.create_path or "", "", wanted)
        raws = list(client.items(path, params=spec.read.params, service=spec.read.service))
    except NotFound:
        return {}
    documents = {resource_id(raw, spec): canonicalise(raw, spec) for raw in raws}
    return {
        object_id: document
        for object_id, document in documents.items()
        if all(document.get(name) == wanted.get(name) for name in names)
    }
