"""A connected tenant gets into each kind of trouble: the command says what is wrong and what to do, in one
line each, nothing is taken for deleted, and once the trouble is over the tenant is found as it was.
"""

import io
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command

from changes.models import Change
from lavawall.emulator import Emulator
from snapshots.models import Snapshot, Version
from snapshots.store import content_store
from tenants.connections import onboarding
from tenants.microsoft.connection import SecretCredential
from tenants.models import Run, Tenant
from tests.factories.cloud import OPERATOR, TENANT, connection_of, onboarded, path_of

TYPES = ("conditionalAccessPolicy", "namedLocation", "group")
LOCATIONS = "Named locations"
ALWAYS = 99


def snapshot() -> list[str]:
    """What the command prints for a person."""
    output = io.StringIO()
    call_command("snapshot", TENANT, *(f"--type={key}" for key in TYPES), stdout=output)
    return output.getvalue().splitlines()


def current() -> set[tuple[str, str]]:
    """What the tenant holds, as far as is known."""
    return set(Version.objects.filter(last_snapshot=None).values_list("resource_id", "digest"))


@pytest.fixture
def tenant(committed_db: None, emulator: Emulator) -> Tenant:
    tenant = onboarded(emulator)
    snapshot()
    return tenant


Trouble = Callable[[Tenant, Emulator, pytest.MonkeyPatch], None]


def wrong_secret(tenant: Tenant, emulator: Emulator, _monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = connection_of(
        emulator, emulator.tenants[TENANT].reader, credential=SecretCredential("expired-long-ago")
    )
    onboarding.connect(OPERATOR, tenant=tenant, purpose="reader", new=wrong)


def expired_certificate(tenant: Tenant, emulator: Emulator, _monkeypatch: pytest.MonkeyPatch) -> None:
    directory = emulator.tenants[TENANT].directory_id
    old = emulator.add_app_registration(
        "Old",
        home=directory,
        permissions=["Policy.Read.All"],
        consented_in=[directory],
        certificate="expired",
    )
    onboarding.connect(
        OPERATOR, tenant=tenant, purpose="reader", new=connection_of(emulator, old, certificate=True)
    )


def unknown_directory(tenant: Tenant, _emulator: Emulator, _monkeypatch: pytest.MonkeyPatch) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(directory_id=uuid4())


def untrusted_tls(_tenant: Tenant, _emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")


@pytest.mark.parametrize(
    ("trouble", "wrong", "remedy"),
    [
        (wrong_secret, "secret", "Create a new secret"),
        (expired_certificate, "certificate", "new certificate"),
        (unknown_directory, "directory", "Check the directory"),
        (untrusted_tls, "certificate", "REQUESTS_CA_BUNDLE"),
    ],
)
def test_a_tenant_that_cannot_be_entered_is_one_clear_line_and_no_snapshot(
    tenant: Tenant,
    emulator: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    trouble: Trouble,
    wrong: str,
    remedy: str,
) -> None:
    before, directory, bundle = current(), tenant.directory_id, emulator.ca_file
    trouble(tenant, emulator, monkeypatch)
    with pytest.raises(CommandError) as caught:
        snapshot()
    reported = str(caught.value)
    assert caught.value.returncode == 1
    assert len(reported.splitlines()) == 1
    assert wrong in reported
    assert remedy in reported
    assert "expired-long-ago" not in reported
    assert Snapshot.objects.count() == 1
    assert not Change.objects.exists()
    assert current() == before
    run = Run.objects.latest("pk")
    assert run.state == Run.State.FAILED
    assert " ".join(run.error.split()) == reported

    monkeypatch.setenv("REQUESTS_CA_BUNDLE", bundle)
    Tenant.objects.filter(pk=tenant.pk).update(directory_id=UUID(str(directory)))
    good = connection_of(emulator, emulator.tenants[TENANT].reader)
    onboarding.connect(OPERATOR, tenant=tenant, purpose="reader", new=good)
    assert "is complete" in snapshot()[0]
    assert not Change.objects.exists()


def missing_permission(_tenant: Tenant, emulator: Emulator, _monkeypatch: pytest.MonkeyPatch) -> None:
    info = emulator.tenants[TENANT]
    stored = ["Group.Read.All", "PrivilegedAssignmentSchedule.Read.AzureADGroup"]
    emulator.set_permissions(info.directory_id, info.reader.client_id, stored)


def forbidden(_tenant: Tenant, emulator: Emulator, _monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = {"error": {"code": "Authorization_RequestDenied", "message": "Insufficient privileges."}}
    emulator.faults.add(method="GET", path=path_of("namedLocation"), times=ALWAYS, status=403, body=refusal)


def no_json(_tenant: Tenant, emulator: Emulator, _monkeypatch: pytest.MonkeyPatch) -> None:
    emulator.faults.add("not_json", method="GET", path=path_of("namedLocation"), times=ALWAYS)


def a_loop(_tenant: Tenant, emulator: Emulator, _monkeypatch: pytest.MonkeyPatch) -> None:
    emulator.faults.add("loop", method="GET", path=path_of("namedLocation"), times=ALWAYS)


@pytest.mark.parametrize(
    ("trouble", "status", "words"),
    [
        (missing_permission, "forbidden", ("Policy.Read.All", "consent")),
        (forbidden, "forbidden", ("403", "Policy.Read.All")),
        (no_json, "failed", ("JSON",)),
        (a_loop, "failed", ("page that was already read",)),
    ],
)
def test_a_type_that_cannot_be_read_is_named_with_its_remedy_and_nothing_is_deleted(
    tenant: Tenant,
    emulator: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    trouble: Trouble,
    status: str,
    words: tuple[str, ...],
) -> None:
    before, granted = current(), emulator.tenants[TENANT].reader.permissions
    trouble(tenant, emulator, monkeypatch)
    reported = snapshot()
    assert "is partial" in reported[0]
    (line,) = [line for line in reported if line.startswith(("namedLocation", LOCATIONS))]
    assert f": {status}. " in line
    for word in words:
        assert word in line
    assert not Change.objects.exists()
    assert current() == before
    assert content_store.verify(tenant) == []

    emulator.faults.clear()
    info = emulator.tenants[TENANT]
    emulator.set_permissions(info.directory_id, info.reader.client_id, granted)
    assert "is complete" in snapshot()[0]
    assert not Change.objects.exists()
