"""Takes a snapshot: collects everything first, then makes it visible in one transaction. Called by the
pipeline, which runs `seal` and change detection in the same transaction. A type that could not be read
completely is carried over unchanged and marked in the coverage: missing data is never treated as a deletion.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import DatabaseError, connection
from django.db.models import QuerySet
from django.utils import timezone

from snapshots import naming
from snapshots.canonical import references
from snapshots.canonical.form import canonical_bytes, canonicalise
from snapshots.catalog import registry
from snapshots.catalog.spec import ResourceType
from snapshots.collection import masked_secrets, principals, type_reading
from snapshots.collection.addresses import with_value
from snapshots.collection.collected_names import CollectedNames
from snapshots.collection.derived import CompanionListings
from snapshots.collection.listing import Scope
from snapshots.coverage import NO_PROBLEM
from snapshots.models import Coverage, Snapshot, Version
from snapshots.store import content_store
from tenants.chunks import CHUNK, chunked
from tenants.errors import DomainError, LoggedError, logged
from tenants.microsoft.client import GraphClient
from tenants.microsoft.errors import AuthenticationFailed, LicenceMissing, MicrosoftError, PermissionMissing
from tenants.models import Tenant

Key = tuple[str, str]

NAME_LENGTH = 400


@dataclass(frozen=True)
class Outcome:
    """The result of reading one type."""

    status: Coverage.Status
    count: int = 0
    reason: str = ""
    remedy: str = ""
    companion_listings: tuple[str, ...] = ()
    """Other listings that were read, because objects in them are left out of this type."""


NO_SUBSCRIPTION = Outcome(
    Coverage.Status.NOT_APPLICABLE,
    reason="No Azure subscription is registered for this tenant.",
    remedy="Register one, and give the reader application the Azure role Reader on it.",
)


@dataclass
class Collected:
    """The collected state of a tenant, by digest. Not visible yet."""

    tenant: Tenant
    started_at: datetime
    states: dict[Key, tuple[str, str]] = field(default_factory=dict)
    """(type, ID) → (digest, display name) of everything that was read."""
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    app_roles: dict[str, Mapping[str, str]] = field(default_factory=dict)
    """ID of a service principal → names of the roles that it defines, by ID."""
    requests: int = 0


@dataclass(frozen=True)
class Delta:
    """A resource that differs from the previous snapshot: digests before and after, None if it did not or
    does not exist.
    """

    resource_type: str
    resource_id: str
    display_name: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Sealed:
    """A snapshot that becomes visible when the surrounding transaction commits, and its differences from the
    previous one.
    """

    snapshot: Snapshot
    previous: Snapshot | None
    deltas: Sequence[Delta]
    ended: Sequence[int]
    """Keys of the versions that ended with this snapshot."""


def collect(
    tenant: Tenant,
    client: GraphClient,
    *,
    types: Iterable[str] | None = None,
    progress: Callable[[ResourceType, Outcome], None] = lambda _spec, _outcome: None,
) -> Collected:
    """Reads the given types (default: all). Raises the first error if nothing could be read. A bug in reading
    a type fails only that type and is reported as an internal error in its coverage.
    """
    wanted = {registry.get(key).key for key in types} if types is not None else None
    collected = Collected(tenant, started_at=timezone.now())
    known = {
        (version.resource_type, version.resource_id): version
        for version in Version.objects.filter(tenant=tenant, last_snapshot__isnull=True)
    }
    mentioned: set[str] = set()
    failure: DomainError | None = None
    for spec in _parents_first(registry.all_types()):
        if wanted is not None and spec.key not in wanted:
            outcome = Outcome(Coverage.Status.NOT_REQUESTED)
        elif spec.on_azure and not tenant.subscriptions:
            outcome = NO_SUBSCRIPTION
        elif (parent := _never_read_parent(collected, spec)) is not None:
            outcome = _without_parent(spec, parent)
        else:
            outcome, error = _attempted(collected, client, spec, known, mentioned)
            failure = failure or error
        collected.outcomes[spec.key] = outcome
        progress(spec, outcome)
    if failure is not None and not any(
        outcome.status in (Coverage.Status.COMPLETE, Coverage.Status.PARTIAL)
        for outcome in collected.outcomes.values()
    ):
        raise failure
    principals.learn(tenant, client, mentioned)
    _name(collected, known)
    collected.requests = client.stats.requests
    return collected


def seal(collected: Collected, *, requested_by: str, run_id: int | None = None) -> Sealed:
    """Writes the snapshot, its coverage and its versions. Must be called inside a transaction."""
    if not connection.in_atomic_block:
        raise RuntimeError("capture.seal must run inside the transaction that makes the snapshot visible.")
    tenant = collected.tenant
    previous = content_store.latest(tenant)
    current = {
        (version.resource_type, version.resource_id): version
        for version in Version.objects.filter(tenant=tenant, last_snapshot__isnull=True)
    }
    read = {key for key, outcome in collected.outcomes.items() if outcome.status == Coverage.Status.COMPLETE}
    carried = {key: version.digest for key, version in current.items() if key[0] not in read}
    digests = carried | {key: digest for key, (digest, _) in collected.states.items()}
    snapshot = _insert(collected, previous, digests, requested_by=requested_by, run_id=run_id)
    deltas = _deltas(collected, current, read)
    ended = _move_versions(snapshot, previous, deltas, current)
    return Sealed(snapshot, previous, _reportable(collected, deltas, current, previous), ended)


def _attempted(
    collected: Collected,
    client: GraphClient,
    spec: ResourceType,
    known: Mapping[Key, Version],
    mentioned: set[str],
) -> tuple[Outcome, DomainError | None]:
    """The result of reading the type, and the error if it failed. Raises errors that must end the whole
    collection.
    """
    try:
        return _collect_type(collected, client, spec, known, mentioned), None
    except (AuthenticationFailed, DatabaseError):
        raise
    except (MicrosoftError, LoggedError) as error:
        return _failed(error), error
    except DomainError:
        raise
    except Exception as error:  # noqa: BLE001 - a bug in one type must not cost the others
        internal = logged(error, f"reading {spec.key} of tenant {collected.tenant.pk}")
        return _failed(internal), internal


def _collect_type(
    collected: Collected,
    client: GraphClient,
    spec: ResourceType,
    known: Mapping[Key, Version],
    mentioned: set[str],
) -> Outcome:
    tenant = collected.tenant
    companion_listings = CompanionListings(_companion_listings_before(tenant, spec))
    failed: list[MicrosoftError] = []
    scope = Scope(_parent_ids(collected, spec, failed), tenant.subscriptions, companion_listings, failed)
    found = type_reading.read_type(client, spec, scope)
    present = {item.resource_id for item in found}
    missing = [version for key, version in known.items() if key[0] == spec.key and key[1] not in present]
    if not failed:
        found += _present_all_the_same(tenant, client, spec, scope, missing)
    digests = content_store.put(tenant, ((spec, item.document) for item in found))
    for item, digest in zip(found, digests, strict=True):
        collected.states[(spec.key, item.resource_id)] = (digest, item.display_name)
        if item.app_roles:
            collected.app_roles[item.resource_id] = item.app_roles
        mentioned |= references.principals_of(spec, item.document)
    if failed:
        return _partly(spec, failed, count=len(found))
    return Outcome(
        Coverage.Status.COMPLETE, count=len(found), companion_listings=tuple(sorted(companion_listings.now))
    )


def _present_all_the_same(
    tenant: Tenant, client: GraphClient, spec: ResourceType, scope: Scope, missing: Sequence[Version]
) -> list[type_reading.Found]:
    """Graph's listings sometimes omit objects. Before an object is considered deleted, it is looked up at its
    own URL or, if the type has none, in a second complete listing.
    """
    if not missing:
        return []
    if spec.read.item_path is None:
        return type_reading.still_listed(client, spec, scope, {version.resource_id for version in missing})
    contents = content_store.documents(tenant, (version.digest for version in missing))
    looked = (
        type_reading.confirm_missing(client, spec, version.resource_id, contents[version.digest])
        for version in missing
    )
    return [found for found in looked if found is not None]


def _partly(spec: ResourceType, failed: Sequence[MicrosoftError], *, count: int) -> Outcome:
    """Uses what was read. The rest of the type is carried over, and nothing counts as deleted."""
    first = type_reading.named(failed[0], spec)
    others = f" ({len(failed) - 1} more failed)" if len(failed) > 1 else ""
    return Outcome(
        Coverage.Status.PARTIAL,
        count=count,
        reason=f"Some objects could not be read and were carried over: {first.what}{others}",
        remedy=first.remedy,
    )


def _parent_ids(collected: Collected, spec: ResourceType, failed: list[MicrosoftError]) -> list[str]:
    """IDs of the parent type's objects as just read. If the parent type could not be read, its children fail
    too. If only some parents could be read, this is added to `failed`, and previously known parents are used
    as well.
    """
    if spec.read.parent is None:
        return []
    known = Version.objects.filter(
        tenant=collected.tenant, resource_type=spec.read.parent, last_snapshot__isnull=True
    ).values_list("resource_id", flat=True)
    outcome = collected.outcomes.get(spec.read.parent)
    if outcome is None or outcome.status == Coverage.Status.NOT_REQUESTED:
        return list(known)
    read = [key[1] for key in collected.states if key[0] == spec.read.parent]
    if outcome.status == Coverage.Status.COMPLETE:
        return read
    parents = registry.get(spec.read.parent).plural.lower()
    what = f"{spec.plural} are read per parent, but the {parents} could not be read"
    if outcome.status != Coverage.Status.PARTIAL:
        raise MicrosoftError(what, outcome.remedy)
    failed.append(MicrosoftError(f"{what} completely", outcome.remedy))
    return sorted({*read, *known})


def _never_read_parent(collected: Collected, spec: ResourceType) -> ResourceType | None:
    """The parent type of this one, if neither this snapshot nor an earlier one has read it."""
    if spec.read.parent is None:
        return None
    outcome = collected.outcomes.get(spec.read.parent)
    if outcome is not None and outcome.status != Coverage.Status.NOT_REQUESTED:
        return None
    known = _complete(collected.tenant).filter(resource_type=spec.read.parent)
    return None if known.exists() else registry.get(spec.read.parent)


def _without_parent(spec: ResourceType, parent: ResourceType) -> Outcome:
    return Outcome(
        Coverage.Status.FAILED,
        reason=f"{spec.plural} are read per parent, but the {parent.plural.lower()} were never read.",
        remedy=f"Take a snapshot of {parent.key} and {spec.key} together, or of all types.",
    )


def _name(collected: Collected, known: Mapping[Key, Version]) -> None:
    """Names new and changed objects. At this point, all objects that they connect have names."""
    fresh = {
        key: digest
        for key, (digest, _) in collected.states.items()
        if key not in known or known[key].digest != digest
    }
    joining = [digest for key, digest in fresh.items() if naming.joins_others(registry.get(key[0]))]
    contents = content_store.documents(collected.tenant, joining)
    surroundings = CollectedNames(collected.tenant, collected.states, known, collected.app_roles)
    for key, digest in fresh.items():
        called = naming.name(
            registry.get(key[0]), collected.states[key][1], contents.get(digest), surroundings
        )
        collected.states[key] = (digest, called[:NAME_LENGTH])


def _parents_first(types: Iterable[ResourceType]) -> list[ResourceType]:
    return sorted(types, key=lambda spec: spec.read.parent is not None)


def _failed(error: DomainError) -> Outcome:
    status = Coverage.Status.FAILED
    if isinstance(error, PermissionMissing):
        status = Coverage.Status.FORBIDDEN
    elif isinstance(error, LicenceMissing):
        status = Coverage.Status.UNLICENSED
    return Outcome(status, reason=error.message.removesuffix("."), remedy=error.remedy)


def _insert(
    collected: Collected,
    previous: Snapshot | None,
    digests: Mapping[Key, str],
    *,
    requested_by: str,
    run_id: int | None,
) -> Snapshot:
    previous_root = previous.root if previous else ""
    entries = ((*key, digest) for key, digest in digests.items())
    complete = all(outcome.status in NO_PROBLEM for outcome in collected.outcomes.values())
    snapshot = Snapshot.objects.create(
        tenant=collected.tenant,
        number=previous.number + 1 if previous else 1,
        run_id=run_id,
        mode=Snapshot.Mode.FULL,
        status=Snapshot.Status.COMPLETE if complete else Snapshot.Status.PARTIAL,
        requested_by=requested_by,
        started_at=collected.started_at,
        completed_at=timezone.now(),
        previous_root=previous_root,
        root=content_store.manifest_root(collected.tenant, entries, previous_root),
        resource_count=len(digests),
        requests=collected.requests,
    )
    counts = Counter(key[0] for key in digests)
    Coverage.objects.bulk_create(
        Coverage(
            snapshot=snapshot,
            resource_type=key,
            status=outcome.status,
            count=counts[key],
            reason=outcome.reason,
            remedy=outcome.remedy,
            beside=list(outcome.companion_listings),
        )
        for key, outcome in collected.outcomes.items()
    )
    return snapshot


def _deltas(collected: Collected, current: Mapping[Key, Version], read: set[str]) -> list[Delta]:
    deltas = [
        Delta(*key, name, before=current[key].digest if key in current else None, after=digest)
        for key, (digest, name) in collected.states.items()
        if key not in current or current[key].digest != digest
    ]
    gone = (key for key in current if key[0] in read and key not in collected.states)
    deltas += [Delta(*key, current[key].display_name, before=current[key].digest, after=None) for key in gone]
    return sorted(deltas, key=lambda delta: (delta.resource_type, delta.resource_id))


def _move_versions(
    snapshot: Snapshot, previous: Snapshot | None, deltas: Sequence[Delta], current: Mapping[Key, Version]
) -> list[int]:
    """Ends outdated versions and creates new ones. Returns the keys of the versions that ended."""
    ended = sorted(
        current[(delta.resource_type, delta.resource_id)].pk for delta in deltas if delta.before is not None
    )
    for chunk in chunked(ended):
        Version.objects.filter(pk__in=chunk).update(last_snapshot=previous)
    Version.objects.bulk_create(
        (
            Version(
                tenant_id=snapshot.tenant_id,
                resource_type=delta.resource_type,
                resource_id=delta.resource_id,
                digest=delta.after,
                spec_version=registry.get(delta.resource_type).comparison.version,
                display_name=delta.display_name,
                first_snapshot=snapshot,
            )
            for delta in deltas
            if delta.after is not None
        ),
        batch_size=CHUNK,
    )
    return ended


def _reportable(
    collected: Collected, deltas: Sequence[Delta], current: Mapping[Key, Version], previous: Snapshot | None
) -> list[Delta]:
    """Removes differences that are not changes in the tenant: the first read of a type (or of objects omitted
    by partial reads), differences caused by a new spec version, and objects left out because another listing
    that contains them was read for the first time.
    """
    tenant = collected.tenant
    seen_before = _seen(tenant, until=previous) if previous else set()
    seen_partly = _seen(tenant, until=previous, status=Coverage.Status.PARTIAL) if previous else set()
    revealed = {
        spec.key
        for spec in {registry.get(delta.resource_type) for delta in deltas}
        if spec.read.derived_from is not None
        and set(collected.outcomes[spec.key].companion_listings)
        - _companion_listings_before(tenant, spec, until=previous)
    }
    return [
        delta
        for delta in deltas
        if (delta.resource_type in seen_before or (delta.resource_type in seen_partly and delta.before))
        and not _only_normalised(tenant, delta, current)
        and not _only_unmasked(tenant, delta)
        and not (delta.after is None and delta.resource_type in revealed)
    ]


def _seen(
    tenant: Tenant, until: Snapshot | None = None, status: Coverage.Status = Coverage.Status.COMPLETE
) -> set[str]:
    """Types that are complete, or have the given status, in a snapshot up to the given one."""
    return set(_with(status, tenant, until).values_list("resource_type", flat=True).distinct())


def _companion_listings_before(
    tenant: Tenant, spec: ResourceType, until: Snapshot | None = None
) -> frozenset[str]:
    """The other listings that were read with the type when it was last complete (up to the given snapshot)."""
    if spec.read.derived_from is None and all(part.derived_from is None for part in spec.parts):
        return frozenset()
    complete = _complete(tenant, until).filter(resource_type=spec.key)
    last = complete.order_by("-snapshot_id").values_list("beside", flat=True).first()
    return frozenset(last or ())


def _complete(tenant: Tenant, until: Snapshot | None = None) -> QuerySet[Coverage]:
    """Types that were read completely, with the snapshot (up to the given one)."""
    return _with(Coverage.Status.COMPLETE, tenant, until)


def _with(status: Coverage.Status, tenant: Tenant, until: Snapshot | None) -> QuerySet[Coverage]:
    found = Coverage.objects.filter(snapshot__tenant=tenant, status=status)
    return found if until is None else found.filter(snapshot_id__lte=until.pk)


def _only_unmasked(tenant: Tenant, delta: Delta) -> bool:
    """Whether the only difference is that secrets became readable or unreadable."""
    spec = registry.get(delta.resource_type)
    if not spec.secrets or delta.before is None or delta.after is None:
        return False
    contents = content_store.documents(tenant, (delta.before, delta.after))
    return masked_secrets.same_as_far_as_read(contents[delta.before], contents[delta.after], spec)


def _only_normalised(tenant: Tenant, delta: Delta, current: Mapping[Key, Version]) -> bool:
    version = current.get((delta.resource_type, delta.resource_id))
    spec = registry.get(delta.resource_type)
    if version is None or delta.after is None or version.spec_version == spec.comparison.version:
        return False
    contents = content_store.documents(tenant, (version.digest, delta.after))
    before, after = canonicalise(contents[version.digest], spec), contents[delta.after]
    for path, since in spec.comparison.first_read.items():
        if since > version.spec_version:
            after = with_value(after, path, None)
    return canonical_bytes(before) == canonical_bytes(canonicalise(after, spec))
