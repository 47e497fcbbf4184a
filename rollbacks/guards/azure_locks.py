"""Azure locks that prevent steps of a plan. A plan cannot be executed unless it removes them first. Only
reads the live subscriptions.
"""

from collections.abc import Iterator, Mapping

from rollbacks.planning.model import PlanDraft, PlannedStep
from snapshots.catalog import registry
from snapshots.catalog.spec import Document
from snapshots.collection.listing import Scope
from snapshots.collection.type_reading import read_type
from tenants.microsoft.client import GraphClient

LOCK = "managementLock"
DELETING = frozenset({"CanNotDelete", "ReadOnly"})
WRITING = frozenset({"ReadOnly"})
_PROVIDER = "/providers/microsoft.authorization/locks/"


def blockers(client: GraphClient, draft: PlanDraft) -> list[str]:
    """One message for each blocking lock. Raises MicrosoftError if locks cannot be read."""
    steps = [step for step in draft.steps if registry.get(step.resource_type).on_azure]
    touched = [step for step in steps if step.resource_type != LOCK]
    if not touched:
        return []
    spec = registry.get(LOCK)
    subscriptions = sorted({step.resource_id.split("/")[2] for step in touched})
    found = {item.resource_id: item.document for item in read_type(client, spec, Scope((), subscriptions))}
    levels = _while_it_runs(found, [step for step in steps if step.resource_type == LOCK])
    return list(_forbidding(levels, touched))


def _while_it_runs(found: Mapping[str, Document], steps: list[PlannedStep]) -> dict[str, str]:
    """What each lock forbids while the plan runs: those that stand in the way are taken away or loosened first."""
    levels = {lock_id: _level(document) for lock_id, document in found.items()}
    order = registry.get(LOCK).restore.order
    for step in steps:
        if step.resource_id in levels and order.is_first(step.expected, step.target):
            levels[step.resource_id] = _level(step.target)
    return levels


def _level(document: Document | None) -> str:
    return str(((document or {}).get("properties") or {}).get("level") or "")


def _forbidding(levels: Mapping[str, str], steps: list[PlannedStep]) -> Iterator[str]:
    for lock_id, level in sorted(levels.items()):
        scope, _, name = lock_id.rpartition(_PROVIDER)
        names = [
            f"{step.order} ({step.display_name or step.resource_id})"
            for step in steps
            if f"{step.resource_id}/".startswith(f"{scope}/") and level in _forbidden_by(step)
        ]
        if names:
            yield (
                f"The lock “{name}” ({level}) at {scope} forbids step {', '.join(names)}. Remove the "
                "lock until the rollback is done or, if the attacker created it, also select the "
                "change that created it. Then plan again."
            )


def _forbidden_by(step: PlannedStep) -> frozenset[str]:
    """The levels under which Azure refuses what the step sends."""
    deletes = any(planned.request.method == "DELETE" for planned in step.requests)
    return DELETING if deletes else WRITING
