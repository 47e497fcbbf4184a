"""Connecting tenants: over real TLS and sign-in, credentials sealed, and each mistake told in a clear
sentence.
"""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.db import connection as database

from lavawall.emulator import Emulator
from tenants.access.actors import Actor
from tenants.access.matrix import Role
from tenants.access.permissions import NotVisible, Refused
from tenants.connections import onboarding
from tenants.connections.onboarding import Misconfigured, NoConnection
from tenants.microsoft.connection import CLOUDS, Endpoints, InvalidConnection, SecretCredential
from tenants.microsoft.errors import (
    AuthenticationFailed,
    CertificateUntrusted,
    MicrosoftError,
    ReadOnlyConnection,
    Unreachable,
)
from tenants.microsoft.request import Request
from tenants.models import AppRegistration, Connection, Customer, LedgerEntry, Tenant
from tenants.trust import ledger
from tests.factories.cloud import OPERATOR, SIBLINGS, TENANT, connection_of, endpoints, onboarded
from tests.factories.tenants import TenantFactory, person

POLICIES = "/v1.0/identity/conditionalAccess/policies"


def everything_stored() -> bytes:
    """Every value of every row of every table."""
    with database.cursor() as cursor:
        tables = database.introspection.table_names(cursor)
        return b"\n".join(_rows(cursor, table) for table in tables)


def _rows(cursor: object, table: str) -> bytes:
    cursor.execute(f'SELECT * FROM "{table}"')  # type: ignore[attr-defined]
    return b"\n".join(
        bytes(value) if isinstance(value, (bytes, memoryview)) else str(value).encode()
        for row in cursor.fetchall()  # type: ignore[attr-defined]
        for value in row
    )


def assert_nothing_is_stored() -> None:
    assert not Tenant.objects.exists()
    assert not Connection.objects.exists()
    assert not AppRegistration.objects.exists()
    assert not LedgerEntry.objects.exists()


@pytest.mark.parametrize("certificate", [False, True], ids=["secret", "certificate"])
def test_an_onboarded_tenant_is_reached_with_its_credential(
    db: None, emulator: Emulator, certificate: bool
) -> None:
    tenant = onboarded(emulator, certificate=certificate)
    with closing(onboarding.open_client(tenant, "reader")) as client:
        assert client.get(POLICIES)["value"]
    granted = onboarding.check_connection(OPERATOR, tenant=tenant, purpose="reader")
    assert set(granted) == set(emulator.tenants[TENANT].reader.permissions)
    retained = tenant.connections.get(purpose="reader")
    assert (retained.granted, retained.test_error) == (list(granted), "")
    assert retained.tested_at is not None
    assert (retained.app_registration.expires_at is not None) == certificate


def test_a_probe_says_what_the_token_may_do_and_stores_nothing(db: None, emulator: Emulator) -> None:
    info = emulator.tenants[TENANT]
    granted = onboarding.probe(UUID(info.directory_id), connection_of(emulator, info.reader))
    assert set(granted) == set(info.reader.permissions)
    assert_nothing_is_stored()


def test_onboarding_is_in_the_ledger_without_the_credential(db: None, emulator: Emulator) -> None:
    onboarded(emulator)
    assert list(LedgerEntry.objects.order_by("sequence").values_list("action", flat=True)) == [
        "customer:create",
        "tenant:create",
        "connection:set",
        "connection:set",
    ]
    assert ledger.verify() == []


@pytest.mark.parametrize("certificate", [False, True], ids=["secret", "certificate"])
def test_no_credential_is_stored_in_the_clear(db: None, emulator: Emulator, certificate: bool) -> None:
    onboarded(emulator, certificate=certificate)
    stored = everything_stored()
    info = emulator.tenants[TENANT]
    assert TENANT.encode() in stored
    for app in (info.reader, info.writer):
        assert app.client_id.encode() in stored or UUID(app.client_id).hex.encode() in stored
        assert app.secret.encode() not in stored
        assert b"PRIVATE KEY" not in stored


