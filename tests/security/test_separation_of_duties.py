"""One person is never a whole quorum: not through accounts, passwords, roles, groups, tokens or policies that
they control, directly or through others. Played through the admin's pages; signed by page, API and command
line.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from changes.models import Change
from rollbacks import services
from rollbacks.approvals import signatures
from rollbacks.models import Approval, Execution, Rollback
from rollbacks.states import State
from tenants.access.actors import Actor
from tenants.access.matrix import Action, Role, TokenScope
from tenants.access.permissions import Refused
from tenants.accounts import administration, user_accounts
from tenants.accounts.user_accounts import Scope
from tenants.control import confirmation, record
from tenants.control.watch import COOLING_OFF
from tenants.errors import DomainError
from tenants.models import ControlAct, LedgerEntry, RoleBinding, Tenant, User
from tests.factories.changes import disabled_mfa
from tests.factories.rollbacks import digest_of, planned
from tests.factories.tenants import TenantFactory, bind, person
from tests.strategies import at_most

OPERATOR = Actor.system("operator", *Action)
PASSWORD = "a long enough phrase 7"
Attack = Callable[["Stage"], tuple[User, list[User]]]
"""What mallory does; returns who then requests and who then signs."""


@dataclass
class Stage:
    """One tenant; mallory administers the MSP and is an engineer; bob is the second administrator."""

    tenant: Tenant
    change: Change
    mallory: User
    bob: User
    approvers: list[User]

    def post(self, by: User, name: str, *args: int, **data: Any) -> Any:
        return signed_in(by).post(reverse(f"admin:{name}", args=args), data)

    def create(self, name: str, role: Role | None = None, by: User | None = None) -> User:
        actor = by or self.mallory
        new = {"username": name, "password": PASSWORD, "password_again": PASSWORD}
        assert self.post(actor, "tenants_user_add", **new).status_code == 302
        user = User.objects.get(username=name)
        if role is not None:
            self.bind(role, by=actor, user=user.pk)
        return user

    def bind(self, role: Role, by: User | None = None, **subject: int) -> Any:
        scope: dict[str, Any] = {"scope": "tenant", "tenant": self.tenant.pk}
        if role == Role.ADMINISTRATOR:
            scope = {"scope": "msp"}
        return self.post(
            by or self.mallory, "tenants_rolebinding_add", role=role.value, confirmed="on", **scope, **subject
        )

    def request(self, requester: User) -> Rollback:
        return planned(self.tenant, requester, [self.change])


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=user.pk), backend="django.contrib.auth.backends.ModelBackend")
    return client


def acting(user: User) -> Actor:
    return Actor.person(User.objects.get(pk=user.pk), "test")


@pytest.fixture
def stage(db: None) -> Stage:
    tenant: Tenant = TenantFactory()
    mallory = person(Role.ADMINISTRATOR, username="mallory", is_staff=True)
    bind(mallory, Role.ENGINEER)
    bob = person(Role.ADMINISTRATOR, username="bob", is_staff=True)
    approvers = [person(Role.APPROVER, tenant=tenant, username=name) for name in ("amir", "aiko")]
    return Stage(tenant, disabled_mfa(tenant), mallory, bob, approvers)


def creates_everybody(stage: Stage) -> tuple[User, list[User]]:
    engineer = stage.create("eve", Role.ENGINEER)
    return engineer, [stage.create(name, Role.APPROVER) for name in ("pat", "sam")]


def resets_the_passwords_of_real_approvers(stage: Stage) -> tuple[User, list[User]]:
    for approver in stage.approvers:
        stage.post(
            stage.mallory, "tenants_user_password", approver.pk, password=PASSWORD, password_again=PASSWORD
        )
    return stage.mallory, stage.approvers


def binds_themselves_through_a_puppet(stage: Stage) -> tuple[User, list[User]]:
    stage.bind(Role.APPROVER, user=stage.mallory.pk)
    assert not RoleBinding.objects.filter(user=stage.mallory, role="approver").exists()
    puppet = stage.create("pat", Role.ADMINISTRATOR)
    stage.bind(Role.APPROVER, by=puppet, user=stage.mallory.pk)
    stage.bind(Role.APPROVER, user=puppet.pk)
    return stage.create("eve", Role.ENGINEER), [stage.mallory, puppet]


def acts_through_a_middle_account(stage: Stage) -> tuple[User, list[User]]:
    middle = stage.create("mid", Role.ADMINISTRATOR)
    return stage.mallory, [stage.create(name, Role.APPROVER, by=middle) for name in ("pat", "sam")]


def reactivates_accounts(stage: Stage) -> tuple[User, list[User]]:
    dormant = [person(Role.APPROVER, tenant=stage.tenant, is_active=False) for _ in range(2)]
    for user in dormant:
        stage.post(stage.mallory, "tenants_user_change", user.pk, email="", is_active="on")
    return stage.mallory, dormant


def binds_a_role_to_a_group(stage: Stage) -> tuple[User, list[User]]:
    group, members = Group.objects.create(name="night shift"), [person() for _ in range(2)]
    group.user_set.set(members)
    stage.bind(Role.APPROVER, group=group.pk)
    return stage.mallory, members


def adds_accounts_to_a_group(stage: Stage) -> tuple[User, list[User]]:
    group, members = Group.objects.create(name="approvers"), [person() for _ in range(2)]
    user_accounts.bind_role(OPERATOR, subject=group, role=Role.APPROVER, scope=Scope(tenant=stage.tenant))
    for member in members:
        stage.post(stage.mallory, "tenants_user_groups", member.pk, groups="approvers")
    return stage.mallory, members


ATTACKS: list[Attack] = [
    creates_everybody,
    resets_the_passwords_of_real_approvers,
    binds_themselves_through_a_puppet,
    acts_through_a_middle_account,
    reactivates_accounts,
    binds_a_role_to_a_group,
    adds_accounts_to_a_group,
]
EACH = pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)


def sign_on_the_page(user: User, rollback: Rollback) -> None:
    client = signed_in(user)
    client.post(reverse("approve-rollback", args=[rollback.pk]), {"digest": digest_of(rollback)})
    client.post(reverse("execute-rollback", args=[rollback.pk]))


def sign_over_the_api(user: User, rollback: Rollback) -> None:
    client, address = signed_in(user), f"/api/v1/rollbacks/{rollback.pk}"
    body = json.dumps({"digest": digest_of(rollback)})
    client.post(f"{address}/approve/", body, content_type="application/json")
    client.post(f"{address}/execute/")


def sign_on_the_command_line(user: User, rollback: Rollback) -> None:
    for command, options in (("approve", {"digest": digest_of(rollback)}), ("execute", {})):
        try:
            call_command(command, rollback.pk, username=user.username, **options)
        except CommandError:
            continue


@EACH
@pytest.mark.parametrize("sign", [sign_on_the_page, sign_over_the_api, sign_on_the_command_line])
def test_one_administrator_is_no_quorum(
    stage: Stage, attack: Attack, sign: Callable[[User, Rollback], None]
) -> None:
    requester, signers = attack(stage)
    rollback = stage.request(requester)
    for user in (*signers, requester, stage.mallory):
        sign(user, rollback)
    assert Rollback.objects.get(pk=rollback.pk).state == State.AWAITING_APPROVAL
    assert not Execution.objects.exists()
    assert not Approval.objects.exists()


@EACH
def test_nobody_who_took_part_can_confirm_and_a_second_administrator_can(
    stage: Stage, attack: Attack
) -> None:
    requester, signers = attack(stage)
    waiting = confirmation.waiting(acting(stage.bob))
    assert waiting
    for user in {act.actor for act in waiting if act.actor} | {stage.mallory}:
        for act in waiting:
            signed_in(user).post(reverse("confirm-act", args=[act.number]))
    assert confirmation.waiting(acting(stage.bob)) == waiting

    for act in waiting:
        answer = signed_in(stage.bob).post(reverse("confirm-act", args=[act.number]), follow=True)
        assert "Confirmed." in answer.text
    assert confirmation.waiting(acting(stage.bob)) == []
    rollback = stage.request(requester)
    for user in signers:
        sign_on_the_page(user, rollback)
    assert Rollback.objects.get(pk=rollback.pk).state == State.APPROVED
    assert not list(record.faults())


def test_a_password_reset_after_signing_voids_the_signature(stage: Stage) -> None:
    rollback = stage.request(person(Role.ENGINEER, tenant=stage.tenant))
    for approver in stage.approvers:
        sign_on_the_page(approver, rollback)
    assert Rollback.objects.get(pk=rollback.pk).state == State.APPROVED
    resets_the_passwords_of_real_approvers(stage)
    with pytest.raises(signatures.NotApproved, match="0 of 2"):
        services.execute(acting(rollback.requester), rollback=Rollback.objects.get(pk=rollback.pk))


def test_a_confirmation_does_not_save_what_was_requested_under_control(stage: Stage) -> None:
    """Mallory, also an approver, requests through eve; eve is confirmed later; mallory's signature does not
    count.
    """
    bind(stage.mallory, Role.APPROVER)
    eve = stage.create("eve", Role.ENGINEER)
    rollback = stage.request(eve)
    for act in confirmation.waiting(acting(stage.bob)):
        confirmation.confirm(acting(stage.bob), act=act)
    with pytest.raises(Refused, match="unconfirmed control over the account that requested"):
        services.approve(acting(stage.mallory), rollback=rollback, digest=digest_of(rollback))
    later = stage.request(eve)
    services.approve(acting(stage.mallory), rollback=later, digest=digest_of(later))


def test_the_page_and_the_api_say_why_a_signature_does_not_count(stage: Stage) -> None:
    rollback = stage.request(person(Role.ENGINEER, tenant=stage.tenant))
    for approver in stage.approvers:
        sign_on_the_page(approver, rollback)
    stage.post(
        stage.mallory,
        "tenants_user_password",
        stage.approvers[0].pk,
        password=PASSWORD,
        password_again=PASSWORD,
    )
    reason = (
        "An administrator set this account's password, and no second administrator has confirmed this yet."
    )
    client = signed_in(stage.approvers[1])
    page = client.get(reverse("rollback", args=[rollback.pk])).text
    api = client.get(f"/api/v1/rollbacks/{rollback.pk}/").json()
    assert reason.replace("'", "&#x27;") in page
    assert [(each["counts"], each["reason"]) for each in api["approvals"]] == [
        (False, reason),
        (True, signatures.INDEPENDENT),
    ]


def test_the_database_refuses_a_signature_under_control(stage: Stage) -> None:
    rollback = stage.request(person(Role.ENGINEER, tenant=stage.tenant))
    resets_the_passwords_of_real_approvers(stage)
    assert rollback.plan is not None
    with pytest.raises(DatabaseError, match="unconfirmed control"), transaction.atomic():
        Approval.objects.create(
            plan=rollback.plan,
            plan_digest=digest_of(rollback),
            approver=stage.approvers[0],
            requester=rollback.requester,
            verdict="approved",
            at=timezone.now(),
        )


@pytest.mark.parametrize("who", ["administrator", "superuser"])
@pytest.mark.parametrize("through_a_group", [False, True])
def test_nobody_binds_a_role_to_themselves(stage: Stage, who: str, through_a_group: bool) -> None:
    actor = stage.mallory if who == "administrator" else person(is_superuser=True, is_staff=True)
    subject: User | Group = actor
    if through_a_group:
        subject = Group.objects.create(name="mine")
        actor.groups.add(subject)
    with pytest.raises(Refused, match="yourself"):
        user_accounts.bind_role(acting(actor), subject=subject, role=Role.APPROVER, scope=Scope())
    with pytest.raises(Refused, match="yourself"):
        user_accounts.set_groups(acting(actor), user=actor, groups=["others"])


def test_what_the_operator_does_is_no_control_by_a_person(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEW_PASSWORD", PASSWORD)
    for name in ("olga", "omar"):
        call_command(
            "add_user",
            name,
            role="approver",
            scope=f"tenant:{stage.tenant.name}",
            password_env="NEW_PASSWORD",
        )
    rollback = stage.request(stage.mallory)
    for name in ("olga", "omar"):
        sign_on_the_page(User.objects.get(username=name), rollback)
    assert Rollback.objects.get(pk=rollback.pk).state == State.APPROVED
    assert not ControlAct.objects.exists()


# The only administrator


def alone(stage: Stage) -> None:
    """The operator takes bob's role: from here on mallory is the only administrator."""
    user_accounts.unbind_role(OPERATOR, RoleBinding.objects.get(user=stage.bob))


