"""What is known of each resource type of a tenant, over all its snapshots.

The one place from which pages, API and commands take what is covered: the newest word on each type counts, so that a
snapshot of some types neither hides an older problem nor counts as one. A type that nobody read yet is not covered.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Max, QuerySet

from snapshots.catalog import registry
from snapshots.catalog.spec import ResourceType
from snapshots.models import Coverage, Snapshot
from tenants.models import Tenant

Status = Coverage.Status
COVERED = frozenset({Status.COMPLETE.value, Status.NOT_APPLICABLE.value})
"""Nothing of the type is missing."""
NO_PROBLEM = COVERED | {Status.NOT_REQUESTED.value}
"""In one snapshot: what was not asked for is no problem of that snapshot."""


@dataclass(frozen=True)
class Standing:
    """How well a tenant is covered, by the newest word on each type."""

    rows: Sequence[Coverage]
    problems: Sequence[Coverage]
    """What was asked for and could not be read completely."""
    unread: Sequence[ResourceType]
    """What no snapshot has asked for yet."""

    @property
    def is_complete(self) -> bool:
        return not (self.problems or self.unread)

    @property
    def counts(self) -> dict[str, int]:
        """Status → number of types, by status."""
        counted: dict[str, int] = {}
        for row in sorted(self.rows, key=lambda row: row.status):
            counted[row.status] = counted.get(row.status, 0) + 1
        return counted


def standings(tenants: Iterable[Tenant]) -> dict[int, Standing]:
    """Tenant id → its standing, in a number of queries that does not grow with the tenants."""
    found = {tenant.pk: tenant for tenant in tenants}
    rows: dict[int, list[Coverage]] = {pk: [] for pk in found}
    for row in _newest(list(found)):
        rows[row.snapshot.tenant_id].append(row)
    return {pk: _standing(tenant, rows[pk]) for pk, tenant in found.items()}


def standing(tenant: Tenant) -> Standing:
    return standings([tenant])[tenant.pk]


def coverage_of(tenant: Tenant) -> QuerySet[Coverage]:
    """The newest word on each type; `not requested` where no snapshot has asked for it yet."""
    newest = [row.pk for row in _newest([tenant.pk])]
    return Coverage.objects.filter(pk__in=newest).select_related("snapshot")


def problems_in(snapshot: Snapshot) -> QuerySet[Coverage]:
    """What the snapshot asked for and could not read completely."""
    return snapshot.coverage.exclude(status__in=NO_PROBLEM)


def _standing(tenant: Tenant, rows: Sequence[Coverage]) -> Standing:
    read = {row.resource_type for row in rows if _was_read(tenant, row)}
    return Standing(
        rows=rows,
        problems=[row for row in rows if row.resource_type in read and row.status not in COVERED],
        unread=[spec for spec in registry.all_types() if spec.key not in read],
    )


def _was_read(tenant: Tenant, row: Coverage) -> bool:
    """Whether a snapshot tried; what did not apply then may apply now that a subscription is registered."""
    if row.status == Status.NOT_APPLICABLE:
        return not tenant.subscriptions
    return row.status != Status.NOT_REQUESTED


def _newest(tenants: Sequence[int]) -> list[Coverage]:
    """The newest row on each type of each tenant, by type; one that was not asked for only where there is no other.

    Older snapshots are searched only for what the newest of a tenant did not ask for.
    """
    snapshots = Snapshot.objects.filter(tenant__in=tenants).order_by().values("tenant")
    latest = snapshots.annotate(newest=Max("pk")).values("newest")
    rows = Coverage.objects.filter(snapshot__in=latest).select_related("snapshot")
    newest = {(row.snapshot.tenant_id, row.resource_type): row for row in rows}
    asked = {key for key, row in newest.items() if row.status != Status.NOT_REQUESTED}
    wanted = {(pk, spec.key) for pk in tenants for spec in registry.all_types()} - asked
    if wanted:
        older = (
            Coverage.objects.filter(
                snapshot__tenant__in={pk for pk, _ in wanted}, resource_type__in={key for _, key in wanted}
            )
            .exclude(status=Status.NOT_REQUESTED)
            .order_by()
            .values("snapshot__tenant", "resource_type")
            .annotate(newest=Max("pk"))
            .values("newest")
        )
        for row in Coverage.objects.filter(pk__in=older).select_related("snapshot"):
            key = (row.snapshot.tenant_id, row.resource_type)
            if key in wanted:
                newest[key] = row
    return sorted(newest.values(), key=lambda row: row.resource_type)
