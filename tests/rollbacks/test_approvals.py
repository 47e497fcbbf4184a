"""Who may sign and execute what: the four-eyes rule by every route, at the time of execution, and in the database."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from rollbacks import services
from rollbacks.approvals.signatures import NotApproved
from rollbacks.execution import runner
from rollbacks.models import Approval, Execution, Plan, Rollback, Step
from rollbacks.planning.model import PlanDraft
from rollbacks.plans import storage
from rollbacks.services import Expired, NotApplicable
from rollbacks.states import MovedOn, State
from tenants.access import permissions
from tenants.access.actors import Actor
from tenants.access.matrix import Action, Role, TokenScope
from tenants.access.permissions import NotVisible, Refused
from tenants.models import ApiToken, LedgerEntry, RoleBinding, Run, Tenant, User
from tenants.runs import leases
from tenants.trust.append_only import retention_gate
from tests.factories.changes import disabled_mfa
from tests.factories.rollbacks import digest_of, planned
from tests.factories.tenants import TenantFactory, bind, person
from tests.rollbacks.concurrency import together
from tests.rollbacks.conftest import acting, without_sleep


@dataclass
class Case:
    """A planned rollback of one tenant and the people around it."""

    tenant: Tenant
    rollback: Rollback
    requester: User
    approvers: tuple[User, User]

    def approve(self, user: User, **facts: str) -> Approval:
        return services.approve(
            acting(user), rollback=self.fresh(), **{"digest": self.plan.digest, "comment": "", **facts}
        )

    def execute(self, user: User | None = None) -> Execution:
        return services.execute(acting(user or self.requester), rollback=self.fresh())

    def fresh(self) -> Rollback:
        return Rollback.objects.select_related("plan", "tenant", "requester").get(pk=self.rollback.pk)

    @property
    def plan(self) -> Plan:
        return Plan.objects.get(current_of=self.rollback)

    @property
    def state(self) -> str:
        return self.fresh().state


def make_case() -> Case:
    tenant = TenantFactory()
    requester = person(Role.ENGINEER, tenant=tenant)
    approvers = person(Role.APPROVER, tenant=tenant), person(Role.APPROVER, tenant=tenant)
    return Case(tenant, planned(tenant, requester, [disabled_mfa(tenant)]), requester, approvers)


@pytest.fixture
def case(db: None) -> Case:
    return make_case()


@pytest.fixture
def committed_case(committed_db: None) -> Case:
    return make_case()


def test_two_others_approve_and_the_rollback_may_run(case: Case) -> None:
    for approver in case.approvers:
        assert case.state == State.AWAITING_APPROVAL
        case.approve(approver)
    assert case.state == State.APPROVED
    run = Run.objects.get(pk=case.execute().run_id or 0)
    assert (case.state, run.kind) == (State.EXECUTING, Run.Kind.EXECUTE)


def test_the_requester_cannot_approve_and_hears_that_first(case: Case) -> None:
    with pytest.raises(Refused, match="You requested this rollback, so someone else must approve it"):
        case.approve(case.requester)
    assert LedgerEntry.objects.filter(action="rollback:approve-refused").count() == 1


def test_a_superuser_cannot_approve_their_own_request_either(db: None) -> None:
    tenant = TenantFactory()
    root = person(is_superuser=True, is_staff=True)
    rollback = planned(tenant, root, [disabled_mfa(tenant)])
    with pytest.raises(Refused, match="someone else"):
        services.approve(acting(root), rollback=rollback, digest=digest_of(rollback))


def test_the_requester_cannot_approve_through_an_api_token(case: Case) -> None:
    bind(case.requester, Role.APPROVER, tenant=case.tenant)
    token = ApiToken.objects.create(
        user=case.requester,
        name="own",
        prefix="lw_abc",
        token_hash="0" * 64,
        scopes=[TokenScope.APPROVE.value, TokenScope.READ.value],
        expires_at=timezone.now() + timedelta(days=1),
    )
    with pytest.raises(Refused, match="someone else"):
        services.approve(Actor.bearer(token), rollback=case.fresh(), digest=case.plan.digest)


def insert_approval(case: Case, approver: User, requester: User) -> None:
    plan = case.plan
    with transaction.atomic():
        Approval.objects.create(
            plan=plan,
            plan_digest=plan.digest,
            approver=approver,
            requester=requester,
            verdict="approved",
            at=timezone.now(),
        )


@pytest.mark.parametrize("honest", [True, False], ids=["named as requester", "somebody else named"])
def test_the_database_refuses_the_requesters_signature(case: Case, honest: bool) -> None:
    with pytest.raises(DatabaseError):
        insert_approval(case, case.requester, case.requester if honest else case.approvers[0])


def test_the_database_refuses_an_execution_without_all_signatures(case: Case) -> None:
    case.approve(case.approvers[0])
    plan = case.plan
    with pytest.raises(DatabaseError, match="all its approvals"), transaction.atomic():
        Execution.objects.create(plan=plan, started_by=case.requester, started_at=timezone.now())


def test_a_second_signature_of_the_same_person_does_not_count(case: Case) -> None:
    case.approve(case.approvers[0])
    with pytest.raises(Refused, match="already signed this plan"):
        case.approve(case.approvers[0])
    assert case.state == State.AWAITING_APPROVAL


def test_somebody_without_the_permission_cannot_approve(case: Case) -> None:
    auditor = person(Role.AUDITOR, tenant=case.tenant)
    with pytest.raises(Refused, match="approve rollback"):
        case.approve(auditor)


def test_a_rollback_of_a_foreign_tenant_does_not_exist_for_its_approver(case: Case) -> None:
    stranger = person(Role.APPROVER, tenant=TenantFactory())
    with pytest.raises(NotVisible):
        case.approve(stranger)


def test_a_system_actor_cannot_approve(case: Case) -> None:
    system = Actor.system("robot", *Action)
    with pytest.raises(Refused, match="Only a person"):
        services.approve(system, rollback=case.fresh(), digest=case.plan.digest)


def test_one_no_ends_the_rollback(case: Case) -> None:
    case.approve(case.approvers[0])
    services.reject(
        acting(case.approvers[1]), rollback=case.fresh(), digest=case.plan.digest, reason="not now"
    )
    assert case.state == State.REJECTED
    with pytest.raises((Refused, MovedOn)):
        case.execute()


def test_a_signature_under_a_plan_that_was_replaced_is_refused(case: Case) -> None:
    with pytest.raises(MovedOn, match="changed after you viewed"):
        case.approve(case.approvers[0], digest="0" * 64)


def test_an_unapproved_rollback_does_not_run_and_the_attempt_is_recorded(case: Case) -> None:
    case.approve(case.approvers[0])
    with pytest.raises(NotApproved, match="1 of 2 approvals"):
        case.execute()
    assert LedgerEntry.objects.filter(action="rollback:execute-refused").count() == 1


def test_an_approver_cannot_execute(case: Case) -> None:
    for approver in case.approvers:
        case.approve(approver)
    with pytest.raises(Refused, match="execute rollback"):
        case.execute(case.approvers[0])


def lose_the_role(case: Case) -> None:
    RoleBinding.objects.filter(user=case.approvers[0]).delete()
    permissions.sync_grants(case.approvers[0])


def be_deactivated(case: Case) -> None:
    User.objects.filter(pk=case.approvers[0].pk).update(is_active=False)


def raise_the_policy(case: Case) -> None:
    Tenant.objects.filter(pk=case.tenant.pk).update(required_approvals=3, required_approvals_critical=3)


def raise_the_policy_for_critical_changes(case: Case) -> None:
    Tenant.objects.filter(pk=case.tenant.pk).update(required_approvals_critical=3)


@pytest.mark.parametrize(
    "meanwhile",
    [lose_the_role, be_deactivated, raise_the_policy, raise_the_policy_for_critical_changes],
)
@pytest.mark.parametrize("claimed", [False, True], ids=["before the claim", "before the worker"])
def test_signatures_are_counted_again_when_it_runs(
    case: Case, meanwhile: Callable[[Case], None], claimed: bool
) -> None:
    for approver in case.approvers:
        case.approve(approver)
    if not claimed:
        meanwhile(case)
        with pytest.raises(NotApproved):
            case.execute()
        assert case.state == State.APPROVED
        return
    run_id = case.execute().run_id
    meanwhile(case)
    lease = leases.claim(run_id or 0)
    assert lease is not None
    done = runner.perform(lease, sleep=without_sleep)
    assert (done.outcome, case.state) == (State.FAILED, State.FAILED)
    assert "approvals by people who may approve it now" in done.message


def test_a_third_person_may_sign_where_an_earlier_signature_lost_its_worth(case: Case) -> None:
    for approver in case.approvers:
        case.approve(approver)
    lose_the_role(case)
    case.approve(person(Role.APPROVER, tenant=case.tenant))
    assert case.execute().plan_id == case.fresh().plan_id


def age(case: Case) -> None:
    """Time passes: the plan is history, so only the gate of retention lets a test turn its clock."""
    with retention_gate("a test"):
        Plan.objects.filter(rollback=case.rollback).update(expires_at=timezone.now() - timedelta(seconds=1))


def test_an_expired_plan_can_be_neither_signed_nor_executed(case: Case) -> None:
    for approver in case.approvers:
        case.approve(approver)
    age(case)
    with pytest.raises(Expired):
        case.execute()
    assert services.expire_overdue() == [case.rollback.pk]
    assert case.state == State.EXPIRED
    with pytest.raises(MovedOn):
        case.approve(person(Role.APPROVER, tenant=case.tenant))


def test_signing_an_expired_plan_expires_the_rollback(case: Case) -> None:
    age(case)
    with pytest.raises(Expired):
        case.approve(case.approvers[0])
    assert case.state == State.EXPIRED


def test_a_run_that_waited_until_the_plan_expired_sends_nothing(case: Case) -> None:
    for approver in case.approvers:
        case.approve(approver)
    run_id = case.execute().run_id
    age(case)
    lease = leases.claim(run_id or 0)
    assert lease is not None
    done = runner.perform(lease, sleep=without_sleep)
    assert done.outcome == State.FAILED
    assert case.state == State.FAILED


@pytest.mark.parametrize(
    "alteration",
    [
        {"required_approvals": 1},
        {"warnings": []},
        {"complete": False},
        {"expires_at": timezone.now() + timedelta(days=9)},
        {"digest": "f" * 64},
    ],
    ids=lambda alteration: next(iter(alteration)),
)
def test_an_altered_plan_is_neither_signed_nor_executed(case: Case, alteration: dict[str, object]) -> None:
    for approver in case.approvers:
        case.approve(approver)
    with retention_gate("a test"):
        Plan.objects.filter(rollback=case.rollback).update(**alteration)
    with pytest.raises((storage.Altered, NotApproved)):
        case.execute()
    with pytest.raises(storage.Altered):
        case.approve(person(Role.APPROVER, tenant=case.tenant))


def test_an_altered_step_is_found_before_anything_is_sent(case: Case) -> None:
    for approver in case.approvers:
        case.approve(approver)
    run_id = case.execute().run_id
    with retention_gate("a test"):
        step = Step.objects.get(plan__rollback=case.rollback)
        Step.objects.filter(pk=step.pk).update(sealed=bytes(step.sealed)[:-1] + b"x")
    lease = leases.claim(run_id or 0)
    assert lease is not None
    done = runner.perform(lease, sleep=without_sleep)
    assert (done.outcome, case.state) == (State.FAILED, State.FAILED)
    assert "altered" in done.message


def test_a_plan_with_a_step_taken_out_is_altered(case: Case) -> None:
    with retention_gate("a test"):
        Step.objects.filter(plan__rollback=case.rollback).delete()
    with pytest.raises(storage.Altered):
        case.approve(case.approvers[0])


def test_what_was_cancelled_stays_cancelled(case: Case) -> None:
    services.cancel(acting(case.requester), rollback=case.fresh())
    assert case.state == State.CANCELLED
    with pytest.raises(MovedOn):
        case.approve(case.approvers[0])


def test_a_rollback_whose_run_was_given_up_can_be_planned_again(case: Case) -> None:
    for approver in case.approvers:
        case.approve(approver)
    run_id = case.execute().run_id
    assert services.close_abandoned() == []
    Run.objects.filter(pk=run_id or 0).update(state=Run.State.QUARANTINED)
    assert services.close_abandoned() == [case.rollback.pk]
    assert case.state == State.FAILED
    assert Execution.objects.get(run_id=run_id).outcome == State.FAILED


def test_a_plan_that_is_not_applicable_cannot_be_signed(case: Case) -> None:
    with retention_gate("a test"):
        Plan.objects.filter(rollback=case.rollback).update(applicable=False)
    with pytest.raises(NotApplicable):
        case.approve(case.approvers[0])
    assert not PlanDraft(steps=(), warnings=()).applicable


def test_of_concurrent_executions_exactly_one_is_claimed(committed_case: Case) -> None:
    for approver in committed_case.approvers:
        committed_case.approve(approver)
    results = together(*[committed_case.execute] * 4)
    assert len([result for result in results if isinstance(result, Execution)]) == 1
    assert Execution.objects.count() == Run.objects.filter(kind=Run.Kind.EXECUTE).count() == 1


def test_concurrent_signatures_of_one_person_count_once(committed_case: Case) -> None:
    approver = committed_case.approvers[0]
    together(*[lambda: committed_case.approve(approver)] * 4)
    assert Approval.objects.count() == 1
    assert committed_case.state == State.AWAITING_APPROVAL


def test_concurrent_signatures_of_two_people_are_enough(committed_case: Case) -> None:
    first, second = committed_case.approvers
    together(lambda: committed_case.approve(first), lambda: committed_case.approve(second))
    assert committed_case.state == State.APPROVED


def test_a_cancellation_and_an_execution_at_once_leave_one_of_the_two(committed_case: Case) -> None:
    for approver in committed_case.approvers:
        committed_case.approve(approver)
    requester = acting(committed_case.requester)
    together(committed_case.execute, lambda: services.cancel(requester, rollback=committed_case.fresh()))
    assert (committed_case.state, Execution.objects.count()) in {(State.EXECUTING, 1), (State.CANCELLED, 0)}
