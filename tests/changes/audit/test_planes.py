"""Records of Intune's audit and of Azure's activity log in Microsoft's shapes, understood."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changes.audit import planes
from changes.audit.parse import Target
from tests import facts as published

ALICE = "a11ce000-0000-4000-8000-000000000001"
APP = "a9900000-0000-4000-8000-000000000002"
PRINCIPAL = "59000000-0000-4000-8000-000000000003"
ROLE = "401e0000-0000-4000-8000-000000000004"
GROUP = "/subscriptions/s1/resourceGroups/rg/providers/Microsoft.Network/networkSecurityGroups/web"
OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"
UPN = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"


def intune_record(**members: Any) -> dict[str, Any]:
    return {
        "id": "i1",
        "displayName": "Patch DeviceCompliancePolicy",
        "componentName": "DeviceCompliancePolicy",
        "category": "Compliance",
        "activityType": "Patch DeviceCompliancePolicy",
        "activityOperationType": "Patch",
        "activityResult": "Success",
        "activityDateTime": "2026-03-01T04:00:00.1234567-08:00",
        "correlationId": "c1",
        "actor": {
            "applicationId": APP,
            "userId": ALICE,
            "userPrincipalName": "alice@aurora.example",
            "ipAddress": None,
        },
        "resources": [
            {
                "displayName": "Encrypted disks",
                "type": "DeviceCompliancePolicy",
                "resourceId": ROLE,
                "modifiedProperties": [
                    {"displayName": "StorageRequireEncryption", "oldValue": "true", "newValue": "false"}
                ],
            }
        ],
    } | members


def azure_record(**members: Any) -> dict[str, Any]:
    return {
        "id": f"{GROUP}/events/e1/ticks/638",
        "eventDataId": "e1",
        "caller": "alice@aurora.example",
        "claims": {OBJECT_ID: ALICE, UPN: "alice@aurora.example", "appid": APP, "ipaddr": "198.51.100.9"},
        "httpRequest": {"clientIpAddress": "198.51.100.7:443"},
        "category": {"value": "Administrative", "localizedValue": "Administrative"},
        "correlationId": "c1",
        "eventTimestamp": "2026-03-01T12:00:00.1234567Z",
        "operationName": {
            "value": "MICROSOFT.NETWORK/NETWORKSECURITYGROUPS/WRITE",
            "localizedValue": "Create or Update Network Security Group",
        },
        "resourceId": GROUP,
        "resourceProviderName": {"value": "Microsoft.Network"},
        "resourceType": {"value": "Microsoft.Network/networkSecurityGroups"},
        "status": {"value": "Succeeded"},
    } | members


def test_a_persons_change_in_intune_is_understood() -> None:
    facts = planes.intune_event(intune_record())
    assert facts is not None
    assert (facts.activity, facts.result) == ("Patch DeviceCompliancePolicy", "success")
    assert facts.occurred_at == datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
    assert (facts.actor_type, facts.actor_id, facts.actor_name) == ("user", ALICE, "alice@aurora.example")
    assert (facts.actor_app_id, facts.ip) == (APP, "")
    assert facts.targets == (
        Target(ROLE, "Encrypted disks", "DeviceCompliancePolicy", properties=("StorageRequireEncryption",)),
    )


def test_an_applications_change_in_intune_names_the_application() -> None:
    actor = {
        "applicationId": APP,
        "applicationDisplayName": "Deployer",
        "servicePrincipalName": PRINCIPAL,
        "userPrincipalName": None,
        "ipAddress": "203.0.113.5",
    }
    facts = planes.intune_event(intune_record(actor=actor))
    assert facts is not None
    assert (facts.actor_type, facts.actor_id, facts.actor_name) == ("application", PRINCIPAL, "Deployer")
    assert (facts.actor_app_id, facts.ip) == (APP, "203.0.113.5")


@pytest.mark.facts
def test_intunes_documented_records_are_understood() -> None:
    index = published.published("responses/index.json")
    documented = [
        published.published(f"responses/{entry['file']}")
        for entry in index
        if entry["type"] == "deviceManagementAuditEvent"
    ]
    records = [
        record
        for document in documented
        for record in (document["value"] if isinstance(document.get("value"), list) else [document])
        if isinstance(record, dict) and "activityDateTime" in record
    ]
    assert records
    for record in records:
        facts = planes.intune_event(record)
        assert facts is not None
        assert facts.actor_name == record["actor"]["userPrincipalName"]
        assert [each.id for each in facts.targets] == [each["resourceId"] for each in record["resources"]]


def test_reads_are_no_changes_in_intune() -> None:
    assert planes.is_intune_write(intune_record())
    assert not planes.is_intune_write(intune_record(activityOperationType="Get"))


def test_a_persons_change_in_azure_is_understood() -> None:
    facts = planes.azure_event(azure_record())
    assert facts is not None
    assert (facts.event_id, facts.result, facts.correlation_id) == ("e1", "success", "c1")
    assert (facts.actor_type, facts.actor_id, facts.actor_name) == ("user", ALICE, "alice@aurora.example")
    assert (facts.actor_app_id, facts.ip) == (APP, "198.51.100.7")
    assert facts.targets == (Target(GROUP, "web", "Microsoft.Network/networkSecurityGroups"),)


def test_an_applications_change_in_azure_has_the_address_of_its_token() -> None:
    claims = {OBJECT_ID: PRINCIPAL, "appid": APP, "ipaddr": "198.51.100.9"}
    facts = planes.azure_event(azure_record(caller=PRINCIPAL, claims=claims, httpRequest=None))
    assert facts is not None
    assert (facts.actor_type, facts.actor_id, facts.actor_name) == ("application", PRINCIPAL, APP)
    assert facts.ip == "198.51.100.9"


def test_an_assignment_in_azure_names_principal_and_role() -> None:
    where = "/subscriptions/s1/providers/Microsoft.Authorization"
    body = {
        "name": "n1",
        "properties": {"principalId": PRINCIPAL, "roleDefinitionId": f"{where}/roleDefinitions/{ROLE}"},
    }
    facts = planes.azure_event(
        azure_record(resourceId=f"{where}/roleAssignments/n1", properties={"responseBody": json.dumps(body)})
    )
    assert facts is not None
    assert [each.mentions for each in facts.targets] == [(PRINCIPAL, ROLE)]


@pytest.mark.parametrize(
    ("resource_id", "parent"),
    [
        (f"{GROUP}/securityRules/ssh", GROUP),
        (f"{GROUP}/providers/Microsoft.Authorization/locks/l", None),
        (GROUP, None),
        ("/subscriptions/s1/resourceGroups/rg", None),
    ],
)
def test_a_part_in_azure_is_also_about_what_it_is_a_part_of(resource_id: str, parent: str | None) -> None:
    facts = planes.azure_event(azure_record(resourceId=resource_id))
    assert facts is not None
    assert [each.id for each in facts.targets] == [resource_id, *([parent] if parent else [])]


@pytest.mark.parametrize(
    ("members", "counts"),
    [
        ({}, True),
        ({"status": {"value": "Failed"}}, True),
        ({"status": {"value": "Started"}}, False),
        ({"status": {"value": "Accepted"}}, False),
        ({"category": {"value": "ServiceHealth"}}, False),
    ],
)
def test_only_what_an_operation_came_to_counts_in_azure(members: dict[str, Any], counts: bool) -> None:
    assert planes.is_azure_outcome(azure_record(**members)) is counts


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3)
    ),
    max_leaves=6,
)


@given(
    st.sampled_from(["actor", "resources", "claims", "httpRequest", "properties", "status", "resourceId"]),
    ODD,
)
def test_no_shape_stops_the_reading(member: str, value: Any) -> None:
    for understood in (
        planes.intune_event(intune_record(**{member: value})),
        planes.azure_event(azure_record(**{member: value})),
    ):
        assert understood is not None
        assert understood.actor_type in {"user", "application", "unknown"}


def test_a_record_without_id_or_time_is_no_event() -> None:
    assert planes.intune_event(intune_record(id="")) is None
    assert planes.azure_event(azure_record(eventTimestamp="yesterday")) is None
