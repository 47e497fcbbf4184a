"""A configuration that an intruder puts in front of all others moves these: all come back to their ranks."""

from rollbacks.states import State
from tests.rollbacks.conftest import Scene

CONFIGURATIONS = "/beta/deviceManagement/deviceEnrollmentConfigurations"
KEY = "deviceEnrollmentConfiguration"


def ranks(scene: Scene) -> dict[str, int]:
    """Of the limits that are no default."""
    return {
        each["displayName"]: each["priority"]
        for each in scene.read(CONFIGURATIONS)["value"]
        if each["@odata.type"].endswith("LimitConfiguration") and each["priority"]
    }


def test_what_was_put_in_front_goes_and_the_others_move_back(scene: Scene) -> None:
    scene.observe(KEY)
    first = ranks(scene)
    body = {
        "@odata.type": "#microsoft.graph.deviceEnrollmentLimitConfiguration",
        "displayName": "Planted",
        "limit": 15,
    }
    planted = scene.intrude("POST", CONFIGURATIONS, body)
    scene.intrude("POST", f"{CONFIGURATIONS}/{planted['id']}/setPriority", {"priority": 1})
    assert ranks(scene) == {"Planted": 1, **{name: rank + 1 for name, rank in first.items()}}
    done = scene.execute(scene.approved(scene.observe(KEY)))
    assert done.outcome == State.VERIFIED, done.message
    assert ranks(scene) == first


def test_a_deleted_one_returns_to_its_rank_and_the_others_make_room(scene: Scene) -> None:
    scene.observe(KEY)
    first = ranks(scene)
    name = next(name for name, rank in first.items() if rank == 1)
    gone = scene.named(CONFIGURATIONS, name)
    scene.intrude("DELETE", f"{CONFIGURATIONS}/{gone['id']}")
    done = scene.execute(scene.approved(scene.observe(KEY)))
    assert done.outcome == State.VERIFIED, done.message
    assert ranks(scene) == first
