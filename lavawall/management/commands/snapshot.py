"""Takes a snapshot of a tenant, and shows its coverage and the changes since the previous one."""

from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandError, CommandParser

from changes.detection.detect import count_by_severity
from lavawall import pipeline
from lavawall.cli import ProductCommand, operator
from lavawall.pipeline import Observation
from snapshots.catalog import registry
from snapshots.coverage import problems_in
from snapshots.models import Snapshot
from snapshots.selectors import coverage_as_json
from tenants.access import permissions
from tenants.access.matrix import Action
from tenants.models import Run
from tenants.runs import leases


class Command(ProductCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("tenant", help="Tenant name or ID.")
        parser.add_argument(
            "--type", action="append", metavar="T", help="Only this resource type. Can be repeated."
        )
        parser.add_argument(
            "--mode",
            choices=[mode.value for mode in Snapshot.Mode],
            default=Snapshot.Mode.FULL,
            help="The mode that may be used. Currently every snapshot is read in full, and its mode says so.",
        )

    def handle(self, **options: Any) -> None:
        actor = operator()
        tenant = permissions.tenant_named(actor, options["tenant"], Action.TAKE_SNAPSHOT)
        types = [registry.get(key).key for key in options["type"]] if options["type"] else None
        run = leases.create(
            tenant,
            Run.Kind.COLLECT,
            requested_by=actor.label,
            parameters={"mode": options["mode"], **({"types": types} if types else {})},
        )
        lease = leases.claim(run.pk)
        if lease is None and leases.end_orphans(tenant, Run.Kind.COLLECT):
            lease = leases.claim(run.pk)
        if lease is None:
            leases.withdraw(run)
            raise CommandError(
                f"A collection of {tenant.name} is already running. Try again when it is done."
            )
        observation = pipeline.observe(lease)
        snapshot = observation.snapshot
        self.emit(
            {
                "snapshot": snapshot.pk,
                "number": snapshot.number,
                "tenant": tenant.name,
                "root": snapshot.root,
                "status": snapshot.status,
                "mode": snapshot.mode,
                "coverage": coverage_as_json(snapshot),
                "changes": count_by_severity(observation.changes),
                "requests": snapshot.requests,
                "seconds": round(observation.seconds, 3),
            },
            _lines(observation),
            as_json=options["json"],
        )


def _lines(observation: Observation) -> Iterator[str]:
    snapshot = observation.snapshot
    yield (
        f"Snapshot {snapshot.number} of {snapshot.tenant.name} (id {snapshot.pk}) is {snapshot.status}: "
        f"{snapshot.resource_count} resources, {len(observation.changes)} changes, "
        f"{snapshot.requests} requests, {observation.seconds:.1f} s."
    )
    for row in problems_in(snapshot):
        yield f"{row.resource_type}: {row.status}. {row.reason.removesuffix('.')}. {row.remedy}"
    for change in observation.changes:
        yield f"{change.severity:>13}  {change.summary}"
