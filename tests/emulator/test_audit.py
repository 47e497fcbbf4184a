"""The audit trail that every write leaves, in Microsoft's words, and the queries its readers use."""

import json
from collections.abc import Callable
from datetime import timedelta

from lavawall.emulator import Emulator, TenantInfo
from lavawall.emulator.attack import StolenSession
from tests.emulator.conftest import Client, SettableClock, client_for
from tests.emulator.test_writes import POLICIES, named, policy

AUDITS = "/auditLogs/directoryAudits"


def test_a_users_write_names_the_user_the_address_and_the_values(
    tenant: TenantInfo, reader: Client, admin: StolenSession
) -> None:
    target = named(reader, POLICIES, "CA002")
    admin.send("PATCH", f"{POLICIES}/{target['id']}", {"state": "disabled"})
    event = reader.get(f"{AUDITS}?$filter=targetResources/any(t:t/id eq '{target['id']}')")["value"][0]
    assert event["activityDisplayName"] == "Update conditional access policy"
    assert event["loggedByService"] == "Conditional Access"
    assert event["initiatedBy"]["user"]["userPrincipalName"] == tenant.admins[0].user_principal_name
    assert event["initiatedBy"]["user"]["ipAddress"] == "203.0.113.9"
    change = event["targetResources"][0]["modifiedProperties"][0]
    assert (json.loads(change["oldValue"])["state"], json.loads(change["newValue"])["state"]) == (
        "enabled",
        "disabled",
    )


def test_an_apps_write_names_the_app(tenant: TenantInfo, reader: Client, writer: Client) -> None:
    made = writer.post(POLICIES, policy())
    event = reader.get(f"{AUDITS}?$filter=initiatedBy/app/appId eq '{tenant.writer.client_id}'")["value"][0]
    assert event["targetResources"][0]["id"] == made["id"]
    assert event["initiatedBy"].get("user") is None


def test_a_refused_write_leaves_no_record(reader: Client, writer: Client) -> None:
    writer.refused("POST", POLICIES, policy(state="on"))
    assert reader.get(AUDITS)["value"] == []


def test_records_are_visible_after_the_delay_and_found_by_time(
    start: Callable[..., Emulator], clock: SettableClock
) -> None:
    emulator = start(audit_delay=300, clock=clock)
    tenant = emulator.tenants["Aurora Labs"]
    client = client_for(emulator, tenant, tenant.writer)
    reader = client_for(emulator, tenant, tenant.reader)
    client.post(POLICIES, policy())
    assert reader.get(AUDITS)["value"] == []
    written = clock.now
    clock.advance(300)
    moments = [written - timedelta(seconds=1), written + timedelta(seconds=1)]
    since, until = (moment.strftime("%Y-%m-%dT%H:%M:%SZ") for moment in moments)
    window = f"activityDateTime ge {since} and activityDateTime le {until}"
    assert len(reader.get(f"{AUDITS}?$filter={window}&$orderby=activityDateTime")["value"]) == 1
    assert reader.get(f"{AUDITS}?$filter=activityDateTime gt {until}")["value"] == []


def test_what_microsoft_does_not_filter_by_is_refused(reader: Client) -> None:
    assert "not supported" in reader.refused("GET", f"{AUDITS}?$filter=category eq 'Policy'")


def test_membership_of_a_group_has_both_as_targets(
    tenant: TenantInfo, reader: Client, writer: Client
) -> None:
    group = named(writer, "/groups", "All Staff")["id"]
    user = tenant.admins[0].id
    writer.done(
        "POST", f"/groups/{group}/members/$ref", {"@odata.id": f"{writer.base}/directoryObjects/{user}"}
    )
    event = reader.get(f"{AUDITS}?$filter=activityDisplayName eq 'Add member to group'")["value"][0]
    assert {each["id"] for each in event["targetResources"]} == {group, user}
