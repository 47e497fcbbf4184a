"""Signing in as MSAL does: secrets, certificates, users, and every refusal that an operator may meet."""

from collections.abc import Callable

import pytest
import requests

from lavawall.emulator import Emulator, TenantInfo
from lavawall.emulator.attack import AttackError, StolenSession
from tests.emulator.conftest import Client, SettableClock, client_for, plain_session, sign_in


def test_an_app_signs_in_with_its_secret_and_reads(emulator: Emulator, tenant: TenantInfo) -> None:
    client = client_for(emulator, tenant, tenant.reader)
    assert client.get("/organization")["value"][0]["id"] == tenant.directory_id


def test_an_app_signs_in_with_its_certificate(emulator: Emulator, tenant: TenantInfo) -> None:
    certificate = tenant.writer.certificate
    credential = {"private_key": certificate.pem, "thumbprint": certificate.thumbprint}
    answer = sign_in(emulator, tenant, tenant.writer, credential)
    assert Client(emulator, answer["access_token"]).get("/organization")["value"]


def test_the_same_multi_tenant_app_signs_in_to_two_tenants_and_not_to_a_third(emulator: Emulator) -> None:
    app = emulator.tenants["Aurora Dental"].reader
    assert app == emulator.tenants["Aurora Labs"].reader
    for name in ("Aurora Dental", "Aurora Labs"):
        assert "access_token" in sign_in(emulator, emulator.tenants[name], app)
    assert sign_in(emulator, emulator.tenants["Brenner Logistics"], app)["error_codes"] == [7000229]


def test_localhost_is_as_good_as_the_address(emulator: Emulator, tenant: TenantInfo) -> None:
    url = f"https://localhost:{emulator.port}/{tenant.directory_id}/v2.0/.well-known/openid-configuration"
    assert plain_session(emulator).get(url, timeout=10).json()["issuer"].startswith("https://localhost:")


def test_a_client_that_does_not_trust_the_authority_cannot_connect(emulator: Emulator) -> None:
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(f"{emulator.url}/v1.0/users", timeout=10)


@pytest.mark.parametrize("secret", ["wrong", "00000000-0000-0000-0000-000000000000"])
def test_a_wrong_secret_is_refused(emulator: Emulator, tenant: TenantInfo, secret: str) -> None:
    answer = sign_in(emulator, tenant, tenant.reader, secret)
    assert answer["error_codes"] == [7000215]
    assert tenant.reader.secret not in str(answer)


def test_an_expired_certificate_is_refused(emulator: Emulator, tenant: TenantInfo) -> None:
    home = tenant.directory_id
    app = emulator.add_app_registration(
        "Old", home=home, permissions=(), consented_in=[home], certificate="expired"
    )
    credential = {"private_key": app.certificate.pem, "thumbprint": app.certificate.thumbprint}
    answer = sign_in(emulator, tenant, app, credential)
    assert answer["error_codes"] == [700027]
    assert "expired" in answer["error_description"]


def test_a_certificate_that_is_not_registered_is_refused(emulator: Emulator) -> None:
    tenant = emulator.tenants["Brenner Logistics"]
    foreign = emulator.tenants["Aurora Dental"].reader.certificate
    credential = {"private_key": foreign.pem, "thumbprint": foreign.thumbprint}
    assert sign_in(emulator, tenant, tenant.reader, credential)["error_codes"] == [700027]


def test_an_unknown_directory_is_refused(emulator: Emulator, tenant: TenantInfo) -> None:
    url = f"{emulator.url}/11111111-1111-1111-1111-111111111111/v2.0/.well-known/openid-configuration"
    answer = plain_session(emulator).get(url, timeout=10)
    assert answer.status_code == 400
    assert answer.json()["error_codes"] == [90002]


def test_an_unknown_app_is_refused(emulator: Emulator, tenant: TenantInfo) -> None:
    form = {"grant_type": "client_credentials", "client_id": "nobody", "client_secret": "x"}
    url = f"{emulator.url}/{tenant.directory_id}/oauth2/v2.0/token"
    answer = plain_session(emulator).post(url, data=form, timeout=10)
    assert answer.json()["error_codes"] == [700016]


def test_a_token_expires_by_the_emulators_clock(start: Callable[..., Emulator], clock: SettableClock) -> None:
    emulator = start(clock=clock, token_lifetime=600)
    client = client_for(emulator, emulator.tenants["Aurora Labs"], emulator.tenants["Aurora Labs"].reader)
    client.get("/organization")
    clock.advance(601)
    assert "expired" in client.refused("GET", "/organization", status=401)


@pytest.mark.parametrize("token", ["", "rubbish", "a.b.c"])
def test_a_bad_token_is_refused_in_graphs_format(emulator: Emulator, token: str) -> None:
    answer = Client(emulator, token).send("GET", "/users")
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "InvalidAuthenticationToken"
    assert "WWW-Authenticate" in answer.headers


def test_a_users_sign_in_is_logged_with_place(emulator: Emulator, tenant: TenantInfo, reader: Client) -> None:
    login = tenant.admins[0]
    StolenSession(
        login_url=emulator.url,
        graph_url=emulator.url,
        directory_id=tenant.directory_id,
        user=login.user_principal_name,
        password=login.password,
        ip="198.51.100.23",
        verify=emulator.ca_file,
    ).close()
    found = reader.get(f"/auditLogs/signIns?$filter=userId eq '{login.id}'")["value"]
    assert len(found) == 1
    assert found[0]["ipAddress"] == "198.51.100.23"
    assert found[0]["location"]["countryOrRegion"] == "RO"


def test_a_users_wrong_password_is_refused(emulator: Emulator, tenant: TenantInfo) -> None:
    with pytest.raises(AttackError, match="AADSTS50126"):
        StolenSession(
            login_url=emulator.url,
            graph_url=emulator.url,
            directory_id=tenant.directory_id,
            user=tenant.admins[0].user_principal_name,
            password="guess",
            ip="198.51.100.23",
            verify=emulator.ca_file,
        )
