"""The context for grading a change: the tenant's other resources before and after, read from the store once."""

from collections.abc import Mapping
from functools import cached_property

from changes.severity.model import PrincipalFacts, Side
from snapshots.catalog.spec import Document
from snapshots.models import Principal, Snapshot
from snapshots.store import content_store


class StoredContext:
    """The grading context of a snapshot. Loads a resource type when a rule first needs it."""

    def __init__(self, before: Snapshot, after: Snapshot) -> None:
        self._snapshots: dict[Side, Snapshot] = {"before": before, "after": after}
        self._loaded: dict[tuple[Side, str], Mapping[str, Document]] = {}

    def get(self, side: Side, resource_type: str, resource_id: str) -> Document | None:
        return self.all(side, resource_type).get(resource_id.casefold())

    def all(self, side: Side, resource_type: str) -> Mapping[str, Document]:
        key = (side, resource_type)
        if key not in self._loaded:
            self._loaded[key] = self._load(side, resource_type)
        return self._loaded[key]

    def principal(self, principal_id: str) -> PrincipalFacts | None:
        return self._principals.get(principal_id.casefold())

    def _load(self, side: Side, resource_type: str) -> Mapping[str, Document]:
        snapshot = self._snapshots[side]
        versions = content_store.state_at(snapshot).filter(resource_type=resource_type)
        digests = dict(versions.values_list("resource_id", "digest"))
        contents = content_store.documents(snapshot.tenant, digests.values())
        return {resource_id.casefold(): contents[digest] for resource_id, digest in digests.items()}

    @cached_property
    def _principals(self) -> dict[str, PrincipalFacts]:
        return {
            row.object_id.casefold(): PrincipalFacts(kind=row.kind, name=str(row), is_guest=row.is_guest)
            for row in Principal.objects.filter(tenant=self._snapshots["after"].tenant)
        }
