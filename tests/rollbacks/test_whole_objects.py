"""What a write would take away from an object is kept in the write, or said beforehand and not written."""

import pytest
from django.utils import timezone

from rollbacks.planning.bodies import update_body
from rollbacks.planning.build import build
from rollbacks.planning.model import Key, LiveState, PlanDraft, StepKind, Target
from snapshots.canonical.form import canonicalise
from snapshots.catalog import registry
from snapshots.catalog.spec import Document, ResourceType
from snapshots.recoverability.verdicts import Verdict, cases

CATALOGUE = {spec.key: spec for spec in registry.all_types()}
GRAPH = "https://graph.microsoft.com"
POLICY = CATALOGUE["conditionalAccessPolicy"]
CREATED_WHOLE = [
    spec
    for spec in CATALOGUE.values()
    if spec.restore.create.path is not None and "*" not in spec.restore.writable
]
WRITTEN_BY_PUT = [
    spec
    for spec in CATALOGUE.values()
    if spec.restore.update.method == "PUT" and spec.restore.update.shape is None
]
UNKNOWN = {"mode": "strict"}


def plan(*targets: Target, live: dict[Key, LiveState] | None = None) -> PlanDraft:
    states = {target.key: (live or {}).get(target.key, LiveState()) for target in targets}
    return build(list(targets), states, CATALOGUE, graph_url=GRAPH)


def policy(name: str, **more: object) -> Document:
    raw = {
        "displayName": name,
        "state": "disabled",
        "conditions": {"users": {"includeUsers": ["All"]}, "applications": {"includeApplications": ["All"]}},
        "grantControls": {"operator": "OR", "builtInControls": ["mfa"]},
    }
    return canonicalise({**raw, **more}, POLICY)


def test_an_object_is_not_created_without_a_property_that_nobody_knows_how_to_send() -> None:
    unknown = policy("Guests", futureControls=UNKNOWN)
    draft = plan(Target(POLICY.key, "a", unknown, "Guests"), Target(POLICY.key, "b", policy("All"), "All"))
    assert {(step.resource_id, step.kind) for step in draft.steps} == {("b", StepKind.RECREATE)}
    assert not draft.complete
    assert any("Guests" in warning and "futureControls" in warning for warning in draft.warnings)
    *_, purged = cases(POLICY, unknown, now=timezone.now())
    assert purged is not None
    assert purged.verdict is Verdict.NOT_RESTORABLE
    assert "futureControls" in purged.reason


@pytest.mark.parametrize("spec", CREATED_WHOLE, ids=lambda spec: spec.key)
def test_no_type_of_an_allow_list_is_created_without_an_unknown_property(spec: ResourceType) -> None:
    found = Document({**dict.fromkeys(spec.identity.properties, "x"), "futureControls": UNKNOWN})
    draft = plan(Target(spec.key, "x", found, "X"))
    assert not draft.steps
    assert not draft.complete


@pytest.mark.parametrize("spec", WRITTEN_BY_PUT, ids=lambda spec: spec.key)
def test_a_put_holds_what_nobody_declared(spec: ResourceType) -> None:
    """A PUT takes away what its body does not hold: what is live, or wanted, and unknown is sent along."""
    name = (
        next(each for each in spec.restore.writable if each != "*")
        if "*" not in spec.restore.writable
        else "name"
    )
    live = {name: "now", "futureControls": UNKNOWN}
    wanted = {name: "then", "futureControls": UNKNOWN}
    assert update_body(spec, live, wanted, (name,))["futureControls"] == UNKNOWN
    assert update_body(spec, live, {name: "then"}, (name,))["futureControls"] is None


def test_an_unknown_property_that_changed_is_said_and_the_rest_is_written() -> None:
    live, wanted = policy("A", futureControls=UNKNOWN), policy("B", futureControls={"mode": "loose"})
    draft = plan(Target(POLICY.key, "a", wanted, "B"), live={(POLICY.key, "a"): LiveState(live)})
    (step,) = draft.steps
    assert step.requests[0].request.body == {"displayName": "B"}
    assert not draft.complete
    assert any("futureControls" in warning for warning in draft.warnings)


def test_a_new_object_says_which_settings_are_never_read() -> None:
    spec = CATALOGUE["group"]
    draft = plan(Target(spec.key, "g", {"displayName": "Staff", "securityEnabled": True}, "Staff"))
    assert any("writebackConfiguration" in warning for warning in draft.warnings)


def test_what_a_property_says_by_its_default_keeps_no_object_from_being_created() -> None:
    spec = CATALOGUE["application"]
    found: Document = {"displayName": "Payroll", "isDisabled": False, "managerApplications": ["x"]}
    draft = plan(Target(spec.key, "a", found, "Payroll"))
    assert StepKind.RECREATE in {step.kind for step in draft.steps}


def test_a_lock_is_created_again_and_its_name_is_no_unknown_property() -> None:
    spec = CATALOGUE["managementLock"]
    lock = "/subscriptions/s/resourcegroups/r/providers/microsoft.authorization/locks/keep"
    found: Document = {"name": "keep", "properties": {"level": "CanNotDelete"}}
    draft = plan(Target(spec.key, lock, found, "keep"))
    assert [step.kind for step in draft.steps] == [StepKind.RECREATE]
