"""A rollback against a live tenant, from plan to verification, and everything that may go wrong on the way."""

from typing import Any

import pytest

from rollbacks.execution import runner
from rollbacks.models import Remapping, Rollback, StepRecord
from rollbacks.states import State
from tests.rollbacks.conftest import CONTAINER, LOCATIONS, POLICIES, Incident, Scene


def state_of(rollback: Rollback) -> str:
    return Rollback.objects.get(pk=rollback.pk).state


def test_the_dry_run_writes_nothing(scene: Scene, incident: Incident) -> None:
    scene.cloud.requests.clear()
    scene.plan(incident.changes)
    written = {
        (logged.method, logged.path)
        for logged in scene.cloud.requests
        if logged.method != "GET" and not logged.path.endswith("/directoryObjects/getByIds")
    }
    assert written == set()


def test_what_is_gone_for_good_is_created_anew_and_referred_to_by_its_new_id(
    scene: Scene, incident: Incident
) -> None:
    rollback = scene.approved(incident.changes)
    done = scene.execute(rollback)
    assert (state_of(rollback), done.verification["differs"]) == (State.VERIFIED, [])
    location, policy = scene.named(LOCATIONS, "Blocked countries"), scene.named(POLICIES, "CA006")
    assert location["id"] != incident.location["id"]
    assert policy["conditions"]["locations"]["includeLocations"] == [location["id"]]
    assert policy["state"] == "enabled"
    assert {(row.old_id, row.new_id) for row in Remapping.objects.all()} == {
        (incident.location["id"], location["id"]),
        (incident.deleted["id"], policy["id"]),
    }
    assert scene.named(POLICIES, "CA001")["state"] == "enabled"


def test_a_policy_created_anew_enforces_nothing_until_the_end(scene: Scene, incident: Incident) -> None:
    rollback = scene.approved(incident.changes)
    scene.execute(rollback)
    created = next(each for each in scene.cloud.requests if (each.method, each.path) == ("POST", POLICIES))
    assert created.body["state"] == "enabledForReportingButNotEnforced"
    last = [each for each in scene.cloud.requests if each.method != "GET"][-1]
    assert last.body == {"state": "enabled"}


def test_what_is_still_in_the_deleted_items_comes_back_with_its_id_and_nothing_else_is_written(
    scene: Scene, recoverable: Incident
) -> None:
    rollback = scene.approved(recoverable.changes)
    scene.execute(rollback)
    assert state_of(rollback) == State.VERIFIED
    assert not Remapping.objects.exists()
    assert sorted(scene.writes()) == sorted(
        [
            ("POST", f"{CONTAINER}/namedLocations/{recoverable.location['id']}/restore"),
            ("POST", f"{CONTAINER}/policies/{recoverable.deleted['id']}/restore"),
            ("PATCH", f"{POLICIES}/{recoverable.weakened['id']}"),
        ]
    )


def test_an_undelete_that_microsoft_refuses_becomes_a_new_object(scene: Scene, recoverable: Incident) -> None:
    rollback = scene.approved(recoverable.changes)
    refusal = {"error": {"code": "AccessDenied", "message": "Not supported for applications."}}
    scene.cloud.faults.add(
        "answer", method="POST", path="deletedItems/policies/.*/restore", status=403, body=refusal
    )
    scene.execute(rollback)
    assert state_of(rollback) == State.VERIFIED
    assert scene.named(POLICIES, "CA006")["id"] != recoverable.deleted["id"]


def test_the_needed_location_is_in_the_plan_though_nobody_chose_it(scene: Scene, incident: Incident) -> None:
    (deleted,) = [change for change in incident.changes if change.resource_id == incident.deleted["id"]]
    rollback = scene.approved([deleted])
    scene.execute(rollback)
    assert state_of(rollback) == State.VERIFIED
    assert scene.named(LOCATIONS, "Blocked countries")


def test_an_object_that_moved_since_the_dry_run_stops_the_execution_which_says_what_moved(
    scene: Scene, incident: Incident
) -> None:
    (weakened,) = [change for change in incident.changes if change.resource_id == incident.weakened["id"]]
    rollback = scene.approved([weakened])
    scene.intrude("PATCH", f"{POLICIES}/{incident.weakened['id']}", {"displayName": "Renamed meanwhile"})
    scene.cloud.requests.clear()
    done = scene.execute(rollback)
    assert state_of(rollback) == State.STALE
    assert "displayName" in done.message
    assert scene.writes() == []


def test_an_object_that_somebody_has_already_put_right_is_left_alone(
    scene: Scene, incident: Incident
) -> None:
    (weakened,) = [change for change in incident.changes if change.resource_id == incident.weakened["id"]]
    rollback = scene.approved([weakened])
    scene.intrude("PATCH", f"{POLICIES}/{incident.weakened['id']}", {"state": "enabled"})
    scene.cloud.requests.clear()
    scene.execute(rollback)
    assert (state_of(rollback), scene.writes()) == (State.VERIFIED, [])


