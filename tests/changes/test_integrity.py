"""Whatever was sealed with a snapshot, and every kept audit event: an alteration is found."""

import json
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from changes import detect, integrity, services
from changes.audit import parse
from changes.models import Attribution, AuditEvent, Change, SignIn
from snapshots import capture, store
from snapshots.models import Snapshot
from tenants import ledger, proof, vault
from tenants.actions import Role
from tenants.actors import Actor
from tenants.append_only import retention_gate
from tenants.models import LedgerEntry, Tenant
from tests.factories.changes import MFA_POLICY_ID, mfa_policy
from tests.factories.snapshots import State, collected
from tests.factories.tenants import TenantFactory, person


def observed(tenant: Tenant, state: State) -> Snapshot:
    """Seal, detect and record, as the pipeline does."""
    gathered = collected(tenant, state)
    with transaction.atomic():
        sealed = capture.seal(gathered, requested_by="test")
        detect.detect(sealed)
        ledger.record(
            Actor.system("collection"),
            integrity.ACTION,
            f"snapshot {sealed.snapshot.number}",
            tenant=tenant,
            **integrity.facts_of(sealed.snapshot),
        )
    return sealed.snapshot


@pytest.fixture
def told(db: None) -> Tenant:
    tenant: Tenant = TenantFactory()
    for state in ("enabled", "disabled", "disabled"):
        observed(tenant, {"conditionalAccessPolicy": {MFA_POLICY_ID: mfa_policy(state=state)}})
    assert integrity.verify(tenant) == []
    return tenant


def tamper(statement: str, *parameters: str | int | bytes) -> None:
    with retention_gate("a test"), connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def faults(tenant: Tenant) -> list[tuple[str, str]]:
    return [(fault.where, fault.what) for fault in integrity.verify(tenant)]


@pytest.mark.parametrize(
    ("statement", "where"),
    [
        ("UPDATE changes_change SET severity = 'low'", "snapshot 2"),
        ("UPDATE changes_change SET summary = 'nothing'", "snapshot 2"),
        ("UPDATE changes_change SET kind = 'created'", "snapshot 2"),
        ("UPDATE changes_change SET before_digest = after_digest", "snapshot 2"),
        ("UPDATE changes_finding SET reason = 'nothing'", "snapshot 2"),
        ("DELETE FROM changes_finding", "snapshot 2"),
        ("UPDATE snapshots_coverage SET status = 'failed' WHERE snapshot_id = {last}", "snapshot 3"),
        ("UPDATE snapshots_coverage SET reason = 'x' WHERE snapshot_id = {last}", "snapshot 3"),
        ("UPDATE snapshots_snapshot SET requested_by = 'x' WHERE id = {last}", "snapshot 3"),
        ("UPDATE snapshots_snapshot SET root = 'x' WHERE id = {last}", "snapshot 3"),
        (
            "UPDATE snapshots_snapshot SET completed_at = '2020-01-01 00:00:00+00:00' WHERE id = {last}",
            "snapshot 3",
        ),
        ("UPDATE snapshots_version SET display_name = 'x' WHERE last_snapshot_id IS NULL", "snapshot 2"),
    ],
)
def test_an_alteration_is_found_in_its_snapshot(told: Tenant, statement: str, where: str) -> None:
    last = store.latest(told)
    assert last is not None
    tamper(statement.format(last=last.pk))
    assert faults(told) == [(where, "its record, coverage, versions, changes or findings were altered")]


def test_a_removed_change_is_found(told: Tenant) -> None:
    tamper("DELETE FROM changes_finding")
    tamper("DELETE FROM changes_change")
    assert not Change.objects.exists()
    assert [where for where, _ in faults(told)] == ["snapshot 2"]


def test_a_snapshot_that_was_removed_without_a_trace_is_missed(told: Tenant) -> None:
    last = store.latest(told)
    assert last is not None
    tamper("DELETE FROM snapshots_coverage WHERE snapshot_id = %s", last.pk)
    tamper("DELETE FROM snapshots_snapshot WHERE id = %s", last.pk)
    assert store.verify(told) == []
    assert faults(told) == [("snapshot 3", "is missing")]


def test_a_snapshot_that_was_slipped_in_is_found(told: Tenant) -> None:
    gathered = collected(told, {})
    with transaction.atomic():
        capture.seal(gathered, requested_by="test")
    assert faults(told) == [("snapshot 4", "the ledger does not know it")]


