"""One state has one spelling: fixed point, and no matter how Graph chose to write it down."""

import copy
import json
import random
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapshots import catalog
from snapshots.canonical.form import canonical_bytes, canonicalise, resource_id
from snapshots.catalog.normalisers import NORMALISERS
from snapshots.catalog.places import ELEMENT, parse, rules_at
from snapshots.catalog.spec import Comparison, Document, Permissions, Read, ResourceType, Restore, SetOf
from snapshots.collection.errors import IncompleteObject
from tests.strategies import json_objects

POLICY = catalog.get("conditionalAccessPolicy")
LOCATION = catalog.get("namedLocation")
STRENGTH = catalog.get("authenticationStrengthPolicy")
METHOD = catalog.get("authenticationMethodConfiguration")
GRANT = catalog.get("oAuth2PermissionGrant")
ASSIGNMENT = catalog.get("unifiedRoleAssignment")
APPLICATION = catalog.get("application")
GROUP = catalog.get("group")

TYPES = st.sampled_from(catalog.all_types())

RAW_POLICY: Document = {
    "@odata.context": "https://graph.example/v1.0/$metadata#policies/$entity",
    "id": "0C9E0B0A-1111-4222-8333-444455556666",
    "displayName": "Administrators need two factors",
    "createdDateTime": "2024-02-03T04:05:06.789Z",
    "modifiedDateTime": None,
    "state": "enabled",
    "conditions": {
        "clientAppTypes": ["mobileAppsAndDesktopClients", "browser"],
        "users": {
            "includeUsers": [],
            "excludeUsers": ["B7E1C2D3-1111-4222-8333-444455556666", "GuestsOrExternalUsers"],
            "includeRoles": ["62e90394-69f5-4237-9190-012177145e10"],
            "includeGuestsOrExternalUsers": {
                "guestOrExternalUserTypes": "internalGuest, b2bCollaborationGuest",
                "externalTenants": {
                    "@odata.type": "#microsoft.graph.conditionalAccessEnumeratedExternalTenants",
                    "membershipKind": "enumerated",
                    "members": [
                        "bb000000-1111-4222-8333-444455556666",
                        "aa000000-1111-4222-8333-444455556666",
                    ],
                },
            },
        },
        "locations": {"includeLocations": [], "excludeLocations": None},
        "platforms": None,
    },
    "grantControls": {
        "operator": "AND",
        "builtInControls": ["mfa", "compliantDevice"],
        "termsOfUse": [],
        "authenticationStrength@odata.context": "https://graph.example/v1.0/$metadata#strength",
        "authenticationStrength": {
            "id": "00000000-0000-0000-0000-000000000004",
            "displayName": "Phishing-resistant",
            "allowedCombinations": ["fido2"],
        },
    },
    "#microsoft.graph.restore": {"target": "https://graph.example/restore"},
}


def test_a_policy_is_written_in_its_canonical_form() -> None:
    assert canonicalise(RAW_POLICY, POLICY) == {
        "displayName": "Administrators need two factors",
        "state": "enabled",
        "conditions": {
            "clientAppTypes": ["browser", "mobileAppsAndDesktopClients"],
            "users": {
                "excludeUsers": ["GuestsOrExternalUsers", "b7e1c2d3-1111-4222-8333-444455556666"],
                "includeRoles": ["62e90394-69f5-4237-9190-012177145e10"],
                "includeGuestsOrExternalUsers": {
                    "guestOrExternalUserTypes": "b2bCollaborationGuest,internalGuest",
                    "externalTenants": {
                        "@odata.type": "#microsoft.graph.conditionalAccessEnumeratedExternalTenants",
                        "membershipKind": "enumerated",
                        "members": [
                            "aa000000-1111-4222-8333-444455556666",
                            "bb000000-1111-4222-8333-444455556666",
                        ],
                    },
                },
            },
        },
        "grantControls": {
            "operator": "AND",
            "builtInControls": ["compliantDevice", "mfa"],
            "authenticationStrength": {"id": "00000000-0000-0000-0000-000000000004"},
        },
    }


@given(TYPES, json_objects())
def test_the_canonical_form_of_anything_is_a_fixed_point(spec: ResourceType, raw: Document) -> None:
    document = canonicalise(raw, spec)
    assert canonical_bytes(canonicalise(document, spec)) == canonical_bytes(document)


