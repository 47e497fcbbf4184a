"""What still names a resource that will come back under another id, so that the plan can re-point it as well.

Reads the store for who refers, and the live tenant for what the referrer is now: only its reference is to change.
"""

from collections.abc import Iterator, Mapping, Sequence

from rollbacks.planning.model import Key, LiveState, Target
from rollbacks.planning.strategies import made_anew
from rollbacks.selection.successors import succeeded
from snapshots.canonical.references import Mention, means, mentions
from snapshots.catalog import registry
from snapshots.collection.addresses import location_of
from snapshots.collection.live import read_live
from snapshots.models import Version
from snapshots.store import content_store
from tenants.microsoft.client import GraphClient
from tenants.models import Tenant


def with_referrers(
    tenant: Tenant, client: GraphClient, targets: Sequence[Target], live: Mapping[Key, LiveState]
) -> tuple[list[Target], dict[Key, LiveState]]:
    """The targets and their live states, with every untouched resource that names one which gets a new id."""
    moving = [target for target in targets if _gets_a_new_id(target, live[target.key])]
    found, states = list(targets), dict(live)
    if not moving:
        return found, states
    for version, named in _naming(tenant, moving, {target.key for target in targets}):
        spec = registry.get(version.resource_type)
        now = read_live(client, spec, version.resource_id, content_store.document(tenant, version.digest))
        if now.document is None:
            continue
        target = Target(
            version.resource_type,
            version.resource_id,
            wanted=now.document,
            display_name=version.display_name,
            last_known=now.document,
            because=f"It names “{named.display_name or named.resource_id}”, which gets a new ID.",
        )
        found.append(target)
        states[target.key] = LiveState(now.document, location=location_of(spec, now.raw), raw=now.raw)
    return found, states


def _gets_a_new_id(target: Target, state: LiveState) -> bool:
    spec = registry.get(target.resource_type)
    if target.wanted is None:
        return False
    if state.document is not None:
        return made_anew(spec, state.document, target.wanted) or any(succeeded(target, state))
    return not (state.deleted and spec.restore.undelete is not None)


def _naming(tenant: Tenant, moving: Sequence[Target], known: set[Key]) -> Iterator[tuple[Version, Target]]:
    types = [spec.key for spec in registry.all_types() if spec.references or spec.parts]
    versions = list(
        Version.objects.filter(tenant=tenant, last_snapshot__isnull=True, resource_type__in=types)
    )
    contents = content_store.documents(tenant, (version.digest for version in versions))
    for version in versions:
        if (version.resource_type, version.resource_id) in known:
            continue
        named = _named(list(mentions(registry.get(version.resource_type), contents[version.digest])), moving)
        if named is not None:
            yield version, named


def _named(mentioned: Sequence[Mention], moving: Sequence[Target]) -> Target | None:
    return next(
        (target for target in moving if any(_is_meant(mention, target) for mention in mentioned)), None
    )


def _is_meant(mention: Mention, target: Target) -> bool:
    spec = registry.get(target.resource_type)
    return means(mention, spec, target.resource_id, target.wanted or {})
