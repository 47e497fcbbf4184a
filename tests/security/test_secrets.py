"""No secret and no token of Microsoft's leaves the vault: not to logs, errors, tables, tasks or output."""

import io
import json
import logging
from uuid import UUID

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django_q.models import OrmQ

from lavawall import tasks
from lavawall.emulator import Emulator
from tenants.connections import onboarding
from tenants.microsoft.connection import SecretCredential
from tenants.microsoft.errors import AuthenticationFailed
from tenants.models import AppRegistration, Run, Tenant
from tenants.runs import leases
from tests.factories.cloud import OPERATOR, TENANT, connection_of, onboarded

TOKEN = "eyJ"
"""How every signed token begins; none belongs into a log or a table."""


def everything_stored() -> str:
    """Every value of every row of every table, bytes as text."""
    words: list[str] = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            for row in cursor.fetchall():
                words += [
                    bytes(value).decode("latin-1") if isinstance(value, (bytes, memoryview)) else str(value)
                    for value in row
                ]
    return "\n".join(words)


def credentials(emulator: Emulator) -> list[str]:
    info = emulator.tenants[TENANT]
    keys = [line for app in (info.reader, info.writer) for line in app.certificate_pem.splitlines()[1:3]]
    return [info.reader.secret, info.writer.secret, *keys]


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Everything that any logger says, of whatever library."""
    caplog.set_level(logging.DEBUG)
    for name in list(logging.root.manager.loggerDict):
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog


@pytest.mark.parametrize("certificate", [False, True], ids=["secret", "certificate"])
def test_a_whole_collection_leaves_no_secret_in_logs_or_tables(
    committed_db: None, emulator: Emulator, log: pytest.LogCaptureFixture, certificate: bool
) -> None:
    tenant = onboarded(emulator, certificate=certificate)
    onboarding.check_connection(OPERATOR, tenant=tenant, purpose="writer")
    run = leases.enqueue(tenant, Run.Kind.COLLECT, requested_by="test")
    task = json.dumps(OrmQ.objects.get().task, default=str)
    tasks.perform(run.pk)
    run.refresh_from_db()
    assert run.state == "succeeded", run.error
    said = "\n".join(log.handler.format(record) for record in log.records)
    assert "/v1.0/" in said, "the log was not listened to"
    stored = everything_stored()
    assert TENANT in stored
    for control_scope in (said, stored, task):
        for secret in credentials(emulator):
            assert secret not in control_scope
    assert TOKEN not in said
    assert TOKEN not in task


def test_a_failing_sign_in_names_no_secret_anywhere(
    committed_db: None, emulator: Emulator, log: pytest.LogCaptureFixture
) -> None:
    secret = "Sq8~wrong-but-still-secret"
    tenant = onboarded(emulator, credential=SecretCredential(secret))
    with pytest.raises(AuthenticationFailed) as caught:
        onboarding.check_connection(OPERATOR, tenant=tenant, purpose="reader")
    run = leases.create(tenant, Run.Kind.COLLECT, requested_by="test")
    tasks.perform(run.pk)
    error: BaseException | None = caught.value
    while error is not None:
        assert secret not in f"{error!r} {error} {error.args}"
        error = error.__cause__ or error.__context__
    said = "\n".join(log.handler.format(record) for record in log.records)
    assert f"run {run.pk} failed" in said
    for control_scope in (said, everything_stored()):
        assert secret not in control_scope


def test_commands_print_no_secret(
    committed_db: None, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = emulator.tenants[TENANT]
    monkeypatch.setenv("READER_SECRET", info.reader.secret)
    output, error = io.StringIO(), io.StringIO()
    given = [
        *("--customer", info.customer, "--name", TENANT, "--directory-id", info.directory_id),
        *("--client-id", info.reader.client_id, "--secret-env", "READER_SECRET"),
        *("--login-url", emulator.url, "--graph-url", emulator.url),
    ]
    call_command("add_tenant", *given, stdout=output, stderr=error)
    call_command("snapshot", TENANT, "--json", stdout=output, stderr=error)
    call_command("verify", "--json", stdout=output, stderr=error)
    with pytest.raises(CommandError) as caught:
        call_command("add_tenant", *given, stdout=output, stderr=error)
    said = f"{output.getvalue()}{error.getvalue()}{caught.value}"
    assert TENANT in said
    assert info.reader.secret not in said
    assert TOKEN not in said


def test_nothing_that_holds_a_credential_shows_it(db: None, emulator: Emulator) -> None:
    tenant: Tenant = onboarded(emulator)
    info = emulator.tenants[TENANT]
    registration = AppRegistration.objects.get(client_id=UUID(info.reader.client_id))
    retained = tenant.connections.get(purpose="reader")
    shown = [
        repr(connection_of(emulator, info.reader)),
        repr(connection_of(emulator, info.reader, certificate=True)),
        repr(onboarding.config_of(retained)),
        repr(onboarding.open_client(tenant, "reader")),
        repr(registration),
        str(registration),
        repr(retained),
    ]
    for text in shown:
        for secret in credentials(emulator):
            assert secret not in text
