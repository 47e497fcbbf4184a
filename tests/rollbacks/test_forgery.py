"""Rows that somebody slipped into the database, or altered there, get no rollback executed."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from rollbacks import integrity, proofs, services
from rollbacks.approvals.signatures import NotApproved, tally
from rollbacks.execution import runner
from rollbacks.models import Approval, Execution, Rollback, StepRecord
from rollbacks.states import State
from tenants.access.actors import Actor
from tenants.access.matrix import Role
from tenants.control import record
from tenants.control.graph import ControlScope, Kind
from tenants.models import LedgerEntry
from tenants.runs import leases
from tenants.trust import ledger
from tenants.trust.append_only import retention_gate
from tenants.trust.ledger import Forged
from tests.factories.changes import disabled_mfa
from tests.factories.rollbacks import digest_of, planned
from tests.factories.tenants import TenantFactory, person
from tests.rollbacks.conftest import Incident, Scene, acting, without_sleep


@pytest.fixture
def rollback(db: None) -> Rollback:
    tenant = TenantFactory()
    return planned(tenant, person(Role.ENGINEER, tenant=tenant), [disabled_mfa(tenant)])


@pytest.fixture
def approved(rollback: Rollback) -> Rollback:
    for _ in range(2):
        approver = person(Role.APPROVER, tenant=rollback.tenant)
        services.approve(acting(approver), rollback=fresh(rollback), digest=digest_of(rollback))
    return fresh(rollback)


@pytest.fixture
def claimed(approved: Rollback) -> Execution:
    return services.execute(acting(approved.requester), rollback=approved)


def fresh(rollback: Rollback) -> Rollback:
    return Rollback.objects.select_related("plan", "tenant", "requester").get(pk=rollback.pk)


def tamper(statement: str, *parameters: str | int) -> None:
    with retention_gate("a test"), connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def forge_signature(rollback: Rollback) -> None:
    """An approval, and the ledger entry that it needs, whose digest nobody without the master key can compute."""
    plan, approver = rollback.plan, person(Role.APPROVER, tenant=rollback.tenant)
    assert plan is not None
    approval = Approval.objects.create(
        plan=plan,
        plan_digest=plan.digest,
        approver=approver,
        requester=rollback.requester,
        verdict=Approval.Verdict.APPROVED,
        at=timezone.now(),
    )
    with transaction.atomic():
        entry = ledger.record(
            acting(approver),
            "rollback:approve",
            f"rollback {rollback.pk}",
            tenant=rollback.tenant,
            rollback=rollback.pk,
            digest=plan.digest,
            comment="",
            proof={str(proofs.signature_of(approval)): proofs.signature_of(approval).digest()},
        )
    tamper("UPDATE tenants_ledgerentry SET digest = %s WHERE id = %s", f"{entry.pk:064}", entry.pk)


def test_ledger_entries_with_a_wrong_digest_are_no_signatures(rollback: Rollback) -> None:
    for _ in range(2):
        forge_signature(rollback)
    assert rollback.plan is not None
    assert tally(rollback.plan).valid == []
    Rollback.objects.filter(pk=rollback.pk).update(state=State.APPROVED)
    with pytest.raises((Forged, NotApproved)):
        services.execute(acting(rollback.requester), rollback=fresh(rollback))
    assert not Execution.objects.exists()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE rollbacks_rollback SET reason = 'another reason'",
        "UPDATE rollbacks_plan SET planned_at = '2020-01-01 00:00:00+00:00'",
        "UPDATE rollbacks_step SET explanation = 'Does nothing.'",
        "UPDATE rollbacks_step SET kind = 'delete'",
        "UPDATE rollbacks_approval SET at = '2020-01-01 00:00:00+00:00'",
        "DELETE FROM rollbacks_step_changes",
        "UPDATE tenants_ledgerentry SET actor = 'nobody' WHERE action = 'rollback:plan'",
        "DELETE FROM tenants_ledgerentry WHERE action = 'rollback:approve'",
    ],
)
def test_a_rollback_is_not_claimed_once_anything_it_rests_on_was_altered(
    approved: Rollback, statement: str
) -> None:
    tamper(statement)
    with pytest.raises((Forged, NotApproved)):
        services.execute(acting(approved.requester), rollback=fresh(approved))
    assert not Execution.objects.exists()
    assert fresh(approved).state == State.APPROVED


def test_an_unrelated_entry_that_vanished_from_the_ledger_since_the_plan_stops_the_claim(
    approved: Rollback,
) -> None:
    """What made a signer dependent on the requester would vanish like that."""
    with transaction.atomic():
        entry = ledger.record(Actor.system("test"), "user:create", "a puppet")
        ledger.record(Actor.system("test"), "test:act", "later")
    tamper("DELETE FROM tenants_ledgerentry WHERE id = %s", entry.pk)
    with pytest.raises(Forged, match="missing"):
        services.execute(acting(approved.requester), rollback=fresh(approved))
    assert not Execution.objects.exists()


def performed(claimed: Execution) -> Execution:
    lease = leases.claim(claimed.run_id or 0)
    assert lease is not None
    return runner.perform(lease, sleep=without_sleep)


def slip_in(claimed: Execution, state: str) -> None:
    """As SQL would: without the seal that only the journal can write."""
    step = claimed.plan.steps.get()
    StepRecord.objects.bulk_create(
        [StepRecord(execution=claimed, step=step, state=state, closes_step=state == StepRecord.State.DONE)]
    )


@pytest.mark.parametrize("state", [StepRecord.State.PENDING, StepRecord.State.SENDING, StepRecord.State.DONE])
def test_a_journal_that_somebody_else_wrote_is_not_resumed_from(claimed: Execution, state: str) -> None:
    slip_in(claimed, state)
    ended = performed(claimed)
    assert (ended.outcome, "was not written by the product" in ended.message) == (State.FAILED, True)
    assert any(
        "not written by the product" in fault.what for fault in integrity.verify(claimed.plan.rollback.tenant)
    )


def test_a_signature_that_was_altered_after_the_claim_stops_the_worker(claimed: Execution) -> None:
    tamper("UPDATE rollbacks_approval SET comment = 'fine'")
    ended = performed(claimed)
    assert (ended.outcome, "signature" in ended.message) == (State.FAILED, True)


def test_a_slipped_in_record_does_not_make_a_step_look_done(scene: Scene, incident: Incident) -> None:
    """On the emulator: the worker that resumes sends nothing, and does not call the rollback verified."""
    rollback = scene.approved(incident.changes)
    lease = scene.claim(rollback)
    claimed = Execution.objects.get(plan__rollback=rollback)
    StepRecord.objects.bulk_create(
        StepRecord(execution=claimed, step=step, state="done", closes_step=True)
        for step in claimed.plan.steps.all()
    )
    assert runner.perform(lease, sleep=without_sleep).outcome == State.FAILED
    assert scene.writes() == []


@pytest.fixture
def before_proofs(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Ledger entries as they were before they held proofs."""

    def recorded(actor: Actor, action: str, rollback: Rollback, *_: Any, **detail: Any) -> LedgerEntry:
        signed: dict[str, Any] = {"rollback": rollback.pk} if action in proofs.SIGNED else {}
        return ledger.record(actor, action, "a rollback", tenant=rollback.tenant, **signed, **detail)

    monkeypatch.setattr(proofs, "record", recorded)
    return monkeypatch.undo


