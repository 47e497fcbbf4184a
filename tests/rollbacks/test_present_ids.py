"""The live tenant decides which of a resource's ids is in use; what exists under none of them is not written."""

from typing import Any

import pytest

from rollbacks import services
from rollbacks.models import Rollback
from rollbacks.plan_store import steps_of
from snapshots.models import Snapshot
from tests.rollbacks.conftest import CONTAINER, LOCATIONS, POLICIES, Scene, acting

TYPES = ("conditionalAccessPolicy", "namedLocation")
REFUSAL = {"error": {"code": "AccessDenied", "message": "Not supported for applications."}}
RESTORE_LOCATION = "deletedItems/namedLocations/.*/restore"


def locations_of(policy: dict[str, Any]) -> list[str]:
    return [
        each
        for side in ("includeLocations", "excludeLocations")
        for each in (policy["conditions"]["locations"] or {}).get(side, ())
    ]


def came_back_anew(scene: Scene) -> tuple[dict[str, Any], str, str]:
    """A policy whose location came back under a new id, because Microsoft refused to undelete it: with both ids."""
    policy, location = scene.named(POLICIES, "CA006"), scene.named(LOCATIONS, "Blocked")
    scene.intrude("DELETE", f"{POLICIES}/{policy['id']}")
    scene.intrude("DELETE", f"{LOCATIONS}/{location['id']}")
    changes = scene.observe(*TYPES)
    scene.cloud.faults.add("answer", method="POST", path=RESTORE_LOCATION, status=403, body=REFUSAL, times=9)
    assert scene.execute(scene.approved(changes)).outcome == "verified"
    scene.cloud.faults.clear()
    scene.observe(*TYPES)
    successor = scene.named(LOCATIONS, "Blocked")["id"]
    policy = scene.named(POLICIES, "CA006")
    assert successor != location["id"]
    assert successor in locations_of(policy)
    return policy, location["id"], successor


def original_is_back(scene: Scene, policy: dict[str, Any], original: str, successor: str) -> None:
    """An administrator takes the original out of the deleted items and does away with its successor."""
    scene.intrude("POST", f"{CONTAINER}/namedLocations/{original}/restore")
    conditions = policy["conditions"]
    locations = {
        side: [original if each == successor else each for each in values]
        for side, values in conditions["locations"].items()
    }
    scene.intrude(
        "PATCH", f"{POLICIES}/{policy['id']}", {"conditions": {**conditions, "locations": locations}}
    )
    scene.intrude("DELETE", f"{LOCATIONS}/{successor}")
    scene.intrude("DELETE", f"{CONTAINER}/namedLocations/{successor}")
    scene.observe(*TYPES)


def without_locations(scene: Scene, policy: dict[str, Any]) -> None:
    scene.intrude(
        "PATCH", f"{POLICIES}/{policy['id']}", {"conditions": {**policy["conditions"], "locations": None}}
    )


def undone(scene: Scene, rollback: Rollback) -> dict[str, Any]:
    assert rollback.plan is not None
    assert rollback.plan.applicable, rollback.plan.warnings
    done = scene.execute(scene.signed(rollback))
    assert done.outcome == "verified", (done.message, done.verification)
    return scene.named(POLICIES, "CA006")


@pytest.fixture
def observed(scene: Scene) -> Scene:
    scene.observe(*TYPES)
    return scene


def one_signature(scene: Scene) -> None:
    scene.tenant.required_approvals = scene.tenant.required_approvals_critical = 1
    scene.tenant.save()


def test_an_original_that_is_back_is_named_and_not_its_dead_successor(observed: Scene) -> None:
    scene = observed
    policy, original, successor = came_back_anew(scene)
    original_is_back(scene, policy, original, successor)
    one_signature(scene)
    without_locations(scene, policy)
    restored = undone(scene, scene.plan(scene.observe(*TYPES)))
    assert original in locations_of(restored)
    assert successor not in locations_of(restored)


def test_going_back_to_when_the_successor_was_named_names_the_original_that_is_back(observed: Scene) -> None:
    scene = observed
    policy, original, successor = came_back_anew(scene)
    then = Snapshot.objects.latest("pk")
    original_is_back(scene, policy, original, successor)
    one_signature(scene)
    without_locations(scene, policy)
    scene.observe(*TYPES)
    rollback = services.plan_rollback(
        acting(scene.requester),
        tenant=scene.tenant,
        snapshot=then.pk,
        resource_type="conditionalAccessPolicy",
    )
    restored = undone(scene, rollback)
    assert original in locations_of(restored)
    assert successor not in locations_of(restored)


def test_a_successor_that_is_there_is_named_while_the_original_is_gone(observed: Scene) -> None:
    scene = observed
    policy, original, successor = came_back_anew(scene)
    one_signature(scene)
    without_locations(scene, policy)
    restored = undone(scene, scene.plan(scene.observe(*TYPES)))
    assert successor in locations_of(restored)
    assert original not in locations_of(restored)


def test_what_exists_no_longer_and_cannot_come_back_is_left_out_by_name(scene: Scene) -> None:
    """Nobody collected the location, so that the plan cannot bring it back."""
    scene.observe("conditionalAccessPolicy")
    policy, location = scene.named(POLICIES, "CA006"), scene.named(LOCATIONS, "Blocked")
    without_locations(scene, policy)
    scene.intrude("PATCH", f"{POLICIES}/{policy['id']}", {"state": "disabled"})
    changes = scene.observe("conditionalAccessPolicy")
    scene.intrude("DELETE", f"{LOCATIONS}/{location['id']}")
    scene.intrude("DELETE", f"{CONTAINER}/namedLocations/{location['id']}")
    rollback = scene.plan(changes)
    assert rollback.plan is not None
    assert not rollback.plan.complete
    assert any(
        location["id"] in warning and "no longer exists" in warning for warning in rollback.plan.warnings
    )
    steps = steps_of(rollback.plan)
    assert steps
    assert location["id"] not in str([step.requests for step in steps])
