"""A directory whose replicas lag: what was just made is waited for, never made twice, and not for ever."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from lavawall.emulator import Emulator
from rollbacks.execution import runner
from rollbacks.execution.context import WAITS
from tenants.access.matrix import Role
from tests.factories.cloud import onboarded
from tests.factories.tenants import person
from tests.rollbacks.conftest import CONTAINER, LOCATIONS, POLICIES, Incident, Scene, strike


class Clock:
    """The cloud's time, which passes only where we wait."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.ahead)

    def sleep(self, seconds: float) -> None:
        self.ahead += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def slow_cloud(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    with Emulator(seed="demo", clock=clock.now) as cloud:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", cloud.ca_file)
        yield cloud


@pytest.fixture
def slow_scene(committed_db: None, slow_cloud: Emulator) -> Scene:
    tenant = onboarded(slow_cloud)
    return Scene(
        slow_cloud,
        tenant,
        person(Role.ENGINEER, username="rita"),
        (person(Role.APPROVER, username="ada"), person(Role.APPROVER, username="ben")),
        person(Role.ENGINEER, username="eve"),
    )


@pytest.fixture
def purged(slow_scene: Scene) -> Incident:
    return strike(slow_scene, purge=True)


def lag(scene: Scene, seconds: float) -> None:
    """From now on a created object is seen only so much later."""
    cloud = scene.cloud.cloud
    cloud.options = replace(cloud.options, replication_delay=seconds)


@pytest.mark.parametrize("delay", [0.2, 5.0, 30.0])
def test_what_refers_to_a_new_object_is_tried_until_it_has_replicated(
    slow_scene: Scene, purged: Incident, clock: Clock, delay: float
) -> None:
    rollback = slow_scene.approved(purged.changes)
    lag(slow_scene, delay)
    done = runner.perform(slow_scene.claim(rollback), sleep=clock.sleep)
    assert done.outcome == "verified", done.message
    writes = slow_scene.writes()
    assert (writes.count(("POST", LOCATIONS)), writes.count(("POST", POLICIES))) == (1, 1)
    assert clock.ahead >= delay


def test_patience_ends_and_microsofts_last_word_is_passed_on(
    slow_scene: Scene, purged: Incident, clock: Clock
) -> None:
    rollback = slow_scene.approved(purged.changes)
    lag(slow_scene, 86_400)
    done = runner.perform(slow_scene.claim(rollback), sleep=clock.sleep)
    assert done.outcome == "partly"
    assert "1017" in done.message
    assert slow_scene.writes().count(("POST", LOCATIONS)) == 1
    assert clock.ahead < 600


def test_a_created_object_whose_answer_was_lost_is_waited_for_before_it_is_created_again(
    slow_scene: Scene, purged: Incident, clock: Clock
) -> None:
    rollback = slow_scene.approved(purged.changes)
    lag(slow_scene, 10)
    slow_scene.cloud.faults.add("close_after", method="POST", path=f"{LOCATIONS}$")
    done = runner.perform(slow_scene.claim(rollback), sleep=clock.sleep)
    assert done.outcome == "verified", done.message
    assert slow_scene.writes().count(("POST", LOCATIONS)) == 1
    assert CONTAINER not in str(slow_scene.writes())


@pytest.mark.parametrize("status", [400, 404])
def test_a_reference_that_one_replica_does_not_know_yet_is_tried_again(
    slow_scene: Scene, purged: Incident, clock: Clock, status: int
) -> None:
    rollback = slow_scene.approved(purged.changes)
    refusal = {"error": {"code": "1017", "message": "Policy refers to an object that does not exist."}}
    slow_scene.cloud.faults.add(
        "answer", method="POST", path=f"{POLICIES}$", status=status, body=refusal, times=3
    )
    done = runner.perform(slow_scene.claim(rollback), sleep=clock.sleep)
    assert done.outcome == "verified", done.message
    assert slow_scene.writes().count(("POST", POLICIES)) == 1
    assert clock.ahead > 0


def test_what_refers_to_nothing_new_is_not_tried_again(
    slow_scene: Scene, purged: Incident, clock: Clock
) -> None:
    switched_off = [change for change in purged.changes if change.kind == "updated"]
    rollback = slow_scene.approved(switched_off)
    refusal = {"error": {"code": "1002", "message": "No."}}
    slow_scene.cloud.faults.add("answer", method="PATCH", path=POLICIES, status=400, body=refusal, times=9)
    done = runner.perform(slow_scene.claim(rollback), sleep=clock.sleep)
    assert (done.outcome, len(slow_scene.cloud.faults.pending())) == ("failed", 1)
    assert "No." in done.message
    assert slow_scene.cloud.faults.pending()[0].times == 8
    assert clock.ahead == 0


def test_a_second_attempt_that_is_refused_because_the_first_had_arrived_is_done(
    slow_scene: Scene, clock: Clock
) -> None:
    """The first one's answer is lost, and for longer than we wait its object is not seen."""
    assignments, kind = "/v1.0/roleManagement/directory/roleAssignments", "unifiedRoleAssignment"
    slow_scene.observe(kind)
    removed = slow_scene.read(assignments)["value"][-1]
    slow_scene.intrude("DELETE", f"{assignments}/{removed['id']}")
    rollback = slow_scene.approved(slow_scene.observe(kind))
    lag(slow_scene, sum(WAITS) + 10)
    slow_scene.cloud.faults.add("close_after", method="POST", path=f"{assignments}$")
    done = runner.perform(slow_scene.claim(rollback), sleep=clock.sleep)
    assert done.outcome == "verified", done.message
    assert slow_scene.writes().count(("POST", assignments)) == 1
    assert sum(method == "POST" and path == assignments for method, path in _sent(slow_scene)) == 2


def _sent(scene: Scene) -> list[tuple[str, str]]:
    """All that reached the tenant, refused or not."""
    return [(logged.method, logged.path) for logged in scene.cloud.requests]
