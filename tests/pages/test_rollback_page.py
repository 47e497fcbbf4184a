"""The page on which a rollback is judged: who may sign it, what a signature is bound to, and how an execution shows."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from rollbacks import services, states
from rollbacks.models import Approval, Execution, Rollback, StepRecord
from rollbacks.states import State
from tenants.access.actors import Actor
from tenants.access.matrix import Role
from tenants.models import LedgerEntry, RoleBinding, User
from tests.factories.tenants import bind, person
from tests.pages.conftest import Scene

SignIn = Callable[[User], Client]
HTMX = {"HX-Request": "true"}


def page(client: Client, scene: Scene) -> str:
    return client.get(reverse("rollback", args=[scene.rollback.pk])).text


def form(scene: Scene, **fields: str) -> dict[str, str]:
    assert scene.rollback.plan is not None
    return {"digest": scene.rollback.plan.digest, **fields}


def approve(client: Client, scene: Scene, **fields: str) -> str:
    url = reverse("approve-rollback", args=[scene.rollback.pk])
    return client.post(url, form(scene, **fields), follow=True).text


def state_of(scene: Scene) -> str:
    return Rollback.objects.get(pk=scene.rollback.pk).state


def approved(scene: Scene) -> None:
    assert scene.rollback.plan is not None
    for approver in (scene.approver, person(Role.APPROVER, tenant=scene.tenant)):
        services.approve(
            Actor.person(approver, "test"), rollback=scene.rollback, digest=scene.rollback.plan.digest
        )


def executing(scene: Scene) -> Execution:
    approved(scene)
    return services.execute(Actor.person(scene.engineer, "test"), rollback=scene.rollback)


def test_the_requesters_own_approval_is_refused_visibly(scene: Scene, signed_in: SignIn) -> None:
    bind(scene.engineer, Role.APPROVER, tenant=scene.tenant)
    client = signed_in(scene.engineer)

    before, after = page(client, scene), approve(client, scene)

    assert "You requested this rollback, so someone else must approve it." in before
    assert ">Approve<" not in before
    assert 'role="alert">You requested this rollback, so someone else must approve it.' in after
    assert not Approval.objects.exists()
    assert LedgerEntry.objects.filter(action="rollback:approve-refused").exists()


def test_a_superuser_cannot_approve_his_own_request_either(scene: Scene, signed_in: SignIn) -> None:
    User.objects.filter(pk=scene.engineer.pk).update(is_superuser=True)

    assert "someone else must approve it" in approve(signed_in(scene.engineer), scene)
    assert state_of(scene) == State.AWAITING_APPROVAL


def test_two_signatures_approve_and_their_comments_are_shown(scene: Scene, signed_in: SignIn) -> None:
    second = person(Role.APPROVER, tenant=scene.tenant)

    first_page = approve(signed_in(scene.approver), scene, comment="I asked the customer.")
    second_page = approve(signed_in(second), scene)

    assert "I asked the customer." in first_page
    assert "1 of 2" in first_page
    assert "Waiting for approval" in first_page
    assert "2 of 2" in second_page
    assert state_of(scene) == State.APPROVED


def test_whoever_has_signed_is_not_asked_again(scene: Scene, signed_in: SignIn) -> None:
    client = signed_in(scene.approver)

    signed = approve(client, scene)
    repeated = approve(client, scene)

    assert ">Approve<" not in signed
    assert "You have signed this plan." in signed
    assert 'role="alert"' in repeated
    assert Approval.objects.count() == 1


def test_a_signature_under_another_plan_than_the_one_seen_is_refused(scene: Scene, signed_in: SignIn) -> None:
    client = signed_in(scene.approver)
    url = reverse("approve-rollback", args=[scene.rollback.pk])

    other = client.post(url, {"digest": "f" * 64}, follow=True).text
    none = client.post(url, follow=True).text

    assert "The plan changed after you viewed it" in other
    assert "does not contain the plan that you viewed" in none
    assert not Approval.objects.exists()


def test_one_rejection_ends_it(scene: Scene, signed_in: SignIn) -> None:
    url = reverse("reject-rollback", args=[scene.rollback.pk])

    shown = signed_in(scene.approver).post(url, form(scene, reason="Not today."), follow=True).text

    assert "Not today." in shown
    assert ">Approve<" not in shown
    assert state_of(scene) == State.REJECTED


def test_a_rejection_needs_a_reason_and_is_not_announced_as_a_success(
    scene: Scene, signed_in: SignIn
) -> None:
    client, url = signed_in(scene.approver), reverse("reject-rollback", args=[scene.rollback.pk])

    unexplained = client.post(url, form(scene, reason="  "), follow=True)
    assert "A rejection needs a reason." in unexplained.text
    assert state_of(scene) == State.AWAITING_APPROVAL

    rejected = client.post(url, form(scene, reason="Wrong tenant."), follow=True)
    assert [message.level_tag for message in rejected.context["messages"]] == ["warning"]
    assert "Wrong tenant." in rejected.text


@pytest.mark.parametrize(
    ("name", "output"),
    [
        (
            "approve-rollback",
            "You approve exactly this plan of 1 step. It then has 1 of 2 approvals.",
        ),
        ("reject-rollback", "The rollback ends without writing any of its 1 step"),
    ],
)
def test_an_approver_is_told_what_an_act_will_do_before_it_is_done(
    name: str, output: str, scene: Scene, signed_in: SignIn
) -> None:
    client, url = signed_in(scene.approver), reverse(name, args=[scene.rollback.pk])
    plan = scene.rollback.plan
    assert plan is not None

    page = client.get(url, {"digest": plan.digest})
    dialog = client.get(url, {"digest": plan.digest}, headers=HTMX)

    for response in (page, dialog):
        assert output in response.text
        assert escape(scene.tenant.name) in response.text
        assert plan.digest[:16] in response.text
        assert f'action="{url}"' in response.text
    assert "<html" in page.text
    assert "<html" not in dialog.text
    assert state_of(scene) == State.AWAITING_APPROVAL


def test_an_engineer_is_told_what_executing_and_cancelling_will_do(scene: Scene, signed_in: SignIn) -> None:
    approved(scene)
    client = signed_in(scene.engineer)

    execute, cancel = (
        client.get(reverse(name, args=[scene.rollback.pk]), form(scene)).text
        for name in ("execute-rollback", "cancel-rollback")
    )

    assert "writes the 1 step of this plan to" in execute
    assert "1 update" in execute
    assert "Approvals given so far are discarded" in cancel
    assert state_of(scene) == State.APPROVED


@pytest.mark.parametrize("query", [{}, {"digest": "f" * 64}], ids=["none", "another"])
def test_a_plan_that_was_not_seen_is_not_offered_for_signing(
    query: dict[str, str], scene: Scene, signed_in: SignIn
) -> None:
    shown = signed_in(scene.approver).get(reverse("approve-rollback", args=[scene.rollback.pk]), query).text

    assert "The plan changed after you viewed it." in shown
    assert 'name="digest"' not in shown


def test_somebody_who_may_not_sign_is_offered_no_confirmation(scene: Scene, signed_in: SignIn) -> None:
    shown = (
        signed_in(scene.engineer).get(reverse("approve-rollback", args=[scene.rollback.pk]), form(scene)).text
    )

    assert "this action is not available" in shown
    assert 'name="digest"' not in shown


def test_a_signature_of_somebody_who_lost_the_role_no_longer_counts(scene: Scene, signed_in: SignIn) -> None:
    approve(signed_in(scene.approver), scene)
    binding = RoleBinding.objects.get(user=scene.approver)
    bind(scene.approver, Role.AUDITOR, tenant=scene.tenant)
    binding.delete()
    bind(scene.approver, Role.PORTAL, tenant=scene.tenant)

    shown = page(signed_in(scene.engineer), scene)

    assert "does not count" in shown
    assert "No longer has permission to approve on this tenant." in shown
    assert "0 of 2" in shown


@pytest.mark.parametrize(
    ("role", "buttons"),
    [
        (Role.ENGINEER, {"Re-plan", "Cancel rollback"}),
        (Role.APPROVER, {"Approve", "Reject"}),
        (Role.AUDITOR, set()),
        (Role.ADMINISTRATOR, set()),
        (Role.PORTAL, set()),
        (Role.PORTAL_APPROVER, {"Approve", "Reject"}),
    ],
)
def test_buttons_are_there_only_for_those_who_may(
    role: Role, buttons: set[str], scene: Scene, signed_in: SignIn
) -> None:
    shown = page(signed_in(person(role, tenant=scene.tenant)), scene)

    present = {
        name
        for name in ("Approve", "Reject", "Execute now", "Re-plan", "Cancel rollback")
        if f">{name}<" in shown
    }
    assert present == buttons


def test_the_plan_shows_differences_requests_and_names(scene: Scene, signed_in: SignIn) -> None:
    shown = page(signed_in(scene.approver), scene)

    assert "PATCH" in shown
    assert f"/v1.0/policies/{scene.change.resource_id}" in shown
    assert "Mallory" in shown
    assert scene.rollback.plan is not None
    assert scene.rollback.plan.digest in shown
    assert "Mind this" in shown


def test_an_approved_plan_can_be_executed_by_an_engineer_only(scene: Scene, signed_in: SignIn) -> None:
    approved(scene)

    assert ">Execute now<" in page(signed_in(scene.engineer), scene)
    assert ">Execute now<" not in page(signed_in(scene.approver), scene)


def test_an_unapproved_plan_is_not_executed(scene: Scene, signed_in: SignIn) -> None:
    url = reverse("execute-rollback", args=[scene.rollback.pk])

    shown = signed_in(scene.engineer).post(url, follow=True).text

    assert "has 0 of 2 approvals" in shown
    assert not Execution.objects.exists()


def test_an_execution_is_followed_every_second_until_it_is_over(scene: Scene, signed_in: SignIn) -> None:
    execution = executing(scene)
    client, url = signed_in(scene.approver), reverse("rollback-progress", args=[scene.rollback.pk])
    StepRecord.objects.create(
        execution=execution, step=execution.plan.steps.get(), state=StepRecord.State.SENDING
    )

    running = client.get(url, headers=HTMX)
    Execution.objects.filter(pk=execution.pk).update(
        finished_at=timezone.now(),
        outcome="differs",
        verification={
            "equal": [],
            "differs": [
                {
                    "resource_type": "conditionalAccessPolicy",
                    "resource_id": scene.change.resource_id,
                    "display_name": "<b>MFA</b>",
                    "fields": ["state"],
                    "absent": False,
                }
            ],
            "remapped": [],
        },
    )
    states.move(Rollback.objects.get(pk=scene.rollback.pk), State.DIFFERS)
    over = client.get(url, headers=HTMX)

    assert 'hx-trigger="every 1s"' in running.text
    assert "sending" in running.text
    assert "0 of 1 steps done" in running.text
    assert 'hx-trigger="every' not in over.text
    assert over.headers["HX-Retarget"] == "#rollback"
    assert "1 resource differs from the planned state." in over.text
    assert "&lt;b&gt;MFA" in over.text


def test_a_cancelled_rollback_cannot_be_signed_any_more(scene: Scene, signed_in: SignIn) -> None:
    signed_in(scene.engineer).post(reverse("cancel-rollback", args=[scene.rollback.pk]))

    shown = approve(signed_in(scene.approver), scene)

    assert state_of(scene) == State.CANCELLED
    assert 'role="alert"' in shown
    assert ">Approve<" not in shown


def test_a_state_and_a_tenant_narrow_the_list(scene: Scene, foreign: Scene, signed_in: SignIn) -> None:
    client, link = signed_in(scene.engineer), reverse("rollback", args=[scene.rollback.pk])

    def listed(**query: str) -> bool:
        return link in client.get(reverse("rollbacks"), query).text

    assert listed()
    assert listed(state="open")
    assert listed(state="awaiting_approval")
    assert not listed(state="executed")
    assert not listed(tenant=str(foreign.tenant.pk))
    assert not listed(tenant="nonsense")


@pytest.mark.parametrize(
    ("source", "fields", "message"),
    [
        ("actor", {"actor_name": "x"}, "This field is required."),
        (
            "actor",
            {"actor_name": "x", "since": "2026-01-01T00:00", "until": "2026-01-02T00:00"},
            "attributed to x",
        ),
        ("snapshot", {"snapshot": "999999"}, "Select a valid choice"),
    ],
)
def test_a_wish_that_cannot_be_planned_is_explained_on_its_form(
    source: str, fields: dict[str, str], message: str, scene: Scene, signed_in: SignIn
) -> None:
    url = reverse("plan-rollback", query={"tenant": scene.tenant.pk})

    response = signed_in(scene.engineer).post(url, {"source": source, **fields})

    assert response.status_code == 200
    assert message in response.text
    assert Rollback.objects.filter(tenant=scene.tenant).count() == 1