def after(wait: timedelta) -> Any:
    now = timezone.now
    return mock.patch("django.utils.timezone.now", side_effect=lambda: now() + wait)


def approved_by(stage: Stage, requester: User, signers: list[User]) -> bool:
    rollback = stage.request(requester)
    for signer in signers:
        sign_on_the_page(signer, rollback)
    return Rollback.objects.get(pk=rollback.pk).state == State.APPROVED


def test_the_acts_of_the_only_administrator_cool_off_and_everybody_is_told(stage: Stage) -> None:
    alone(stage)
    requester, signers = creates_everybody(stage)
    reported = "The only administrator changed accounts or roles (6 actions)"
    portal = person(Role.PORTAL_APPROVER, customer=stage.tenant.customer)
    for user in (stage.mallory, stage.approvers[0], person(Role.AUDITOR), portal):
        assert reported in signed_in(user).get(reverse("overview")).text
    assert reported not in signed_in(person(Role.ENGINEER)).get(reverse("overview")).text
    with after(COOLING_OFF - timedelta(minutes=1)):
        assert not approved_by(stage, requester, signers)
    with after(COOLING_OFF + timedelta(minutes=1)):
        assert approved_by(stage, requester, signers)
        assert reported not in signed_in(stage.mallory).get(reverse("overview")).text


