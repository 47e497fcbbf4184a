"""Plans as values: order, least writes, tokens, and what is said about what cannot come back."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbacks.planning.bodies import create_body, update_body
from rollbacks.planning.build import build
from rollbacks.planning.effects import after, same, shown
from rollbacks.planning.model import (
    BRINGS_BACK,
    Effect,
    EffectKind,
    Key,
    LiveState,
    NaturalKeyMatch,
    PlanDraft,
    PlannedStep,
    StepKind,
    Target,
)
from rollbacks.planning.ordering import Cycle, ordered
from rollbacks.planning.tokens import found_in, put_in, token
from snapshots.canonical.form import canonicalise
from snapshots.catalog import registry
from snapshots.catalog.spec import (
    EVERYTHING,
    Create,
    Document,
    Order,
    RankWithinType,
    ResourceType,
    Restore,
    Update,
)

CATALOGUE = {spec.key: spec for spec in registry.all_types()}
POLICY = CATALOGUE["conditionalAccessPolicy"]
LOCATION = CATALOGUE["namedLocation"]
GROUP = CATALOGUE["group"]
GRAPH = "https://graph.microsoft.com"

NAMES = st.sampled_from(["a", "b", "c", "d"])
SETS = st.lists(NAMES, max_size=3, unique=True)
POLICIES = st.fixed_dictionaries(
    {
        "displayName": NAMES,
        "state": st.sampled_from(["enabled", "disabled", "enabledForReportingButNotEnforced"]),
    },
    optional={
        "conditions": st.fixed_dictionaries(
            {},
            optional={
                "users": st.fixed_dictionaries({}, optional={"includeUsers": SETS, "excludeGroups": SETS}),
                "locations": st.fixed_dictionaries({}, optional={"includeLocations": SETS}),
                "clientAppTypes": SETS,
            },
        ),
        "grantControls": st.fixed_dictionaries(
            {"operator": st.sampled_from(["OR", "AND"])}, optional={"builtInControls": SETS}
        ),
        "templateId": NAMES,
    },
)


def policy(raw: Mapping[str, Any]) -> Document:
    return canonicalise(raw, POLICY)


def patched(live: Any, body: Any) -> Any:
    """What Graph may make of a PATCH at its worst: keys that are not mentioned stay, at every depth."""
    if not isinstance(live, dict) or not isinstance(body, dict):
        return body
    return {**live, **{name: patched(live.get(name), value) for name, value in body.items()}}


def plan_of(targets: list[Target], live: dict[Key, LiveState]) -> PlanDraft:
    found = {target.key: live.get(target.key, LiveState()) for target in targets}
    return build(targets, found, CATALOGUE, graph_url=GRAPH)


def positions(draft: PlanDraft) -> dict[tuple[StepKind, str], int]:
    return {(step.kind, step.resource_id): step.order for step in draft.steps}


@given(POLICIES, POLICIES)
def test_the_least_body_turns_the_live_object_into_the_wanted_one(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    live, wanted = policy(first), policy(second)
    names = tuple(name for name in POLICY.restore.writable if not same(live.get(name), wanted.get(name)))
    body = update_body(POLICY, live, wanted, names)
    assert set(body) == set(names) <= set(POLICY.restore.writable)
    assert policy(patched(live, body)) == wanted
    assert policy({**live, **body}) == wanted


def test_a_value_of_another_type_takes_nothing_of_the_one_before() -> None:
    """Whether all or only some may join is said by the type, and each type has its own names."""
    spec = CATALOGUE["deviceRegistrationPolicy"]
    some = {"@odata.type": "#microsoft.graph.enumeratedDeviceRegistrationMembership", "groups": ["g"]}
    everybody = {"@odata.type": "#microsoft.graph.allDeviceRegistrationMembership"}
    live, wanted = ({"azureADJoin": {"allowedToJoin": each}} for each in (some, everybody))
    assert update_body(spec, live, wanted, ("azureADJoin",)) == wanted
    assert update_body(spec, wanted, live, ("azureADJoin",)) == live


@given(POLICIES, POLICIES)
def test_a_plan_of_one_update_foresees_the_wanted_object(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    live, wanted = policy(first), policy(second)
    draft = plan_of([Target(POLICY.key, "p", wanted)], {(POLICY.key, "p"): LiveState(live)})
    document: Document | None = live
    for step in draft.steps:
        for planned in step.requests:
            assert not shown(planned.effect, document, POLICY)
            document = after(planned.effect, document, POLICY)
            assert shown(planned.effect, document, POLICY)
        assert same(document, step.target)
    assert same(document, wanted)
    assert bool(draft.steps) == (live != wanted)


@given(st.sampled_from([spec for spec in CATALOGUE.values() if spec.restore.create.path]), st.data())
def test_a_create_body_holds_nothing_but_what_the_type_takes(spec: ResourceType, data: st.DataObject) -> None:
    pool = [
        *spec.restore.writable,
        *spec.restore.create.only,
        *spec.comparison.computed,
        "id",
        "unknown",
        "@odata.type",
    ]
    wanted = data.draw(st.dictionaries(st.sampled_from(pool), st.just("value")))
    asked_for = {"action", "justification"} if spec.restore.update.method == "POST" else set()
    allowed = {*spec.restore.writable, *spec.restore.create.only, "@odata.type", *asked_for}
    allowed |= {"unknown"} if spec.restore.writable == EVERYTHING else set()
    if spec.read.service == "intune":  # whose shapes speak of what is inside the values
        spec = replace(spec, restore=replace(spec.restore, create=replace(spec.restore.create, shape=None)))
    assert set(create_body(spec, wanted)) <= allowed


@given(
    st.integers(1, 12).flatmap(
        lambda n: st.tuples(st.just(n), st.sets(st.tuples(st.integers(0, 11), st.integers(0, 11))))
    )
)
def test_everything_comes_after_what_it_needs(shape: tuple[int, set[tuple[int, int]]]) -> None:
    count, pairs = shape
    edges = {(max(pair), min(pair)) for pair in pairs if pair[0] != pair[1] and max(pair) < count}
    needs = {node: frozenset(low for high, low in edges if high == node) for node in range(count)}
    order = ordered(needs, {node: -node for node in needs})
    assert sorted(order) == list(range(count))
    assert all(order.index(low) < order.index(high) for high, low in edges)


def test_steps_that_wait_for_each_other_are_named() -> None:
    with pytest.raises(Cycle) as caught:
        ordered({1: frozenset({2}), 2: frozenset({1}), 3: frozenset()}, {1: 1, 2: 2, 3: 3})
    assert set(caught.value.nodes) == {1, 2}


def locations_policy(*ids: str, state: str = "enabled") -> Document:
    return policy(
        {
            "displayName": f"policy of {' '.join(ids)}",
            "state": state,
            "conditions": {"locations": {"includeLocations": list(ids)}, "users": {"includeUsers": ["All"]}},
        }
    )


def location(name: str) -> Document:
    raw = {
        "@odata.type": "#microsoft.graph.countryNamedLocation",
        "displayName": name,
        "countriesAndRegions": ["DE"],
    }
    return canonicalise(raw, LOCATION)


@given(
    st.lists(st.lists(st.sampled_from("abcde"), min_size=1, max_size=3, unique=True), max_size=4),
    st.randoms(),
)
def test_every_reference_comes_back_before_what_names_it(named: list[list[str]], random: Any) -> None:
    ids = sorted({each for names in named for each in names})
    targets = [Target(LOCATION.key, each, location(each)) for each in ids]
    targets += [Target(POLICY.key, f"p{n}", locations_policy(*names)) for n, names in enumerate(named)]
    random.shuffle(targets)
    draft = plan_of(targets, {})
    at = positions(draft)
    for number, names in enumerate(named):
        created = draft.steps[at[StepKind.RECREATE, f"p{number}"] - 1]
        found = {order for order, _ in found_in(created.requests[0].request.body)}
        assert found == {at[StepKind.RECREATE, each] for each in names}
        assert all(at[StepKind.RECREATE, each] < created.order for each in names)
        assert at[StepKind.ENFORCE, f"p{number}"] > max(at[StepKind.RECREATE, each] for each in ids)


@given(
    st.lists(st.lists(st.sampled_from("abcde"), min_size=1, max_size=3, unique=True), max_size=4),
    st.randoms(),
)
def test_every_deletion_of_a_referrer_comes_before_that_of_what_it_names(
    named: list[list[str]], random: Any
) -> None:
    ids = sorted({each for names in named for each in names})
    live: dict[Key, LiveState] = {(LOCATION.key, each): LiveState(location(each)) for each in ids}
    live |= {(POLICY.key, f"p{n}"): LiveState(locations_policy(*names)) for n, names in enumerate(named)}
    targets = [Target(*key, None) for key in live]
    random.shuffle(targets)
    at = positions(plan_of(targets, live))
    for number, names in enumerate(named):
        assert all(at[StepKind.DELETE, f"p{number}"] < at[StepKind.DELETE, each] for each in names)


def test_deletions_come_last_and_relaxing_a_policy_only_after_enforcing_the_others() -> None:
    on, off = locations_policy("x"), locations_policy("x", state="disabled")
    live = {
        (POLICY.key, "to-enforce"): LiveState(off),
        (POLICY.key, "to-relax"): LiveState(on),
        (POLICY.key, "to-delete"): LiveState(on),
    }
    targets = [
        Target(POLICY.key, "to-delete", None),
        Target(POLICY.key, "to-relax", off),
        Target(POLICY.key, "to-enforce", on),
    ]
    assert [step.resource_id for step in plan_of(targets, live).steps] == [
        "to-enforce",
        "to-relax",
        "to-delete",
    ]


def test_a_policy_whose_state_alone_differs_is_switched_directly() -> None:
    live = {(POLICY.key, "p"): LiveState(locations_policy("x", state="disabled"))}
    (step,) = plan_of([Target(POLICY.key, "p", locations_policy("x"))], live).steps
    assert step.requests[0].request.body == {"state": "enabled"}


def test_a_policy_that_differs_in_more_is_reported_only_before_it_is_enforced() -> None:
    live = {(POLICY.key, "p"): LiveState(locations_policy("x", state="disabled"))}
    steps = plan_of([Target(POLICY.key, "p", {**locations_policy("x"), "displayName": "other"})], live).steps
    assert [step.kind for step in steps] == [StepKind.UPDATE, StepKind.ENFORCE]
    assert steps[0].requests[0].request.body["state"] == "enabledForReportingButNotEnforced"
    assert steps[1].requests[0].request.body == {"state": "enabled"}


def test_a_kept_deleted_object_is_taken_out_and_only_created_if_that_is_refused() -> None:
    targets = [Target(POLICY.key, "p", locations_policy("x"))]
    first = plan_of(targets, {(POLICY.key, "p"): LiveState(deleted=True)}).steps[0]
    assert (first.kind, first.requests[0].effect.kind) == (StepKind.UNDELETE, EffectKind.UNDELETE)
    assert first.fallback[0].effect.kind is EffectKind.CREATE


def test_a_trusted_location_loses_its_trust_before_it_is_deleted() -> None:
    live = {(LOCATION.key, "l"): LiveState({**location("l"), "isTrusted": True})}
    (step,) = plan_of([Target(LOCATION.key, "l", None)], live).steps
    assert [planned.request.method for planned in step.requests] == ["PATCH", "DELETE"]
    assert step.requests[0].request.body == {
        "@odata.type": "#microsoft.graph.countryNamedLocation",
        "isTrusted": False,
    }


def test_a_strength_takes_its_combinations_by_their_own_action() -> None:
    spec = CATALOGUE["authenticationStrengthPolicy"]
    wanted = canonicalise({"displayName": "s", "allowedCombinations": ["fido2"]}, spec)
    live = canonicalise({"displayName": "s", "allowedCombinations": ["fido2", "password,sms"]}, spec)
    (step,) = plan_of([Target(spec.key, "s", wanted)], {(spec.key, "s"): LiveState(live)}).steps
    (planned,) = step.requests
    assert planned.request.path.endswith("/s/updateAllowedCombinations")
    assert planned.request.body == {"allowedCombinations": ["fido2"]}


def test_an_added_secret_is_removed_and_a_removed_one_is_said_to_be_lost() -> None:
    spec = CATALOGUE["application"]
    old, new = {"keyId": "old", "displayName": "ours"}, {"keyId": "new", "displayName": "his"}
    wanted = canonicalise({"displayName": "a", "passwordCredentials": [old]}, spec)
    live = canonicalise({"displayName": "a", "passwordCredentials": [new]}, spec)
    draft = plan_of([Target(spec.key, "a", wanted)], {(spec.key, "a"): LiveState(live)})
    assert [planned.request.body for planned in draft.steps[0].requests] == [{"keyId": "new"}]
    assert not draft.complete
    assert "passwordCredentials" in draft.warnings[0]


def group(*members: str, owners: tuple[str, ...] = ()) -> Document:
    person = "#microsoft.graph.user"
    return canonicalise(
        {
            "displayName": "g",
            "members": [{"@odata.type": person, "id": each} for each in members],
            "owners": [{"@odata.type": person, "id": each} for each in owners],
        },
        GROUP,
    )


@given(st.sets(NAMES), st.sets(NAMES))
def test_members_are_added_and_removed_each_once_additions_first(before: set[str], wanted: set[str]) -> None:
    live = {(GROUP.key, "g"): LiveState(group(*before))}
    draft = plan_of([Target(GROUP.key, "g", group(*wanted))], live)
    sent = [planned.request for step in draft.steps for planned in step.requests]
    requests = [part for request in sent for part in request.parts or (request,)]
    assert sorted(each.method for each in requests) == sorted(
        ["POST"] * len(wanted - before) + ["DELETE"] * len(before - wanted)
    )
    methods = [each.method for each in requests]
    assert methods == sorted(methods, reverse=True)
    added = {each.body["@odata.id"] for each in requests if each.method == "POST"}
    assert added == {f"{GRAPH}/v1.0/directoryObjects/{each}" for each in wanted - before}


def test_groups_that_hold_each_other_come_back_before_their_members_do() -> None:
    targets = [Target(GROUP.key, "one", group("two")), Target(GROUP.key, "two", group("one"))]
    draft = plan_of(targets, {})
    assert not draft.blockers
    assert [step.kind in BRINGS_BACK for step in draft.steps] == [True, True, False, False]


def test_an_assignment_that_exists_under_another_id_is_adopted() -> None:
    spec = CATALOGUE["unifiedRoleAssignment"]
    wanted = {"principalId": "p", "roleDefinitionId": "r", "directoryScopeId": "/"}
    live = {(spec.key, "old"): LiveState(natural_key_match=NaturalKeyMatch("other", wanted))}
    draft = plan_of([Target(spec.key, "old", wanted)], live)
    assert draft.steps == ()
    assert "exists under another ID (other)" in draft.warnings[0]


def test_a_twin_that_must_be_made_anew_gives_way_itself_and_the_old_id_is_never_written_to() -> None:
    usual = CATALOGUE["unifiedRoleAssignment"]
    spec = replace(
        usual,
        restore=replace(usual.restore, create=replace(usual.restore.create, recreate_for=("condition",))),
    )
    wanted = {"principalId": "p", "roleDefinitionId": "r", "directoryScopeId": "/"}
    planted = {**wanted, "condition": "true"}
    targets = [Target(spec.key, "old", wanted), Target(spec.key, "other", None, last_known=planted)]
    live = {
        (spec.key, "old"): LiveState(natural_key_match=NaturalKeyMatch("other", planted)),
        (spec.key, "other"): LiveState(planted),
    }
    draft = build(targets, live, {**CATALOGUE, spec.key: spec}, graph_url=GRAPH)
    gone, repeated = draft.steps
    assert (gone.kind, gone.resource_id, gone.expected) == (StepKind.DELETE, "other", planted)
    assert [planned.request.path.rpartition("/")[2] for planned in gone.requests] == ["other"]
    assert (gone.target, gone.wanted) == (None, None)
    assert (repeated.kind, repeated.resource_id, repeated.wanted) == (StepKind.RECREATE, "old", wanted)
    assert repeated.keys == {"id": "old"}
    assert "is replaced by a new one" in draft.warnings[0]


def test_a_way_to_sign_in_is_given_before_another_is_taken() -> None:
    spec = CATALOGUE["authenticationMethodConfiguration"]
    states = {"Email": "disabled", "Fido2": "enabled", "Sms": "disabled", "Voice": "enabled"}
    other = {"disabled": "enabled", "enabled": "disabled"}
    kind = {"@odata.type": "#microsoft.graph.emailAuthenticationMethodConfiguration"}
    targets = [Target(spec.key, name, {**kind, "state": state}, name) for name, state in states.items()]
    live = {(spec.key, name): LiveState({**kind, "state": other[state]}) for name, state in states.items()}
    assert [step.resource_id for step in plan_of(targets, live).steps] == ["Fido2", "Voice", "Email", "Sms"]


def test_a_service_principal_of_microsoft_is_never_deleted() -> None:
    spec = CATALOGUE["servicePrincipal"]
    theirs = {"appId": "a", "appOwnerOrganizationId": "f8cdef31-a31e-4b4a-93e4-5f571e91255a"}
    others = {"appId": "b", "appOwnerOrganizationId": "0c9e0b0a-1111-4222-8333-444455556666"}
    live = {(spec.key, "one"): LiveState(theirs), (spec.key, "two"): LiveState(others)}
    draft = plan_of([Target(spec.key, "one", None), Target(spec.key, "two", None)], live)
    assert [(step.kind, step.resource_id) for step in draft.steps] == [(StepKind.DELETE, "two")]
    assert (draft.complete, "stays: Microsoft creates" in draft.warnings[0]) == (False, True)


def test_a_built_in_role_is_never_written() -> None:
    spec = CATALOGUE["unifiedRoleDefinition"]
    live = {(spec.key, "r"): LiveState({"displayName": "x", "isBuiltIn": True})}
    draft = plan_of([Target(spec.key, "r", {"displayName": "y", "isBuiltIn": True})], live)
    assert (draft.steps, draft.complete) == ((), False)


def test_what_is_as_it_should_be_needs_no_step() -> None:
    document = locations_policy("x")
    draft = plan_of([Target(POLICY.key, "p", document)], {(POLICY.key, "p"): LiveState(document)})
    assert (draft.steps, draft.complete, draft.applicable) == ((), True, False)


def test_a_step_survives_being_stored_as_json() -> None:
    targets = [Target(POLICY.key, "p", locations_policy("l")), Target(LOCATION.key, "l", location("l"))]
    for step in plan_of(targets, {}).steps:
        assert PlannedStep.from_json(step.to_json()) == step


def test_people_read_old_ids_in_the_fields_and_never_tokens() -> None:
    targets = [Target(POLICY.key, "p", locations_policy("l")), Target(LOCATION.key, "l", location("l"))]
    assert not found_in([dict(each) for step in plan_of(targets, {}).steps for each in step.fields])


@given(st.recursive(NAMES | st.just(token(3)), lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner)))
def test_tokens_are_replaced_wherever_they_stand(value: Any) -> None:
    assert found_in(put_in(value, lambda number, name: f"{name}-{number}")) == set()
    assert put_in(value, token) == value


def test_an_element_is_added_by_content_where_the_service_chooses_its_id() -> None:
    spec = CATALOGUE["authenticationStrengthPolicy"]
    wanted = {"id": "old", "appliesToCombinations": ["fido2"]}
    effect = Effect(EffectKind.ADD, of="combinationConfigurations", elements=(wanted,))
    assert shown(effect, {"combinationConfigurations": [{**wanted, "id": "new"}]}, spec)
    assert not shown(
        effect, {"combinationConfigurations": [{"id": "old", "appliesToCombinations": ["sms"]}]}, spec
    )


def test_a_group_that_becomes_dynamic_again_loses_its_members_by_that_alone() -> None:
    rule = {"groupTypes": ["DynamicMembership"], "membershipRule": '(user.department -eq "IT")'}
    wanted = canonicalise({"displayName": "Group", **rule}, GROUP)
    live = group("a", "b")
    draft = plan_of([Target("group", "g", wanted)], {("group", "g"): LiveState(live)})
    (step,) = draft.steps
    assert [planned.request.method for planned in step.requests] == ["PATCH"]
    assert same(step.target, wanted)


def test_a_group_that_is_no_longer_dynamic_gets_its_members_after_its_rule_is_gone() -> None:
    rule = {"groupTypes": ["DynamicMembership"], "membershipRule": '(user.department -eq "IT")'}
    live = canonicalise({"displayName": "Group", **rule}, GROUP)
    draft = plan_of([Target("group", "g", group("a"))], {("group", "g"): LiveState(live)})
    (step,) = draft.steps
    assert [planned.request.method for planned in step.requests] == ["PATCH", "POST"]


def test_licences_that_differ_are_given_and_taken_in_one_request() -> None:
    def licensed(*licences: Document) -> Document:
        return canonicalise({"displayName": "Group", "assignedLicenses": list(licences)}, GROUP)

    live = licensed({"skuId": "a"}, {"skuId": "b", "disabledPlans": ["p"]}, {"skuId": "c"})
    wanted = licensed({"skuId": "b"}, {"skuId": "c"}, {"skuId": "d", "disabledPlans": ["q"]})
    draft = plan_of([Target("group", "g", wanted)], {("group", "g"): LiveState(live)})
    ((planned,),) = [step.requests for step in draft.steps]
    assert planned.request.path == "/v1.0/groups/g/assignLicense"
    assert planned.request.body == {
        "addLicenses": [{"skuId": "b", "disabledPlans": []}, {"skuId": "d", "disabledPlans": ["q"]}],
        "removeLicenses": ["a"],
    }


CHOSEN = replace(
    GROUP,
    key="chosen",
    parts=(),
    restore=Restore(
        writable=("state",),
        create=Create(
            path="/v1.0/things",
            only=("id",),
            caller_chooses_id=True,
        ),
        update=Update(path="/v1.0/things/{id}"),
        order=Order(quirks=(RankWithinType(lambda wanted: int(wanted["state"])),)),
    ),
)


def chosen(**states: Document) -> PlanDraft:
    targets = [Target("chosen", name, wanted, name) for name, wanted in states.items()]
    live = {target.key: LiveState() for target in targets}
    return build(targets, live, {**CATALOGUE, "chosen": CHOSEN}, graph_url=GRAPH)


def test_an_id_that_the_caller_chooses_is_sent_as_it_was() -> None:
    (step,) = chosen(own={"id": "own", "state": "1"}).steps
    assert step.requests[0].request.body == {"id": "own", "state": "1"}
    assert step.explanation.endswith("under its old ID.")


def test_steps_of_one_type_take_turns_where_it_says_so() -> None:
    draft = chosen(a={"state": "2"}, b={"state": "0"}, c={"state": "1"})
    assert [step.resource_id for step in draft.steps] == ["b", "c", "a"]