def test_one_shared_registration_serves_two_tenants(db: None, emulator: Emulator) -> None:
    first, second = (onboarded(emulator, name, shared=True) for name in SIBLINGS)
    assert AppRegistration.objects.count() == 2
    assert set(AppRegistration.objects.values_list("tenant", flat=True)) == {None}
    for tenant in (first, second):
        with closing(onboarding.open_client(tenant, "reader")) as client:
            names = {item["displayName"] for item in client.get("/v1.0/organization")["value"]}
        assert names == {tenant.name}


def test_one_registration_per_tenant_is_kept_apart(db: None, emulator: Emulator) -> None:
    first, second = (onboarded(emulator, name) for name in SIBLINGS)
    assert AppRegistration.objects.count() == 4
    assert first.app_registrations.count() == second.app_registrations.count() == 2


def test_a_reader_connection_refuses_to_write(db: None, emulator: Emulator) -> None:
    tenant = onboarded(emulator)
    request = Request("PATCH", f"{POLICIES}/{uuid4()}", body={"state": "disabled"})
    sent = len(emulator.requests)
    with closing(onboarding.open_client(tenant, "reader")) as client, pytest.raises(ReadOnlyConnection):
        client.send(request)
    assert len(emulator.requests) == sent


def test_a_tenant_without_a_writer_says_what_is_missing(db: None) -> None:
    with pytest.raises(NoConnection, match=r"has no writer connection. Add one with"):
        onboarding.open_client(TenantFactory(), "writer")


def test_a_replaced_credential_is_the_one_in_use_and_the_old_one_is_gone(
    db: None, emulator: Emulator
) -> None:
    tenant = onboarded(emulator)
    info = emulator.tenants[TENANT]
    old = bytes(AppRegistration.objects.get(client_id=info.reader.client_id).sealed_credential)
    bad = connection_of(emulator, info.reader, credential=SecretCredential("not the secret"))
    onboarding.connect(OPERATOR, tenant=tenant, purpose="reader", new=bad)
    assert AppRegistration.objects.filter(client_id=info.reader.client_id).count() == 1
    assert old not in everything_stored()
    with pytest.raises(AuthenticationFailed):
        onboarding.check_connection(OPERATOR, tenant=tenant, purpose="reader")
    onboarding.connect(OPERATOR, tenant=tenant, purpose="reader", new=connection_of(emulator, info.reader))
    onboarding.check_connection(OPERATOR, tenant=tenant, purpose="reader")


def test_a_replaced_app_registration_leaves_no_credential_behind(db: None, emulator: Emulator) -> None:
    tenant = onboarded(emulator)
    info = emulator.tenants[TENANT]
    onboarding.connect(OPERATOR, tenant=tenant, purpose="reader", new=connection_of(emulator, info.writer))
    assert not AppRegistration.objects.filter(client_id=info.reader.client_id).exists()
    assert AppRegistration.objects.filter(client_id=info.writer.client_id).exists()


