"""The coverage of each resource type of a tenant, over all its snapshots. Used by pages, API and commands.
The latest result for each type counts, so that a snapshot of some types neither hides an older problem nor
counts as one. A type that was never read is not covered.
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
"""The type is completely covered."""
NO_PROBLEM = COVERED | {Status.NOT_REQUESTED.value}
"""In one snapshot, a type that was not requested is not a problem."""


@dataclass(frozen=True)
class Standing:
    """How well a tenant is covered, by the latest result for each type."""

    rows: Sequence[Coverage]
    problems: Sequence[Coverage]
    """Types that were requested and could not be read completely."""
    unread: Sequence[ResourceType]
    """Types that no snapshot has requested yet."""

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
    """Tenant ID → coverage, in a constant number of queries."""
    found = {tenant.pk: tenant for tenant in tenants}
    rows: dict[int, list[Coverage]] = {pk: [] for pk in found}
    for row in _newest(list(found)):
        rows[row.snapshot.tenant_id].append(row)
    return {pk: _standing(tenant, rows[pk]) for pk, tenant in found.items()}


def standing(tenant: Tenant) -> Standing:
    return standings([tenant])[tenant.pk]


def coverage_of(tenant: Tenant) -> QuerySet[Coverage]:
    """The latest result for each type; `not requested` if no snapshot has requested it yet."""
    newest = [row.pk for row in _newest([tenant.pk])]
    return Coverage.objects.filter(pk__in=newest).select_related("snapshot")


def problems_in(snapshot: Snapshot) -> QuerySet[Coverage]:
    """Types that the snapshot requested and could not read completely."""
    return snapshot.coverage.exclude(status__in=NO_PROBLEM)


def _standing(tenant: Tenant, rows: Sequence[Coverage]) -> Standing:
    read = {row.resource_type for row in rows if _was_read(tenant, row)}
    return Standing(
        rows=rows,
        problems=[row for row in rows if row.resource_type in read and row.status not in COVERED],
        unread=[spec for spec in registry.all_types() if spec.key not in read],
    )


def _was_read(tenant: Tenant, row: Coverage) -> bool:
    """Whether a snapshot tried to read the type. A type that did not apply then may apply after a
    subscription is registered.
    """
    if row.status == Status.NOT_APPLICABLE:
        return not tenant.subscriptions
    return row.status != Status.NOT_REQUESTED


def _newest(tenants: Sequence[int]) -> list[Coverage]:
    """The latest row for each type of each tenant; a row for a type that was not requested only if there is
    no other. Older snapshots are searched only for types that the latest one did not request.
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