def test_a_rollback_that_was_signed_before_there_were_proofs_still_runs_and_verifies(
    before_proofs: Callable[[], None], request: pytest.FixtureRequest
) -> None:
    approved: Rollback = request.getfixturevalue("approved")
    before_proofs()
    assert integrity.verify(approved.tenant) == []
    claimed = services.execute(acting(approved.requester), rollback=approved)
    assert performed(claimed).outcome == State.FAILED
    assert "connection" in performed_message(claimed)
    assert integrity.verify(approved.tenant) == []


def performed_message(claimed: Execution) -> str:
    return Execution.objects.get(pk=claimed.pk).message


def test_a_signature_of_before_proofs_cannot_be_altered_either(
    before_proofs: Callable[[], None], request: pytest.FixtureRequest
) -> None:
    approved: Rollback = request.getfixturevalue("approved")
    before_proofs()
    tamper("UPDATE rollbacks_approval SET comment = 'no objection'")
    assert len(integrity.verify(approved.tenant)) > 0
    with pytest.raises((Forged, NotApproved)):
        services.execute(acting(approved.requester), rollback=fresh(approved))


def test_entries_that_were_cut_off_the_ledger_stop_the_claim(approved: Rollback) -> None:
    with transaction.atomic():
        last = ledger.record(Actor.system("test"), "test:act", "cut off")
    tamper("DELETE FROM tenants_ledgerentry WHERE id = %s", last.pk)
    with pytest.raises(Forged, match="later entries are missing"):
        services.execute(acting(approved.requester), rollback=fresh(approved))


def test_acts_of_control_do_not_stand_in_the_way_of_a_claim(approved: Rollback) -> None:
    """Their chain has a sealed head of its own beside the ledger's."""
    with transaction.atomic():
        entry = ledger.record(acting(approved.requester), "user:create", "somebody")
        record.append(Kind.CREATE, entry, subject=person().pk, control_scope=ControlScope(None, None))
    assert services.execute(acting(approved.requester), rollback=fresh(approved)).pk
    assert ledger.verify() == []