@given(st.randoms(use_true_random=False))
def test_key_order_set_order_nulls_and_letter_case_of_ids_do_not_matter(dice: random.Random) -> None:
    other_spelling = _spelled_otherwise(RAW_POLICY, POLICY, dice)
    assert canonical_bytes(canonicalise(other_spelling, POLICY)) == canonical_bytes(
        canonicalise(RAW_POLICY, POLICY)
    )


def test_a_real_difference_survives() -> None:
    changed = copy.deepcopy(RAW_POLICY)
    changed["conditions"]["users"]["excludeUsers"].append("c0000000-1111-4222-8333-444455556666")
    assert canonical_bytes(canonicalise(changed, POLICY)) != canonical_bytes(canonicalise(RAW_POLICY, POLICY))


def test_the_raw_object_is_left_as_it_was() -> None:
    before = copy.deepcopy(RAW_POLICY)
    canonicalise(RAW_POLICY, POLICY)
    assert before == RAW_POLICY


def test_the_order_of_an_array_that_is_no_set_is_state() -> None:
    one, other = {"unlisted": ["b", "a", "a", None]}, {"unlisted": ["a", "b", "a", None]}
    assert canonicalise(one, POLICY) == one
    assert canonicalise(one, POLICY) != canonicalise(other, POLICY)


def test_a_lifetime_is_compared_by_its_length() -> None:
    spec = catalog.get("appManagementPolicy")
    one, other = (
        {"restrictions": {"passwordCredentials": [{"maxLifetime": lifetime}]}}
        for lifetime in ("P90D", "PT2160H")
    )
    assert canonicalise(one, spec) == canonicalise(other, spec)


@pytest.mark.parametrize("name", ["apps", "dnsSuffixes", "icons", "onDemandRules"])
def test_where_the_place_in_a_list_is_what_a_device_applies_it_is_state(name: str) -> None:
    spec = catalog.get("deviceConfiguration")
    one, other = {"holder": {name: ["a", "b"]}}, {"holder": {name: ["b", "a"]}}
    assert canonicalise(one, spec) != canonicalise(other, spec)


@pytest.mark.parametrize("nothing", [None, {}, {"includeLocations": []}, {"includeLocations": [None]}])
def test_nothing_is_the_same_in_every_spelling(nothing: Any) -> None:
    assert canonicalise({"conditions": {"locations": nothing}}, POLICY) == {}


def test_false_zero_and_the_empty_string_are_state() -> None:
    raw = {"isTrusted": False, "ranges": 0, "displayName": ""}
    assert canonicalise(raw, LOCATION) == raw


def test_numbers_and_booleans_that_python_calls_equal_stay_apart() -> None:
    assert len({canonical_bytes(value) for value in (1, 1.0, True)}) == 3


def test_ip_ranges_are_compared_as_networks() -> None:
    def location(*ranges: str) -> Document:
        return canonicalise({"ipRanges": [{"cidrAddress": text} for text in ranges]}, LOCATION)

    assert location("203.0.113.77/24", "2001:DB8:0:0::1/48") == location("2001:db8::/48", "203.0.113.0/24")
    assert location("203.0.113.0/24", "203.0.113.9/24") == location("203.0.113.0/24")
    assert location("203.0.113.0/25") != location("203.0.113.0/24")


def test_a_combination_is_a_set_of_methods() -> None:
    one = canonicalise({"allowedCombinations": ["password, sms", "fido2"]}, STRENGTH)
    assert one == canonicalise({"allowedCombinations": ["fido2", "sms,password", "password,sms"]}, STRENGTH)
    assert one == {"allowedCombinations": ["fido2", "password,sms"]}


def test_a_scope_is_a_set_of_words() -> None:
    assert canonicalise({"scope": " User.Read  Mail.Read User.Read"}, GRANT) == {
        "scope": "Mail.Read User.Read"
    }


def test_only_the_kind_of_an_expanded_principal_is_state() -> None:
    raw = {
        "id": "x",
        "principalId": "a",
        "principal": {"@odata.type": "microsoft.graph.user", "id": "a", "displayName": "Renamed daily"},
    }
    assert canonicalise(raw, ASSIGNMENT) == {
        "principalId": "a",
        "principal": {"@odata.type": "#microsoft.graph.user"},
    }


@pytest.mark.parametrize(
    ("spec", "stored"), [(LOCATION, {"@odata.type": "#microsoft.graph.ipNamedLocation"}), (POLICY, {})]
)
def test_the_type_of_an_object_is_state_only_where_it_must_be_written(
    spec: ResourceType, stored: Document
) -> None:
    assert canonicalise({"@odata.type": "ipNamedLocation"}, spec) == stored


