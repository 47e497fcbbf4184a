"""Prepares a plan: reads the live tenant, builds the plan, checks its safety and runs the dry run. Writes
nothing.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from django.utils import timezone

from changes.detection.stored_context import StoredContext
from changes.models import Change
from changes.severity.engine import grade
from changes.severity.model import Direction, Severity, Subject
from rollbacks.guards import azure_locks, safety
from rollbacks.guards.policy import required_approvals
from rollbacks.models import Rollback
from rollbacks.planning.build import build, unique_natural_key
from rollbacks.planning.effects import same
from rollbacks.planning.model import Key, LiveState, NaturalKeyMatch, PlanDraft, Target
from rollbacks.plans.storage import NewPlan
from rollbacks.selection.dangling import without_dangling
from rollbacks.selection.expiry import drop_expired
from rollbacks.selection.natural_keys import natural_key_matches
from rollbacks.selection.present_ids import with_present_ids
from rollbacks.selection.referrers import with_referrers
from rollbacks.selection.request import NothingToDo, RollbackSelection
from rollbacks.selection.resolve import resolve
from rollbacks.selection.successors import with_successors
from rollbacks.selection.unfollowed import unfollowed
from snapshots.catalog import registry
from snapshots.catalog.spec import Document, ResourceType
from snapshots.collection import principals
from snapshots.collection.addresses import location_of
from snapshots.collection.live import read_live
from snapshots.collection.presence import Presence
from snapshots.models import Snapshot
from snapshots.store import content_store
from tenants.connections.onboarding import NoConnection, config_of, open_client
from tenants.control.policy import for_people
from tenants.microsoft.client import GraphClient
from tenants.models import Connection, Tenant, User


@dataclass(frozen=True)
class Prepared:
    """A plan ready to be stored, and the changes that it undoes."""

    new: NewPlan
    undone: Sequence[Change]


def prepare(rollback: Rollback, selection: RollbackSelection, planner: User) -> Prepared:
    """Raises NothingToDo, NoConnection or MicrosoftError."""
    tenant = rollback.tenant
    base = content_store.latest(tenant)
    if base is None:
        raise NothingToDo(f"{tenant.name} has no snapshot yet, so there is no earlier state.")
    resolved = resolve(tenant, selection)
    now = timezone.now()
    current, undone = drop_expired(now, resolved.targets), resolved.undone
    catalogue = {spec.key: spec for spec in registry.all_types()}
    with closing(open_client(tenant, "reader", priority="high")) as client:
        presence = Presence(client)
        targets = with_present_ids(tenant, client, presence, current.targets)
        live = {target.key: _live(client, catalogue[target.resource_type], target) for target in targets}
        targets, live = with_referrers(tenant, client, targets, live)
        targets = with_successors(targets, live)
        graph_url = config_of(tenant.connections.get(purpose=Connection.Purpose.READER)).endpoints.graph_url
        sound = without_dangling(
            targets,
            live,
            presence,
            partial(build, live=live, catalogue=catalogue, graph_url=graph_url),
            partial(principals.names, tenant),
        )
        draft = sound.draft
        if not draft.steps and draft.complete and not sound.losses:
            why = ("There is nothing to roll back: the tenant already matches that state.", *current.warnings)
            raise NothingToDo(" ".join(why))
        dry_run = _dry_run(client, draft, live)
        locked = azure_locks.blockers(client, draft)
    blockers = [*draft.blockers, *locked, *safety.blockers(tenant, draft), *_writer_blockers(tenant)]
    if not all(step["ready"] for step in dry_run["steps"]):
        blockers.append("The tenant changed while it was read. Plan again.")
    steps = {step.key: step for step in draft.steps if step.key in live}
    severity = own_severity(base, ((key, live[key].document, step.wanted) for key, step in steps.items()))
    policy = for_people(tenant, {rollback.requester, planner})
    new = NewPlan(
        steps=draft.steps,
        warnings=(
            *resolved.warnings,
            *current.warnings,
            *sound.warnings,
            *draft.warnings,
            *unfollowed(tenant, draft),
            *blockers,
        ),
        complete=draft.complete and not sound.losses,
        applicable=draft.applicable and not blockers,
        base_snapshot=base,
        required_approvals=required_approvals(policy, [severity, *(change.severity for change in undone)]),
        dry_run={**dry_run, "severity": severity.value},
        planned_at=now,
        expires_at=now + timedelta(hours=policy["plan_lifetime_hours"]),
        losses=(*sound.losses, *draft.losses),
    )
    return Prepared(new, undone)


def own_severity(base: Snapshot, pairs: Iterable[tuple[Key, Document | None, Document | None]]) -> Severity:
    """How grave what the rollback itself does would be as anybody else's change. `pairs`: key, live, wanted."""
    context = StoredContext(base, base)
    verdicts = [grade(Subject(*key, before=live, after=wanted), context) for key, live, wanted in pairs]
    weakening = (verdict.severity for verdict in verdicts if verdict.direction is Direction.WEAKENS)
    return max(weakening, default=Severity.INFORMATIONAL)


def _live(client: GraphClient, spec: ResourceType, target: Target) -> LiveState:
    found = read_live(client, spec, target.resource_id, target.wanted or target.last_known)
    natural_key_match = None
    if (
        found.document is None
        and not found.deleted
        and target.wanted is not None
        and unique_natural_key(spec)
    ):
        for other, known in sorted(natural_key_matches(client, spec, target.wanted).items()):
            document = read_live(client, spec, other, known).document
            natural_key_match = (
                NaturalKeyMatch(other, document) if document is not None else natural_key_match
            )
    return LiveState(
        found.document, found.deleted, natural_key_match, location_of(spec, found.raw), found.raw
    )


def _dry_run(client: GraphClient, draft: PlanDraft, live: dict[Key, LiveState]) -> dict[str, Any]:
    """Every step whose precondition can be read is read once more, as the execution will; nothing is sent."""
    return {
        "at": timezone.now().isoformat(),
        "writes": 0,
        "steps": list(_rehearsed(client, draft, live)),
        "requests": sum(len(step.requests) for step in draft.steps),
    }


def _rehearsed(client: GraphClient, draft: PlanDraft, live: dict[Key, LiveState]) -> Iterator[dict[str, Any]]:
    for step in draft.steps:
        if step.follows:
            yield {"order": step.order, "ready": True, "message": "depends on an earlier step of this plan"}
            continue
        spec = registry.get(step.resource_type)
        known = live[step.key].document if step.key in live else None
        now = read_live(client, spec, step.resource_id, known or step.target or step.expected)
        ready = same(now.document, step.expected)
        yield {
            "order": step.order,
            "ready": ready,
            "message": f"{len(step.requests)} request{'' if len(step.requests) == 1 else 's'} would be sent"
            if ready
            else "the object has just changed",
        }


def _writer_blockers(tenant: Tenant) -> list[str]:
    try:
        with closing(open_client(tenant, "writer")):
            return []
    except NoConnection as error:
        return [f"{error} Until then this plan cannot be executed."]
