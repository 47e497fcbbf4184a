"""Whatever the documents hold, a verdict comes back; and what only removes protection never counts as tightening."""

import hashlib
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from changes.severity.engine import grade
from changes.severity.model import Direction, MappingContext, Severity, Subject
from changes.severity.rules import all_rules
from tests.changes.severity.casebook import Case
from tests.changes.severity.test_conditional_access import (
    ADMINS,
    DEVICES,
    EVERYBODY,
    FINANCE,
    LEGACY,
    SESSIONS,
    STRONG,
    conditions,
    users,
)
from tests.changes.severity.test_every_rule import CASES

TYPES = sorted({kind for rule in all_rules() for kind in rule.resource_types})
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
DOCUMENTS = [document for case in CASES for document in (case.before, case.after) if document]


@st.composite
def damaged(draw: st.DrawFn) -> dict[str, Any]:
    """A real document in which any value may have become any other JSON."""

    def damage(value: Any, depth: int) -> Any:
        if draw(st.integers(0, 9)) == 0:
            return draw(JSON)
        if isinstance(value, dict) and depth < 4:
            return {key: damage(item, depth + 1) for key, item in value.items()}
        if isinstance(value, list) and depth < 4:
            return [damage(item, depth + 1) for item in value]
        return value

    result = damage(draw(st.sampled_from(DOCUMENTS)), 0)
    return result if isinstance(result, dict) else {}


@given(st.sampled_from(TYPES), damaged() | st.none(), damaged() | st.none(), damaged())
def test_any_pair_of_documents_gets_a_verdict(
    resource_type: str, before: dict[str, Any] | None, after: dict[str, Any] | None, other: dict[str, Any]
) -> None:
    everything = {kind: {"x": other, "subject-id": before or other} for kind in TYPES}
    context = MappingContext(documents={"before": everything, "after": everything})
    verdict = grade(Subject(resource_type, "subject-id", before, after), context)
    assert verdict.severity == max(finding.severity for finding in verdict.findings)
    assert all(finding.reason for finding in verdict.findings)


@given(st.sampled_from(CASES), st.text(max_size=4))
def test_a_verdict_does_not_depend_on_how_keys_and_sets_are_ordered(case: Case, salt: str) -> None:
    """Canonical documents agree on one order of a set; which one it is must not matter."""

    def location(value: Any) -> str:
        return hashlib.sha256(f"{salt}{json.dumps(value, sort_keys=True)}".encode()).hexdigest()

    def reordered(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: reordered(value[key]) for key in sorted(value, key=location)}
        return sorted(map(reordered, value), key=location) if isinstance(value, list) else value

    repeated = Subject(case.resource_type, case.resource_id, reordered(case.before), reordered(case.after))
    context = MappingContext.from_json(reordered(case.context))
    assert grade(repeated, context).findings == case.verdict().findings


POLICIES = (ADMINS, EVERYBODY, FINANCE, LEGACY, DEVICES, STRONG, SESSIONS)
NAMES = st.sets(st.sampled_from(["a", "b", "c", "d"]), min_size=1)


@given(st.sampled_from(POLICIES), NAMES, NAMES, st.sampled_from(["users", "applications", "locations"]))
def test_excluding_more_always_weakens_and_excluding_less_always_strengthens(
    policy: dict[str, Any], stored: set[str], extra: set[str], where: str
) -> None:
    def excluding(names: set[str]) -> dict[str, Any]:
        if where == "users":
            return users(policy, excludeUsers=sorted(names))
        key = {"applications": "excludeApplications", "locations": "excludeLocations"}[where]
        include = {"applications": "includeApplications", "locations": "includeLocations"}[where]
        return conditions(policy, **{where: {include: ["All"], key: sorted(names)}})

    if extra <= stored:
        return
    narrow, wide = excluding(stored), excluding(stored | extra)
    weaker = grade(Subject("conditionalAccessPolicy", "p", narrow, wide))
    stronger = grade(Subject("conditionalAccessPolicy", "p", wide, narrow))
    assert weaker.direction is Direction.WEAKENS
    assert weaker.severity >= Severity.MEDIUM
    assert (stronger.direction, stronger.severity) == (Direction.STRENGTHENS, Severity.LOW)