def test_credentials_are_kept_without_their_secrets_and_certificates_as_they_are_public() -> None:
    raw = {
        "passwordCredentials": [
            {
                "keyId": "F0000000-1111-4222-8333-444455556666",
                "displayName": "ci",
                "hint": "abc",
                "secretText": "abcdef",
                "startDateTime": "2024-01-01T00:00:00.1234567Z",
                "endDateTime": "2025-01-01T02:00:00+02:00",
            }
        ],
        "keyCredentials": [{"keyId": "e", "key": "AAAA", "type": "AsymmetricX509Cert", "usage": "Verify"}],
    }
    assert canonicalise(raw, APPLICATION) == {
        "passwordCredentials": [
            {
                "keyId": "f0000000-1111-4222-8333-444455556666",
                "displayName": "ci",
                "startDateTime": "2024-01-01T00:00:00Z",
                "endDateTime": "2025-01-01T00:00:00Z",
            }
        ],
        "keyCredentials": raw["keyCredentials"],
    }


def test_of_a_part_only_what_its_declaration_keeps_is_state() -> None:
    raw = {
        "members": [
            {"@odata.type": "#microsoft.graph.user", "id": "b", "displayName": "Bo"},
            {"@odata.type": "microsoft.graph.group", "id": "a", "createdDateTime": "2024-01-01T00:00:00Z"},
        ]
    }
    assert canonicalise(raw, GROUP) == {
        "members": [
            {"@odata.type": "#microsoft.graph.group", "id": "a"},
            {"@odata.type": "#microsoft.graph.user", "id": "b"},
        ]
    }


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("2024-06-01T12:00:00.9999999Z", "2024-06-01T12:00:00Z"),
        ("2024-06-01t12:00:00z", "2024-06-01T12:00:00Z"),
        ("2024-06-01T01:00:00+02:00", "2024-05-31T23:00:00Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("0001-01-01T00:00:00+05:00", "0001-01-01T00:00:00+05:00"),
        ("2024-13-41T00:00:00Z", "2024-13-41T00:00:00Z"),
        ("tomorrow", "tomorrow"),
    ],
)
def test_a_time_is_written_in_whole_seconds_of_utc_where_it_is_one(written: str, stored: str) -> None:
    assert canonicalise({"startDateTime": written}, APPLICATION) == {"startDateTime": stored}


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("duration", ["PT8H", "PT480M", "P0DT8H", "PT28800S"]),
        ("duration", ["P1D", "PT24H"]),
        ("duration", ["PT0S", "P0D"]),
        ("base64", ["AB CD\r\nEF", "ABCDEF"]),
        ("id", ["", "00000000-0000-0000-0000-000000000000"]),
        ("plist", ["AB CD", "ABCD"]),
    ],
)
def test_spellings_of_one_value_are_one(name: str, values: list[str]) -> None:
    assert len({NORMALISERS[name](value) for value in values}) == 1


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("duration", "P1Y", "P365D"),
        ("duration", "P1M", "P30D"),
        ("duration", "PT8H", "PT9H"),
        ("duration", "soon", "later"),
        ("id", "", "5b1c2a34-0000-4000-8000-000000000001"),
        ("unless_none", "none", "include"),
    ],
)
def test_values_that_differ_stay_different(name: str, one: str, other: str) -> None:
    assert NORMALISERS[name](one) != NORMALISERS[name](other)


@given(st.sampled_from(sorted(NORMALISERS)), st.text())
def test_every_normaliser_is_a_fixed_point(name: str, text: str) -> None:
    once = NORMALISERS[name](text)
    assert once is None or NORMALISERS[name](once) == once


def test_numbers_in_a_set_are_sorted_by_value() -> None:
    spec = ResourceType(
        key="numbers",
        label="Numbers",
        plural="Numbers",
        area="Tests",
        read=Read(path="/v1.0/numbers"),
        permissions=Permissions(read=()),
        comparison=Comparison(sets=(SetOf("values"),)),
        restore=Restore(),
    )
    assert canonicalise({"values": [10, 2, 2, -1]}, spec) == {"values": [-1, 2, 10]}


def test_an_object_is_known_by_its_id_in_lower_case() -> None:
    assert resource_id(RAW_POLICY, POLICY) == "0c9e0b0a-1111-4222-8333-444455556666"


def test_an_id_that_is_no_guid_keeps_its_letter_case() -> None:
    assert resource_id({"id": "AbC-d_E"}, GRANT) == "AbC-d_E"


def test_a_singleton_is_known_by_its_type() -> None:
    assert resource_id({}, catalog.get("authenticationMethodsPolicy")) == "authenticationMethodsPolicy"


