"""What the database itself refuses, whoever writes to it and by whatever route."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from rollbacks.models import Approval, Execution, Plan, Rollback
from tenants.access.matrix import Role
from tests.factories.changes import disabled_mfa
from tests.factories.rollbacks import planned
from tests.factories.tenants import TenantFactory, person


@pytest.fixture
def approved(db: None) -> Plan:
    """A plan with its two signatures."""
    tenant = TenantFactory()
    rollback = planned(tenant, person(Role.ENGINEER, tenant=tenant), [disabled_mfa(tenant)])
    assert rollback.plan is not None
    for _ in range(2):
        sign(rollback.plan)
    return rollback.plan


def sign(plan: Plan, verdict: str = "approved", digest: str = "") -> Approval:
    return Approval.objects.create(
        plan=plan,
        plan_digest=digest or plan.digest,
        approver=person(Role.APPROVER, tenant=plan.rollback.tenant),
        requester=plan.rollback.requester,
        verdict=verdict,
        at=timezone.now(),
    )


def start(plan: Plan, **facts: object) -> Execution:
    values = {"plan": plan, "started_by": plan.rollback.requester, "started_at": timezone.now(), **facts}
    with transaction.atomic():
        return Execution.objects.create(**values)


def another_revision(plan: Plan, **facts: object) -> Plan:
    old = Plan.objects.get(pk=plan.pk)
    old.pk, old.revision = None, plan.revision + 1
    for name, value in facts.items():
        setattr(old, name, value)
    old.save(force_insert=True)
    return old


def test_an_approved_plan_may_start_once(approved: Plan) -> None:
    assert start(approved).pk
    with pytest.raises(DatabaseError):
        start(approved)


def test_an_expired_plan_does_not_start(approved: Plan) -> None:
    with pytest.raises(DatabaseError, match="unexpired"):
        start(approved, started_at=approved.expires_at + timedelta(seconds=1))


def test_a_plan_that_somebody_rejected_does_not_start(approved: Plan) -> None:
    sign(approved, verdict="rejected")
    with pytest.raises(DatabaseError, match="rejected"):
        start(approved)


def test_a_plan_that_was_replaced_does_not_start_though_it_was_approved(approved: Plan) -> None:
    newer = another_revision(approved, digest="b" * 64)
    Rollback.objects.filter(pk=approved.rollback_id).update(plan=newer)
    with pytest.raises(DatabaseError, match="current"):
        start(approved)
    with pytest.raises(DatabaseError, match="all its approvals"):
        start(newer)


def test_a_plan_that_is_not_applicable_does_not_start(approved: Plan) -> None:
    newer = another_revision(approved, applicable=False)
    Rollback.objects.filter(pk=approved.rollback_id).update(plan=newer)
    for _ in range(2):
        sign(newer)
    with pytest.raises(DatabaseError, match="applicable"):
        start(newer)


def test_signatures_under_another_digest_do_not_count(approved: Plan) -> None:
    newer = another_revision(approved, digest="b" * 64)
    Rollback.objects.filter(pk=approved.rollback_id).update(plan=newer)
    for _ in range(2):
        sign(newer, digest=approved.digest)
    with pytest.raises(DatabaseError, match="all its approvals"):
        start(newer)


@pytest.mark.parametrize("values", [{"plan_id": 0}, {"started_at": timezone.now()}, {"run_id": 7}])
def test_who_started_what_and_when_stays_as_it_was_written(approved: Plan, values: dict[str, object]) -> None:
    started = start(approved)
    with pytest.raises(DatabaseError), transaction.atomic():
        Execution.objects.filter(pk=started.pk).update(**values)


def test_an_execution_cannot_be_taken_away_to_run_again(approved: Plan) -> None:
    started = start(approved)
    with pytest.raises(DatabaseError), transaction.atomic():
        Execution.objects.filter(pk=started.pk).delete()
    Execution.objects.filter(pk=started.pk).update(outcome="failed", message="its end is written later")
