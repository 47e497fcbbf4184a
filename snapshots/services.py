"""Actions on snapshots."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from snapshots.catalog import registry
from snapshots.models import Snapshot
from tenants.access import permissions
from tenants.access.actors import Actor
from tenants.access.matrix import Action
from tenants.models import Run, Tenant
from tenants.runs import leases
from tenants.trust import ledger


@transaction.atomic
def request_snapshot(
    actor: Actor,
    *,
    tenant: Tenant,
    types: Sequence[str] | None = None,
    mode: Snapshot.Mode = Snapshot.Mode.FULL,
) -> Run:
    """Queues a collection of the given types (default: all), or returns an identical one that is already
    waiting. Raises NotVisible, Refused or UnknownResourceType.
    """
    permissions.require(actor, Action.TAKE_SNAPSHOT, tenant)
    parameters: dict[str, Any] = {"mode": mode.value}
    if types:
        parameters["types"] = sorted({registry.get(key).key for key in types})
    waiting = Run.objects.filter(
        tenant=tenant, kind=Run.Kind.COLLECT, state=Run.State.QUEUED, parameters=parameters
    )
    run = waiting.first() or leases.enqueue(
        tenant, Run.Kind.COLLECT, requested_by=actor.label, parameters=parameters
    )
    ledger.record(actor, "snapshot:request", tenant.name, tenant=tenant, run=run.pk, **parameters)
    return run
