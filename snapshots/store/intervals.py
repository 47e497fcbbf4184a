"""Finds impossible version histories: intervals that end before they begin, overlap, belong to another
tenant, or end without a reason. Uses only the rows, so that history of any age can be checked.
"""

from bisect import bisect_right
from collections.abc import Iterator

from snapshots.models import Coverage, Snapshot, Version
from snapshots.store.content_store import Fault
from tenants.models import Tenant

Key = tuple[str, str]


class Timeline:
    """A tenant's versions by resource, in the order in which they begin."""

    def __init__(self, tenant: Tenant) -> None:
        self.snapshots = list(
            Snapshot.objects.filter(tenant=tenant).order_by("id").values_list("id", flat=True)
        )
        self.versions: dict[Key, list[Version]] = {}
        for version in Version.objects.filter(tenant=tenant).order_by("first_snapshot_id", "id"):
            self.versions.setdefault((version.resource_type, version.resource_id), []).append(version)
        complete = Coverage.objects.filter(snapshot__tenant=tenant, status=Coverage.Status.COMPLETE)
        self._complete = set(complete.values_list("snapshot_id", "resource_type"))
        self._known = frozenset(self.snapshots)

    def digest_at(self, snapshot_id: int, key: Key) -> str:
        """Digest of the resource's content in that snapshot; empty if it did not exist."""
        for version in self.versions.get(key, ()):
            last = version.last_snapshot_id
            if version.first_snapshot_id <= snapshot_id and (last is None or last >= snapshot_id):
                return version.digest
        return ""

    def faults(self) -> Iterator[Fault]:
        for versions in self.versions.values():
            for version, following in zip(versions, [*versions[1:], None], strict=True):
                where = f"version {version.pk} of {version}"
                yield from (Fault(where, what) for what in self._faults_of(version, following))

    def _faults_of(self, version: Version, following: Version | None) -> Iterator[str]:
        first, last = version.first_snapshot_id, version.last_snapshot_id
        if first not in self._known:
            yield "begins with a snapshot of another tenant"
        if following is not None and (last is None or last >= following.first_snapshot_id):
            yield "overlaps the version that follows it"
        if last is None:
            return
        if last not in self._known:
            yield "ends with a snapshot of another tenant"
            return
        if last < first:
            yield "ends before it begins"
        index = bisect_right(self.snapshots, last)
        if index == len(self.snapshots):
            yield "ends with the latest snapshot, although no snapshot ended it"
            return
        replaced = following is not None and following.first_snapshot_id == self.snapshots[index]
        if not replaced and (self.snapshots[index], version.resource_type) not in self._complete:
            yield "ends although the next snapshot neither replaced it nor read its type"