def test_a_failed_test_is_kept_with_its_reason(db: None, emulator: Emulator) -> None:
    tenant = onboarded(emulator)
    info = emulator.tenants[TENANT]
    emulator.set_permissions(info.directory_id, info.reader.client_id, ["Policy.Read.All"])
    assert onboarding.check_connection(OPERATOR, tenant=tenant, purpose="reader") == ("Policy.Read.All",)
    bad = connection_of(emulator, info.reader, credential=SecretCredential("not the secret"))
    onboarding.connect(OPERATOR, tenant=tenant, purpose="reader", new=bad)
    with pytest.raises(AuthenticationFailed) as caught:
        onboarding.check_connection(OPERATOR, tenant=tenant, purpose="reader")
    retained = tenant.connections.get(purpose="reader")
    assert retained.test_error == str(caught.value)
    assert retained.granted == []
    last = LedgerEntry.objects.latest("sequence")
    assert (last.action, last.detail) == ("connection:test", {"outcome": str(caught.value)})


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("wrong_secret", "secret"),
        ("expired_certificate", "certificate"),
        ("unknown_directory", "directory"),
        ("unknown_application", "client id"),
        ("not_consented", "consent"),
    ],
)
def test_what_is_wrong_with_a_sign_in_is_said_and_nothing_is_stored(
    db: None, emulator: Emulator, reason: str, words: str
) -> None:
    info = emulator.tenants[TENANT]
    directory, new = UUID(info.directory_id), connection_of(emulator, info.reader)
    if reason == "wrong_secret":
        new = connection_of(emulator, info.reader, credential=SecretCredential("not the secret"))
    elif reason == "expired_certificate":
        app = emulator.add_app_registration(
            "Old",
            home=info.directory_id,
            permissions=["Policy.Read.All"],
            consented_in=[info.directory_id],
            certificate="expired",
        )
        new = connection_of(emulator, app, certificate=True)
    elif reason == "unknown_directory":
        directory = uuid4()
    elif reason == "unknown_application":
        new = connection_of(emulator, info.reader, client_id=uuid4())
    else:
        shared = emulator.tenants[SIBLINGS[0]].reader
        new = connection_of(emulator, shared)
    with pytest.raises(AuthenticationFailed) as caught:
        onboarding.probe(directory, new)
    assert caught.value.reason == reason
    assert words in str(caught.value).lower()
    assert "not the secret" not in f"{caught.value!r} {caught.value}"
    assert_nothing_is_stored()


def test_an_untrusted_certificate_names_the_variable_that_helps(
    db: None, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    info = emulator.tenants[TENANT]
    with pytest.raises(CertificateUntrusted, match="REQUESTS_CA_BUNDLE"):
        onboarding.probe(UUID(info.directory_id), connection_of(emulator, info.reader))
    assert_nothing_is_stored()


def test_a_bundle_that_cannot_be_read_is_a_clear_error(
    db: None, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "missing.pem"))
    info = emulator.tenants[TENANT]
    with pytest.raises(MicrosoftError, match="REQUESTS_CA_BUNDLE"):
        onboarding.probe(UUID(info.directory_id), connection_of(emulator, info.reader))


def test_an_address_where_nobody_answers_is_a_clear_error(db: None, emulator: Emulator) -> None:
    info = emulator.tenants[TENANT]
    nowhere = Endpoints(*["https://127.0.0.1:1"] * 4)
    new = connection_of(emulator, info.reader, endpoints=nowhere)
    with pytest.raises(Unreachable, match="firewall"):
        onboarding.probe(UUID(info.directory_id), new)


def test_an_unlimited_pace_is_refused_beyond_loopback(db: None, emulator: Emulator) -> None:
    info = emulator.tenants[TENANT]
    with pytest.raises(InvalidConnection, match="unlimited pace"):
        onboarding.probe(
            UUID(info.directory_id), connection_of(emulator, info.reader, cloud="commercial", endpoints=None)
        )
    tenant = onboarded(emulator, cloud="commercial", endpoints=None)
    with pytest.raises(InvalidConnection, match="unlimited pace"):
        onboarding.open_client(tenant, "reader")


def test_a_custom_cloud_without_urls_is_refused_and_the_whole_onboarding_undone(
    db: None, emulator: Emulator
) -> None:
    info = emulator.tenants[TENANT]
    new = connection_of(emulator, info.reader, endpoints=None)
    with pytest.raises(Misconfigured, match="needs its login, Graph, ARM and management URLs"):
        onboarded(emulator, endpoints=None)
    with pytest.raises(Misconfigured):
        onboarding.probe(UUID(info.directory_id), new)
    assert_nothing_is_stored()
    assert not Customer.objects.exists()


