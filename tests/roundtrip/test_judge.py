"""The judge of round trips names what is not as before, and nothing else."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from tests.roundtrip import judge

GROUP, NEW_GROUP = "0c9e0b0a-1111-4222-8333-444455556666", "aa9e0b0a-1111-4222-8333-444455556666"
POLICY, OTHER = "6f1f0b0e-6a1c-4b8e-9b58-0d4b2f6f9a01", "7f1f0b0e-6a1c-4b8e-9b58-0d4b2f6f9a01"
State = dict[str, dict[str, Any]]
HELD: State = {
    "group": {
        GROUP: {
            "id": GROUP,
            "displayName": "Staff",
            "createdDateTime": "2024-01-01T00:00:00Z",
            "visibility": None,
        },
    },
    "conditionalAccessPolicy": {
        POLICY: {
            "id": POLICY,
            "displayName": "MFA",
            "state": "enabled",
            "includeGroups": [GROUP, "b"],
            "enabled": False,
            "endDateTime": "2027-01-01T00:00:00Z",
            "modifiedDateTime": "2024-01-01T00:00:00Z",
        },
        OTHER: {"id": OTHER, "displayName": "Block", "state": "enabled", "version": 1},
    },
    "application": {},
}


def found(change: Callable[[State], object], others: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    after = deepcopy(HELD)
    change(after)
    return [(each.key, each.path) for each in judge.findings(HELD, HELD, after, others)]


def policy(state: State) -> dict[str, Any]:
    body: dict[str, Any] = state["conditionalAccessPolicy"][POLICY]
    return body


def made_anew(state: State) -> dict[str, Any]:
    body: dict[str, Any] = state["group"].pop(GROUP)
    state["group"][NEW_GROUP] = {**body, "id": NEW_GROUP, "createdDateTime": "2026-12-01T00:00:00Z"}
    policy(state)["includeGroups"] = ["b", NEW_GROUP]
    successor: dict[str, Any] = state["group"][NEW_GROUP]
    return successor


SAME: dict[str, Callable[[State], object]] = {
    "nothing": dict,
    "a new id that is followed": made_anew,
    "the time of the last write": lambda state: policy(state).update(modifiedDateTime="2026-12-01T00:00:00Z"),
    "another order": lambda state: policy(state)["includeGroups"].reverse(),
    "null instead of nothing": lambda state: policy(state).update(description=None),
    "another spelling of an instant": lambda state: policy(state).update(
        endDateTime="2027-01-01T00:00:00+00:00"
    ),
}
DIFFERENT: dict[str, tuple[Callable[[State], object], tuple[str, str]]] = {
    "a value": (lambda state: policy(state).update(state="disabled"), (POLICY, "state")),
    "nothing instead of false": (lambda state: policy(state).pop("enabled"), (POLICY, "enabled")),
    "false instead of nothing": (lambda state: policy(state).update(more=False), (POLICY, "more")),
    "zero instead of false": (lambda state: policy(state).update(enabled=0), (POLICY, "enabled")),
    "an end that can be set": (
        lambda state: policy(state).update(endDateTime="2027-01-02T00:00:00Z"),
        (POLICY, "endDateTime"),
    ),
    "a version that nobody counts": (
        lambda state: state["conditionalAccessPolicy"][OTHER].update(version=2),
        (OTHER, "version"),
    ),
    "an element more": (
        lambda state: policy(state)["includeGroups"].append("c"),
        (POLICY, "includeGroups[]"),
    ),
    "a missing object": (lambda state: state["conditionalAccessPolicy"].pop(OTHER), (OTHER, "")),
    "an object more": (lambda state: state["application"].update(x={"id": "x"}), ("x", "")),
    "a reference to the dead id": (
        lambda state: (made_anew(state), policy(state).update(includeGroups=[GROUP, "b"])),
        (POLICY, "includeGroups[]"),
    ),
    "a new object that is not the same": (
        lambda state: made_anew(state).update(visibility="Public"),
        (GROUP, "visibility"),
    ),
}


@pytest.mark.parametrize("change", SAME.values(), ids=SAME)
def test_what_is_the_same_is_no_finding(change: Callable[[State], object]) -> None:
    assert found(change) == []


@pytest.mark.parametrize(("change", "place"), DIFFERENT.values(), ids=DIFFERENT)
def test_what_differs_is_named_with_its_place(
    change: Callable[[State], object], place: tuple[str, str]
) -> None:
    assert place in found(change)


def test_types_that_were_not_rolled_back_stay_as_the_attack_left_them() -> None:
    assert found(lambda state: policy(state).update(state="disabled"), ("conditionalAccessPolicy",)) == [
        (POLICY, "state")
    ]
    attacked = deepcopy(HELD)
    policy(attacked)["state"] = "disabled"
    assert judge.findings(HELD, attacked, attacked, ("conditionalAccessPolicy",)) == []
