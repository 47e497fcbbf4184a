"""What earlier rollbacks brought back under new ids is the same resource: targets are told by the ids of today.

Reads the record of remapped ids and the store; never the live tenant.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from rollbacks.models import Remapping
from rollbacks.planning.effects import same
from rollbacks.planning.model import Key, Target
from rollbacks.planning.references import renamed, repointed
from snapshots import store
from snapshots.canonical import canonicalise
from snapshots.catalog import registry
from snapshots.catalog.spec import Document
from snapshots.models import Version
from tenants.models import Tenant


def with_present_ids(tenant: Tenant, targets: Sequence[Target]) -> list[Target]:
    """The targets under their present ids, references included, without those that are already as wanted."""
    moved = _moved(tenant)
    if not moved:
        return list(targets)
    returned = {
        (target.resource_type, moved[target.resource_id])
        for target in targets
        if target.wanted is not None and target.resource_id in moved
    }
    present = _present(tenant, returned)
    told: dict[Key, Target] = {}
    for target in targets:
        under = moved.get(target.resource_id, target.resource_id)
        key = (target.resource_type, under)
        if target.wanted is None and target.key in returned:
            continue
        if under == target.resource_id or key not in present or target.wanted is None:
            told[target.key] = under_ids(target, moved)
        else:
            told[key] = replace(under_ids(target, moved), resource_id=under, last_known=present[key])
    current = _present(tenant, told.keys())
    return [
        target for key, target in told.items() if key not in current or not same(current[key], target.wanted)
    ]


def under_ids(target: Target, moved: Mapping[str, str]) -> Target:
    """The target by other identifiers, its own and those of what it names. `moved`: old → new."""

    def today(document: Document | None) -> Document | None:
        if document is None:
            return None
        spec = registry.get(target.resource_type)
        own = renamed(document, spec, lambda value: moved.get(value, value))
        return canonicalise(
            repointed(own, spec, lambda mention: moved.get(mention.value, mention.value)), spec
        )

    return replace(target, wanted=today(target.wanted), last_known=today(target.last_known))


def _moved(tenant: Tenant) -> dict[str, str]:
    """Old id → the id that it has by now, over any number of rollbacks."""
    rows = Remapping.objects.filter(execution__plan__rollback__tenant=tenant).order_by("pk")
    moved: dict[str, str] = {}
    for old, new in rows.values_list("old_id", "new_id"):
        moved = {each: new if now == old else now for each, now in moved.items()}
        moved[old] = new
    return moved


def _present(tenant: Tenant, keys: Iterable[Key]) -> dict[Key, Document]:
    wanted = set(keys)
    rows = Version.objects.filter(
        tenant=tenant, last_snapshot__isnull=True, resource_id__in={key[1] for key in wanted}
    )
    found = {(row.resource_type, row.resource_id): row.digest for row in rows}
    contents = store.documents(tenant, found.values())
    return {key: contents[digest] for key, digest in found.items() if key in wanted}