def demotes(stage: Stage) -> None:
    binding = RoleBinding.objects.get(user=stage.bob)
    stage.post(stage.mallory, "tenants_rolebinding_delete", binding.pk, post="yes")


def deactivates(stage: Stage) -> None:
    stage.post(stage.mallory, "tenants_user_change", stage.bob.pk, email="")


def resets(stage: Stage) -> None:
    stage.post(
        stage.mallory, "tenants_user_password", stage.bob.pk, password=PASSWORD, password_again=PASSWORD
    )


def demotes_through_a_puppet_and_leaves(stage: Stage) -> None:
    puppet = stage.create("mid", Role.ADMINISTRATOR)
    stage.post(puppet, "tenants_rolebinding_delete", RoleBinding.objects.get(user=stage.bob).pk, post="yes")
    own = RoleBinding.objects.get(user=stage.mallory, role="administrator")
    stage.post(stage.mallory, "tenants_rolebinding_delete", own.pk, post="yes")
    stage.mallory = puppet


@pytest.mark.parametrize("removes", [demotes, deactivates, resets, demotes_through_a_puppet_and_leaves])
def test_nobody_becomes_the_only_administrator_by_removing_the_second(
    stage: Stage, removes: Callable[[Stage], None]
) -> None:
    removes(stage)
    requester, signers = creates_everybody(stage)
    with after(COOLING_OFF * 10):
        assert not approved_by(stage, requester, signers)
        assert not ControlAct.objects.filter(cools_off_at__isnull=False).exists()


