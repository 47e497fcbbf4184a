"""Whatever was sealed with a snapshot, and every kept audit event: an alteration is found."""

import json
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from changes import integrity, services
from changes.audit import parse
from changes.detection import detect
from changes.models import Attribution, AuditEvent, Change, SignIn
from snapshots.collection import capture
from snapshots.models import Snapshot, Version
from snapshots.store import content_store
from snapshots.store.intervals import Timeline
from tenants.access.actors import Actor
from tenants.access.matrix import Role
from tenants.models import LedgerEntry, Tenant
from tenants.trust import ledger, proof, vault
from tenants.trust.append_only import retention_gate
from tests.factories.changes import MFA_POLICY_ID, mfa_policy
from tests.factories.snapshots import State, collected
from tests.factories.tenants import TenantFactory, person

CHANGES = "its changes or findings were altered"


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
            **integrity.facts_of(sealed),
        )
    return sealed.snapshot


@pytest.fixture
def reported(db: None) -> Tenant:
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
    ("statement", "fault"),
    [
        ("UPDATE changes_change SET severity = 'low'", ("snapshot 2", CHANGES)),
        ("UPDATE changes_change SET summary = 'nothing'", ("snapshot 2", CHANGES)),
        ("UPDATE changes_change SET kind = 'created'", ("snapshot 2", CHANGES)),
        ("UPDATE changes_change SET before_digest = after_digest", ("snapshot 2", CHANGES)),
        ("UPDATE changes_finding SET reason = 'nothing'", ("snapshot 2", CHANGES)),
        ("DELETE FROM changes_finding", ("snapshot 2", CHANGES)),
        (
            "UPDATE snapshots_coverage SET status = 'failed' WHERE snapshot_id = {last}",
            ("snapshot 3", "its coverage was altered"),
        ),
        (
            "UPDATE snapshots_snapshot SET requested_by = 'x' WHERE id = {last}",
            ("snapshot 3", "its record was altered"),
        ),
        (
            "UPDATE snapshots_snapshot SET root = 'x' WHERE id = {last}",
            ("snapshot 3", "its record was altered"),
        ),
        (
            "UPDATE snapshots_version SET display_name = 'x' WHERE last_snapshot_id IS NULL",
            ("snapshot 2", "the versions that begin with it were altered"),
        ),
    ],
)
def test_an_alteration_is_found_in_its_snapshot(
    reported: Tenant, statement: str, fault: tuple[str, str]
) -> None:
    last = content_store.latest(reported)
    assert last is not None
    tamper(statement.format(last=last.pk))
    assert fault in faults(reported)


def test_a_version_that_was_ended_to_hide_a_change_is_found_before_and_after_the_next_snapshot(
    reported: Tenant,
) -> None:
    """The next collection finds no version to compare with: a critical change would show as a creation."""
    last = content_store.latest(reported)
    assert last is not None
    statement = "UPDATE snapshots_version SET last_snapshot_id = %s WHERE last_snapshot_id IS NULL"
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement, [last.pk])
    tamper(statement, last.pk)
    assert [what for _, what in faults(reported)] == [
        "ends with the latest snapshot, although no snapshot ended it"
    ]
    observed(reported, {"conditionalAccessPolicy": {MFA_POLICY_ID: mfa_policy(state="enabled")}})
    assert ("snapshot 4", "the versions that ended before it differ from those that it ended") in faults(
        reported
    )
    assert [what for _, what in faults(reported) if "two snapshots" in what] == [
        "is not between the versions of its two snapshots"
    ]


def test_a_version_ends_while_a_snapshot_is_sealed_and_at_no_other_time(reported: Tenant) -> None:
    """Not even with the snapshot that ended others, once the one after it is in the ledger."""
    first, second, _ = Snapshot.objects.order_by("id")
    version = Version.objects.get(last_snapshot=None)
    for snapshot in (first, second):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            Version.objects.filter(pk=version.pk).update(last_snapshot=snapshot)
    ended = Version.objects.get(last_snapshot=first)
    for snapshot_id in (None, second.pk):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            Version.objects.filter(pk=ended.pk).update(last_snapshot=snapshot_id)


@pytest.mark.parametrize(
    ("assignment", "what"),
    [
        ("first_snapshot_id = {third}", "ends before it begins"),
        ("last_snapshot_id = {second}", "overlaps the version that follows it"),
        ("last_snapshot_id = {foreign}", "ends with a snapshot of another tenant"),
        ("first_snapshot_id = {foreign}", "begins with a snapshot of another tenant"),
    ],
)
def test_an_impossible_interval_is_found_though_the_ledger_is_older_than_proofs_of_ends(
    reported: Tenant, assignment: str, what: str
) -> None:
    foreign = observed(TenantFactory(), {"group": {"g": {"displayName": "Team"}}})
    _first, second, third = Snapshot.objects.filter(tenant=reported).order_by("id")
    ids = {"second": second.pk, "third": third.pk, "foreign": foreign.pk}
    tamper(
        f"UPDATE snapshots_version SET {assignment.format(**ids)} "
        "WHERE last_snapshot_id IS NOT NULL AND resource_type = 'conditionalAccessPolicy'"
    )
    assert what in [found.what for found in Timeline(reported).faults()]


def test_a_version_that_ended_though_its_type_was_not_read_is_found(reported: Tenant) -> None:
    tamper("DELETE FROM snapshots_version WHERE last_snapshot_id IS NULL")
    tamper("UPDATE snapshots_coverage SET status = 'failed'")
    assert [found.what for found in Timeline(reported).faults()] == [
        "ends although the next snapshot neither replaced it nor read its type"
    ]


