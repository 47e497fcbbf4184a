"""An execution that ended before all was done goes on under its signatures, while plan and live state agree."""

from datetime import timedelta

import pytest
import time_machine
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from rollbacks import services
from rollbacks.approvals.signatures import NotApproved
from rollbacks.execution import own_writes, runner
from rollbacks.models import Approval, Execution, Resumption, Rollback
from rollbacks.services import Expired
from rollbacks.states import MovedOn, State
from tenants.access.matrix import Role
from tenants.access.permissions import Refused
from tenants.models import LedgerEntry, Run
from tenants.runs import leases
from tests.factories.tenants import person
from tests.rollbacks.concurrency import together
from tests.rollbacks.conftest import LOCATIONS, POLICIES, Incident, Scene, acting
from tests.rollbacks.test_crashes import Fate, Killed, doomed, finish
from tests.rollbacks.test_refused_steps import refuse, state_of


def partly(scene: Scene, incident: Incident) -> Rollback:
    """Microsoft refused the location, so that the policy which names it was skipped."""
    rollback = scene.approved(incident.changes)
    refuse(scene, "POST", "identity/conditionalAccess/namedLocations")
    scene.execute(rollback)
    scene.cloud.faults.clear()
    assert state_of(rollback) == State.PARTLY
    return rollback


def test_what_was_refused_and_skipped_is_done_and_what_was_done_is_not_repeated(
    scene: Scene, incident: Incident
) -> None:
    rollback = partly(scene, incident)
    done = scene.execute(rollback)
    assert (state_of(rollback), done.verification["differs"]) == (State.VERIFIED, [])
    writes = scene.writes()
    assert len(writes) == len(set(writes)) == 4
    assert scene.named(POLICIES, "CA006")["state"] == "enabled"
    assert LedgerEntry.objects.filter(action="rollback:resume").count() == 1


def test_the_earlier_attempt_stays_on_record(scene: Scene, incident: Incident) -> None:
    rollback = partly(scene, incident)
    before = Execution.objects.get(plan__rollback=rollback)
    scene.execute(rollback)
    resumption = Resumption.objects.get()
    assert (resumption.outcome, resumption.message) == ("partly", before.message)
    assert resumption.ended_at == before.finished_at
    assert resumption.resumed_by == scene.engineer
    with pytest.raises(DatabaseError), transaction.atomic():
        Resumption.objects.update(outcome="verified")


def test_time_between_the_attempts_is_not_ours(scene: Scene, incident: Incident) -> None:
    rollback = partly(scene, incident)
    ended = Execution.objects.get(plan__rollback=rollback).finished_at
    assert ended is not None
    with time_machine.travel(timezone.now() + timedelta(hours=2), tick=True):
        scene.execute(rollback)
        writes = own_writes.of(scene.tenant, ended - timedelta(hours=1))
        assert not writes.cover(ended + timedelta(hours=1))
        assert writes.cover(timezone.now())


def test_an_object_that_moved_meanwhile_stops_the_resumption(scene: Scene, incident: Incident) -> None:
    rollback = scene.approved(incident.changes)
    refuse(scene, "PATCH", f"{POLICIES}/{incident.weakened['id']}")
    scene.execute(rollback)
    scene.cloud.faults.clear()
    scene.intrude("PATCH", f"{POLICIES}/{incident.weakened['id']}", {"displayName": "CA001: moved meanwhile"})
    ended = scene.execute(rollback)
    assert state_of(rollback) == State.STALE
    assert "displayName" in ended.message


def test_what_this_execution_left_and_somebody_changed_stops_the_resumption(
    scene: Scene, incident: Incident
) -> None:
    rollback = scene.approved(incident.changes)
    refuse(scene, "PATCH", f"{POLICIES}/(?!{incident.weakened['id']})")
    scene.execute(rollback)
    scene.cloud.faults.clear()
    recreated = scene.named(POLICIES, "CA006")
    scene.intrude("PATCH", f"{POLICIES}/{recreated['id']}", {"displayName": "CA006: taken over"})
    scene.execute(rollback)
    assert state_of(rollback) == State.STALE
    assert scene.named(POLICIES, "CA006")["state"] == "enabledForReportingButNotEnforced"


def test_signatures_are_judged_again(scene: Scene, incident: Incident) -> None:
    rollback = partly(scene, incident)
    scene.approvers[0].is_active = False
    scene.approvers[0].save()
    with pytest.raises(NotApproved):
        services.execute(acting(scene.engineer), rollback=rollback)
    assert state_of(rollback) == State.PARTLY


def test_an_expired_plan_is_not_resumed(scene: Scene, incident: Incident) -> None:
    rollback = partly(scene, incident)
    with time_machine.travel(timezone.now() + timedelta(hours=25)), pytest.raises(Expired):
        services.execute(acting(scene.engineer), rollback=rollback)


def test_a_resumption_that_waited_until_its_plan_expired_writes_nothing(
    scene: Scene, incident: Incident
) -> None:
    rollback = partly(scene, incident)
    lease = scene.claim(rollback)
    scene.cloud.requests.clear()
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        ended = runner.perform(lease)
    assert (state_of(rollback), scene.writes()) == (State.FAILED, [])
    assert "expired" in ended.message