def test_the_operator_confirms_a_removal_and_the_next_acts_cool_off(stage: Stage) -> None:
    demotes(stage)
    (removal,) = confirmation.waiting(acting(stage.mallory))
    call_command("confirm", removal.number)
    stage.create("eve", Role.ENGINEER)
    assert ControlAct.objects.filter(cools_off_at__isnull=False).count() == 2


def test_a_puppet_is_no_second_administrator(stage: Stage) -> None:
    """Neither to confirm, nor so that the only administrator would be held up by it; when it cooled off, it
    is one.
    """
    alone(stage)
    puppet = stage.create("mid", Role.ADMINISTRATOR)
    pat = stage.create("pat", Role.APPROVER)
    act = ControlAct.objects.filter(subject=pat).first()
    assert act is not None
    assert act.cools_off_at is not None
    with pytest.raises(Refused, match="Your own account is waiting for confirmation"):
        confirmation.confirm(acting(puppet), act=act)
    with after(COOLING_OFF + timedelta(minutes=1)):
        sam = stage.create("sam", Role.APPROVER)
        assert not ControlAct.objects.filter(subject=sam, cools_off_at__isnull=False).exists()
        for act in confirmation.waiting(acting(puppet)):
            confirmation.confirm(acting(puppet), act=act)
        assert confirmation.waiting(acting(puppet)) == []


# The approval policy


def lower(stage: Stage, by: User, **values: int) -> None:
    administration.change_policy(acting(by), tenant=stage.tenant, **values)


def needed(stage: Stage, requester: User) -> int:
    """Of a plan that was made under one approval."""
    plan = planned(stage.tenant, requester, [stage.change], required_approvals=1).plan
    assert plan is not None
    return signatures.tally(plan).needed


def policy_of(stage: Stage) -> tuple[int, int, int]:
    tenant = Tenant.objects.get(pk=stage.tenant.pk)
    return tenant.required_approvals, tenant.required_approvals_critical, tenant.plan_lifetime_hours


