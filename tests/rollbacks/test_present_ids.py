"""The live tenant decides which of a resource's ids is in use; what exists under none of them is not written."""

from typing import Any

import pytest

from rollbacks import services
from rollbacks.models import Rollback
from rollbacks.plans.storage import steps_of
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


def test_a_rule_that_names_a_group_which_is_gone_is_told(scene: Scene) -> None:
    """Microsoft takes such a rule, which then finds nobody: it comes back as it was, and the plan says so."""
    gone = "2f3c6f0e-9f0f-4d7b-8f35-000000000001"
    body = {
        "displayName": "Naming",
        "mailEnabled": False,
        "securityEnabled": True,
        "mailNickname": "naming",
        "groupTypes": ["DynamicMembership"],
        "membershipRule": f"user.memberof -any (group.objectId -in ['{gone}'])",
        "membershipRuleProcessingState": "On",
    }
    group = scene.intrude("POST", "/v1.0/groups", body)["id"]
    scene.observe("group")
    scene.intrude("PATCH", f"/v1.0/groups/{group}", {"membershipRule": "user.accountEnabled -eq true"})
    plan = scene.plan(scene.observe("group")).plan
    assert plan is not None
    assert (plan.complete, plan.applicable, plan.steps.count()) == (True, True, 1)
    assert any(gone in warning and "membershipRule" in warning for warning in plan.warnings)


def test_an_assignment_behind_a_filter_that_is_gone_is_left_out_alone(scene: Scene) -> None:
    """Without the filter it would reach more devices than it did."""
    devices, kind = "/beta/deviceManagement", "#microsoft.graph."
    everybody = {"target": {"@odata.type": f"{kind}allDevicesAssignmentTarget"}}
    chosen = scene.named("/v1.0/groups", "Finance")["id"]
    rule = {"displayName": "Named", "platform": "windows10AndLater", "rule": '(device.model -eq "X")'}
    named = scene.intrude("POST", f"{devices}/assignmentFilters", rule)["id"]
    filtered = {
        "target": {
            "@odata.type": f"{kind}groupAssignmentTarget",
            "groupId": chosen,
            "deviceAndAppManagementAssignmentFilterId": named,
            "deviceAndAppManagementAssignmentFilterType": "include",
        }
    }
    body = {"@odata.type": f"{kind}windows10GeneralConfiguration", "displayName": "Naming"}
    path = f"{devices}/deviceConfigurations/{scene.intrude('POST', f'{devices}/deviceConfigurations', body)['id']}"
    scene.intrude("POST", f"{path}/assign", {"assignments": [everybody, filtered]})
    scene.observe("deviceConfiguration")
    scene.intrude("POST", f"{path}/assign", {"assignments": []})
    changes = scene.observe("deviceConfiguration")
    scene.intrude("DELETE", f"{devices}/assignmentFilters/{named}")
    one_signature(scene)
    rollback = scene.plan(changes)
    assert rollback.plan is not None
    assert any(named in warning and "is restored without" in warning for warning in rollback.plan.warnings)
    assert scene.execute(scene.signed(rollback)).outcome == "verified"
    given = scene.read(f"{path}?$expand=assignments")["assignments"]
    assert [each["target"]["@odata.type"] for each in given] == [f"{kind}allDevicesAssignmentTarget"]
