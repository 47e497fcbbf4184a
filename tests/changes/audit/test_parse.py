"""What is understood of Microsoft's log records, and that no odd shape stops the reading."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changes.audit import fields, parse
from tests.changes.audit.records import (
    ALICE,
    BREAK_GLASS,
    GROUP,
    audit_record,
    modified,
    sign_in_record,
    target,
)


def test_a_users_event_is_understood() -> None:
    facts = parse.audit_event(
        audit_record(targets=[target(GROUP, "Admins", modified("DisplayName", "A", "B"))])
    )
    assert facts is not None
    assert facts.activity == "Update group"
    assert (facts.actor_type, facts.actor_id, facts.actor_name) == ("user", ALICE, "alice@aurora.example")
    assert facts.ip == "198.51.100.7"
    assert facts.occurred_at == datetime(2026, 3, 1, 12, 0, 0, 145824, UTC)
    assert facts.targets[0].id == GROUP
    assert facts.targets[0].properties == ("DisplayName",)


def test_an_applications_event_names_the_application_and_has_no_address() -> None:
    app = {"appId": "app-1", "displayName": "Deployer", "servicePrincipalId": "sp-1"}
    facts = parse.audit_event(audit_record(initiatedBy={"user": None, "app": app}))
    assert facts is not None
    assert (facts.actor_type, facts.actor_id, facts.actor_app_id) == ("application", "sp-1", "app-1")
    assert (facts.actor_name, facts.ip) == ("Deployer", "")


@pytest.mark.parametrize(
    "initiated_by",
    [
        None,
        {},
        {"user": None, "app": None},
        {"user": {"id": "00000000-0000-0000-0000-000000000000", "ipAddress": "10.0.0.0"}, "app": None},
        "nobody",
    ],
)
def test_an_actor_that_is_not_told_is_unknown(initiated_by: object) -> None:
    facts = parse.audit_event(audit_record(initiatedBy=initiated_by))
    assert facts is not None
    assert (facts.actor_type, facts.actor_id, facts.actor_name, facts.ip) == ("unknown", "", "", "")


@pytest.mark.parametrize(
    ("given_address", "normal"),
    [
        ("198.51.100.7", "198.51.100.7"),
        (" 198.51.100.7:51234 ", "198.51.100.7"),
        ("[2001:DB8::1]:443", "2001:db8::1"),
        ("2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("2001:db8::1%eth0", "2001:db8::1"),
        ("10.0.0.0", ""),
        ("127.0.0.1", ""),
        ("fe80::1", ""),
        ("", ""),
        ("unknown", ""),
        (None, ""),
        (7, ""),
    ],
)
def test_addresses_lose_their_port_and_internal_ones_are_nobodys(given_address: object, normal: str) -> None:
    assert fields.address(given_address) == normal


def test_capitalised_member_names_are_read() -> None:
    odd = {"id": GROUP, "displayName": "Admins", "Type": "Group", "modifiedProperties": []}
    facts = parse.audit_event(audit_record(targets=[odd]))
    assert facts is not None
    assert facts.targets[0].type == "Group"


def test_the_summary_and_pseudo_properties_are_no_property_names_of_their_own() -> None:
    entries = [
        modified("Included Updated Properties", None, "Description, MailEnabled"),
        modified("TargetId.UserType", None, "Member"),
    ]
    facts = parse.audit_event(audit_record(targets=[target(GROUP, "Admins", *entries)]))
    assert facts is not None
    assert facts.targets[0].properties == ("Description", "MailEnabled")


def test_a_whole_policy_as_value_tells_which_members_and_elements_differ() -> None:
    old = {"state": "enabled", "name": "x", "methods": [{"id": "Sms", "state": "disabled"}, {"id": "Voice"}]}
    new = {"state": "disabled", "name": "x", "methods": [{"id": "Voice"}, {"id": "Sms", "state": "enabled"}]}
    facts = parse.audit_event(audit_record(targets=[target(GROUP, "P", modified("Policy", old, new))]))
    assert facts is not None
    assert facts.targets[0].properties == ("Policy", "methods", "methods[Sms]", "state")


def test_values_encoded_twice_or_not_at_all_are_read() -> None:
    entries: list[dict[str, Any]] = [
        {"displayName": "Role.ObjectID", "oldValue": None, "newValue": json.dumps(json.dumps(BREAK_GLASS))},
        {"displayName": "Group.ObjectID", "oldValue": GROUP.upper(), "newValue": "not { json"},
    ]
    facts = parse.audit_event(audit_record(targets=[target(ALICE, "Alice", *entries)]))
    assert facts is not None
    assert facts.targets[0].mentions == (BREAK_GLASS, GROUP)


def test_ids_deep_inside_a_value_are_no_mention() -> None:
    policy = {"conditions": {"users": {"excludeGroups": [GROUP]}}}
    facts = parse.audit_event(audit_record(targets=[target(ALICE, "P", modified("Policy", None, policy))]))
    assert facts is not None
    assert facts.targets[0].mentions == ()


def test_targets_survive_being_kept() -> None:
    facts = parse.audit_event(audit_record(targets=[target(GROUP, "Admins", modified("State", "a", GROUP))]))
    assert facts is not None
    stored = json.loads(json.dumps([each.to_json() for each in facts.targets]))
    assert tuple(parse.Target.from_json(each) for each in stored) == facts.targets


@pytest.mark.parametrize("missing", ["id", "activityDateTime"])
def test_a_record_without_id_or_time_is_no_event(missing: str) -> None:
    assert parse.audit_event(audit_record() | {missing: None}) is None


def test_a_sign_in_tells_principal_address_and_country() -> None:
    facts = parse.sign_in(sign_in_record(location={"city": "Bucharest", "countryOrRegion": "ro"}))
    assert facts is not None
    assert (facts.principal_id, facts.ip, facts.country) == (ALICE, "198.51.100.7", "RO")
    assert facts.city == "Bucharest"


def test_a_service_principals_sign_in_is_its_own() -> None:
    facts = parse.sign_in(sign_in_record(userId="", servicePrincipalId="sp-1", userPrincipalName=None))
    assert facts is not None
    assert facts.principal_id == "sp-1"


@pytest.mark.parametrize("country", ["Romania", "R0", "", None, 4, "ROU"])
def test_what_is_no_country_code_is_no_country(country: object) -> None:
    facts = parse.sign_in(sign_in_record(location={"countryOrRegion": country}))
    assert facts is not None
    assert facts.country == ""


def test_text_that_no_database_takes_is_cleaned() -> None:
    facts = parse.audit_event(audit_record(activityDisplayName="Up\0date \ud800 group" + "x" * 400))
    assert facts is not None
    assert facts.activity.startswith("Update ? group")
    assert len(facts.activity) == 300


_scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
_names = st.sampled_from(
    [*audit_record(), *sign_in_record(), "Type", "user", "app", "modifiedProperties", "newValue", "oldValue"]
)
_anything = st.recursive(
    _scalars
    | st.sampled_from(["2026-03-01T12:00:00Z", "0001-01-01T00:00:00+14:00", '{"a":[{"id":"b"}]}', "[["]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(_names | st.text(max_size=5), inner, max_size=6)
    ),
    max_leaves=20,
)


@given(st.dictionaries(_names, _anything, max_size=10), _anything)
def test_no_shape_stops_the_reading(members: dict[str, Any], whole: Any) -> None:
    for record in (whole, members, audit_record() | members):
        facts = parse.audit_event(record)
        if facts is not None:
            facts.activity.encode()
            assert facts.occurred_at.tzinfo is UTC
            assert len(facts.actor_name) <= 400
    for record in (whole, members, sign_in_record() | members):
        found = parse.sign_in(record)
        assert found is None or found.principal_id
