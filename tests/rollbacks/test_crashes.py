"""A worker that dies at any point of an execution: the next one finishes it, each write having happened once."""

from collections.abc import Callable
from typing import Any

import pytest

from rollbacks.execution import runner
from rollbacks.execution.journal import Journal, State
from rollbacks.models import Execution, Rollback, StepRecord
from rollbacks.states import State as RollbackState
from tenants.connections.onboarding import config_of
from tenants.microsoft.client import GraphClient
from tenants.microsoft.request import Request, Response
from tenants.models import Run, Tenant
from tenants.runs import leases
from tests.rollbacks.conftest import LOCATIONS, POLICIES, Incident, Scene, without_sleep

Boundary = tuple[str, ...]


class Killed(BaseException):
    """Stands for SIGKILL: no handler of ours takes notice of it."""


class Fate:
    """Kills the worker when it first meets a chosen boundary, or each boundary once."""

    def __init__(self, chosen: Callable[[Boundary], bool]) -> None:
        self.chosen = chosen
        self.met: set[Boundary] = set()

    def meet(self, boundary: Boundary) -> None:
        if boundary in self.met or not self.chosen(boundary):
            return
        self.met.add(boundary)
        raise Killed(boundary)


def doomed(monkeypatch: pytest.MonkeyPatch, fate: Fate) -> None:
    """Puts fate before and after each write to the tenant, and after each commit of the journal."""

    class MortalClient(GraphClient):
        def send(self, request: Request) -> Response:
            if self.writable and request.writes:
                fate.meet(("before", request.method, request.path))
                answer = super().send(request)
                fate.meet(("after", request.method, request.path))
                return answer
            return super().send(request)

    def open_mortal(tenant: Tenant, purpose: str, **options: Any) -> GraphClient:
        connection = tenant.connections.select_related("app_registration__tenant", "tenant").get(
            purpose=purpose
        )
        return MortalClient(config_of(connection), writable=purpose == "writer", **options)

    committed = Journal._commit

    def commit(journal: Journal, record: StepRecord) -> None:
        committed(journal, record)
        if record.state != State.SENDING:
            key = (record.step.order, record.request_index, record.state, record.closes_step)
            fate.meet(("committed", *map(str, key)))

    monkeypatch.setattr(runner, "open_client", open_mortal)
    monkeypatch.setattr(Journal, "_commit", commit)


def finish(scene: Scene, rollback: Rollback) -> Execution:
    """Worker after worker, until one lives to see the end."""
    lease: leases.Lease | None = scene.claim(rollback)
    while True:
        try:
            if lease is not None:
                return runner.perform(lease, sleep=without_sleep)
            return scene.resume(rollback)
        except Killed:
            lease = None
            Run.objects.filter(kind=Run.Kind.EXECUTE).update(attempts=1)


ONCE = {("POST", LOCATIONS): 1, ("POST", POLICIES): 1}


def assert_each_write_happened_once(scene: Scene, rollback: Rollback) -> None:
    writes = scene.writes()
    assert Rollback.objects.get(pk=rollback.pk).state == RollbackState.VERIFIED
    assert {write: writes.count(write) for write in ONCE} == ONCE
    assert len(writes) == len(set(writes)) == 4


def test_a_worker_that_dies_at_every_single_boundary_still_does_each_write_once(
    scene: Scene, incident: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollback = scene.approved(incident.changes)
    fate = Fate(lambda _: True)
    doomed(monkeypatch, fate)
    finish(scene, rollback)
    assert len(fate.met) >= 16
    assert_each_write_happened_once(scene, rollback)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(
    ("method", "path"), [("POST", LOCATIONS), ("POST", POLICIES), ("PATCH", f"{POLICIES}/")]
)
def test_a_worker_that_dies_around_one_write_leaves_a_record_that_the_next_resumes_from(
    scene: Scene,
    incident: Incident,
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
    method: str,
    path: str,
) -> None:
    rollback = scene.approved(incident.changes)
    fate = Fate(lambda boundary: boundary[:2] == (moment, method) and boundary[2].startswith(path))
    doomed(monkeypatch, fate)
    finish(scene, rollback)
    assert fate.met
    assert_each_write_happened_once(scene, rollback)


def test_a_worker_that_was_replaced_sends_nothing_more(
    scene: Scene, incident: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollback = scene.approved(incident.changes)
    lease = scene.claim(rollback)
    Run.objects.filter(pk=lease.run.pk).update(fencing_token=lease.fencing_token + 1)
    with pytest.raises(leases.LeaseLost):
        runner.perform(lease, sleep=without_sleep)
    assert scene.writes() == []


def test_an_ended_execution_is_not_performed_again(scene: Scene, incident: Incident) -> None:
    rollback = scene.approved(incident.changes)
    lease = scene.claim(rollback)
    runner.perform(lease, sleep=without_sleep)
    scene.cloud.requests.clear()
    runner.perform(lease, sleep=without_sleep)
    assert scene.cloud.requests == []
