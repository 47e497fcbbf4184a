"""After the last step: reads every touched resource again and holds it against what the plan wanted, ids remapped.

Also says whether two whole snapshots are equal, remapped ids aside.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from changes.diff.structural import diff
from rollbacks.execution.executor import bound
from rollbacks.execution.outcomes import Undone
from rollbacks.models import Execution, Remapping, StepRecord
from rollbacks.planning.effects import comparable, same, without_appended
from rollbacks.planning.losses import attained, without_losses
from rollbacks.planning.model import AnnouncedLoss, Key, PlannedStep
from rollbacks.planning.references import renamed, repointed
from rollbacks.planning.tokens import Lookup
from rollbacks.plans import storage
from snapshots.canonical.form import canonicalise
from snapshots.catalog import registry
from snapshots.catalog.spec import Document, ResourceType
from snapshots.collection.live import read_live
from snapshots.models import Snapshot
from snapshots.store import content_store
from tenants.microsoft.client import GraphClient


def verify(
    execution: Execution,
    steps: Sequence[PlannedStep],
    client: GraphClient,
    identifier: Lookup,
    undone: Mapping[int, Undone],
) -> dict[str, Any]:
    """`equal` and `differs` resources, the `refused` and `skipped` steps, the announced `losses`, the `remapped` ids.

    Equal is what is as the plan announced it. Values stay out of it; `differs` names the fields, and `added_by_policy`
    what a policy of the customer added to an equal one. A resource with an undone step is neither.
    """
    announced = storage.losses_of(execution.plan)
    before = {step.key: step.expected for step in reversed(steps)}
    moved = present_ids(execution)
    equal, differs = [], []
    unfinished = {step.key for step in steps if step.order in undone}
    for planned in {step.key: step for step in steps if step.key not in unfinished}.values():
        spec = registry.get(planned.resource_type)
        step = bound(planned, spec, identifier)
        object_id = moved.get(step.key, step.resource_id)
        losses = [loss for loss in announced if loss.key == step.key]
        wanted, less = (_under_new_ids(spec, each, moved) for each in (step.wanted, step.announced))
        live = read_live(client, spec, object_id, wanted or step.expected or step.target)
        facts = {
            "resource_type": step.resource_type,
            "resource_id": object_id,
            "display_name": step.display_name,
        }
        wanted = attained(live.document, wanted, less, losses)
        found, added = without_appended(live.document, wanted, before[step.key], spec)
        found, wanted = (without_losses(each, spec, losses) for each in (found, wanted))
        if same(comparable(found, spec), comparable(wanted, spec)):
            equal.append({**facts, "added_by_policy": list(added)} if added else facts)
        else:
            fields = [field.path for field in diff(wanted, found, spec).fields]
            differs.append({**facts, "fields": fields, "absent": live.document is None})
    return {
        "equal": equal,
        "differs": differs,
        "refused": _undone(steps, undone, StepRecord.State.FAILED),
        "skipped": _undone(steps, undone, StepRecord.State.SKIPPED),
        "losses": [as_json(loss) for loss in announced if loss.key not in unfinished],
        "remapped": remapped(execution),
    }


def _undone(
    steps: Sequence[PlannedStep], undone: Mapping[int, Undone], state: StepRecord.State
) -> list[dict[str, Any]]:
    return [
        {
            "order": step.order,
            "resource_type": step.resource_type,
            "resource_id": step.resource_id,
            "display_name": step.display_name,
            "reason": undone[step.order].reason,
        }
        for step in steps
        if step.order in undone and undone[step.order].state == state
    ]


def as_json(loss: AnnouncedLoss) -> dict[str, Any]:
    """An announced loss as pages, API and commands show it."""
    shown = loss.to_json()
    del shown["left_open"]
    return shown


def _under_new_ids(
    spec: ResourceType, document: Document | None, moved: Mapping[Key, str]
) -> Document | None:
    """The document with the object's own identifiers (an application's appId) as they are now."""
    if document is None:
        return None
    return renamed(document, spec, lambda value: moved.get((spec.key, value), value))


def present_ids(execution: Execution) -> dict[Key, str]:
    """The new ids of the resources that this execution could not bring back under their old ones."""
    return {(row.resource_type, row.old_id): row.new_id for row in execution.remappings.all()}


def remapped(execution: Execution) -> list[dict[str, str]]:
    return [
        {
            "resource_type": row.resource_type,
            "display_name": row.display_name,
            "old_id": row.old_id,
            "new_id": row.new_id,
        }
        for row in execution.remappings.all()
    ]


def differing(before: Snapshot, after: Snapshot) -> list[str]:
    """What is not equal in two snapshots of a tenant, once the ids that its rollbacks remapped are taken for the same.

    An object that came back under a new id, once or several times, is found by its remappings, and every reference to
    it is read as to the first one.
    """
    rows = Remapping.objects.filter(execution__plan__rollback__tenant_id=before.tenant_id).order_by("pk")
    first_ids: dict[str, str] = {}
    for row in rows:
        first_ids[row.new_id] = first_ids.get(row.old_id, row.old_id)
    then, now = _documents(before, first_ids), _documents(after, first_ids)
    return [
        f"{key[0]} {key[1]}"
        for key in sorted(then.keys() | now.keys())
        if not _alike(key, then.get(key), now.get(key))
    ]


def _alike(key: Key, then: Document | None, now: Document | None) -> bool:
    spec = registry.get(key[0])
    return same(comparable(then, spec), comparable(now, spec))


def _documents(snapshot: Snapshot, old_ids: Mapping[str, str]) -> dict[Key, Document]:
    """Sets are sorted again: an old ID sorts differently from the new one in its place."""
    versions = list(content_store.state_at(snapshot))
    contents = content_store.documents(snapshot.tenant, (version.digest for version in versions))
    documents = {}
    for version in versions:
        spec = registry.get(version.resource_type)
        key = (version.resource_type, old_ids.get(version.resource_id, version.resource_id))
        document = renamed(contents[version.digest], spec, lambda value: old_ids.get(value, value))
        as_before = repointed(document, spec, lambda mention: old_ids.get(mention.value, mention.value))
        documents[key] = canonicalise(as_before, spec)
    return documents
