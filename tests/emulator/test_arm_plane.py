"""What holds for every type of Azure: tokens, versions, addresses, pages, locks, policies, budgets, loose spellings."""

from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import pytest

from lavawall.emulator import Emulator, TenantInfo
from tests.emulator.arm_client import (
    ASSIGNMENTS,
    DEFINITIONS,
    IDENTITIES,
    LOCATION,
    NETWORK,
    SCOPE,
    VAULTS,
    Arm,
    names,
    rule,
)
from tests.emulator.conftest import Client, Json, SettableClock, plain_session, sign_in

WEB = f"{NETWORK}/nsg-aurora-dental-web"
NEW = f"{NETWORK}/nsg-new"
LOCKS = "providers/Microsoft.Authorization/locks"
BODY = {"location": LOCATION, "properties": {"securityRules": []}}


@pytest.fixture
def arm(emulator: Emulator, tenant: TenantInfo) -> Arm:
    return Arm(emulator, tenant, tenant.writer)


def status(emulator: Emulator, url: str, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return plain_session(emulator).get(url, headers=headers, timeout=10).status_code


def test_tokens_are_good_for_one_service(emulator: Emulator, tenant: TenantInfo, arm: Arm) -> None:
    azure, graph = f"{arm.subscription}?api-version=2021-04-01", "/v1.0/organization"
    for_azure = sign_in(emulator, tenant, tenant.reader, scope=SCOPE)["access_token"]
    for_graph = sign_in(emulator, tenant, tenant.reader, scope="https://graph.microsoft.com/.default")[
        "access_token"
    ]
    assert status(emulator, emulator.url + azure, for_azure) == 200
    assert status(emulator, emulator.url + graph, for_azure) == 401
    assert status(emulator, emulator.url + azure, for_graph) == 401
    assert status(emulator, emulator.url + graph, for_graph) == 200


def test_tokens_are_good_for_one_origin(emulator: Emulator, tenant: TenantInfo, arm: Arm) -> None:
    azure, graph = f"{arm.subscription}?api-version=2021-04-01", "/v1.0/organization"
    for_azure = sign_in(emulator, tenant, tenant.reader, scope=f"{emulator.arm_url}/.default")["access_token"]
    assert status(emulator, emulator.arm_url + azure, for_azure) == 200
    assert status(emulator, emulator.url + graph, for_azure) == 401
    for_graph = sign_in(emulator, tenant, tenant.reader)["access_token"]
    assert status(emulator, emulator.arm_url + azure, for_graph) == 401


def test_a_token_is_needed(emulator: Emulator, arm: Arm) -> None:
    del arm.http.headers["Authorization"]
    assert arm.refused("GET", arm.subscription) == (401, "AuthenticationFailed")


def test_a_token_is_good_for_its_own_tenant(emulator: Emulator, arm: Arm) -> None:
    other = f"/subscriptions/{emulator.tenants['Brenner Logistics'].subscriptions[0]}"
    assert arm.refused("GET", other) == (401, "InvalidAuthenticationTokenTenant")
    unknown = "/subscriptions/9f5d7b1c-3c3b-4a63-9a40-1d8f3a2b6c01"
    assert arm.refused("GET", unknown) == (404, "SubscriptionNotFound")


def test_a_version_is_needed_and_known(arm: Arm) -> None:
    assert arm.refused("GET", WEB, **{"api-version": ""}) == (400, "MissingApiVersionParameter")
    assert arm.refused("GET", WEB, **{"api-version": "2015-01-01"}) == (400, "InvalidApiVersionParameter")
    assert arm.get(WEB, **{"api-version": "2024-05-01"})["name"] == "nsg-aurora-dental-web"


def test_unknown_types_and_verbs_are_refused(arm: Arm) -> None:
    assert arm.refused("GET", "providers/Microsoft.Network/teapots/one") == (404, "InvalidResourceType")
    assert arm.refused("POST", WEB) == (405, "MethodNotAllowed")
    assert arm.refused("PUT", NETWORK, BODY) == (405, "MethodNotAllowed")
    assert arm.refused("PUT", NEW, ["no object"]) == (400, "InvalidRequestContent")


def test_addresses_are_read_in_any_letter_case(arm: Arm) -> None:
    assert arm.get(arm.id(WEB).upper().replace("NSG-AURORA-DENTAL-WEB", "nsg-aurora-dental-web"))
    assert arm.get(arm.id(WEB).lower())["name"] == "nsg-aurora-dental-web"


def test_subscriptions_groups_and_resources_are_listed(arm: Arm, tenant: TenantInfo) -> None:
    assert [each["subscriptionId"] for each in arm.list("/subscriptions")] == list(tenant.subscriptions)
    assert names(arm.list(f"{arm.subscription}/resourceGroups")) == {"rg-aurora-dental"}
    assert arm.get(arm.group)["name"] == "rg-aurora-dental"
    assert arm.refused("GET", f"{arm.subscription}/resourceGroups/none") == (404, "ResourceGroupNotFound")
    groups = {"$filter": "resourceType eq 'microsoft.network/networksecuritygroups'"}
    found = arm.list(f"{arm.subscription}/resources", **groups)
    assert names(found) == {"nsg-aurora-dental-web", "nsg-aurora-dental-data"}
    assert all("properties" not in each for each in found)
    assert len(arm.list(f"{arm.group}/resources")) == 6


def test_listings_come_in_pages(start: Callable[..., Emulator]) -> None:
    emulator = start(page_size=2)
    tenant = emulator.tenants["Aurora Dental"]
    arm = Arm(emulator, tenant, tenant.reader)
    first = arm.get(f"{arm.subscription}/{ASSIGNMENTS}")
    assert len(first["value"]) == 2
    assert first["nextLink"].startswith(emulator.url)
    everything = arm.list(f"{arm.subscription}/{ASSIGNMENTS}")
    assert len(everything) == len(names(everything)) > 4
    bad = {"$skiptoken": "made-up"}
    assert arm.refused("GET", f"{arm.subscription}/{ASSIGNMENTS}", **bad) == (400, "InvalidSkipToken")


@pytest.mark.parametrize("position", ["subscription", "group", "resource"])
def test_a_delete_lock_reaches_down(emulator: Emulator, arm: Arm, position: str) -> None:
    arm.send("PUT", NEW, BODY)
    scope = {"subscription": arm.subscription, "group": arm.group, "resource": arm.id(NEW)}[position]
    lock = emulator.azure.lock(scope, "CanNotDelete")
    assert arm.refused("DELETE", NEW) == (409, "ScopeLocked")
    assert arm.send("PUT", NEW, BODY).status_code == 200
    emulator.azure.delete(lock)
    assert arm.send("DELETE", NEW).status_code == 202


def test_a_read_only_lock_stops_every_write(emulator: Emulator, arm: Arm, tenant: TenantInfo) -> None:
    emulator.azure.lock(arm.group, "ReadOnly")
    assert arm.refused("PUT", NEW, BODY) == (409, "ScopeLocked")
    assert arm.refused("PATCH", WEB, {"tags": {}}) == (409, "ScopeLocked")
    assert arm.refused("DELETE", f"{IDENTITIES}/id-aurora-dental-deploy") == (409, "ScopeLocked")
    assert arm.get(WEB)
    assert names(arm.list(f"{arm.group}/{LOCKS}", **{"api-version": "2020-05-01"})) == {"lock"}


def test_locks_are_managed_by_who_manages_access(emulator: Emulator, tenant: TenantInfo, arm: Arm) -> None:
    directory = emulator.state(tenant.directory_id)
    me = directory.by_property("servicePrincipal", "appId", tenant.writer.client_id)
    assert me is not None
    emulator.azure.assign(arm.subscription, "User Access Administrator", me.id)
    lock, version = f"{arm.group}/{LOCKS}/mine", {"api-version": "2016-09-01"}
    assert arm.send("PUT", lock, {"properties": {"level": "ReadOnly"}}, **version).status_code == 201
    assert arm.refused("PUT", NEW, BODY) == (409, "ScopeLocked")
    above = arm.list(f"{arm.id(WEB)}/{LOCKS}", **version, **{"$filter": "atScope()"})
    assert names(above) == {"mine"}
    assert arm.list(f"{arm.id(WEB)}/{LOCKS}", **version) == []
    wrong = {"properties": {"level": "Sometimes"}}
    assert arm.refused("PUT", lock, wrong, **version) == (400, "InvalidLockLevel")
    assert arm.send("DELETE", lock, **version).status_code == 200
    assert arm.send("PUT", NEW, BODY).status_code == 201


def test_a_policy_appends_tags_to_what_is_written(emulator: Emulator, tenant: TenantInfo, arm: Arm) -> None:
    assert arm.send("PUT", NEW, BODY).json()["tags"] == {}
    emulator.azure.append_tags(tenant.subscriptions[0], {"costCenter": "42"})
    assert arm.get(NEW)["tags"] == {}
    assert arm.send("PUT", NEW, BODY).json()["tags"] == {"costCenter": "42"}
    mine = {"costCenter": "7"}
    assert arm.send("PATCH", NEW, {"tags": mine}).json()["tags"] == mine


def test_budgets_are_buckets_that_fill_again(start: Callable[..., Emulator], clock: SettableClock) -> None:
    emulator = start(throttle=True, clock=clock)
    tenant = emulator.tenants["Aurora Dental"]
    arm = Arm(emulator, tenant, tenant.writer)
    left = [
        arm.send("DELETE", NEW).headers["x-ms-ratelimit-remaining-subscription-deletes"] for _ in range(200)
    ]
    assert (left[0], left[-1]) == ("199", "0")
    answer = arm.send("DELETE", NEW)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    assert answer.json()["error"]["code"] == "SubscriptionRequestsThrottled"
    assert arm.send("GET", WEB).headers["x-ms-ratelimit-remaining-subscription-reads"] == "249"
    clock.advance(1)
    assert arm.send("DELETE", NEW).status_code == 204


def test_faults_and_the_request_log_cover_azure(emulator: Emulator, arm: Arm, tenant: TenantInfo) -> None:
    emulator.faults.add("answer", path=NETWORK, status=503, body={"error": {"code": "x", "message": "y"}})
    assert arm.refused("GET", WEB) == (503, "x")
    arm.send("PUT", NEW, BODY)
    last = emulator.requests[-1]
    assert (last.method, last.path, last.status) == ("PUT", arm.id(NEW), 201)
    assert (last.directory_id, last.app_id, last.body) == (tenant.directory_id, tenant.writer.client_id, BODY)


def test_a_page_can_lead_to_itself(emulator: Emulator, arm: Arm) -> None:
    emulator.faults.add("loop", path="roleAssignments$")
    page = arm.get(f"{arm.subscription}/{ASSIGNMENTS}")
    assert page["nextLink"].startswith(f"{emulator.url}{arm.subscription}/{ASSIGNMENTS}?")


def settled(emulator: Emulator, tenant: TenantInfo) -> dict[str, Json]:
    """What is kept in Azure, without what changes with every write."""
    documents = emulator.azure.tenant(tenant.directory_id).documents()
    for body in documents.values():
        for name in ("etag", "systemData"):
            body.pop(name, None)
        for name in ("updatedOn", "updatedBy"):
            body["properties"].pop(name, None)
    return documents


@pytest.mark.parametrize(
    "listing",
    [
        f"{{group}}/{NETWORK}",
        f"{{group}}/{VAULTS}",
        f"{{group}}/{IDENTITIES}",
        f"{{group}}/{IDENTITIES}/id-aurora-dental-deploy/federatedIdentityCredentials",
        f"{{subscription}}/{ASSIGNMENTS}",
        f"{{subscription}}/{DEFINITIONS}",
    ],
)
def test_what_was_read_can_be_written_back(
    emulator: Emulator, tenant: TenantInfo, arm: Arm, listing: str
) -> None:
    me = emulator.state(tenant.directory_id).by_property("servicePrincipal", "appId", tenant.writer.client_id)
    assert me is not None
    emulator.azure.assign(arm.subscription, "User Access Administrator", me.id)
    before = settled(emulator, tenant)
    found = arm.list(listing.format(group=arm.group, subscription=arm.subscription))
    own = [each for each in found if each["properties"].get("type") != "BuiltInRole"]
    written = [arm.send("PUT", each["id"], each) for each in own if each["id"].startswith("/subscriptions/")]
    assert {each.status_code for each in written} <= {200, 201}
    assert len(written) > 0
    after = settled(emulator, tenant)
    assert {key: canonical(body) for key, body in after.items()} == {
        key: canonical(body) for key, body in before.items()
    }


def canonical(value: Any) -> Any:
    """Lists as sets, ids in lower case, addresses in one notation: what loose spellings have in common."""
    if isinstance(value, dict):
        return {key: canonical(value[key]) for key in sorted(value) if value[key] not in (None, [])}
    if isinstance(value, list):
        return sorted((canonical(item) for item in value), key=str)
    if isinstance(value, str) and value.startswith(("/subscriptions/", "/providers/")):
        return value.lower()
    try:
        return str(ip_network(value)) if isinstance(value, str) else value
    except ValueError:
        return value


def spellings(arm: Arm, path: str, read: Callable[[dict[str, object]], str]) -> set[str]:
    return {read(arm.get(path)) for _ in range(40)}


def test_ids_change_their_letter_case_but_never_their_names(arm: Arm) -> None:
    ids = spellings(arm, WEB, lambda body: str(body["id"]))
    assert len(ids) > 3
    assert {each.lower() for each in ids} == {arm.id(WEB).lower()}
    assert {each.rpartition("/")[2] for each in ids} == {"nsg-aurora-dental-web"}
    assert spellings(arm, WEB, lambda body: str(body["name"])) == {"nsg-aurora-dental-web"}


def test_sets_and_addresses_change_their_looks(arm: Arm) -> None:
    six = rule("Six", 300, sourceAddressPrefix="2001:db8::/32")
    host = rule("Host", 310, sourceAddressPrefix="203.0.113.7")
    arm.put(NEW, {"securityRules": [six, host]}, location=LOCATION)
    seen: dict[str, set[str]] = {"Six": set(), "Host": set()}
    orders, empties = set(), set()
    for _ in range(40):
        rules = arm.get(NEW)["properties"]["securityRules"]
        orders.add(tuple(each["name"] for each in rules))
        for each in rules:
            seen[each["name"]].add(each["properties"]["sourceAddressPrefix"])
            empties.add(each["properties"].get("destinationPortRanges", "missing") == "missing")
    assert orders == {("Six", "Host"), ("Host", "Six")}
    assert empties == {True, False}
    assert len(seen["Six"]) > 1
    assert {ip_network(each) for each in seen["Six"]} == {ip_network("2001:db8::/32")}
    assert seen["Host"] == {"203.0.113.7", "203.0.113.7/32"}


def test_without_shuffling_answers_stay_the_same(start: Callable[..., Emulator]) -> None:
    emulator = start(shuffle=False)
    tenant = emulator.tenants["Aurora Dental"]
    arm = Arm(emulator, tenant, tenant.reader)
    for path in (WEB, f"{arm.subscription}/{VAULTS}", f"{arm.subscription}/{ASSIGNMENTS}"):
        assert len({arm.send("GET", path).text for _ in range(5)}) == 1


def test_the_directory_shows_the_seeded_identity(
    emulator: Emulator, tenant: TenantInfo, reader: Client
) -> None:
    found = reader.get("/servicePrincipals?$filter=displayName eq 'id-aurora-dental-deploy'")["value"]
    assert [each["servicePrincipalType"] for each in found] == ["ManagedIdentity"]
