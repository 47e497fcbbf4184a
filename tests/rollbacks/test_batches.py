"""Many members added or removed at once: by twenty in one request, each taking effect once whatever goes wrong."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from changes.models import Change
from lavawall.emulator import Emulator
from rollbacks import selectors
from rollbacks.models import Rollback, StepRecord
from rollbacks.states import State
from tests.rollbacks.conftest import Scene
from tests.rollbacks.test_crashes import Fate, doomed, finish
from tests.suites import representative

BATCH = "/v1.0/$batch"
GROUPS, USERS = "/v1.0/groups", "/v1.0/users"
REFERENCES = "https://graph.microsoft.com/v1.0/directoryObjects"


@dataclass
class Raid:
    """A group from which many members were taken, and to which a few strangers were added."""

    scene: Scene
    group: dict[str, Any]
    members: set[str]
    changes: list[Change]

    @property
    def path(self) -> str:
        return f"{GROUPS}/{self.group['id']}/members"

    def now(self) -> set[str]:
        return {each["id"] for each in self.scene.read(f"{self.path}?$top=999")["value"]}

    def batches(self) -> list[list[str]]:
        """The methods of the parts of each batch that writes, as the cloud received them."""
        sent = [
            [part["method"] for part in logged.body["requests"]]
            for logged in self.scene.cloud.requests
            if logged.path == BATCH
        ]
        return [methods for methods in sent if set(methods) != {"GET"}]

    def restored(self, rollback: Rollback) -> bool:
        state = Rollback.objects.get(pk=rollback.pk).state
        return state == State.VERIFIED and self.now() == self.members


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """The demo's cloud with more people."""
    with Emulator(seed="demo", users=80) as cloud:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", cloud.ca_file)
        yield cloud


def add(scene: Scene, path: str, ids: list[str]) -> None:
    for each in ids:
        scene.intrude("POST", f"{path}/$ref", {"@odata.id": f"{REFERENCES}/{each}"})


def raid(scene: Scene, *, taken: int, strangers: int) -> Raid:
    group = scene.named(GROUPS, "Fleet Team")
    path = f"{GROUPS}/{group['id']}/members"
    before = {each["id"] for each in scene.read(path)["value"]}
    everybody = scene.read(f"{USERS}?$top=999")["value"]
    users = [each["id"] for each in everybody if each["id"] not in before][: taken + strangers]
    add(scene, path, users[:taken])
    scene.observe("group")
    for each in users[:taken]:
        scene.intrude("DELETE", f"{path}/{each}/$ref")
    add(scene, path, users[taken:])
    return Raid(scene, group, before | set(users[:taken]), scene.observe("group"))


@pytest.fixture
def small(scene: Scene) -> Raid:
    return raid(scene, taken=3, strangers=2)


def test_many_members_come_back_by_twenty_and_strangers_leave_in_one_request(scene: Scene) -> None:
    many = raid(scene, taken=45, strangers=3)
    rollback = scene.approved(many.changes)
    scene.execute(rollback)
    assert many.restored(rollback)
    assert many.batches() == [["POST"] * 20, ["POST"] * 20, ["POST"] * 5, ["DELETE"] * 3]


def test_a_plan_says_whom_a_batch_adds(small: Raid) -> None:
    rollback = small.scene.plan(small.changes)
    (step,) = selectors.as_json(rollback)["steps"]
    assert [request["why"] for request in step["requests"]] == ["add 3 to members", "remove 2 from members"]
    assert set(step["requests"][0]["elements"]) == small.members - small.now()
    assert set(step["requests"][1]["elements"]) == small.now() - small.members


@pytest.mark.parametrize("lost", ["close_before", "close_after"])
def test_a_batch_whose_answer_is_lost_takes_effect_once(small: Raid, lost: Any) -> None:
    rollback = small.scene.approved(small.changes)
    small.scene.cloud.faults.add(lost, method="POST", path=r"/\$batch$")
    small.scene.execute(rollback)
    assert small.scene.cloud.faults.pending() == []
    assert small.restored(rollback)