def test_a_viewer_cannot_resume(scene: Scene, incident: Incident) -> None:
    rollback = partly(scene, incident)
    auditor = person(Role.AUDITOR, tenant=scene.tenant, username="aud")
    with pytest.raises(Refused):
        services.execute(acting(auditor), rollback=rollback)


def test_a_verified_rollback_is_not_resumed(scene: Scene, incident: Incident) -> None:
    rollback = scene.approved(incident.changes)
    scene.execute(rollback)
    with pytest.raises(MovedOn):
        services.execute(acting(scene.engineer), rollback=rollback)


def test_the_database_refuses_a_resumption_without_approvals(scene: Scene, incident: Incident) -> None:
    rollback = partly(scene, incident)
    execution = Execution.objects.get(plan__rollback=rollback)
    forged = Resumption(
        execution=execution,
        run_id=1,
        resumed_by=scene.engineer,
        at=timezone.now() + timedelta(days=2),
        ended_at=timezone.now(),
        outcome="failed",
    )
    with pytest.raises(DatabaseError), transaction.atomic():
        forged.save()
    assert Approval.objects.filter(plan=execution.plan).count() == 2


def test_an_execution_that_was_given_up_can_be_resumed(
    scene: Scene, incident: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollback = scene.approved(incident.changes)
    with monkeypatch.context() as patched:
        doomed(patched, Fate(lambda boundary: boundary[:2] == ("after", "POST")))
        with pytest.raises(Killed):
            scene.execute(rollback)
    Run.objects.filter(kind=Run.Kind.EXECUTE).update(state=Run.State.QUARANTINED, finished_at=timezone.now())
    assert services.close_abandoned() == [rollback.pk]
    assert state_of(rollback) == State.FAILED
    scene.execute(rollback)
    assert state_of(rollback) == State.VERIFIED
    writes = scene.writes()
    assert len(writes) == len(set(writes)) == 4


def test_a_worker_that_dies_at_every_boundary_of_a_resumption_still_does_each_write_once(
    scene: Scene, incident: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollback = partly(scene, incident)
    fate = Fate(lambda _: True)
    doomed(monkeypatch, fate)
    finish(scene, rollback)
    assert len(fate.met) >= 10
    assert state_of(rollback) == State.VERIFIED
    writes = scene.writes()
    assert {write: writes.count(write) for write in [("POST", LOCATIONS), ("POST", POLICIES)]} == {
        ("POST", LOCATIONS): 1,
        ("POST", POLICIES): 1,
    }
    assert len(writes) == len(set(writes)) == 4


def test_a_resumption_that_is_refused_again_can_be_resumed_once_more(
    scene: Scene, incident: Incident
) -> None:
    rollback = partly(scene, incident)
    refuse(scene, "POST", "identity/conditionalAccess/namedLocations")
    scene.execute(rollback)
    scene.cloud.faults.clear()
    assert state_of(rollback) == State.PARTLY
    scene.execute(rollback)
    assert state_of(rollback) == State.VERIFIED
    assert [each.outcome for each in Resumption.objects.order_by("pk")] == ["partly", "partly"]


def test_of_concurrent_resumptions_exactly_one_is_claimed(scene: Scene, incident: Incident) -> None:
    rollback = partly(scene, incident)
    runs = Run.objects.filter(kind=Run.Kind.EXECUTE).count()

    def resume() -> Execution:
        return services.execute(acting(scene.engineer), rollback=Rollback.objects.get(pk=rollback.pk))

    results = together(*[resume] * 4)
    assert len([result for result in results if isinstance(result, Execution)]) == 1
    assert Resumption.objects.count() == 1
    assert Run.objects.filter(kind=Run.Kind.EXECUTE).count() == runs + 1


def test_the_api_resumes_and_does_so_once(scene: Scene, incident: Incident) -> None:
    rollback = partly(scene, incident)
    client = APIClient()
    client.force_authenticate(scene.engineer)
    address = f"/api/v1/rollbacks/{rollback.pk}/execute/"
    statuses = [client.post(address).status_code for _ in range(2)]
    assert statuses == [202, 409]
    assert (state_of(rollback), Resumption.objects.count()) == (State.EXECUTING, 1)
    lease = leases.claim(Run.objects.filter(kind=Run.Kind.EXECUTE).latest("pk").pk)
    assert lease is not None
    runner.perform(lease)
    assert client.get(f"/api/v1/rollbacks/{rollback.pk}/").json()["state"] == "verified"


def test_the_page_offers_to_resume_and_does_so_once(scene: Scene, incident: Incident) -> None:
    rollback = partly(scene, incident)
    plan = Rollback.objects.select_related("plan").get(pk=rollback.pk).plan
    assert plan is not None
    client = Client()
    client.force_login(scene.engineer)
    assert "Resume execution" in client.get(f"/rollbacks/{rollback.pk}/").content.decode()
    asked = client.get(f"/rollbacks/{rollback.pk}/execute/?digest={plan.digest}").content.decode()
    assert "Completed steps are not repeated" in asked
    for _ in range(2):
        client.post(f"/rollbacks/{rollback.pk}/execute/", {"digest": plan.digest})
    assert state_of(rollback) == State.EXECUTING
    assert Resumption.objects.count() == 1
