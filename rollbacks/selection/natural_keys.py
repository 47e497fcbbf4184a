"""Live objects that could be taken for one that a plan creates: the same natural key under other ids. Reads only."""

from collections.abc import Mapping

from snapshots.canonical.form import canonicalise, resource_id
from snapshots.catalog.spec import Document, ResourceType
from snapshots.collection.addresses import address, expand_params, expand_path, with_location
from snapshots.collection.listing import existing
from tenants.microsoft.client import GraphClient
from tenants.microsoft.errors import NotFound


def natural_key_matches(client: GraphClient, spec: ResourceType, wanted: Document) -> Mapping[str, Document]:
    """By id. A type without a natural key is compared by all that a create would send; one whose ids the caller
    chooses has none.
    """
    restore = spec.restore
    if restore.create.caller_chooses_id:
        return {}
    names = spec.identity.natural_key or tuple(name for name in wanted if spec.creates_with(name))
    values = address(spec, "", wanted)
    try:
        path = expand_path(restore.create.listing or restore.create.path or "", values)
        params = expand_params(spec.read.params, {**values, "parent": values.get(spec.read.parent_key, "")})
        raw_objects = list(
            client.items(path, params=params, headers=spec.read.headers, service=spec.read.service)
        )
    except NotFound:
        return {}
    raw_objects = list(existing(client, spec, [with_location(spec, raw, values) for raw in raw_objects]))
    documents = {resource_id(raw, spec): canonicalise(raw, spec) for raw in raw_objects}
    return {
        object_id: document
        for object_id, document in documents.items()
        if all(document.get(name) == wanted.get(name) for name in names)
    }