def fail_one_part(small: Raid, method: str, status: int, code: str = "x", times: int = 1) -> None:
    path = r"/members/\$ref$" if method == "POST" else r"/members/.+/\$ref$"
    small.scene.cloud.faults.add(
        "answer",
        method=method,
        path=path,
        status=status,
        body={"error": {"code": code, "message": "One part failed."}},
        times=times,
    )


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize("status", representative([504, 500], why="504 shows an unknown outcome"))
def test_a_batch_of_which_a_part_has_an_unknown_outcome_is_finished(
    small: Raid, method: str, status: int
) -> None:
    rollback = small.scene.approved(small.changes)
    fail_one_part(small, method, status)
    small.scene.execute(rollback)
    assert small.scene.cloud.faults.pending() == []
    assert small.restored(rollback)
    assert {record.state for record in StepRecord.objects.all()} == {"done"}


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize("status", representative([429, 503], why="429 shows throttling"))
def test_only_the_throttled_part_of_a_batch_is_sent_again(small: Raid, method: str, status: int) -> None:
    rollback = small.scene.approved(small.changes)
    small.scene.cloud.faults.add(
        "answer",
        method=method,
        path=r"/members/",
        status=status,
        headers={"Retry-After": "0"},
    )
    small.scene.execute(rollback)
    assert small.restored(rollback)
    assert sorted(map(len, small.batches())) == [1, 2, 3]
    assert len([path for _, path in small.scene.writes() if "$ref" in path]) == 5


@pytest.mark.parametrize("method", representative(["POST", "DELETE"], why="both are parts of one batch"))
def test_a_part_that_is_refused_for_good_fails_the_step_and_is_named(small: Raid, method: str) -> None:
    rollback = small.scene.approved(small.changes)
    fail_one_part(small, method, 403, "Authorization_RequestDenied")
    done = small.scene.execute(rollback)
    assert done.outcome == "failed"
    assert "One part failed." in done.message
    assert f"{method} {small.path}" in done.message
    lacking = small.members ^ small.now()
    assert len(lacking) == (3 if method == "POST" else 1)


def test_a_part_that_is_so_already_fails_nothing(small: Raid) -> None:
    """Somebody was as fast as the batch: the part is refused, and reading tells why."""
    rollback = small.scene.approved(small.changes)
    back = min(small.members - small.now())

    class Rival(Fate):
        def meet(self, boundary: tuple[str, ...]) -> None:
            if boundary[:2] == ("before", "POST") and boundary not in self.met:
                self.met.add(boundary)
                add(small.scene, small.path, [back])

    with pytest.MonkeyPatch.context() as patched:
        doomed(patched, Rival(lambda _: True))
        small.scene.execute(rollback)
    assert small.restored(rollback)
    assert "1 of 3 already matched." in {record.message for record in StepRecord.objects.all()}


@pytest.mark.parametrize("status", representative([404, 400], why="404 shows replication"))
def test_members_of_a_group_made_anew_are_tried_until_it_has_replicated(small: Raid, status: int) -> None:
    scene, group = small.scene, small.group
    scene.intrude("DELETE", f"{GROUPS}/{group['id']}")
    scene.intrude("DELETE", f"/v1.0/directory/deletedItems/{group['id']}")
    members = small.changes[0]
    rollback = scene.approved([members, *scene.observe("group")])
    fail_one_part(small, "POST", status, "Request_ResourceNotFound", times=2)
    done = scene.execute(rollback)
    assert scene.cloud.faults.pending() == []
    assert done.outcome == "verified", done.message
    anew = scene.named(GROUPS, "Fleet Team")
    assert anew["id"] != group["id"]
    assert {each["id"] for each in scene.read(f"{GROUPS}/{anew['id']}/members")["value"]} == small.members


def test_a_worker_that_dies_at_every_boundary_restores_the_group(
    small: Raid, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollback = small.scene.approved(small.changes)
    fate = Fate(lambda _: True)
    doomed(monkeypatch, fate)
    finish(small.scene, rollback)
    assert len([boundary for boundary in fate.met if boundary[0] == "after"]) >= 1
    assert small.restored(rollback)
    parts = [write for write in small.scene.writes() if "$ref" in write[1]]
    assert len(parts) == 5


def test_a_worker_that_dies_with_a_batch_half_done_leaves_it_to_be_finished(
    small: Raid, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollback = small.scene.approved(small.changes)
    fail_one_part(small, "POST", 500)
    fate = Fate(lambda boundary: boundary[0] == "committed" and "unknown" in boundary)
    doomed(monkeypatch, fate)
    finish(small.scene, rollback)
    assert fate.met
    assert small.restored(rollback)
