"""Snapshots made of given documents, through the real sealing, without any collection."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from snapshots.canonical.form import canonicalise
from snapshots.catalog import registry
from snapshots.collection import capture
from snapshots.collection.capture import Collected, Outcome, Sealed
from snapshots.models import Coverage
from snapshots.store import content_store
from tenants.models import Tenant

State = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""Resource type → resource id → object as Graph returns it."""


def collected(tenant: Tenant, state: State) -> Collected:
    """What a collection that read exactly these types would hold."""
    result = Collected(tenant, started_at=timezone.now())
    for key, objects in state.items():
        spec = registry.get(key)
        for object_id, raw in objects.items():
            document = canonicalise(raw, spec)
            (digest,) = content_store.put(tenant, [(spec, document)])
            result.states[(key, object_id)] = (digest, spec.identity.name({"id": object_id, **raw}))
        result.outcomes[key] = Outcome(Coverage.Status.COMPLETE, count=len(objects))
    return result


def take(tenant: Tenant, state: State) -> Sealed:
    """Seals a snapshot with this state."""
    return seal(collected(tenant, state))


def seal(gathered: Collected) -> Sealed:
    with transaction.atomic():
        return capture.seal(gathered, requested_by="test")