def test_lowering_the_policy_takes_a_second_administrator_and_raising_does_not(stage: Stage) -> None:
    form = {
        "is_active": "on",
        "snapshot_interval_minutes": 60,
        "required_approvals": 1,
        "required_approvals_critical": 1,
        "plan_lifetime_hours": 48,
    }
    answer = signed_in(stage.mallory).post(
        reverse("admin:tenants_tenant_change", args=[stage.tenant.pk]), form, follow=True
    )
    assert "after a second administrator confirms it" in answer.text
    assert policy_of(stage) == (2, 2, 24)
    (proposal,) = confirmation.waiting(acting(stage.bob))
    with pytest.raises(Refused, match="This was your own action"):
        confirmation.confirm(acting(stage.mallory), act=proposal)
    signed_in(stage.bob).post(f"/api/v1/control-acts/{proposal.number}/confirm/")
    assert policy_of(stage) == (1, 1, 48)
    lower(stage, stage.mallory, required_approvals=3, required_approvals_critical=3, plan_lifetime_hours=12)
    assert policy_of(stage) == (3, 3, 12)


def test_those_who_lowered_the_policy_need_as_many_approvals_as_before(stage: Stage) -> None:
    bind(stage.bob, Role.APPROVER)
    puppet = stage.create("eve", Role.ENGINEER)
    lower(stage, stage.mallory, required_approvals=1, required_approvals_critical=1)
    for act in confirmation.waiting(acting(stage.bob)):
        if act.subject is None:
            confirmation.confirm(acting(stage.bob), act=act)
    honest = person(Role.ENGINEER, tenant=stage.tenant)
    assert [needed(stage, who) for who in (stage.mallory, stage.bob, puppet, honest)] == [2, 2, 2, 1]
    rollback = planned(stage.tenant, honest, [stage.change], required_approvals=1)
    with pytest.raises(Refused, match="took part in lowering"):
        services.approve(acting(stage.bob), rollback=rollback, digest=digest_of(rollback))
    lower(stage, stage.bob, required_approvals=2, required_approvals_critical=2)
    call_command("policy", stage.tenant.name, required_approvals=1, required_approvals_critical=1)
    assert needed(stage, stage.mallory) == 1, "what the operator lowered is nobody's lowering"


def test_a_proposal_that_was_overtaken_or_forgotten_cannot_be_confirmed(stage: Stage) -> None:
    lower(stage, stage.mallory, required_approvals=1)
    (first,) = confirmation.waiting(acting(stage.bob))
    lower(stage, stage.bob, required_approvals_critical=3)
    with pytest.raises(DomainError, match="was changed since"):
        confirmation.confirm(acting(stage.bob), act=first)
    lower(stage, stage.mallory, required_approvals=1)
    (second,) = confirmation.waiting(acting(stage.bob))
    with after(timedelta(days=8)), pytest.raises(DomainError, match="more than 7 days ago"):
        confirmation.confirm(acting(stage.bob), act=second)
    assert policy_of(stage) == (2, 3, 24)


def test_a_puppet_does_not_confirm_a_lower_policy(stage: Stage) -> None:
    puppet = stage.create("mid", Role.ADMINISTRATOR)
    lower(stage, puppet, required_approvals=1)
    (proposal,) = (act for act in confirmation.waiting(acting(stage.bob)) if act.subject is None)
    with pytest.raises(Refused, match="You controlled the account"):
        confirmation.confirm(acting(stage.mallory), act=proposal)
    lower(stage, stage.mallory, required_approvals=1)
    (proposal,) = (act for act in confirmation.waiting(acting(stage.bob)) if act.subject is None)
    with pytest.raises(Refused, match="Your own account is waiting"):
        confirmation.confirm(acting(puppet), act=proposal)
    assert policy_of(stage) == (2, 2, 24)


# The list


def test_auditors_see_what_waits_and_confirm_nothing(stage: Stage) -> None:
    stage.create("eve")
    auditor = person(Role.AUDITOR)
    page = signed_in(auditor).get(reverse("confirmations")).text
    assert "mallory created the account eve" in page
    assert "Confirmations (1)" in page
    assert ">Confirm<" not in page
    assert ">Confirm<" in signed_in(stage.bob).get(reverse("confirmations")).text
    assert "This was your own action" in signed_in(stage.mallory).get(reverse("confirmations")).text
    act = ControlAct.objects.get()
    signed_in(auditor).post(reverse("confirm-act", args=[act.number]))
    answer = signed_in(auditor).post(f"/api/v1/control-acts/{act.number}/confirm/")
    assert answer.status_code == 403
    assert not ControlAct.objects.filter(confirms=act).exists()
    assert LedgerEntry.objects.filter(action="control:confirm-refused").count() == 2


