"""Smaller promises: filters, who may write, other seeds, and the reproducible cloud."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lavawall.emulator import Emulator, TenantInfo, seed
from lavawall.emulator.attack import AttackError, StolenSession
from lavawall.emulator.errors import GraphError
from lavawall.emulator.filters import FilterParser
from lavawall.emulator.geography import location_of
from tests.emulator.conftest import Client, SettableClock, client_for, sign_in
from tests.emulator.test_writes import POLICIES, STRENGTHS, named, policy

BODY: dict[str, Any] = {
    "displayName": "O'Hara",
    "count": 3,
    "on": True,
    "when": "2024-05-01T10:00:00.1234567Z",
    "by": {"user": {"id": "7F00AA00-0000-0000-0000-000000000001"}},
    "targets": [{"id": "a"}, {"id": "b"}],
    "tags": ["x", "y"],
}


def matches(text: str) -> bool:
    return FilterParser(text, lambda _path: None).parse()(BODY)


@pytest.mark.parametrize(
    "text",
    [
        "displayName eq 'O''Hara'",
        "startswith(displayName,'o')",
        "endswith(displayName,'RA') and contains(displayName,'''')",
        "count ge 3 and count lt 4.5",
        "not (count eq 4) and on eq true",
        "count eq 9 or on ne false",
        "count in (1, 2, 3)",
        "when gt 2024-05-01T09:59:59Z and when le 2024-05-02T00:00:00Z",
        "by/user/id eq 7f00aa00-0000-0000-0000-000000000001",
        "targets/any(t:t/id eq 'b')",
        "tags/any(t:t eq 'x')",
        "missing eq null",
    ],
)
def test_documented_filters_match(text: str) -> None:
    assert matches(text)
    assert not matches(f"not ({text})")


@pytest.mark.parametrize(
    "text", ["", "displayName", "displayName is 'x'", "eq eq eq eq", "(count eq 3", "count eq !"]
)
def test_a_filter_that_cannot_be_read_is_a_400(text: str) -> None:
    with pytest.raises(GraphError) as caught:
        matches(text)
    assert caught.value.status == 400


@given(st.text(alphabet="abc/()' ,:=0123456789-TZ", max_size=30))
def test_no_filter_breaks_the_parser(text: str) -> None:
    try:
        FilterParser(text, lambda _path: None).parse()
    except GraphError as error:
        outcome = error.status
    else:
        outcome = 200
    assert outcome in {200, 400}


def test_a_user_without_the_role_reads_but_does_not_write(
    emulator: Emulator, tenant: TenantInfo, admin: StolenSession
) -> None:
    name = f"new.person@{tenant.domain}"
    admin.send(
        "POST",
        "/users",
        {
            "accountEnabled": True,
            "displayName": "New Person",
            "mailNickname": "new.person",
            "userPrincipalName": name,
            "passwordProfile": {"password": "Correct-Horse-7"},
        },
    )
    person = StolenSession(
        login_url=emulator.url,
        graph_url=emulator.url,
        directory_id=tenant.directory_id,
        user=name,
        password="Correct-Horse-7",
        ip="203.0.113.9",
        verify=emulator.ca_file,
    )
    target = person.list(POLICIES)[0]["id"]
    with pytest.raises(AttackError, match="403"):
        person.send("PATCH", f"{POLICIES}/{target}", {"state": "disabled"})
    admin.send("PATCH", f"/users/{name}", {"accountEnabled": False})
    with pytest.raises(AttackError, match="401"):
        person.list(POLICIES)


def test_whoever_creates_an_application_owns_it(tenant: TenantInfo, admin: StolenSession) -> None:
    app = admin.send("POST", "/applications", {"displayName": "Mine"})
    assert [each["id"] for each in admin.list(f"/applications/{app['id']}/owners")] == [tenant.admins[0].id]


def test_a_role_assignable_group_needs_the_role_permission(
    emulator: Emulator, tenant: TenantInfo, writer: Client
) -> None:
    body = {
        "displayName": "R",
        "mailEnabled": False,
        "mailNickname": "r",
        "securityEnabled": True,
        "isAssignableToRole": True,
    }
    writer.post("/groups", body)
    emulator.set_permissions(tenant.directory_id, tenant.writer.client_id, ["Group.ReadWrite.All"])
    writer.refused("POST", "/groups", body, status=403)


def test_a_strength_can_be_created_and_deleted(writer: Client) -> None:
    body = {"displayName": "Custom", "allowedCombinations": ["password,softwareOath"]}
    made = writer.post(STRENGTHS, body)
    assert (made["policyType"], made["requirementsSatisfied"]) == ("custom", "mfa")
    assert set(made["allowedCombinations"][0].split(", ")) == {"password", "softwareOath"}
    writer.done("DELETE", f"{STRENGTHS}/{made['id']}")
    writer.refused("POST", STRENGTHS, {"displayName": "None", "allowedCombinations": []})
    writer.refused("POST", STRENGTHS, {"displayName": "Odd", "allowedCombinations": ["telepathy"]})


def test_service_principals_of_microsoft_take_few_changes(writer: Client) -> None:
    graph = named(writer, "/servicePrincipals?$filter=displayName eq 'Microsoft Graph'", "Microsoft")["id"]
    writer.done("PATCH", f"/servicePrincipals/{graph}", {"notes": "ours"})
    assert "homepage" in writer.refused(
        "PATCH", f"/servicePrincipals/{graph}", {"homepage": "https://example.com"}
    )


def test_keys_of_an_application_replace_as_a_set_with_their_certificates(emulator: Emulator) -> None:
    tenant = emulator.tenants["Brenner Logistics"]
    client = client_for(emulator, tenant, tenant.writer)
    app = client.get("/applications?$filter=displayName eq 'Lavawall Reader'")["value"][0]
    path = f"/applications/{app['id']}"
    assert "'key'" in client.refused("PATCH", path, {"keyCredentials": app["keyCredentials"]})
    with_keys = client.get(f"{path}?$select=keyCredentials")["keyCredentials"]
    client.done("PATCH", path, {"keyCredentials": with_keys})


def test_a_service_principal_needs_an_application_that_exists(writer: Client) -> None:
    writer.refused("POST", "/servicePrincipals", {"appId": "00000000-1111-2222-3333-444444444444"})
    existing = writer.get("/applications?$top=1")["value"][0]["appId"]
    writer.refused("POST", "/servicePrincipals", {"appId": existing}, status=409)


def test_a_new_app_registration_is_limited_to_its_permissions(emulator: Emulator, tenant: TenantInfo) -> None:
    app = emulator.add_app_registration(
        "Narrow", home=tenant.directory_id, permissions=["Group.Read.All"], consented_in=[tenant.directory_id]
    )
    client = Client(emulator, sign_in(emulator, tenant, app)["access_token"])
    client.get("/groups")
    client.refused("GET", POLICIES, status=403)


def test_the_empty_seed_is_a_usable_tenant_and_an_unknown_one_is_refused(
    start: Callable[..., Emulator],
) -> None:
    emulator = start(seed="empty", groups=3, users=5, apps=2)
    tenant = emulator.tenants["Empty"]
    client = client_for(emulator, tenant, tenant.writer)
    assert client.get(POLICIES)["value"] == []
    client.post(POLICIES, policy())
    assert len(client.get("/groups")["value"]) == 3
    with pytest.raises(ValueError, match="Unknown seed"):
        Emulator(seed="nothing")


def test_the_same_seed_gives_the_same_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    first = Emulator(shuffle=False)
    monkeypatch.setattr(seed, "_PREPARED", {})
    second = Emulator(shuffle=False)
    for tenant in first.tenants.values():
        one, two = (each.state(tenant.directory_id).export() for each in (first, second))
        for kind in ("conditionalAccessPolicy", "namedLocation", "group", "user", "unifiedRoleDefinition"):
            assert one[kind] == two[kind]


def test_emulators_of_one_process_share_nothing_that_changes(start: Callable[..., Emulator]) -> None:
    changed, other = start(), start()
    tenant = changed.tenants["Aurora Dental"]
    before = other.state(tenant.directory_id).export()
    client_for(changed, tenant, tenant.writer).post(POLICIES, policy())
    assert changed.state(tenant.directory_id).export() != before
    assert (
        other.state(tenant.directory_id).export() == Emulator().state(tenant.directory_id).export() == before
    )


def test_a_clock_that_is_behind_sees_the_whole_landscape(start: Callable[..., Emulator]) -> None:
    long_ago = datetime(2025, 1, 1, tzinfo=UTC)
    visible = []
    for emulator in (start(), start(clock=lambda: long_ago)):
        state = emulator.state(emulator.tenants["Aurora Dental"].directory_id)
        visible.append({kind: len(list(state.all(kind))) for kind in state.records})
    assert visible[0] == visible[1]


def test_a_token_of_one_tenant_shows_nothing_of_another(emulator: Emulator, reader: Client) -> None:
    foreign = next(iter(emulator.state(emulator.tenants["Aurora Labs"].directory_id).documents("group")))
    reader.refused("GET", f"/groups/{foreign}", status=404)


def test_a_disabled_app_is_turned_away(
    emulator: Emulator, tenant: TenantInfo, reader: Client, writer: Client
) -> None:
    principal = writer.get(f"/servicePrincipals(appId='{tenant.reader.client_id}')")["id"]
    writer.done("PATCH", f"/servicePrincipals/{principal}", {"accountEnabled": False})
    reader.refused("GET", "/groups", status=401)
    assert sign_in(emulator, tenant, tenant.reader)["error_codes"] == [7000112]


def test_an_expired_secret_is_refused(start: Callable[..., Emulator], clock: SettableClock) -> None:
    emulator = start(clock=clock)
    clock.now += timedelta(days=365 * 80)
    tenant = emulator.tenants["Aurora Dental"]
    assert sign_in(emulator, tenant, tenant.reader)["error_codes"] == [7000222]


@pytest.mark.parametrize(("address", "country"), [("198.51.100.70", "NG"), ("2001:db8:9000::1", "BY")])
def test_addresses_have_a_country(address: str, country: str) -> None:
    location = location_of(address)
    assert location is not None
    assert location["countryOrRegion"] == country


@pytest.mark.parametrize("address", ["8.8.8.8", "nowhere", ""])
def test_an_unknown_address_has_no_place(address: str) -> None:
    assert location_of(address) is None


def test_secrets_do_not_show_in_representations(emulator: Emulator, tenant: TenantInfo) -> None:
    shown = repr(tenant) + repr(emulator.state(tenant.directory_id).records["application"])
    for secret in (tenant.reader.secret, tenant.writer.secret, tenant.admins[0].password, "PRIVATE KEY"):
        assert secret not in shown
