"""After a rollback: its changes are rolled back, its own writes are expected, and neither counts as open."""

from changes.models import Change
from changes.states import State, in_state, open_changes, state_of
from lavawall import pipeline
from rollbacks.states import State as RollbackState
from tenants.models import Run
from tenants.runs import leases
from tests.rollbacks.conftest import POLICIES, Incident, Scene


def observe(scene: Scene) -> list[Change]:
    run = leases.create(scene.tenant, Run.Kind.COLLECT, requested_by="test")
    lease = leases.claim(run.pk)
    assert lease is not None
    return pipeline.observe(lease).changes


def test_after_a_verified_rollback_nothing_of_it_is_open(scene: Scene, incident: Incident) -> None:
    rollback = scene.approved(incident.changes)
    scene.execute(rollback)
    rollback.refresh_from_db()
    assert rollback.state == RollbackState.VERIFIED
    undone = Change.objects.filter(pk__in=[change.pk for change in incident.changes])
    assert {state_of(change) for change in undone} == {State.ROLLED_BACK}
    assert {
        (change.resolution.rollback, change.resolution.verified) for change in undone if change.resolution
    } == {(rollback.pk, True)}

    made = observe(scene)

    assert made
    assert {state_of(Change.objects.get(pk=change.pk)) for change in made} == {State.EXPECTED}
    assert not open_changes(Change.objects.filter(tenant=scene.tenant)).exists()
    assert set(in_state(Change.objects.all(), State.EXPECTED)) == set(made)


def test_a_change_by_somebody_else_after_a_rollback_is_open(scene: Scene, incident: Incident) -> None:
    scene.execute(scene.approved(incident.changes))
    scene.intrude("PATCH", f"{POLICIES}/{incident.weakened['id']}", {"state": "disabled"})

    changed = {change.resource_id: state_of(change) for change in observe(scene)}

    assert changed.get(incident.weakened["id"], State.OPEN) == State.OPEN
    assert State.EXPECTED in changed.values()
