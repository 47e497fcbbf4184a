"""Whatever people try, in whatever order: nothing runs without the signatures that it needs at that moment."""

from collections.abc import Callable
from functools import partial
from itertools import product

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from rollbacks import services
from rollbacks.models import Execution, Rollback
from rollbacks.states import CLOSED, OPEN, TRANSITIONS, MovedOn, State, move
from tenants.access import permissions
from tenants.access.matrix import Role
from tenants.errors import DomainError
from tenants.models import RoleBinding, Tenant, User
from tests.factories.changes import disabled_mfa
from tests.factories.rollbacks import digest_of, planned
from tests.factories.tenants import TenantFactory, bind, person
from tests.rollbacks.conftest import acting
from tests.strategies import at_most

PEOPLE = ("requester", "ada", "ben", "cleo", "auditor", "root")
ACTS = st.lists(
    st.tuples(
        st.sampled_from(
            ["approve", "approve", "approve", "reject", "execute", "execute", "cancel", "demote"]
        ),
        st.sampled_from(PEOPLE),
    ),
    max_size=12,
)


def cast(tenant: Tenant) -> dict[str, User]:
    people = {name: person(Role.APPROVER, tenant=tenant, username=name) for name in ("ada", "ben", "cleo")}
    people["requester"] = person(Role.ENGINEER, tenant=tenant, username="requester")
    bind(people["requester"], Role.APPROVER, tenant=tenant)
    people["auditor"] = person(Role.AUDITOR, tenant=tenant, username="auditor")
    people["root"] = person(username="root", is_superuser=True)
    return people


def demote(user: User) -> None:
    RoleBinding.objects.filter(user=user).delete()
    permissions.sync_grants(user)


def attempt(act: str, user: User, rollback: Rollback) -> None:
    digest = digest_of(rollback)
    acts: dict[str, Callable[..., object]] = {
        "approve": partial(services.approve, digest=digest),
        "reject": partial(services.reject, digest=digest, reason="no"),
        "execute": services.execute,
        "cancel": services.cancel,
    }
    if act == "demote":
        demote(user)
        return
    try:
        acts[act](acting(user), rollback=Rollback.objects.get(pk=rollback.pk))
    except DomainError:
        return


def signers(rollback: Rollback) -> set[str]:
    """Told from the rows alone, without asking the code under test."""
    plan = Rollback.objects.select_related("plan").get(pk=rollback.pk).plan
    assert plan is not None
    return {
        approval.approver.username
        for approval in plan.approvals.filter(verdict="approved", plan_digest=plan.digest)
        if approval.approver.is_superuser or approval.approver.role_bindings.filter(role="approver").exists()
    }


@pytest.mark.parametrize("needed", [1, 2, 3])
def test_no_sequence_of_acts_runs_a_rollback_without_enough_other_signers(db: None, needed: int) -> None:
    tenant = TenantFactory(required_approvals=needed, required_approvals_critical=max(needed, 2))
    people = cast(tenant)
    rollback = planned(tenant, people["requester"], [disabled_mfa(tenant)])

    @at_most(25)
    @given(ACTS)
    def explore(acts: list[tuple[str, str]]) -> None:
        with transaction.atomic():
            ran = False
            for act, name in acts:
                before = signers(rollback) - {"requester"}
                attempt(act, people[name], rollback)
                runs_now = Execution.objects.filter(plan__rollback=rollback).exists()
                assert not runs_now or ran or len(before) >= max(needed, 2)
                ran = runs_now
                state = Rollback.objects.get(pk=rollback.pk).state
                assert (state == State.EXECUTING) == ran
            transaction.set_rollback(True)

    explore()


def test_only_the_declared_moves_happen(db: None) -> None:
    tenant, requester = TenantFactory(), person(username="requester")
    for from_, to in product(State, State):
        rollback = Rollback.objects.create(tenant=tenant, requester=requester, source="changes", state=from_)
        if to in TRANSITIONS[from_]:
            move(rollback, to)
            assert (rollback.state, rollback.closed_at is not None) == (to, to in CLOSED)
        else:
            with pytest.raises(MovedOn):
                move(rollback, to)
            assert Rollback.objects.get(pk=rollback.pk).state == from_


def test_nothing_that_is_executing_can_be_withdrawn_or_planned_again() -> None:
    assert State.EXECUTING not in OPEN | CLOSED
    assert TRANSITIONS[State.EXECUTING] == {
        State.VERIFIED,
        State.PARTLY,
        State.DIFFERS,
        State.STALE,
        State.FAILED,
    }
