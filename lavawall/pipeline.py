"""The pipeline: how an observation of a tenant gets from Microsoft to the timeline. The only module that
knows the whole order. Called by tasks and commands with a claimed run.
"""

import logging
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from changes import integrity
from changes.attribution import linking
from changes.audit import collect as audit
from changes.detection import detect
from changes.models import Change
from rollbacks.execution import own_writes, runner
from snapshots.catalog.spec import ResourceType
from snapshots.collection import capture
from snapshots.collection.capture import Outcome
from snapshots.models import Snapshot
from snapshots.store import housekeeping
from tenants.access.actors import Actor
from tenants.connections.onboarding import open_client
from tenants.models import Run
from tenants.runs import leases
from tenants.runs.leases import Lease
from tenants.trust import ledger

logger = logging.getLogger(__name__)

Progress = Callable[[ResourceType, Outcome], None]


@dataclass(frozen=True)
class Observation:
    """The result of one observation of a tenant."""

    snapshot: Snapshot
    changes: list[Change]
    attributed: int
    seconds: float


def perform(lease: Lease) -> None:
    """Performs a claimed run of any kind."""
    if lease.run.kind == Run.Kind.COLLECT:
        observe(lease)
    elif lease.run.kind == Run.Kind.ATTRIBUTE:
        leases.finish(lease, {"attributed": attribute(lease)})
    else:
        execute(lease)


def observe(lease: Lease, progress: Progress = lambda _spec, _outcome: None) -> Observation:
    """Collects, then seals and detects in one transaction, then attributes. Raises the error if this is not
    possible.
    """
    with leases.failing(lease):
        return _observed(lease, progress)


def _observed(lease: Lease, progress: Progress) -> Observation:
    run, tenant = lease.run, lease.run.tenant
    started = timezone.now()
    if _previous_run_incomplete(lease):
        housekeeping.collect_garbage(tenant)

    with closing(open_client(tenant, "reader", on_answer=leases.pulse(lease))) as client:
        collected = capture.collect(
            tenant,
            client,
            types=run.parameters.get("types"),
            progress=progress,
        )
    with transaction.atomic():
        leases.still_held(lease)
        sealed = capture.seal(collected, requested_by=run.requested_by, run_id=run.pk)
        changes = detect.detect(sealed)
        own_writes.recognise(tenant, changes)
        ledger.record(
            Actor.system("collection"),
            integrity.ACTION,
            f"snapshot {sealed.snapshot.number} of {tenant.name}",
            tenant=tenant,
            **integrity.facts_of(sealed),
        )
    attributed = attribute(lease)
    leases.finish(lease, {"snapshot": sealed.snapshot.pk, "changes": detect.count_by_severity(changes)})
    return Observation(sealed.snapshot, changes, attributed, (timezone.now() - started).total_seconds())


def _previous_run_incomplete(lease: Lease) -> bool:
    """Whether an earlier attempt or the previous collection may have left contents without a snapshot."""
    run = lease.run
    earlier = Run.objects.filter(tenant=run.tenant, kind=run.kind, pk__lt=run.pk, attempts__gt=0)
    before = earlier.order_by("-pk").first()
    return lease.fencing_token > 1 or (before is not None and before.state != Run.State.SUCCEEDED)


def attribute(lease: Lease) -> int:
    """Reads the audit logs and attributes changes. A late or forbidden log is not an error."""
    tenant = lease.run.tenant
    with closing(open_client(tenant, "reader", on_answer=leases.pulse(lease))) as client:
        ingested = audit.ingest(tenant, client, now=timezone.now())
    if ingested.error:
        logger.warning("audit log of %s: %s", tenant.name, ingested.error)
    since = timezone.now() - linking.LATE_EVENTS
    return linking.attribute(tenant, own_writes=own_writes.of(tenant, since))


def execute(lease: Lease) -> None:
    """Executes an approved rollback, then takes a new snapshot, which recognises its writes as ours."""
    runner.perform(lease)
    tenant = lease.run.tenant
    leases.enqueue(tenant, Run.Kind.COLLECT, requested_by=f"rollback run {lease.run.pk}")
