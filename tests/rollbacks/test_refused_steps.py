"""A refused step skips what depends on it; everything independent goes on, and the end state says which was which."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from changes.models import Change
from changes.selectors import with_details
from changes.states import State as ChangeState
from changes.states import state_of as state_of_change
from rollbacks import selectors
from rollbacks.models import Rollback, StepRecord
from rollbacks.planning.model import PlannedStep
from rollbacks.plans import storage
from rollbacks.states import State
from tests.rollbacks.conftest import LOCATIONS, POLICIES, Incident, Scene, acting

REFUSAL = {"error": {"code": "AccessDenied", "message": "The tenant does not allow this."}}


def refuse(scene: Scene, method: str, path: str) -> None:
    scene.cloud.faults.add("answer", method=method, path=path, status=403, body=REFUSAL, times=1000)


def state_of(rollback: Rollback) -> str:
    return Rollback.objects.get(pk=rollback.pk).state


def steps_of(rollback: Rollback) -> list[PlannedStep]:
    plan = Rollback.objects.select_related("plan__rollback__tenant").get(pk=rollback.pk).plan
    assert plan is not None
    return storage.steps_of(plan)


def records(rollback: Rollback) -> dict[int, str]:
    rows = StepRecord.objects.filter(execution__plan__rollback=rollback).order_by(
        "step__order", "request_index"
    )
    return {row.step.order: row.state for row in rows.select_related("step")}


def states_of_changes(incident: Incident) -> dict[str, str]:
    rows = with_details(Change.objects.filter(pk__in=[change.pk for change in incident.changes]))
    return {row.resource_id: state_of_change(row) for row in rows}


def test_what_needs_a_refused_step_is_skipped_and_the_rest_is_done(scene: Scene, incident: Incident) -> None:
    rollback = scene.approved(incident.changes)
    refuse(scene, "POST", "identity/conditionalAccess/namedLocations")
    ended = scene.execute(rollback)
    assert state_of(rollback) == State.PARTLY
    assert scene.named(POLICIES, "CA001")["state"] == "enabled"
    by_name = {step.order: step.display_name for step in steps_of(rollback)}
    found = records(rollback)
    assert {by_name[order] for order, state in found.items() if state == "failed"} == {"Blocked countries"}
    assert {by_name[order][:5] for order, state in found.items() if state == "skipped"} == {"CA006"}
    assert {by_name[order][:5] for order, state in found.items() if state == "done"} == {"CA001"}
    assert [each["display_name"][:5] for each in ended.verification["equal"]] == ["CA001"]
    (refused,) = ended.verification["refused"]
    assert "The tenant does not allow this." in refused["reason"]
    for skipped in ended.verification["skipped"]:
        assert skipped["reason"].startswith("Skipped: it needs step ")


def test_only_the_changes_that_were_undone_completely_count_as_rolled_back(
    scene: Scene, incident: Incident
) -> None:
    rollback = scene.approved(incident.changes)
    enforcing = next(step for step in steps_of(rollback) if step.kind == "enforce")
    refuse(scene, "PATCH", f"{POLICIES}/(?!{incident.weakened['id']})")
    scene.execute(rollback)
    assert records(rollback)[enforcing.order] == "failed"
    assert states_of_changes(incident) == {
        incident.weakened["id"]: ChangeState.ROLLED_BACK,
        incident.location["id"]: ChangeState.ROLLED_BACK,
        incident.deleted["id"]: ChangeState.OPEN,
    }


def test_nothing_is_called_partly_done_where_every_step_was_refused(scene: Scene, incident: Incident) -> None:
    rollback = scene.approved(incident.changes)
    refuse(scene, "POST|PATCH|DELETE", "identity/conditionalAccess")
    ended = scene.execute(rollback)
    assert state_of(rollback) == State.FAILED
    assert ended.message.startswith("No step was completed.")
    assert set(states_of_changes(incident).values()) == {ChangeState.OPEN}


def test_protection_is_not_relaxed_where_putting_it_in_place_was_refused(
    scene: Scene, incident: Incident
) -> None:
    planted = scene.intrude(
        "POST", POLICIES, {**_policy(scene, incident), "displayName": "Planted in place of CA006"}
    )
    changes = [*incident.changes, *scene.observe("conditionalAccessPolicy", "namedLocation")]
    rollback = scene.approved(changes)
    deleting = next(step for step in steps_of(rollback) if step.kind == "delete")
    assert deleting.resource_id == planted["id"]
    refuse(scene, "POST", "identity/conditionalAccess/policies")
    scene.execute(rollback)
    assert records(rollback)[deleting.order] == "skipped"
    assert scene.named(POLICIES, "Planted in place of CA006")["id"] == planted["id"]


def test_a_deletion_waits_for_whatever_drops_its_reference(scene: Scene, incident: Incident) -> None:
    planted = scene.intrude(
        "POST",
        LOCATIONS,
        {
            "@odata.type": "#microsoft.graph.countryNamedLocation",
            "displayName": "Planted",
            "countriesAndRegions": ["RO"],
        },
    )
    locations = {"includeLocations": ["All"], "excludeLocations": [planted["id"]]}
    excluding = {**incident.weakened["conditions"], "locations": locations}
    scene.intrude("PATCH", f"{POLICIES}/{incident.weakened['id']}", {"conditions": excluding})
    changes = [*incident.changes, *scene.observe("conditionalAccessPolicy", "namedLocation")]
    steps = steps_of(scene.approved(changes))
    deleting = next(step for step in steps if step.resource_id == planted["id"])
    dropping = next(step for step in steps if step.resource_id == incident.weakened["id"])
    assert dropping.order in (deleting.needs or ())


def test_a_plan_of_an_older_release_stops_behind_a_refused_step(scene: Scene, incident: Incident) -> None:
    steps = steps_of(scene.approved(incident.changes))
    old = PlannedStep.from_json({key: value for key, value in steps[2].to_json().items() if key != "needs"})
    assert old.needs is None
    assert old.missing({1}) == 1
    assert "needs" not in old.to_json()


def test_what_a_step_needs_is_part_of_what_the_approvers_sign(scene: Scene, incident: Incident) -> None:
    steps = steps_of(scene.approved(incident.changes))
    by_kind = {(step.kind.value, step.display_name[:5]): step for step in steps}
    location, policy = by_kind["recreate", "Block"], by_kind["recreate", "CA006"]
    enforcing = by_kind["enforce", "CA006"]
    assert location.needs == ()
    assert location.order in (policy.needs or ())
    assert {location.order, policy.order} <= set(enforcing.needs or ())


def test_the_command_ends_with_1_and_says_what_was_refused_and_skipped(
    scene: Scene, incident: Incident
) -> None:
    rollback = scene.approved(incident.changes)
    refuse(scene, "POST", "identity/conditionalAccess/namedLocations")
    out = StringIO()
    with pytest.raises(CommandError, match="ended as partly") as ended:
        call_command("execute", rollback.pk, username=scene.engineer.username, stdout=out)
    assert ended.value.returncode == 1
    text = out.getvalue()
    assert "refused: Blocked countries" in text
    assert "skipped: CA006" in text


def test_page_and_api_say_what_was_refused_skipped_and_why(scene: Scene, incident: Incident) -> None:
    rollback = scene.approved(incident.changes)
    refuse(scene, "POST", "identity/conditionalAccess/namedLocations")
    scene.execute(rollback)
    client = Client()
    client.force_login(scene.requester)
    page = client.get(f"/rollbacks/{rollback.pk}/").content.decode()
    assert "Partly executed" in page
    assert "Refused by Microsoft" in page
    assert "The tenant does not allow this." in page
    shown = selectors.as_json(selectors.visible_rollbacks(acting(scene.engineer)).get(pk=rollback.pk))
    assert shown["state"] == "partly"
    assert [each["order"] for each in shown["execution"]["verification"]["refused"]] == [1]


def _policy(scene: Scene, incident: Incident) -> dict[str, Any]:
    names = ("state", "conditions", "grantControls", "sessionControls")
    stored = {name: incident.weakened[name] for name in names if incident.weakened.get(name) is not None}
    return {**stored, "state": "enabled"}
