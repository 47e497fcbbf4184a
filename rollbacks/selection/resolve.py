"""What a rollback is to bring back: from chosen changes, from an actor's window, or from a snapshot.

Reads the store only; the live tenant is read later.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from changes.attribution.linking import best_for
from changes.attribution.matching import SKEW
from changes.by_actor import by_actor
from changes.models import Attribution, Change
from rollbacks.planning.model import Key, Target
from rollbacks.selection.before_rollback import before_rollback
from rollbacks.selection.request import NothingToDo, Resolved, RollbackSelection
from snapshots.canonical.form import canonicalise
from snapshots.canonical.references import Mention, mentions
from snapshots.catalog import registry
from snapshots.catalog.spec import Document, Reference
from snapshots.collection.addresses import at
from snapshots.models import Coverage, Snapshot, Version
from snapshots.store import content_store
from tenants.models import Tenant


def resolve(tenant: Tenant, selection: RollbackSelection) -> Resolved:
    """Raises NothingToDo."""
    if selection.undo is not None:
        found = before_rollback(tenant, selection.undo)
    elif selection.snapshot is not None:
        found = _of_snapshot(tenant, selection)
    else:
        found = _of_changes(tenant, _changes(tenant, selection))
    if not found.targets:
        raise NothingToDo(" ".join(("There is nothing to roll back.", *found.warnings)))
    needed = [_in_present_form(target) for target in _with_needed(tenant, found.targets)]
    return replace(found, targets=needed)


def _in_present_form(target: Target) -> Target:
    """An earlier release may have stored another canonical form than the one that live objects are read in."""
    spec = registry.get(target.resource_type)
    wanted = None if target.wanted is None else canonicalise(target.wanted, spec)
    last_known = None if target.last_known is None else canonicalise(target.last_known, spec)
    return replace(target, wanted=wanted, last_known=last_known)


def _changes(tenant: Tenant, selection: RollbackSelection) -> list[Change]:
    of_tenant = Change.objects.filter(tenant=tenant)
    if selection.changes:
        found = list(of_tenant.filter(pk__in=selection.changes).order_by("pk"))
        unknown = sorted(set(selection.changes) - {change.pk for change in found})
        if unknown:
            raise NothingToDo(f"{tenant.name} has no change {', '.join(map(str, unknown))}.")
        return found
    if not selection.actor_name or selection.since is None or selection.until is None:
        raise NothingToDo("Select changes, an actor with a time window, or a snapshot.")
    around = of_tenant.filter(
        detected_at__gte=selection.since - SKEW, earliest_at__lte=selection.until + SKEW
    )
    theirs = list(by_actor(around, selection.actor_name).order_by("pk"))
    best = best_for(theirs)
    found = [change for change in theirs if _is_within(best.get(change.pk), selection)]
    names = sorted({best[change.pk].event.actor_name for change in found})
    if len(names) > 1:
        raise NothingToDo(
            f"{selection.actor_name!r} matches several actors: {', '.join(names)}. Choose one of them."
        )
    if not found:
        raise NothingToDo(f"No change of {tenant.name} in that time is attributed to {selection.actor_name}.")
    return found


def _is_within(attribution: Attribution | None, selection: RollbackSelection) -> bool:
    """Whether the likeliest event is of the window asked for; a guess is not enough to undo something."""
    return (
        attribution is not None
        and attribution.confidence != Attribution.Confidence.LOW
        and selection.since is not None
        and selection.until is not None
        and selection.since <= attribution.event.occurred_at <= selection.until
    )


def _of_changes(tenant: Tenant, changes: Sequence[Change]) -> Resolved:
    """For each resource its state before the earliest of the chosen changes, and so without any later one."""
    chosen = _by_resource(changes)
    earliest = {key: group[0].pk for key, group in chosen.items()}
    later = _by_resource(_since(tenant, min(earliest.values()) - 1, earliest))
    undone = {
        key: [change for change in later.get(key, ()) if change.pk >= first]
        for key, first in earliest.items()
    }
    newest = _newest(tenant, chosen)
    contents = content_store.documents(
        tenant,
        [group[0].before_digest for group in chosen.values()] + [row.digest for row in newest.values()],
    )
    targets = [
        Target(
            *key,
            wanted=contents.get(group[0].before_digest),
            display_name=group[-1].display_name,
            last_known=contents[newest[key].digest] if key in newest else None,
            changes=tuple(change.pk for change in undone[key]),
        )
        for key, group in chosen.items()
    ]
    asked = {change.pk for change in changes}
    everything = [change for group in undone.values() for change in group]
    unasked = [change for change in everything if change.pk not in asked]
    return Resolved(targets, everything, tuple(_unasked(unasked)))


def _by_resource(changes: Iterable[Change]) -> dict[Key, list[Change]]:
    grouped: dict[Key, list[Change]] = {}
    for change in changes:
        grouped.setdefault((change.resource_type, change.resource_id), []).append(change)
    return grouped


def _since(tenant: Tenant, pk: int, keys: Iterable[Key]) -> list[Change]:
    """All changes of these resources after that one, in order."""
    wanted = set(keys)
    rows = Change.objects.filter(
        tenant=tenant, pk__gt=pk, resource_id__in={resource_id for _, resource_id in wanted}
    )
    return [row for row in rows.order_by("pk") if (row.resource_type, row.resource_id) in wanted]


def _unasked(changes: Sequence[Change]) -> Iterator[str]:
    """Going back behind a change undoes whatever was done to the same resource afterwards, by whomever."""
    best = best_for(changes)
    for change in changes:
        found = best.get(change.pk)
        who = found.event.actor_name if found is not None else "an unknown actor"
        yield (
            f"{registry.get(change.resource_type).label} “{change.display_name}” was changed again "
            f"later by {who} (change {change.pk}). This change is also undone."
        )


def _of_snapshot(tenant: Tenant, selection: RollbackSelection) -> Resolved:
    snapshot = Snapshot.objects.filter(tenant=tenant, pk=selection.snapshot or 0).first()
    if snapshot is None:
        raise NothingToDo(f"{tenant.name} has no snapshot {selection.snapshot}.")
    then = _versions(content_store.state_at(snapshot), selection)
    now = _versions(Version.objects.filter(tenant=tenant, last_snapshot__isnull=True), selection)
    read_then = set(
        Coverage.objects.filter(snapshot=snapshot, status=Coverage.Status.COMPLETE).values_list(
            "resource_type", flat=True
        )
    )
    moved = {key for key in then.keys() | now.keys() if _digest(then.get(key)) != _digest(now.get(key))}
    left_alone = {key[0] for key in moved if key not in then and key[0] not in read_then}
    keys = sorted(key for key in moved if key in then or key[0] in read_then)
    newest = _newest(tenant, keys)
    contents = content_store.documents(
        tenant, [then[key].digest for key in keys if key in then] + [row.digest for row in newest.values()]
    )
    changes = _by_resource(Change.objects.filter(tenant=tenant, snapshot_id__gt=snapshot.pk).order_by("pk"))
    targets = [
        Target(
            *key,
            wanted=contents[then[key].digest] if key in then else None,
            display_name=newest[key].display_name,
            last_known=contents[newest[key].digest],
            changes=tuple(change.pk for change in changes.get(key, ())),
        )
        for key in keys
    ]
    undone = [change for key in keys for change in changes.get(key, ())]
    return Resolved(targets, undone, tuple(_not_read(sorted(left_alone))))


def _not_read(keys: Sequence[str]) -> Iterator[str]:
    for key in keys:
        yield (
            f"{registry.get(key).plural} were not completely read in that snapshot, so objects created "
            "since then are not deleted."
        )


def _versions(versions: Iterable[Version], selection: RollbackSelection) -> dict[Key, Version]:
    return {
        (version.resource_type, version.resource_id): version
        for version in versions
        if selection.resource_type in ("", version.resource_type)
        and selection.resource_id in ("", version.resource_id)
    }


def _newest(tenant: Tenant, keys: Iterable[Key]) -> dict[Key, Version]:
    """The last version that each resource ever had."""
    wanted = set(keys)
    rows = Version.objects.filter(tenant=tenant, resource_id__in={key[1] for key in wanted}).order_by(
        "first_snapshot_id"
    )
    return {key: row for row in rows if (key := (row.resource_type, row.resource_id)) in wanted}


def _with_needed(tenant: Tenant, targets: list[Target]) -> list[Target]:
    """Adds what a target refers to and the tenant has lost meanwhile, what cannot exist without it and was lost with
    it (an application's service principal), and what those refer to in turn.
    """
    lost = _lost(tenant)
    found = {target.key: target for target in targets}
    waiting = list(targets)
    while waiting:
        target = waiting.pop()
        for key, why in {**_needed(target, lost), **_principals_of(target, lost)}.items():
            if key not in found:
                needed = Target(
                    *key,
                    wanted=lost[key].document,
                    display_name=lost[key].display_name,
                    last_known=lost[key].document,
                    because=f"“{target.display_name}” {why}.",
                )
                found[key] = needed
                waiting.append(needed)
    return list(found.values())


@dataclass(frozen=True)
class _Lost:
    """A resource that no longer exists: its name, its last content, and the last snapshot that had it."""

    display_name: str
    document: Document
    until: int


def _lost(tenant: Tenant) -> dict[Key, _Lost]:
    versions = Version.objects.filter(tenant=tenant)
    present = set(versions.filter(last_snapshot__isnull=True).values_list("resource_type", "resource_id"))
    gone = {
        key: row
        for row in versions.filter(last_snapshot__isnull=False).order_by("first_snapshot_id")
        if (key := (row.resource_type, row.resource_id)) not in present
    }
    contents = content_store.documents(tenant, (row.digest for row in gone.values()))
    return {
        key: _Lost(row.display_name, contents[row.digest], row.last_snapshot_id or 0)
        for key, row in gone.items()
    }


def _needed(target: Target, lost: Mapping[Key, _Lost]) -> dict[Key, str]:
    if target.wanted is None:
        return {}
    mentioned = list(mentions(registry.get(target.resource_type), target.wanted))
    return {
        key: "refers to it"
        for key, each in lost.items()
        if any(_names(mention, key, each.document) for mention in mentioned)
    }


def _principals_of(target: Target, lost: Mapping[Key, _Lost]) -> dict[Key, str]:
    """What is lost and was part of a target that is lost as well: identified by nothing but its reference to it, come
    into being with it, or read below it.
    """
    if target.wanted is None or target.key not in lost:
        return {}
    names = {**target.wanted, "id": target.resource_id}
    same_name = {
        key: "cannot be used without it"
        for key, each in lost.items()
        for reference in registry.get(key[0]).references
        if _hangs_on(key[0], reference)
        and reference.to == target.resource_type
        and each.document.get(reference.path) == names.get(reference.by)
    }
    below = {
        key: "was part of it"
        for key, each in lost.items()
        if registry.get(key[0]).read.parent == target.resource_type
        and each.document.get(_parent_property(key[0])) == target.resource_id
        and each.until >= lost[target.key].until
    }
    return same_name | below


def _parent_property(kind: str) -> str:
    """The property that names what an object of the type is read below."""
    read, references = registry.get(kind).read, registry.get(kind).references
    return read.parent_key or next((each.path for each in references if each.to == read.parent), "")


def _hangs_on(kind: str, reference: Reference) -> bool:
    spec = registry.get(kind)
    return (
        reference.path == spec.restore.create.auto_created_with
        or (reference.path,) == spec.identity.natural_key
    )


def _names(mention: Mention, key: Key, document: Document) -> bool:
    if any(
        mention.to in (kind, "directoryObject") and mention.by == by and mention.value == at(document, path)
        for path, (kind, by) in registry.get(key[0]).principal_identity.items()
    ):
        return True
    if mention.to not in (key[0], "directoryObject"):
        return False
    return mention.value == (key[1] if mention.by == "id" else document.get(mention.by))


def _digest(version: Version | None) -> str:
    return version.digest if version is not None else ""
