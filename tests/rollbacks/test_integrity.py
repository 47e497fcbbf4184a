"""Plans and signatures: an alteration by whoever can write to the database is found."""

import pytest
from django.db import connection

from rollbacks import integrity, services
from rollbacks.models import Approval, Rollback
from tenants.access.actors import Actor
from tenants.access.matrix import Role
from tenants.trust.append_only import retention_gate
from tests.factories.changes import disabled_mfa
from tests.factories.rollbacks import digest_of, planned
from tests.factories.tenants import TenantFactory, UserFactory, person


@pytest.fixture
def signed(db: None) -> Rollback:
    tenant = TenantFactory()
    rollback = planned(tenant, UserFactory(), [disabled_mfa(tenant)])
    approver = Actor.person(person(Role.APPROVER, tenant=tenant), "test")
    services.approve(approver, rollback=rollback, digest=digest_of(rollback), comment="looks right")
    assert faults(rollback) == []
    return rollback


def tamper(statement: str, *parameters: str | int | bytes) -> None:
    with retention_gate("a test"), connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def faults(rollback: Rollback) -> list[str]:
    return [fault.what for fault in integrity.verify(rollback.tenant)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE rollbacks_plan SET required_approvals = 1",
        "UPDATE rollbacks_plan SET expires_at = '2099-01-01 00:00:00+00:00'",
        "UPDATE rollbacks_plan SET warnings = '[]'",
        "UPDATE rollbacks_plan SET digest = 'x'",
        "UPDATE rollbacks_step SET sealed = (SELECT data FROM snapshots_blob LIMIT 1)",
    ],
)
def test_an_altered_plan_is_found(signed: Rollback, statement: str) -> None:
    tamper(statement)
    assert faults(signed) == ["its plan 1 was altered"]


def test_an_altered_signature_is_found(signed: Rollback) -> None:
    tamper("UPDATE rollbacks_approval SET comment = 'no objection'")
    assert faults(signed) == [f"the signature of user {Approval.objects.get().approver_id} was altered"]


def test_a_removed_signature_is_found(signed: Rollback) -> None:
    tamper("DELETE FROM rollbacks_approval")
    assert faults(signed) == ["its signature is missing"]


def test_a_signature_that_was_slipped_in_is_found(signed: Rollback) -> None:
    assert signed.plan is not None
    Approval.objects.create(
        plan=signed.plan,
        plan_digest=signed.plan.digest,
        approver=UserFactory(),
        requester=signed.requester,
        verdict="approved",
        at=signed.created_at,
    )
    (what,) = faults(signed)
    assert what.endswith("is not known to the ledger")
