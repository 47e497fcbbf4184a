"""Records the differences between two snapshots as graded changes, in the transaction that makes the snapshot
visible.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from django.db import connection

from changes.detection.stored_context import StoredContext
from changes.diff.structural import in_present_form
from changes.models import Change, Finding
from changes.severity.engine import grade
from changes.severity.model import Subject, Verdict
from snapshots.catalog import registry
from snapshots.catalog.spec import Document
from snapshots.collection.capture import Delta, Sealed
from snapshots.models import Coverage, Snapshot
from snapshots.store import content_store
from tenants.chunks import CHUNK

TEXT_LENGTH = 500


def detect(sealed: Sealed) -> list[Change]:
    """Records each difference as a change with severity and findings. The first snapshot has no changes."""
    if not connection.in_atomic_block:
        raise RuntimeError("detect must be called inside the transaction that makes the snapshot visible.")
    if sealed.previous is None or not sealed.deltas:
        return []
    tenant = sealed.snapshot.tenant
    contents = content_store.documents(
        tenant, (digest for delta in sealed.deltas for digest in (delta.before, delta.after) if digest)
    )
    context = StoredContext(sealed.previous, sealed.snapshot)
    verdicts = [grade(_subject(delta, contents), context) for delta in sealed.deltas]
    since = _last_read(sealed.previous)
    changes = Change.objects.bulk_create(
        [
            _change(sealed, delta, verdict, since)
            for delta, verdict in zip(sealed.deltas, verdicts, strict=True)
        ],
        batch_size=CHUNK,
    )
    Finding.objects.bulk_create(
        (
            Finding(
                change=change,
                rule=finding.rule,
                severity=finding.severity.value,
                direction=finding.direction.value,
                reason=_shortened(finding.reason),
                technique=finding.technique,
            )
            for change, verdict in zip(changes, verdicts, strict=True)
            for finding in verdict.findings
        ),
        batch_size=CHUNK,
    )
    return changes


def count_by_severity(changes: Sequence[Change]) -> dict[str, int]:
    return dict(Counter(change.severity for change in changes))


def _subject(delta: Delta, contents: Mapping[str, Document]) -> Subject:
    spec = registry.get(delta.resource_type)
    return Subject(
        resource_type=delta.resource_type,
        resource_id=delta.resource_id,
        before=in_present_form(contents[delta.before], spec) if delta.before else None,
        after=contents[delta.after] if delta.after else None,
    )


def _change(sealed: Sealed, delta: Delta, verdict: Verdict, since: Mapping[str, Snapshot]) -> Change:
    previous, snapshot = sealed.previous, sealed.snapshot
    if previous is None:
        raise RuntimeError("A change needs a previous snapshot.")
    kind = Change.Kind.UPDATED
    if delta.before is None:
        kind = Change.Kind.CREATED
    elif delta.after is None:
        kind = Change.Kind.DELETED
    return Change(
        tenant=snapshot.tenant,
        snapshot=snapshot,
        previous_snapshot=previous,
        resource_type=delta.resource_type,
        resource_id=delta.resource_id,
        display_name=delta.display_name,
        kind=kind,
        before_digest=delta.before or "",
        after_digest=delta.after or "",
        severity=verdict.severity.value,
        direction=verdict.direction.value,
        summary=_shortened(verdict.findings[0].reason),
        earliest_at=since.get(delta.resource_type, previous).started_at,
        detected_at=snapshot.completed_at,
    )


def _last_read(previous: Snapshot) -> dict[str, Snapshot]:
    """For each type, the latest snapshot up to `previous` that read it: a change cannot be older."""
    last: dict[str, Snapshot] = {}
    for coverage in (
        Coverage.objects.filter(
            snapshot__tenant_id=previous.tenant_id,
            snapshot_id__lte=previous.pk,
            status=Coverage.Status.COMPLETE,
        )
        .select_related("snapshot")
        .order_by("snapshot_id")
    ):
        last[coverage.resource_type] = coverage.snapshot
    return last


def _shortened(text: str) -> str:
    return text if len(text) <= TEXT_LENGTH else f"{text[: TEXT_LENGTH - 1]}…"