@pytest.mark.parametrize("raw", [{}, {"id": None}, {"id": ""}, {"id": 7}])
def test_an_object_without_identity_is_refused(raw: Document) -> None:
    with pytest.raises(IncompleteObject, match="conditionalAccessPolicy has no id"):
        resource_id(raw, POLICY)


def _spelled_otherwise(
    value: Any, spec: ResourceType, dice: random.Random, path: tuple[str, ...] = ()
) -> Any:
    """The same state, written as differently as Graph may write it."""
    if isinstance(value, dict):
        items = [(key, _spelled_otherwise(inner, spec, dice, (*path, key))) for key, inner in value.items()]
        items = [(key, inner) for key, inner in items if inner is not None or dice.random() < 0.5]
        dice.shuffle(items)
        return dict(items)
    if isinstance(value, list):
        elements = [_spelled_otherwise(element, spec, dice, (*path, ELEMENT)) for element in value]
        if rules_at(spec, path).set_of is not None:
            dice.shuffle(elements)
        return elements
    if isinstance(value, str) and value.count("-") == 4 and " " not in value:
        return value.upper() if dice.random() < 0.5 else value.lower()
    return value


def test_a_path_names_elements_and_annotations() -> None:
    assert parse("members[].@odata.type") == ("members", "[]", "@odata.type")


def test_canonical_bytes_are_json_with_sorted_keys() -> None:
    assert canonical_bytes({"b": 1, "a": [True, None]}) == b'{"a":[true,null],"b":1}'
    assert json.loads(canonical_bytes({"ü": "€"})) == {"ü": "€"}


def test_a_nested_type_that_is_the_declared_one_says_nothing() -> None:
    """Exports made with full metadata name the type of every value."""
    plain = {
        "name": "Hardening",
        "settings": [
            {
                "settingInstance": {
                    "@odata.type": "#microsoft.graph.deviceManagementConfigurationChoiceSettingInstance",
                    "settingDefinitionId": "a",
                    "choiceSettingValue": {"value": "a_1"},
                }
            }
        ],
    }
    wordy = json.loads(json.dumps(plain))
    setting = wordy["settings"][0]
    setting["@odata.type"] = "#microsoft.graph.deviceManagementConfigurationSetting"
    value = setting["settingInstance"]["choiceSettingValue"]
    value["@odata.type"] = "#microsoft.graph.deviceManagementConfigurationChoiceSettingValue"
    spec = catalog.get("deviceManagementConfigurationPolicy")
    assert canonicalise(wordy, spec) == canonicalise(plain, spec)


@pytest.mark.parametrize(
    ("key", "path", "declared", "other"),
    [
        ("deviceConfiguration", "firewallProfileDomain", "windowsFirewallNetworkProfile", None),
        ("deviceConfiguration", "omaSettings[]", None, "omaSettingString"),
        ("deviceConfiguration", "assignments[].target", None, "groupAssignmentTarget"),
        ("deviceConfiguration", "compliantAppsList[]", "appListItem", "appleAppListItem"),
        ("conditionalAccessPolicy", "conditions", "conditionalAccessConditionSet", None),
        ("conditionalAccessPolicy", "conditions.users", "conditionalAccessUsers", None),
        ("group", "members[]", None, "user"),
    ],
)
def test_only_a_declared_type_is_left_out(
    key: str, path: str, declared: str | None, other: str | None
) -> None:
    """A derived type is state: it says which settings there are."""
    spec = catalog.get(key)

    def nested(kind: str) -> Document:
        value: Any = {"@odata.type": f"#microsoft.graph.{kind}", "id": "x", "displayName": "x"}
        for step in reversed(path.split(".")):
            value = {step.removesuffix("[]"): [value] if step.endswith("[]") else value}
        root = {"deviceConfiguration": "windows10EndpointProtectionConfiguration"}
        if path == "compliantAppsList[]":
            root = {"deviceConfiguration": "iosGeneralDeviceConfiguration"}
        return canonicalise({"@odata.type": f"#microsoft.graph.{root.get(key, key)}", **value}, spec)

    for kind, delete_resets_to_default in ((declared, False), (other, True)):
        if kind is not None:
            assert (f"#microsoft.graph.{kind}" in json.dumps(nested(kind))) is delete_resets_to_default


def test_the_declared_types_are_those_of_the_published_model() -> None:
    done = subprocess.run([sys.executable, "tools/derive_declared_types.py", "--check"], check=False)
    assert done.returncode == 0
