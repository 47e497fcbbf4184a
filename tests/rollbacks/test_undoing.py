"""A counter-plan undoes exactly what an execution did, under its own dry run and approvals."""

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client
from rest_framework.test import APIClient

from changes.models import Change
from changes.selectors import with_details
from changes.states import State as ChangeState
from changes.states import in_state
from changes.states import state_of as state_of_change
from rollbacks import services
from rollbacks.models import Rollback, Step
from rollbacks.selection.request import NothingToDo
from rollbacks.states import State
from tests.factories.rollbacks import digest_of
from tests.rollbacks.conftest import LOCATIONS, POLICIES, Incident, Scene, acting
from tests.rollbacks.test_refused_steps import refuse, state_of


def undo(scene: Scene, rollback: Rollback) -> Rollback:
    return services.plan_rollback(acting(scene.requester), tenant=scene.tenant, undo=rollback.pk)


def approved(scene: Scene, rollback: Rollback) -> Rollback:
    for approver in scene.approvers:
        services.approve(acting(approver), rollback=rollback, digest=digest_of(rollback))
    return rollback


def names(scene: Scene, path: str) -> set[str]:
    return {each["displayName"] for each in scene.read(path)["value"]}


def states(incident: Incident) -> set[str]:
    rows = with_details(Change.objects.filter(pk__in=[change.pk for change in incident.changes]))
    return {state_of_change(row) for row in rows}


def test_the_tenant_is_as_before_the_rollback_and_its_changes_are_open_again(
    scene: Scene, incident: Incident
) -> None:
    policies, locations = names(scene, POLICIES), names(scene, LOCATIONS)
    rollback = scene.approved(incident.changes)
    scene.execute(rollback)
    assert states(incident) == {ChangeState.ROLLED_BACK}
    counter = approved(scene, undo(scene, rollback))
    scene.execute(counter)
    assert state_of(counter) == State.VERIFIED
    assert (names(scene, POLICIES), names(scene, LOCATIONS)) == (policies, locations)
    assert scene.named(POLICIES, "CA001")["state"] == "disabled"
    assert states(incident) == {ChangeState.OPEN}
    assert in_state(Change.objects.filter(tenant=scene.tenant), ChangeState.OPEN).count() == 3


def test_a_counter_plan_can_be_undone_in_turn(scene: Scene, incident: Incident) -> None:
    rollback = scene.approved(incident.changes)
    scene.execute(rollback)
    counter = approved(scene, undo(scene, rollback))
    scene.execute(counter)
    repeated = approved(scene, undo(scene, counter))
    scene.execute(repeated)
    assert state_of(repeated) == State.VERIFIED
    assert scene.named(POLICIES, "CA001")["state"] == "enabled"
    assert scene.named(POLICIES, "CA006")["state"] == "enabled"
    assert states(incident) == {ChangeState.ROLLED_BACK}


def test_only_what_was_written_is_undone(scene: Scene, incident: Incident) -> None:
    rollback = scene.approved(incident.changes)
    refuse(scene, "POST", "identity/conditionalAccess/namedLocations")
    scene.execute(rollback)
    scene.cloud.faults.clear()
    steps = Step.objects.filter(plan__current_of=undo(scene, rollback))
    assert [step.display_name[:5] for step in steps] == ["CA001"]


def test_the_severity_of_what_comes_back_decides_how_many_approve(scene: Scene, incident: Incident) -> None:
    rollback = scene.approved(incident.changes)
    scene.execute(rollback)
    counter = undo(scene, rollback)
    assert counter.plan is not None
    assert counter.plan.required_approvals >= 2
    assert counter.plan.approvals.count() == 0
    assert state_of(counter) == State.AWAITING_APPROVAL


def test_there_is_nothing_to_undo_where_nothing_was_written(scene: Scene, incident: Incident) -> None:
    rollback = scene.plan(incident.changes)
    with pytest.raises(NothingToDo, match="wrote nothing"):
        undo(scene, rollback)
    with pytest.raises(NothingToDo, match="has no rollback 999999"):
        services.plan_rollback(acting(scene.requester), tenant=scene.tenant, undo=999999)


def test_the_page_offers_it_and_plans_it(scene: Scene, incident: Incident) -> None:
    rollback = scene.approved(incident.changes)
    scene.execute(rollback)
    client = Client()
    client.force_login(scene.requester)
    assert "Plan to undo what was executed" in client.get(f"/rollbacks/{rollback.pk}/").text
    url = f"/rollbacks/new/?tenant={scene.tenant.pk}"
    answer = client.post(url, {"source": "undo", "undo": str(rollback.pk)})
    counter = Rollback.objects.latest("pk")
    assert (answer.status_code, counter.source) == (302, Rollback.Source.UNDO)
    assert counter.reason == f"Undo rollback {rollback.pk}"


def test_the_api_plans_it_and_not_of_another_tenant(scene: Scene, incident: Incident) -> None:
    rollback = scene.approved(incident.changes)
    scene.execute(rollback)
    client = APIClient()
    client.force_authenticate(scene.requester)
    asked = {"tenant": scene.tenant.name, "undo": rollback.pk}
    answer = client.post("/api/v1/rollbacks/", asked, format="json")
    assert (answer.status_code, answer.json()["source"]) == (201, "undo")
    elsewhere = client.post("/api/v1/rollbacks/", {**asked, "undo": 999_999}, format="json")
    assert elsewhere.status_code == 409


def test_the_command_plans_it(scene: Scene, incident: Incident) -> None:
    rollback = scene.approved(incident.changes)
    scene.execute(rollback)
    out = StringIO()
    call_command(
        "plan",
        scene.tenant.name,
        "--undo",
        str(rollback.pk),
        "--json",
        "--as",
        scene.requester.username,
        stdout=out,
    )
    shown = json.loads(out.getvalue())
    assert shown["state"] == "awaiting_approval"
    assert {step["kind"] for step in shown["steps"]} == {"update", "delete"}