UNANSWERED: dict[str, dict[str, Any]] = {
    "lost after it arrived": {"behaviour": "close_after"},
    "lost before it arrived": {"behaviour": "close_before"},
    "503 after the effect": {"behaviour": "answer_after", "status": 503},
    "503 without an effect": {"behaviour": "answer", "status": 503},
    "504 after the effect": {"behaviour": "answer_after", "status": 504},
}


@pytest.mark.parametrize("name", UNANSWERED)
@pytest.mark.parametrize("path", [LOCATIONS, POLICIES], ids=["location", "policy"])
def test_a_create_without_a_clear_answer_happens_once(
    scene: Scene, incident: Incident, path: str, name: str
) -> None:
    rollback = scene.approved(incident.changes)
    scene.cloud.faults.add(**{"method": "POST", "path": f"^{path}$", **UNANSWERED[name]})
    scene.execute(rollback)
    assert state_of(rollback) == State.VERIFIED
    names = [each["displayName"] for each in scene.read(path)["value"]]
    assert len(names) == len(set(names))


def test_a_lost_create_is_never_mistaken_for_an_object_of_the_same_name(
    scene: Scene, incident: Incident
) -> None:
    """An intruder may have left a harmless lookalike in the place of what he deleted."""
    decoy = scene.intrude(
        "POST",
        LOCATIONS,
        {
            "@odata.type": "#microsoft.graph.countryNamedLocation",
            "displayName": incident.location["displayName"],
            "countriesAndRegions": ["DE"],
        },
    )
    rollback = scene.approved(incident.changes)
    scene.cloud.faults.add("close_after", method="POST", path=f"^{LOCATIONS}$")
    scene.execute(rollback)
    assert state_of(rollback) == State.VERIFIED
    (stored,) = scene.named(POLICIES, "CA006")["conditions"]["locations"]["includeLocations"]
    assert stored != decoy["id"]


def test_a_request_whose_answers_stay_lost_is_repeated_once_and_then_stops(
    scene: Scene, incident: Incident
) -> None:
    rollback = scene.approved(incident.changes)
    scene.cloud.faults.add("close_before", method="POST", path=f"^{LOCATIONS}$", times=9)
    done = scene.execute(rollback)
    assert state_of(rollback) == State.FAILED
    assert "was lost" in done.message
    assert len([fault for fault in scene.cloud.faults.pending() if fault.times == 7]) == 1


def test_a_lost_update_of_an_object_that_others_changed_is_not_repeated(
    scene: Scene, incident: Incident
) -> None:
    (weakened,) = [change for change in incident.changes if change.resource_id == incident.weakened["id"]]
    rollback = scene.approved([weakened])
    path = f"{POLICIES}/{incident.weakened['id']}"
    lease = scene.claim(rollback)
    scene.cloud.faults.add("close_before", method="PATCH", path=path)
    looked = iter([True])

    def somebody_else_is_faster(seconds: float) -> None:
        if next(looked, False):
            scene.intrude("PATCH", path, {"displayName": "Changed by another"})

    done = runner.perform(lease, sleep=somebody_else_is_faster)
    assert done.outcome == State.FAILED
    assert scene.read(path)["state"] == "disabled"


def test_verification_names_the_fields_that_still_differ(scene: Scene, incident: Incident) -> None:
    (weakened,) = [change for change in incident.changes if change.resource_id == incident.weakened["id"]]
    rollback = scene.approved([weakened])
    path = f"{POLICIES}/{incident.weakened['id']}"
    lease = scene.claim(rollback)
    slept = iter([True])

    def intruder(seconds: float) -> None:
        if next(slept, False):
            scene.intrude("PATCH", path, {"state": "enabled", "displayName": "Back, but renamed"})

    scene.cloud.faults.add("close_before", method="PATCH", path=path)
    done = runner.perform(lease, sleep=intruder)
    assert done.outcome == State.DIFFERS
    (differs,) = done.verification["differs"]
    assert differs["fields"] == ["displayName"]


def test_a_permission_that_the_writer_lacks_fails_the_execution_with_the_reason(
    scene: Scene, incident: Incident
) -> None:
    rollback = scene.approved(incident.changes)
    info = scene.cloud.tenants[scene.tenant.name]
    scene.cloud.set_permissions(info.directory_id, info.writer.client_id, ["Policy.Read.All"])
    done = scene.execute(rollback)
    assert state_of(rollback) == State.FAILED
    assert "403" in done.message
    assert scene.writes() == []
    records = StepRecord.objects.order_by("step__order").values_list("step__display_name", "state")
    assert [(name[:5], state) for name, state in records] == [
        ("Block", "failed"),
        ("CA006", "skipped"),
        ("CA001", "failed"),
        ("CA006", "skipped"),
    ]
