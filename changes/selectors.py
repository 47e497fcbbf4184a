"""Queries on changes: what an actor may see, and the formats used by commands, pages and API."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from changes.attribution import silence
from changes.diff.structural import Difference, shown_diff
from changes.models import Attribution, Change
from changes.states import state_of
from snapshots.catalog import registry
from snapshots.catalog.spec import Document
from snapshots.store import content_store
from tenants.access import permissions
from tenants.access.actors import Actor
from tenants.access.matrix import Action


def visible_changes(actor: Actor, action: Action = Action.VIEW) -> QuerySet[Change]:
    return Change.objects.filter(tenant__in=permissions.visible_tenants(actor, action))


def with_details(changes: QuerySet[Change]) -> QuerySet[Change]:
    """Prefetches everything needed for display in a constant number of queries."""
    return changes.select_related("tenant__customer", "snapshot", "acknowledgement__by").prefetch_related(
        "findings", "attributions__event", "resolutions", "tenant__audit_cursors"
    )


def best_attribution(change: Change) -> Attribution | None:
    """The attribution with the highest score, then the latest event. Uses the rows prefetched by
    `with_details`.
    """
    return max(
        change.attributions.all(),
        key=lambda attribution: (attribution.score, attribution.event.occurred_at, attribution.pk),
        default=None,
    )


def unattributed_reason(change: Change) -> str | None:
    """Why there is no attribution; None if there is one. Uses the rows prefetched by `with_details`."""
    return None if change.attributions.all() else silence.reason(change)


def documents_of(change: Change) -> tuple[Document | None, Document | None]:
    """Before and after."""
    contents = content_store.documents(change.tenant, (change.before_digest, change.after_digest))
    return contents.get(change.before_digest), contents.get(change.after_digest)


def difference_of(change: Change) -> Difference:
    before, after = documents_of(change)
    return shown_diff(before, after, registry.get(change.resource_type))


def as_json(changes: Iterable[Change]) -> list[dict[str, Any]]:
    """Changes in the documented JSON format of the command line, with contents loaded in bulk."""
    listed = list(changes)
    contents = _contents(listed)
    return [_as_json(change, contents) for change in listed]


def facts_of(change: Change) -> dict[str, Any]:
    """What commands and the API show of a change, without its contents. Times are datetimes."""
    attribution, resolution = best_attribution(change), change.resolution
    return {
        "id": change.pk,
        "tenant": change.tenant.name,
        "tenant_id": change.tenant_id,
        "snapshot": change.snapshot_id,
        "resource_type": change.resource_type,
        "resource_id": change.resource_id,
        "display_name": change.display_name,
        "kind": change.kind,
        "severity": change.severity,
        "direction": change.direction,
        "summary": change.summary,
        "findings": [
            {
                "rule": finding.rule,
                "severity": finding.severity,
                "direction": finding.direction,
                "reason": finding.reason,
                "technique": finding.technique,
            }
            for finding in change.findings.all()
        ],
        "attribution": attribution_as_json(attribution),
        "unattributed_reason": unattributed_reason(change),
        "earliest_at": change.earliest_at,
        "detected_at": change.detected_at,
        "occurred_at": attribution.event.occurred_at if attribution else None,
        "acknowledged": hasattr(change, "acknowledgement"),
        "state": state_of(change).value,
        "rollback": resolution.rollback if resolution else None,
        "rollback_verified": resolution.verified if resolution else None,
    }


def _contents(changes: Sequence[Change]) -> dict[tuple[int, str], Document]:
    by_tenant: dict[int, list[Change]] = {}
    for change in changes:
        by_tenant.setdefault(change.tenant_id, []).append(change)
    return {
        (tenant_id, digest): document
        for tenant_id, group in by_tenant.items()
        for digest, document in content_store.documents(
            group[0].tenant,
            (digest for change in group for digest in (change.before_digest, change.after_digest)),
        ).items()
    }


def _as_json(change: Change, contents: dict[tuple[int, str], Document]) -> dict[str, Any]:
    difference = shown_diff(
        contents.get((change.tenant_id, change.before_digest)),
        contents.get((change.tenant_id, change.after_digest)),
        registry.get(change.resource_type),
    )
    facts = facts_of(change)
    moments = {name: value.isoformat() for name, value in facts.items() if isinstance(value, datetime)}
    return {**facts, **moments, "patch": difference.patch}


def attribution_as_json(attribution: Attribution | None) -> dict[str, Any] | None:
    if attribution is None:
        return None
    event = attribution.event
    return {
        "actor": event.actor_name,
        "actor_type": event.actor_type,
        "actor_id": event.actor_id,
        "ip": event.ip or None,
        "country": attribution.country or None,
        "country_source": attribution.country_source or None,
        "audit_event_id": event.event_id,
        "activity": event.activity,
        "confidence": attribution.confidence,
        "why": attribution.why,
        "ours": attribution.ours,
    }
