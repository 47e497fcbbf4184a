"""Throttling with the published budgets, and the faults that tests can order."""

from collections.abc import Callable

import pytest
import requests

from lavawall.emulator import Emulator, TenantInfo
from tests.emulator.conftest import Client, SettableClock, client_for, plain_session

POLICIES = "/identity/conditionalAccess/policies"


def test_conditional_access_allows_one_request_a_second_and_does_not_tell_when(
    start: Callable[..., Emulator], clock: SettableClock
) -> None:
    emulator = start(throttle=True, clock=clock)
    tenant, other = emulator.tenants["Aurora Dental"], emulator.tenants["Aurora Labs"]
    reader, writer = (client_for(emulator, tenant, app) for app in (tenant.reader, tenant.writer))
    reader.get(POLICIES)
    refused = writer.send("GET", POLICIES)
    assert refused.status_code == 429
    assert "Retry-After" not in refused.headers
    client_for(emulator, other, other.reader).get(POLICIES)
    clock.advance(1)
    reader.get(POLICIES)


def test_the_audit_log_allows_five_requests_in_ten_seconds(
    start: Callable[..., Emulator], clock: SettableClock
) -> None:
    emulator = start(throttle=True, clock=clock)
    tenant = emulator.tenants["Aurora Dental"]
    reader = client_for(emulator, tenant, tenant.reader)
    for _ in range(5):
        reader.get("/auditLogs/directoryAudits")
    refused = reader.send("GET", "/auditLogs/directoryAudits")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "10")


def test_the_directory_counts_resource_units(start: Callable[..., Emulator], clock: SettableClock) -> None:
    emulator = start(throttle=True, clock=clock)
    tenant = emulator.tenants["Aurora Dental"]
    answer = client_for(emulator, tenant, tenant.reader).send("GET", "/applications?$select=id")
    assert answer.headers["x-ms-resource-unit"] == "1"


def test_an_ordered_answer_comes_the_ordered_number_of_times(emulator: Emulator, reader: Client) -> None:
    emulator.faults.add(
        path="/organization", status=503, body={"error": {}}, headers={"Retry-After": "3"}, times=2
    )
    statuses = [reader.send("GET", "/organization").status_code for _ in range(3)]
    assert statuses == [503, 503, 200]


@pytest.mark.parametrize(("behaviour", "applied"), [("close_before", False), ("close_after", True)])
def test_a_connection_is_cut_before_or_after_the_write(
    emulator: Emulator, tenant: TenantInfo, writer: Client, behaviour: str, applied: bool
) -> None:
    emulator.faults.add(behaviour, method="POST", path="/groups$")  # type: ignore[arg-type]
    body = {"displayName": "Lost", "mailEnabled": False, "mailNickname": "l", "securityEnabled": True}
    with pytest.raises(requests.exceptions.ConnectionError):
        writer.send("POST", "/groups", body)
    groups = emulator.state(tenant.directory_id).documents("group").values()
    assert any(each["displayName"] == "Lost" for each in groups) is applied


def test_a_page_can_be_no_json_or_html_or_lead_to_itself(emulator: Emulator, reader: Client) -> None:
    emulator.faults.add("not_json")
    with pytest.raises(requests.exceptions.JSONDecodeError):
        reader.send("GET", "/groups").json()
    emulator.faults.add("html", status=502)
    page = reader.send("GET", "/groups")
    assert (page.status_code, page.headers["Content-Type"]) == (502, "text/html")
    emulator.faults.add("loop")
    assert reader.get("/groups")["@odata.nextLink"] == f"{reader.base}/groups"


def test_faults_are_ordered_and_cleared_over_http_too(emulator: Emulator, reader: Client) -> None:
    control = plain_session(emulator)
    url = f"{emulator.url}/_emulator/faults"
    assert control.post(url, json={"path": "/groups", "status": 500}, timeout=10).status_code == 200
    assert control.post(url, json={"behaviour": "sulk"}, timeout=10).status_code == 400
    assert len(control.get(url, timeout=10).json()["faults"]) == 1
    control.delete(url, timeout=10)
    reader.get("/groups")
