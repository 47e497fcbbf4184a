"""No type, no writable property and no sub-collection is left out of the round trips."""

import pytest

from snapshots.catalog import registry as catalogue
from snapshots.catalog.spec import EVERYTHING, ResourceType
from tests.roundtrip.model import Case
from tests.roundtrip.registry import all_cases

CASES: dict[str, list[Case]] = {}
for _case in all_cases():
    CASES.setdefault(_case.key, []).append(_case)
READ_ONLY = frozenset(
    spec.key
    for spec in catalogue.all_types()
    if not (spec.restore.writable or spec.restore.create.path or spec.restore.delete.path)
)
"""Types that nobody can write through Microsoft's API; they are collected and compared."""


def test_every_type_that_can_be_written_has_round_trips() -> None:
    missing = {spec.key for spec in catalogue.all_types()} - READ_ONLY - CASES.keys()
    assert not missing, f"no round trips for {', '.join(sorted(missing))}"
    names = [case.name for case in all_cases()]
    assert len(names) == len(set(names)), "a case is declared twice"


@pytest.mark.parametrize("spec", catalogue.all_types(), ids=lambda spec: spec.key)
def test_every_writable_property_and_every_sub_collection_is_attacked(spec: ResourceType) -> None:
    if spec.key not in CASES:
        assert spec.key in READ_ONLY
        return
    cases = CASES[spec.key]
    spoken_of = {name for case in cases for name in (*case.updates, *case.more)}
    wanted = {action.property for action in spec.restore.update.actions} | {part.name for part in spec.parts}
    wanted |= set(spec.restore.writable) if spec.restore.writable != EVERYTHING else set()
    if spec.on_azure and any(case.more for case in cases):
        wanted.discard("properties")  # attacked property by property, under names of their own
    assert wanted <= spoken_of, f"{spec.key}: nothing attacks {sorted(wanted - spoken_of)}"
    assert _speaks_of_creation_and_deletion(spec, cases)


def _speaks_of_creation_and_deletion(spec: ResourceType, cases: list[Case]) -> bool:
    """Where the service has the verb, an attack uses it, or the case says in its own words why there is none."""
    restore, nothing = spec.restore, Case(key="", subject=lambda _world: {}, path="")
    return (restore.create.path is None or any(case.create != nothing.create for case in cases)) and (
        restore.delete.path is None or any(case.delete != nothing.delete for case in cases)
    )
