"""Rollbacks over REST: what can be asked for, and that nobody signs their own request by this route either."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from rollbacks.models import Approval, Rollback
from tenants.access.matrix import Role
from tests.api.conftest import World, bearer, planned
from tests.factories.tenants import UserFactory, bind


def address(rollback: Rollback, act: str = "") -> str:
    return f"/api/v1/rollbacks/{rollback.pk}/{act}"


def digest_of(rollback: Rollback) -> str:
    assert rollback.plan is not None
    return rollback.plan.digest


@pytest.fixture
def own(world: World) -> Rollback:
    """The engineer's own request; and he is an approver, too."""
    user = world.people[Role.ENGINEER]
    bind(user, Role.APPROVER, customer=world.ours.customer)
    return planned(world.ours.tenant, world.ours.change, requester=user)


def test_the_requester_does_not_approve(world: World, engineer: APIClient, own: Rollback) -> None:
    response = engineer.post(address(own, "approve/"), {"digest": digest_of(own)})
    assert response.status_code == 403
    assert "You requested this rollback" in response.json()["detail"]
    assert not Approval.objects.exists()


def test_a_superuser_does_not_approve_his_own_request_either(world: World) -> None:
    root = UserFactory(is_superuser=True)
    rollback = planned(world.ours.tenant, world.ours.change, requester=root)
    response = bearer(root).post(address(rollback, "approve/"), {"digest": digest_of(rollback)})
    assert response.status_code == 403
    assert not Approval.objects.exists()


def test_one_person_signs_once(world: World) -> None:
    approver = world.client(Role.APPROVER)
    first = approver.post(
        address(world.ours.rollback, "approve/"),
        {"digest": digest_of(world.ours.rollback), "comment": "looks right"},
    )
    assert first.status_code == 200, first.json()
    assert [each["by"] for each in first.json()["approvals"]] == ["approver"]
    assert first.json()["state"] == "awaiting_approval"
    second = approver.post(
        address(world.ours.rollback, "approve/"), {"digest": digest_of(world.ours.rollback)}
    )
    assert second.status_code in (403, 409)
    assert Approval.objects.count() == 1


def test_two_others_approve(world: World) -> None:
    for role in (Role.APPROVER, Role.PORTAL_APPROVER):
        rollback = world.ours.rollback
        answer = world.client(role).post(address(rollback, "approve/"), {"digest": digest_of(rollback)})
        assert answer.status_code == 200, answer.json()
    assert answer.json()["state"] == "approved"


def test_a_digest_of_another_plan_is_not_signed(world: World) -> None:
    response = world.client(Role.APPROVER).post(
        address(world.ours.rollback, "approve/"), {"digest": "e" * 64}
    )
    assert response.status_code == 409
    assert not Approval.objects.exists()


@pytest.mark.parametrize("act", ["approve/", "reject/"])
def test_nothing_is_signed_without_the_digest_of_what_was_read(world: World, act: str) -> None:
    response = world.client(Role.APPROVER).post(
        address(world.ours.rollback, act), {"reason": "no", "comment": "yes"}
    )
    assert response.status_code == 400
    assert response.headers["Content-Type"] == "application/problem+json"
    assert "digest" in response.json()["errors"]
    assert not Approval.objects.exists()


def test_a_digest_of_another_plan_is_not_rejected(world: World) -> None:
    response = world.client(Role.APPROVER).post(
        address(world.ours.rollback, "reject/"), {"digest": "e" * 64, "reason": "no"}
    )
    assert response.status_code == 409
    assert Rollback.objects.get(pk=world.ours.rollback.pk).state == "awaiting_approval"


@pytest.mark.parametrize("reason", ["", "  ", None])
def test_a_rejection_needs_a_reason(world: World, reason: str | None) -> None:
    given = {"digest": digest_of(world.ours.rollback)} | ({} if reason is None else {"reason": reason})
    response = world.client(Role.APPROVER).post(address(world.ours.rollback, "reject/"), given)
    assert response.status_code == 400
    assert not Approval.objects.exists()


def test_what_is_not_approved_is_not_executed(world: World, engineer: APIClient) -> None:
    response = engineer.post(address(world.ours.rollback, "execute/"))
    assert response.status_code == 409
    assert response.json()["detail"]


def test_a_rejection_is_final(world: World) -> None:
    approver = world.client(Role.APPROVER)
    digest = digest_of(world.ours.rollback)
    rejected = approver.post(address(world.ours.rollback, "reject/"), {"digest": digest, "reason": "no"})
    assert rejected.json()["state"] == "rejected"
    assert [each["comment"] for each in rejected.json()["approvals"]] == ["no"]
    later = world.client(Role.PORTAL_APPROVER).post(
        address(world.ours.rollback, "approve/"), {"digest": digest}
    )
    assert later.status_code in (403, 409)


def test_a_rollback_is_withdrawn(world: World, engineer: APIClient) -> None:
    assert engineer.post(address(world.ours.rollback, "cancel/")).json()["state"] == "cancelled"


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"changes": []},
        {"changes": [1], "snapshot": 1},
        {"actor": "x@contoso.example"},
        {"actor": "x@contoso.example", "from": "2026-01-01T00:00:00Z"},
        {"snapshot": 1, "from": "2026-01-01T00:00:00Z"},
        {"changes": [1], "type": "group"},
        {"snapshot": 1, "resource": "x"},
        {"changes": ["one"]},
        {"actor": "x@contoso.example", "from": "yesterday", "to": "today"},
    ],
    ids=str,
)
def test_a_muddled_request_is_invalid(engineer: APIClient, asked: dict[str, Any]) -> None:
    response = engineer.post("/api/v1/rollbacks/", {"tenant": "Contoso", **asked})
    assert response.status_code == 400
    assert response.json()["errors"]


def test_changes_and_snapshots_of_another_tenant_are_as_if_they_did_not_exist(
    world: World, engineer: APIClient
) -> None:
    foreign, absent = world.foreign.change.pk, 987654321
    for field, hidden in (("changes", [foreign]), ("snapshot", world.foreign.change.snapshot_id)):
        missing: Any = [absent] if field == "changes" else absent
        answers = [
            engineer.post("/api/v1/rollbacks/", {"tenant": "Contoso", field: value})
            for value in (hidden, missing)
        ]
        assert [answer.status_code for answer in answers] == [400, 400]
        numbers = (hidden[0] if isinstance(hidden, list) else hidden, absent)
        texts = [
            str(answer.json()["errors"]).replace(str(number), "N")
            for answer, number in zip(answers, numbers, strict=True)
        ]
        assert texts[0] == texts[1]


def test_rollbacks_are_filtered_by_state(world: World, engineer: APIClient) -> None:
    assert engineer.get("/api/v1/rollbacks/?state=awaiting_approval,approved").json()["results"]
    assert not engineer.get("/api/v1/rollbacks/?state=verified").json()["results"]