def test_facts_that_were_altered_in_the_ledger_too_break_its_chain(told: Tenant) -> None:
    last = store.latest(told)
    assert last is not None
    tamper("UPDATE snapshots_snapshot SET requested_by = 'x' WHERE id = %s", last.pk)
    entry = LedgerEntry.objects.filter(action=integrity.ACTION).first()
    assert entry is not None
    forged = {**entry.detail, **integrity.facts_of(Snapshot.objects.get(pk=last.pk))}
    tamper("UPDATE tenants_ledgerentry SET detail = %s WHERE id = %s", json.dumps(forged), entry.pk)
    assert faults(told) == []
    assert ledger.verify() != []


def test_another_tenants_snapshots_are_not_mixed_in(told: Tenant) -> None:
    other: Tenant = TenantFactory()
    observed(other, {"group": {"g": {"displayName": "Team"}}})
    assert faults(told) == faults(other) == []


RECORD: dict[str, Any] = {
    "id": "Directory_1",
    "activityDateTime": "2026-03-01T10:00:00.1234567Z",
    "activityDisplayName": "Update conditional access policy",
    "category": "Policy",
    "loggedByService": "Conditional Access",
    "correlationId": "c1",
    "result": "success",
    "initiatedBy": {"user": {"id": "u1", "userPrincipalName": "eve@example.com", "ipAddress": "203.0.113.7"}},
    "targetResources": [
        {"id": MFA_POLICY_ID, "displayName": "MFA", "type": "Policy", "modifiedProperties": []}
    ],
}


@pytest.fixture
def kept(told: Tenant) -> Tenant:
    """With an audit event, a sign-in, an attribution and an acknowledgement, all kept by the product itself."""
    facts = parse.audit_event(RECORD)
    assert facts is not None
    clear = {name: getattr(facts, name) for name in facts.__dataclass_fields__ if name != "targets"}
    event = AuditEvent(
        tenant=told,
        targets=[target.to_json() for target in facts.targets],
        sealed=vault.seal(told, json.dumps(RECORD).encode(), f"audit-event:{facts.event_id}"),
        received_at=timezone.now(),
        **clear,
    )
    sign_in = SignIn(
        tenant=told, event_id="s1", principal_id="u1", ip="203.0.113.7", occurred_at=timezone.now()
    )
    system = Actor.system("collection")
    assert [proof.append(system, told, [row]) for row in (event, sign_in)] == [1, 1]
    change = Change.objects.get()
    link = Attribution(
        change=change, event=AuditEvent.objects.get(), confidence="high", score=90, made_at=timezone.now()
    )
    proof.append(system, told, [link])
    engineer = person(Role.ENGINEER, tenant=told)
    services.acknowledge(Actor.person(engineer, "test"), change=change, note="a ticket")
    assert faults(told) == []
    return told


@pytest.mark.parametrize(
    ("table", "assignment", "name"),
    [
        ("changes_auditevent", "actor_name = 'mallory@example.com'", "audit events"),
        ("changes_auditevent", "ip = '192.0.2.1'", "audit events"),
        ("changes_auditevent", "occurred_at = '2020-01-01 00:00:00+00:00'", "audit events"),
        ("changes_auditevent", "targets = '[]'", "audit events"),
        ("changes_signin", "country = 'XX'", "sign ins"),
        ("changes_attribution", "score = 1", "attributions"),
        ("changes_attribution", "confidence = 'low'", "attributions"),
        ("changes_acknowledgement", "note = 'nothing'", "acknowledgements"),
    ],
)
def test_an_altered_row_is_found_in_its_batch(kept: Tenant, table: str, assignment: str, name: str) -> None:
    tamper(f"UPDATE {table} SET {assignment}")
    ((where, what),) = faults(kept)
    assert where == "history"
    assert what.startswith(f"{name} of batch")


def test_an_altered_sealed_record_is_found(kept: Tenant) -> None:
    data = bytearray(AuditEvent.objects.get().sealed)
    data[-1] ^= 1
    tamper("UPDATE changes_auditevent SET sealed = %s", bytes(data))
    assert [what.split(" of batch")[0] for _, what in faults(kept)] == ["audit events"]


@pytest.mark.parametrize("table", ["changes_acknowledgement", "changes_attribution", "changes_signin"])
def test_a_removed_row_is_missed(kept: Tenant, table: str) -> None:
    tamper(f"DELETE FROM {table}")
    assert len(faults(kept)) == 1


def test_a_row_that_was_slipped_in_is_found(kept: Tenant) -> None:
    SignIn.objects.create(tenant=kept, event_id="s2", principal_id="u1", occurred_at=timezone.now())
    assert faults(kept) == [("history", "1 sign ins are not known to the ledger")]
