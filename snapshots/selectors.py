"""Queries on snapshots: what an actor may see, the history of a resource, and the comparison of two
snapshots.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, IntegerField, QuerySet, Value, When

from snapshots.canonical.form import canonical_bytes, canonicalise
from snapshots.catalog import registry
from snapshots.models import Snapshot, Version
from snapshots.store import content_store
from tenants.access import permissions
from tenants.access.actors import Actor
from tenants.access.matrix import Action
from tenants.errors import InvalidInput


class NotComparable(InvalidInput):
    """Two snapshots that do not belong to the same tenant."""


@dataclass(frozen=True)
class Compared:
    """A resource that differs between two snapshots; None on the side where it does not exist."""

    resource_type: str
    resource_id: str
    display_name: str
    before: Version | None
    after: Version | None

    @property
    def kind(self) -> str:
        if self.before is None:
            return "created"
        return "deleted" if self.after is None else "updated"


def visible_snapshots(actor: Actor, action: Action = Action.VIEW) -> QuerySet[Snapshot]:
    return Snapshot.objects.filter(tenant__in=permissions.visible_tenants(actor, action)).select_related(
        "tenant__customer"
    )


def visible_versions(actor: Actor) -> QuerySet[Version]:
    return Version.objects.filter(tenant__in=permissions.visible_tenants(actor))


def compare(base: Snapshot, target: Snapshot) -> list[Compared]:
    """Every resource whose content differs, by type and id. Raises NotComparable."""
    if base.tenant_id != target.tenant_id:
        raise NotComparable("Only two snapshots of the same tenant can be compared.")
    before = {
        (version.resource_type, version.resource_id): version for version in content_store.state_at(base)
    }
    after = {
        (version.resource_type, version.resource_id): version for version in content_store.state_at(target)
    }
    return [
        Compared(*key, _name(after.get(key) or before.get(key)), before.get(key), after.get(key))
        for key in sorted(before.keys() | after.keys())
        if _digest(before.get(key)) != _digest(after.get(key))
        and not _only_normalised(before.get(key), after.get(key))
    ]


def _only_normalised(before: Version | None, after: Version | None) -> bool:
    """Whether the difference is only caused by different spec versions."""
    if before is None or after is None or before.spec_version == after.spec_version:
        return False
    spec = registry.get(after.resource_type)
    contents = content_store.documents(after.tenant, (before.digest, after.digest))
    old, new = (canonicalise(contents[each.digest], spec) for each in (before, after))
    return canonical_bytes(old) == canonical_bytes(new)


def by_label(versions: QuerySet[Version], types: Iterable[str]) -> QuerySet[Version]:
    """In display order: by the plural of the type, then by name. `types`: the existing types."""
    plurals = sorted(types, key=lambda key: registry.get(key).plural.casefold())
    rank = Case(
        *(When(resource_type=key, then=Value(rank)) for rank, key in enumerate(plurals)),
        default=Value(len(plurals)),
        output_field=IntegerField(),
    )
    order = ("display_name", "resource_id")
    return versions.order_by(rank, *order) if plurals else versions.order_by(*order)


def coverage_as_json(snapshot: Snapshot) -> dict[str, dict[str, Any]]:
    return {
        row.resource_type: {
            "status": row.status,
            "count": row.count,
            "reason": row.reason,
            "remedy": row.remedy,
        }
        for row in snapshot.coverage.all()
    }


def _name(version: Version | None) -> str:
    return version.display_name if version is not None else ""


def _digest(version: Version | None) -> str:
    return version.digest if version is not None else ""