# Whatever one person tries


MODEL_ACTS = st.lists(
    st.tuples(
        st.sampled_from(
            ["create", "reset", "activate", "role", "admin", "group", "token", "demote", "off", "lower"]
            + ["confirm"] * 4
        ),
        st.integers(0, 7),
        st.integers(0, 7),
        st.integers(0, 7),
    ),
    min_size=3,
    max_size=9,
)


def test_no_sequence_of_administrative_acts_by_one_person_makes_a_quorum(stage: Stage) -> None:
    """Mallory acts with every account that she controls; the model of what she controls is the test's own."""
    bind(stage.mallory, Role.APPROVER)
    dormant = person(Role.APPROVER, tenant=stage.tenant, username="dormant", is_active=False)
    portal = person(Role.PORTAL_APPROVER, tenant=stage.tenant, username="portal")
    Group.objects.create(name="team")

    @at_most(25)
    @given(MODEL_ACTS, st.booleans())
    def explore(acts: list[tuple[str, int, int, int]], late: bool) -> None:
        with transaction.atomic():
            hers = {stage.mallory.pk}
            for number, (what, *choices) in enumerate(acts):
                perform(stage, hers, what, choices, f"new{number}", dormant, portal)
            with after(COOLING_OFF * 2 if late else timedelta(0)):
                for requester in User.objects.filter(pk__in=hers):
                    rollback = stage.request(requester)
                    for signer in hers:
                        attempt(services.approve, signer, rollback=rollback, digest=digest_of(rollback))
                    plan = Rollback.objects.get(pk=rollback.pk).plan
                    assert plan is not None
                    assert signatures.tally(plan).valid == []
                honest = stage.request(stage.bob)
                for signer in hers:
                    attempt(services.approve, signer, rollback=honest, digest=digest_of(honest))
                assert honest.plan is not None
                assert len(signatures.tally(honest.plan).valid) <= 1
                assert record.load().intact
            transaction.set_rollback(True)

    explore()


def attempt(service: Callable[..., object], user_id: int, /, **facts: Any) -> bool:
    try:
        with transaction.atomic():
            service(Actor.person(User.objects.get(pk=user_id), "test"), **facts)
    except DomainError:
        return False
    return True


def perform(
    stage: Stage, hers: set[int], what: str, choices: list[int], name: str, dormant: User, portal: User
) -> None:
    """One act with one of her accounts; an account whose credentials she now has becomes hers."""
    everybody = list(User.objects.order_by("pk"))
    by = sorted(hers)[choices[0] % len(hers)]
    target = everybody[choices[1] % len(everybody)]
    role = list(Role)[choices[2] % len(Role)]
    scope = Scope() if choices[2] % 2 else Scope(tenant=stage.tenant)
    gains = False
    if what == "create":
        gains = attempt(user_accounts.create_user, by, username=name, password=PASSWORD)
        target = User.objects.filter(username=name).first() or target
    elif what == "reset":
        gains = attempt(user_accounts.set_password, by, user=target, password=PASSWORD)
    elif what == "activate":
        target = dormant
        gains = attempt(administration.change_account, by, user=dormant, email="", is_active=True)
    elif what == "token":
        target = portal
        gains = attempt(
            user_accounts.issue_token, by, user=portal, name="t", scopes=frozenset({TokenScope.APPROVE})
        )
    elif what in ("role", "admin"):
        given = Role.ADMINISTRATOR if what == "admin" else role
        attempt(
            user_accounts.bind_role,
            by,
            subject=target,
            role=given,
            scope=Scope() if what == "admin" else scope,
        )
    elif what == "group":
        team = Group.objects.get(name="team")
        attempt(user_accounts.set_groups, by, user=target, groups=["team"])
        attempt(user_accounts.bind_role, by, subject=team, role=role, scope=scope)
    elif what == "demote":
        for binding in RoleBinding.objects.filter(user=stage.bob):
            attempt(user_accounts.unbind_role, by, binding=binding)
    elif what == "off":
        attempt(administration.change_account, by, user=stage.bob, email="", is_active=False)
    elif what == "lower":
        attempt(
            administration.change_policy,
            by,
            tenant=stage.tenant,
            required_approvals=1,
            required_approvals_critical=1,
        )
    else:
        for act in ControlAct.objects.exclude(kind="confirm"):
            attempt(confirmation.confirm, by, act=act)
    if gains:
        hers.add(target.pk)