@pytest.mark.parametrize("cloud", ["commercial", "gcc_high", "dod", "china"])
def test_a_named_cloud_has_its_own_endpoints(db: None, emulator: Emulator, cloud: str) -> None:
    tenant = onboarded(emulator, cloud=cloud, endpoints=None)
    assert onboarding._endpoints(tenant.connections.get(purpose="reader")) == CLOUDS[cloud]


def test_a_directory_or_a_name_that_is_connected_already_is_refused(db: None, emulator: Emulator) -> None:
    onboarded(emulator)
    entries = LedgerEntry.objects.count()
    with pytest.raises(Misconfigured, match="already connected"):
        onboarded(emulator)
    assert Tenant.objects.count() == 1
    assert LedgerEntry.objects.count() == entries


@pytest.fixture
def tenant(db: None, emulator: Emulator) -> Tenant:
    return onboarded(emulator, SIBLINGS[0], shared=True)


def test_only_who_may_manage_connects_and_tests(tenant: Tenant, emulator: Emulator) -> None:
    new = connection_of(emulator, emulator.tenants[SIBLINGS[0]].reader)
    for role in (Role.ENGINEER, Role.APPROVER, Role.AUDITOR, Role.PORTAL):
        actor = Actor.person(person(role), "page")
        with pytest.raises(Refused):
            onboarding.connect(actor, tenant=tenant, purpose="reader", new=new)
        with pytest.raises(Refused):
            onboarding.check_connection(actor, tenant=tenant, purpose="reader")
        with pytest.raises(Refused):
            onboarded(emulator, actor=actor)
    stranger = Actor.person(person(Role.ADMINISTRATOR, tenant=TenantFactory()), "page")
    with pytest.raises(NotVisible):
        onboarding.connect(stranger, tenant=tenant, purpose="reader", new=new)


def test_an_administrator_of_one_tenant_adds_none_to_its_customer(tenant: Tenant, emulator: Emulator) -> None:
    with pytest.raises(Refused):
        onboarded(
            emulator, SIBLINGS[1], actor=Actor.person(person(Role.ADMINISTRATOR, tenant=tenant), "page")
        )
    of_customer = Actor.person(person(Role.ADMINISTRATOR, customer=tenant.customer), "page")
    assert onboarded(emulator, SIBLINGS[1], actor=of_customer).customer == tenant.customer
    with pytest.raises(Refused):
        onboarded(emulator, TENANT, actor=of_customer)


def test_the_shared_credential_is_set_only_by_who_manages_every_tenant(
    tenant: Tenant, emulator: Emulator
) -> None:
    """It signs in to tenants of other customers too."""
    actor = Actor.person(person(Role.ADMINISTRATOR, tenant=tenant), "page")
    reader = emulator.tenants[SIBLINGS[0]].reader
    bad = connection_of(emulator, reader, shared=True, credential=SecretCredential("mine now"))
    with pytest.raises(Refused, match="whole MSP"):
        onboarding.connect(actor, tenant=tenant, purpose="reader", new=bad)
    onboarding.check_connection(OPERATOR, tenant=tenant, purpose="reader")
    same = connection_of(emulator, reader, shared=True)
    onboarding.connect(actor, tenant=tenant, purpose="reader", new=same)
    with pytest.raises(Refused):  # noqa: PT012 - the error must leave the transaction
        new = connection_of(emulator, reader, shared=True, client_id=uuid4())
        onboarding.connect(actor, tenant=tenant, purpose="reader", new=new)


def test_a_certificates_end_is_kept(db: None, emulator: Emulator) -> None:
    tenant = onboarded(emulator, certificate=True)
    expires_at = tenant.connections.get(purpose="reader").app_registration.expires_at
    assert expires_at is not None
    assert expires_at > datetime.now(UTC)


def test_endpoints_come_back_as_they_were_given(db: None, emulator: Emulator) -> None:
    tenant = onboarded(emulator)
    assert onboarding.config_of(tenant.connections.get(purpose="reader")).endpoints == endpoints(emulator)
