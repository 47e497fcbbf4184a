"""A difference is complete, minimal and readable."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changes.diff.structural import Difference, FieldChange, diff
from snapshots import catalog
from snapshots.canonical.form import canonical_bytes, canonicalise
from snapshots.catalog.spec import Document, ResourceType
from tests.patching import patched
from tests.strategies import json_objects

POLICY = catalog.get("conditionalAccessPolicy")
APPLICATION = catalog.get("application")
GROUP = catalog.get("group")
LOCATION = catalog.get("namedLocation")
SETTINGS_CATALOG = catalog.get("deviceManagementConfigurationPolicy")
PROFILE = catalog.get("deviceConfiguration")

TYPES = st.sampled_from(catalog.all_types())


@given(TYPES, json_objects(), json_objects())
def test_applying_a_difference_leads_from_one_document_to_the_other(
    spec: ResourceType, one: Document, other: Document
) -> None:
    before, after = canonicalise(one, spec), canonicalise(other, spec)
    _leads_from_one_to_the_other(before, after, spec)


@given(TYPES, json_objects(), json_objects())
def test_it_does_so_for_documents_that_are_not_canonical(
    spec: ResourceType, before: Document, after: Document
) -> None:
    _leads_from_one_to_the_other(before, after, spec)


@given(
    st.lists(st.sampled_from("abcdef")),
    st.lists(st.sampled_from("abcdef")),
    st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 2))),
    st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 2))),
)
def test_it_does_so_for_sets_that_overlap(
    tags: list[str], other_tags: list[str], roles: list[tuple[str, int]], other_roles: list[tuple[str, int]]
) -> None:
    def application(tags: list[str], roles: list[tuple[str, int]]) -> Document:
        listed = [{"id": key, "value": value} for key, value in roles]
        return canonicalise({"tags": tags, "appRoles": listed}, APPLICATION)

    _leads_from_one_to_the_other(application(tags, roles), application(other_tags, other_roles), APPLICATION)


@given(TYPES, json_objects())
def test_nothing_differs_from_itself(spec: ResourceType, raw: Document) -> None:
    document = canonicalise(raw, spec)
    assert diff(document, copy.deepcopy(document), spec) == Difference([], ())
    assert not diff(document, document, spec)


def test_neither_side_exists() -> None:
    assert not diff(None, None, POLICY)


def test_a_creation_and_a_deletion_can_be_applied() -> None:
    created = diff(None, {"state": "enabled"}, POLICY)
    assert patched(created.patch, None) == {"state": "enabled"}
    deleted = diff({"state": "enabled"}, None, POLICY)
    assert patched(deleted.patch, {"state": "enabled"}) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"tags": ["b", "a"]}, {"tags": ["a", "b", "c"]}),
        ({"tags": ["a", "a"]}, {"tags": ["a"]}),
        ({"appRoles": [{"id": "b"}, {"id": "a", "value": 1}]}, {"appRoles": [{"id": "a"}, {"id": "b"}]}),
        ({"appRoles": [{"value": 1}]}, {"appRoles": [{"id": "a"}]}),
    ],
)
def test_sets_that_are_not_in_their_canonical_order_are_still_compared_right(
    before: Document, after: Document
) -> None:
    _leads_from_one_to_the_other(before, after, APPLICATION)


def test_a_created_resource_is_told_field_by_field() -> None:
    difference = diff(None, {"state": "enabled", "grantControls": {"builtInControls": ["mfa"]}}, POLICY)
    assert [operation["op"] for operation in difference.patch] == ["add"]
    assert difference.fields == (
        FieldChange("grantControls.builtInControls", "added", after=["mfa"], added=("mfa",)),
        FieldChange("state", "added", after="enabled"),
    )


def test_a_deleted_resource_is_told_field_by_field() -> None:
    difference = diff({"state": "enabled"}, None, POLICY)
    assert difference.patch == [{"op": "remove", "path": ""}]
    assert difference.fields == (FieldChange("state", "removed", before="enabled"),)


def test_a_switched_value_is_one_replacement() -> None:
    difference = diff(
        {"state": "enabled", "displayName": "x"}, {"state": "disabled", "displayName": "x"}, POLICY
    )
    assert difference.patch == [{"op": "replace", "path": "/state", "value": "disabled"}]
    assert difference.fields == (FieldChange("state", "changed", "enabled", "disabled"),)


def test_one_more_exclusion_is_one_addition_at_its_place() -> None:
    difference = diff(_excluding("a", "c"), _excluding("a", "b", "c"), POLICY)
    assert difference.patch == [{"op": "add", "path": "/conditions/users/excludeUsers/1", "value": "b"}]
    (field,) = difference.fields
    assert (field.path, field.kind, field.added, field.removed) == (
        "conditions.users.excludeUsers",
        "added",
        ("b",),
        (),
    )


def test_what_came_into_a_set_and_what_went_are_told_together() -> None:
    difference = diff(_excluding("a", "b", "c"), _excluding("b", "d", "e"), POLICY)
    (field,) = difference.fields
    assert (field.kind, field.added, field.removed) == ("changed", ("d", "e"), ("a", "c"))
    assert [operation["op"] for operation in difference.patch] == ["remove", "remove", "add", "add"]


def test_a_member_is_named_by_its_id() -> None:
    user, other = ({"@odata.type": "#microsoft.graph.user", "id": name} for name in ("1", "2"))
    difference = diff({"members": [other]}, {"members": [user, other]}, GROUP)
    assert difference.patch == [{"op": "add", "path": "/members/0", "value": user}]
    assert difference.fields == (FieldChange("members[id=1]", "added", after=user),)


def test_the_first_members_are_told_one_by_one() -> None:
    members = [{"id": "1"}, {"id": "2"}]
    difference = diff({"displayName": "g"}, {"displayName": "g", "members": members}, GROUP)
    assert difference.patch == [{"op": "add", "path": "/members", "value": members}]
    assert [field.path for field in difference.fields] == ["members[id=1]", "members[id=2]"]


def test_a_change_inside_an_element_touches_only_that() -> None:
    def application(*, enabled: bool) -> Document:
        return {"appRoles": [{"id": "a", "isEnabled": True}, {"id": "b", "isEnabled": enabled}]}

    difference = diff(application(enabled=True), application(enabled=False), APPLICATION)
    assert difference.patch == [{"op": "replace", "path": "/appRoles/1/isEnabled", "value": False}]
    assert [field.path for field in difference.fields] == ["appRoles[id=b].isEnabled"]


def test_a_removed_element_does_not_make_its_followers_differ() -> None:
    ranges = [{"cidrAddress": f"10.{n}.0.0/16"} for n in range(5)]
    difference = diff({"ipRanges": ranges}, {"ipRanges": ranges[1:]}, LOCATION)
    assert difference.patch == [{"op": "remove", "path": "/ipRanges/0"}]


def test_the_order_of_an_ordered_list_is_part_of_its_state() -> None:
    _leads_from_one_to_the_other({"unlisted": ["a", "b"]}, {"unlisted": ["b", "a"]}, POLICY)
    assert diff({"unlisted": ["a", "b"]}, {"unlisted": ["b", "a"]}, POLICY)


@pytest.mark.parametrize("position", range(4))
def test_one_more_element_of_an_ordered_list_is_one_addition(position: int) -> None:
    before = [{"rule": {"name": name, "action": "allow"}} for name in "abc"]
    new = {"rule": {"name": "new", "action": "allow"}}
    after = [*before[:position], new, *before[position:]]
    difference = diff({"unlisted": before}, {"unlisted": after}, POLICY)
    assert difference.patch == [{"op": "add", "path": f"/unlisted/{position}", "value": new}]
    assert len(difference.fields) == 1
    back = diff({"unlisted": after}, {"unlisted": before}, POLICY)
    assert back.patch == [{"op": "remove", "path": f"/unlisted/{position}"}]


def test_a_replaced_value_of_an_ordered_list_is_one_replacement() -> None:
    difference = diff({"unlisted": ["a", "b", "c"]}, {"unlisted": ["a", "x", "c"]}, POLICY)
    assert difference.patch == [{"op": "replace", "path": "/unlisted/1", "value": "x"}]


def test_an_element_that_changed_beside_an_inserted_one_is_compared_with_itself() -> None:
    first, second = ({"name": name, "ports": "443", "action": "allow"} for name in ("web", "mail"))
    changed = {**second, "ports": "25"}
    new = {"name": "dns", "ports": "53", "action": "block"}
    difference = diff({"unlisted": [first, second]}, {"unlisted": [first, new, changed]}, POLICY)
    assert difference.patch == [
        {"op": "add", "path": "/unlisted/1", "value": new},
        {"op": "replace", "path": "/unlisted/2/ports", "value": "25"},
    ]


def catalog_policy(*settings: tuple[str, str]) -> Document:
    kind = "#microsoft.graph.deviceManagementConfigurationChoiceSettingInstance"
    instances = [
        {
            "@odata.type": kind,
            "settingDefinitionId": name,
            "choiceSettingValue": {"value": f"{name}_{value}", "children": []},
        }
        for name, value in settings
    ]
    rows = [{"id": str(index), "settingInstance": each} for index, each in enumerate(instances)]
    return canonicalise({"name": "Hardening", "settings": rows}, SETTINGS_CATALOG)


def assigned(*targets: dict[str, str]) -> Document:
    return canonicalise({"displayName": "P", "assignments": [{"target": each} for each in targets]}, PROFILE)


def group_target(group: str, **more: str) -> dict[str, str]:
    kind = "#microsoft.graph.groupAssignmentTarget"
    return {"@odata.type": kind, "groupId": f"{group * 8}-0000-0000-0000-000000000000", **more}


def test_one_more_setting_is_one_change() -> None:
    before = catalog_policy(("wallpaper", "1"), ("screensaver", "1"), ("theme", "1"))
    after = catalog_policy(("wallpaper", "1"), ("screensaver", "1"), ("theme", "1"), ("accent", "1"))
    difference = diff(before, after, SETTINGS_CATALOG)
    assert [operation["op"] for operation in difference.patch] == ["add"]
    (field,) = difference.fields
    assert (field.path, field.kind) == ("settings[settingDefinitionId=accent]", "added")
    assert [each["op"] for each in diff(after, before, SETTINGS_CATALOG).patch] == ["remove"]


def test_another_value_of_a_setting_is_one_change_wherever_it_stands() -> None:
    before = catalog_policy(("a", "1"), ("b", "1"), ("c", "1"))
    difference = diff(before, catalog_policy(("a", "1"), ("b", "0"), ("c", "1")), SETTINGS_CATALOG)
    assert [(each["op"], each["value"]) for each in difference.patch] == [("replace", "b_0")]
    assert [field.path for field in difference.fields] == [
        "settings[settingDefinitionId=b].settingInstance.choiceSettingValue.value"
    ]


def test_one_more_assignment_names_only_its_own_group() -> None:
    before = assigned(*map(group_target, "345"))
    new = {"target": group_target("1")}
    difference = diff(before, assigned(*map(group_target, "1345")), PROFILE)
    assert difference.patch == [{"op": "add", "path": "/assignments/0", "value": new}]
    assert [field.after for field in difference.fields] == [new]


def test_another_group_in_the_place_of_one_is_a_removal_and_an_addition() -> None:
    difference = diff(assigned(*map(group_target, "12")), assigned(*map(group_target, "13")), PROFILE)
    assert [field.kind for field in difference.fields] == ["removed", "added"]


def test_another_filter_on_an_assignment_is_a_change_of_that_assignment() -> None:
    name = "deviceAndAppManagementAssignmentFilterType"
    before = assigned(*map(group_target, "12"))
    after = assigned(group_target("1", **{name: "include"}), group_target("2"))
    (field,) = diff(before, after, PROFILE).fields
    assert (field.kind, field.after) == ("added", "include")
    assert field.path.endswith(f".target.{name}")


def test_elements_without_a_key_are_matched_by_what_they_hold() -> None:
    """Here the changed element also changes its place in the canonical order."""

    def location(*ranges: dict[str, str]) -> Document:
        return canonicalise({"omaSettings": list(ranges)}, PROFILE)

    one = {"displayName": "One", "omaUri": "./One", "value": "1"}
    two = {"displayName": "Two", "omaUri": "./Two", "value": "1"}
    before, after = location(one, two), location({**one, "displayName": "Zero"}, two)
    difference = diff(before, after, PROFILE)
    assert [(field.kind, field.before, field.after) for field in difference.fields] == [
        ("changed", "One", "Zero")
    ]
    assert patched(difference.patch, before) == after


@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("xyz"), st.booleans()), max_size=6),
    st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("xyz"), st.booleans()), max_size=6),
    st.sampled_from(["omaSettings", "icons", "assignments"]),
)
def test_elements_that_overlap_and_repeat_lead_from_one_to_the_other(
    one: list[tuple[str, str, bool]], other: list[tuple[str, str, bool]], name: str
) -> None:
    def profile(rows: list[tuple[str, str, bool]]) -> Document:
        elements = [{"omaUri": a, "value": b, "inner": {"isOn": c, "list": [a, b]}} for a, b, c in rows]
        return {name: elements}

    before, after = profile(one), profile(other)
    _leads_from_one_to_the_other(before, after, PROFILE)
    before, after = canonicalise(before, PROFILE), canonicalise(after, PROFILE)
    _leads_from_one_to_the_other(before, after, PROFILE)


@given(st.lists(st.sampled_from("abc"), max_size=8), st.lists(st.sampled_from("abc"), max_size=8))
def test_ordered_values_lead_from_one_to_the_other(one: list[str], other: list[str]) -> None:
    _leads_from_one_to_the_other({"unlisted": one}, {"unlisted": other}, POLICY)


def test_a_big_set_is_compared_element_by_element() -> None:
    """Three thousand elements that all changed are still matched, by a value that few of them share."""
    before = [{"omaUri": f"./{number}", "displayName": "Same", "value": "1"} for number in range(3000)]
    after = [{**each, "value": "2"} for each in before]
    difference = diff(
        canonicalise({"omaSettings": before}, PROFILE), canonicalise({"omaSettings": after}, PROFILE), PROFILE
    )
    assert len(difference.patch) == len(difference.fields) == 3000
    assert {field.kind for field in difference.fields} == {"changed"}


def test_changes_far_apart_in_a_long_ordered_list_stay_small() -> None:
    before = [{"name": f"rule {number}", "action": "allow"} for number in range(2000)]
    new = {"name": "new", "action": "block"}
    after = [before[0], new, *before[1:1998], before[1999]]
    patch = diff({"unlisted": before}, {"unlisted": after}, POLICY).patch
    assert [(each["op"], each["path"]) for each in patch] == [
        ("remove", "/unlisted/1998"),
        ("add", "/unlisted/1"),
    ]


def test_a_list_of_endless_repetition_is_compared_by_position() -> None:
    before, after = ["a", "b"] * 1000, ["b", "a", "c"] * 700
    _leads_from_one_to_the_other({"unlisted": before}, {"unlisted": after}, POLICY)


@pytest.mark.parametrize(("one", "other"), [(1, True), (1, 1.0), (0, False), ("1", 1)])
def test_values_that_python_calls_equal_may_still_differ(one: Any, other: Any) -> None:
    assert diff({"x": one}, {"x": other}, POLICY).patch == [{"op": "replace", "path": "/x", "value": other}]


def test_slashes_and_tildes_in_keys_are_escaped() -> None:
    before, after = {"a/b": {"c~d": 1}}, {"a/b": {"c~d": 2}}
    difference = diff(before, after, POLICY)
    assert difference.patch == [{"op": "replace", "path": "/a~1b/c~0d", "value": 2}]
    assert patched(difference.patch, before) == after


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("conditions.users.excludeUsers", "Conditions / Users / Exclude users"),
        ("owners[id=a.b-c]", "Owners / id=a.b-c"),
        ("appRoles[id=x].isEnabled", "App roles / id=x / Is enabled"),
        ("principal.@odata.type", "Principal / Type"),
        (
            "assignments[@odata.type=#microsoft.graph.groupAssignmentTarget,groupId=x].target.groupId",
            "Assignments / group assignment target,groupId=x / Target / Group id",
        ),
        ("state", "State"),
    ],
)
def test_a_field_has_a_label_for_people(path: str, label: str) -> None:
    assert FieldChange(path, "changed").label == label


def _excluding(*users: str) -> Document:
    return {"conditions": {"users": {"excludeUsers": list(users)}}}


def _leads_from_one_to_the_other(before: Document, after: Document, spec: ResourceType) -> None:
    difference = diff(before, after, spec)
    assert canonical_bytes(patched(difference.patch, before)) == canonical_bytes(after)
    assert bool(difference) == (canonical_bytes(before) != canonical_bytes(after))
    assert bool(difference.fields) == bool(difference)
    assert {operation["op"] for operation in difference.patch} <= {"add", "remove", "replace"}


VAULT = catalog.get("keyVault")


def vault(**acls: str) -> Document:
    rules = {"ipRules": [{"value": "10.0.0.0/8"}], **acls}
    return canonicalise({"name": "v", "properties": {"networkAcls": rules, "tenantId": "t"}}, VAULT)


def test_a_value_that_goes_back_to_its_default_is_shown_with_the_default() -> None:
    before, after = vault(defaultAction="Deny"), vault(defaultAction="Allow")
    difference = diff(before, after, VAULT)
    assert difference.patch == [{"op": "remove", "path": "/properties/networkAcls/defaultAction"}]
    assert difference.fields == (
        FieldChange("properties.networkAcls.defaultAction", "changed", "Deny", "Allow"),
    )
    (back,) = diff(after, before, VAULT).fields
    assert (back.kind, back.before, back.after) == ("changed", "Allow", "Deny")


def test_a_default_that_is_written_out_is_no_change() -> None:
    assert not diff(vault(), vault(defaultAction="Allow"), VAULT)


def test_a_firewall_that_goes_as_a_whole_leaves_the_defaults_behind() -> None:
    before = vault(defaultAction="Deny", bypass="None")
    after = canonicalise({"name": "v", "properties": {"tenantId": "t"}}, VAULT)
    difference = diff(before, after, VAULT)
    assert {(field.path, field.kind, field.after) for field in difference.fields} >= {
        ("properties.networkAcls.defaultAction", "changed", "Allow"),
        ("properties.networkAcls.bypass", "changed", "AzureServices"),
    }
    assert patched(difference.patch, before) == after


def test_what_a_new_resource_holds_is_not_shown_as_a_change_of_a_default() -> None:
    fields = diff(None, vault(defaultAction="Deny"), VAULT).fields
    assert {field.kind for field in fields} == {"added"}
