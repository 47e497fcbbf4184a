"""The activity log: who wrote what from where, when it shows, and how it may be asked for."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from lavawall.emulator import Emulator, TenantInfo
from tests.emulator.arm_client import LOCATION, NETWORK, VAULTS, Arm
from tests.emulator.conftest import Json, SettableClock, plain_session

NEW = f"{NETWORK}/nsg-new"
DATA = f"{NETWORK}/nsg-aurora-dental-data"
BODY = {"location": LOCATION, "properties": {"securityRules": []}}
LOG = "providers/Microsoft.Insights/eventtypes/management/values"
OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"


@pytest.fixture
def emulator(start: Callable[..., Emulator], clock: SettableClock) -> Emulator:
    return start(clock=clock)


@pytest.fixture
def arm(emulator: Emulator, tenant: TenantInfo) -> Arm:
    return Arm(emulator, tenant, tenant.writer)


def since(clock: SettableClock, **back: float) -> str:
    return f"eventTimestamp ge '{clock.now - timedelta(**(back or {'hours': 1})):%Y-%m-%dT%H:%M:%SZ}'"


def events(arm: Arm, clock: SettableClock, condition: str = "") -> list[Json]:
    query = since(clock) + (f" and {condition}" if condition else "")
    return arm.list(f"{arm.subscription}/{LOG}", **{"$filter": query})


def test_a_write_leaves_who_what_and_where(
    emulator: Emulator, arm: Arm, tenant: TenantInfo, clock: Any
) -> None:
    arm.http.headers["X-Forwarded-For"] = "198.51.100.7"
    answer = arm.send("PATCH", DATA, {"tags": {"a": "b"}})
    event = events(arm, clock)[0]
    me = emulator.state(tenant.directory_id).by_property("servicePrincipal", "appId", tenant.writer.client_id)
    assert me is not None
    assert (event["caller"], event["claims"][OBJECT_ID]) == (me.id, me.id)
    assert event["claims"]["appid"] == tenant.writer.client_id
    assert event["claims"]["ipaddr"]
    assert event["httpRequest"]["clientIpAddress"] == "198.51.100.7"
    assert event["resourceId"].lower() == arm.id(DATA).lower()
    assert event["operationName"]["value"].lower() == "microsoft.network/networksecuritygroups/write"
    assert event["authorization"]["action"].lower() == event["operationName"]["value"].lower()
    assert event["correlationId"] == answer.headers["x-ms-correlation-request-id"]
    assert event["status"]["value"] == "Succeeded"
    assert json.loads(event["properties"]["responseBody"])["tags"] == {"a": "b"}


def test_reads_leave_nothing_and_failures_something(arm: Arm, clock: SettableClock) -> None:
    arm.get(DATA)
    assert events(arm, clock) == []
    arm.refused("DELETE", f"{NETWORK}/nsg-aurora-dental-web")
    assert [each["status"]["value"] for each in events(arm, clock)] == ["Failed"]


def test_a_long_running_write_begins_and_ends(arm: Arm, clock: SettableClock) -> None:
    arm.send("PUT", NEW, BODY)
    found = events(arm, clock)
    assert {each["status"]["value"] for each in found} == {"Started", "Succeeded"}
    assert len({each["correlationId"] for each in found}) == 1


def test_a_user_is_named_by_user_principal_name(
    emulator: Emulator, arm: Arm, tenant: TenantInfo, clock: SettableClock
) -> None:
    login, http = tenant.admins[0], plain_session(emulator)
    form = {
        "grant_type": "password",
        "client_id": "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
        "scope": "https://management.azure.com/.default",
        "username": login.user_principal_name,
        "password": login.password,
    }
    address = f"{emulator.url}/{tenant.directory_id}/oauth2/v2.0/token"
    token = http.post(address, form, headers={"X-Forwarded-For": "198.51.100.9"}, timeout=10).json()
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    url = f"{emulator.url}{arm.id(DATA)}?api-version=2023-09-01"
    assert http.delete(url, headers=headers, timeout=10).status_code == 202
    event = events(arm, clock)[0]
    assert event["caller"] == login.user_principal_name
    assert (event["claims"]["name"], event["claims"]["ipaddr"]) == (login.display_name, "198.51.100.9")
    assert event["httpRequest"]["clientIpAddress"] == "198.51.100.9"


def test_events_show_after_the_delay(start: Callable[..., Emulator], clock: SettableClock) -> None:
    emulator = start(clock=clock, audit_delay=300)
    tenant = emulator.tenants["Aurora Dental"]
    arm = Arm(emulator, tenant, tenant.writer)
    arm.send("PATCH", DATA, {"tags": {}})
    assert events(arm, clock) == []
    clock.advance(301)
    assert len(events(arm, clock)) == 1


def test_events_are_found_by_resource_group_provider_and_correlation(arm: Arm, clock: SettableClock) -> None:
    answer = arm.send("PATCH", DATA, {"tags": {}})
    vault = arm.list(VAULTS)[0]["name"]
    arm.send("PATCH", f"{VAULTS}/{vault}", {"tags": {}})
    conditions = {
        f"resourceUri eq '{arm.id(DATA).upper()}'": 1,
        "resourceGroupName eq 'rg-aurora-dental'": 2,
        "resourceGroupName eq 'other'": 0,
        "resourceProvider eq 'Microsoft.KeyVault'": 1,
        f"correlationId eq '{answer.headers['x-ms-correlation-request-id']}'": 1,
    }
    assert {each: len(events(arm, clock, each)) for each in conditions} == conditions


def test_events_are_found_by_time_newest_first(arm: Arm, clock: SettableClock) -> None:
    for number in range(3):
        arm.send("PATCH", DATA, {"tags": {"n": str(number)}})
        clock.advance(60)
    found = [json.loads(each["properties"]["responseBody"])["tags"]["n"] for each in events(arm, clock)]
    assert found == ["2", "1", "0"]
    until = f"eventTimestamp le '{clock.now - timedelta(seconds=90):%Y-%m-%dT%H:%M:%SZ}'"
    assert len(events(arm, clock, until)) == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "resourceUri eq '/subscriptions/x'",
        "status eq 'Succeeded'",
        "eventTimestamp ge 'yesterday'",
        "eventTimestamp ge '2001-01-01T00:00:00Z'",
    ],
)
def test_other_filters_are_refused(arm: Arm, text: str) -> None:
    assert arm.refused("GET", f"{arm.subscription}/{LOG}", **{"$filter": text}) == (400, "BadRequest")


def test_one_condition_beside_the_time_is_the_most(arm: Arm, clock: SettableClock) -> None:
    text = f"{since(clock)} and resourceGroupName eq 'a' and resourceProvider eq 'b'"
    assert arm.refused("GET", f"{arm.subscription}/{LOG}", **{"$filter": text}) == (400, "BadRequest")


def test_the_log_comes_in_pages(start: Callable[..., Emulator], clock: SettableClock) -> None:
    emulator = start(clock=clock, page_size=2)
    tenant = emulator.tenants["Aurora Dental"]
    arm = Arm(emulator, tenant, tenant.writer)
    for _ in range(5):
        arm.send("PATCH", DATA, {"tags": {}})
    assert len({each["eventDataId"] for each in events(arm, clock)}) == 5