def test_history_that_was_sealed_in_the_first_format_verifies_and_shows_alterations(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def first_format(sealed: capture.Sealed) -> dict[str, Any]:
        snapshot = sealed.snapshot
        return {
            "snapshot": snapshot.pk,
            "number": snapshot.number,
            "root": snapshot.root,
            "digest": integrity._first_format(snapshot),
        }

    tenant: Tenant = TenantFactory()
    with monkeypatch.context() as patched:
        patched.setattr(integrity, "facts_of", first_format)
        for state in ("enabled", "disabled"):
            observed(tenant, {"conditionalAccessPolicy": {MFA_POLICY_ID: mfa_policy(state=state)}})
    observed(tenant, {"conditionalAccessPolicy": {MFA_POLICY_ID: mfa_policy(state="enabled")}})
    assert faults(tenant) == []
    tamper("UPDATE changes_finding SET reason = 'nothing'")
    assert [where for where, _ in faults(tenant)] == ["snapshot 2", "snapshot 3"]


def test_a_removed_change_is_found(reported: Tenant) -> None:
    tamper("DELETE FROM changes_finding")
    tamper("DELETE FROM changes_change")
    assert not Change.objects.exists()
    assert {where for where, _ in faults(reported)} == {"snapshot 2"}


def test_a_snapshot_that_was_removed_without_a_trace_is_missed(reported: Tenant) -> None:
    last = content_store.latest(reported)
    assert last is not None
    tamper("DELETE FROM snapshots_coverage WHERE snapshot_id = %s", last.pk)
    tamper("DELETE FROM snapshots_snapshot WHERE id = %s", last.pk)
    assert content_store.verify(reported) == []
    assert ("snapshot 3", "is missing") in faults(reported)


def test_a_snapshot_that_was_slipped_in_is_found(reported: Tenant) -> None:
    gathered = collected(reported, {})
    with transaction.atomic():
        capture.seal(gathered, requested_by="test")
    assert faults(reported) == [("snapshot 4", "it is not recorded in the ledger")]


def test_facts_that_were_altered_in_the_ledger_too_break_its_chain(reported: Tenant) -> None:
    last = content_store.latest(reported)
    assert last is not None
    tamper("UPDATE snapshots_snapshot SET requested_by = 'x' WHERE id = %s", last.pk)
    entry = LedgerEntry.objects.filter(action=integrity.ACTION).first()
    assert entry is not None
    nothing_ended = capture.Sealed(Snapshot.objects.get(pk=last.pk), None, [], [])
    forged = {**entry.detail, **integrity.facts_of(nothing_ended)}
    tamper("UPDATE tenants_ledgerentry SET detail = %s WHERE id = %s", json.dumps(forged), entry.pk)
    assert [what for _, what in faults(reported)] == ["it is not recorded in the ledger"]
    assert ledger.verify() != []


def test_another_tenants_snapshots_are_not_mixed_in(reported: Tenant) -> None:
    other: Tenant = TenantFactory()
    observed(other, {"group": {"g": {"displayName": "Team"}}})
    assert faults(reported) == faults(other) == []


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
def stored(reported: Tenant) -> Tenant:
    """With an audit event, a sign-in, an attribution and an acknowledgement, all kept by the product itself."""
    facts = parse.audit_event(RECORD)
    assert facts is not None
    clear = {name: getattr(facts, name) for name in facts.__dataclass_fields__ if name != "targets"}
    event = AuditEvent(
        tenant=reported,
        targets=[target.to_json() for target in facts.targets],
        sealed=vault.seal(reported, json.dumps(RECORD).encode(), f"audit-event:{facts.event_id}"),
        received_at=timezone.now(),
        **clear,
    )
    sign_in = SignIn(
        tenant=reported, event_id="s1", principal_id="u1", ip="203.0.113.7", occurred_at=timezone.now()
    )
    system = Actor.system("collection")
    assert [proof.append(system, reported, [row]) for row in (event, sign_in)] == [1, 1]
    change = Change.objects.get()
    link = Attribution(
        change=change, event=AuditEvent.objects.get(), confidence="high", score=90, made_at=timezone.now()
    )
    proof.append(system, reported, [link])
    engineer = person(Role.ENGINEER, tenant=reported)
    services.acknowledge(Actor.person(engineer, "test"), change=change, note="a ticket")
    assert faults(reported) == []
    return reported


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
def test_an_altered_row_is_found_in_its_batch(stored: Tenant, table: str, assignment: str, name: str) -> None:
    tamper(f"UPDATE {table} SET {assignment}")
    ((where, what),) = faults(stored)
    assert where == "history"
    assert what.startswith(f"{name} of batch")


def test_an_altered_sealed_record_is_found(stored: Tenant) -> None:
    data = bytearray(AuditEvent.objects.get().sealed)
    data[-1] ^= 1
    tamper("UPDATE changes_auditevent SET sealed = %s", bytes(data))
    assert [what.split(" of batch")[0] for _, what in faults(stored)] == ["audit events"]


@pytest.mark.parametrize("table", ["changes_acknowledgement", "changes_attribution", "changes_signin"])
def test_a_removed_row_is_missed(stored: Tenant, table: str) -> None:
    tamper(f"DELETE FROM {table}")
    assert len(faults(stored)) == 1


def test_a_row_that_was_slipped_in_is_found(stored: Tenant) -> None:
    SignIn.objects.create(tenant=stored, event_id="s2", principal_id="u1", occurred_at=timezone.now())
    assert faults(stored) == [("history", "1 sign ins are not recorded in the ledger")]
