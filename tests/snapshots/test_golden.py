"""The canonical form of a type changes only together with its version: stored digests depend on both."""

from typing import Any

import pytest

from snapshots import catalog
from tests.snapshots.golden import form, stored, unannounced


def test_every_type_is_pinned() -> None:
    assert stored().keys() == {spec.key for spec in catalog.all_types()}


@pytest.mark.parametrize("key", sorted(stored()))
def test_a_changed_canonical_form_has_a_new_version(key: str) -> None:
    now, then = form(catalog.get(key)), stored()[key]
    assert now["version"] != then["version"] or now["digest"] == then["digest"], (
        f"The canonical form of {key} changed. Raise its version, then run python -m tests.snapshots.golden."
    )
    assert now == then, f"The version of {key} was raised. Run python -m tests.snapshots.golden."


def test_a_changed_form_is_only_accepted_with_a_new_version() -> None:
    then: dict[str, dict[str, Any]] = {
        "group": {"version": 2, "digest": "a"},
        "user": {"version": 2, "digest": "a"},
    }
    now: dict[str, dict[str, Any]] = {
        "group": {"version": 2, "digest": "b"},
        "user": {"version": 3, "digest": "b"},
        "new": {"version": 2},
    }
    assert unannounced(now, then) == ["group"]
