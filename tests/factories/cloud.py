"""An emulated Microsoft cloud with tenants of ours connected to it, for tests that go the whole way."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest

from lavawall.cli import operator
from lavawall.emulator.server import Emulator
from tenants import connections
from tenants.connections import NewConnection
from tenants.microsoft.connection import Endpoints, SecretCredential
from tenants.models import Tenant


@contextmanager
def running(monkeypatch: pytest.MonkeyPatch, **options: object) -> Iterator[Emulator]:
    """An emulator whose CA every outgoing call trusts."""
    with Emulator(**options) as emulator:  # type: ignore[arg-type]
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", emulator.ca_file)
        yield emulator


def connect(emulator: Emulator, name: str = "Aurora Dental", *, writer: bool = True) -> Tenant:
    """The emulator's tenant of this name, onboarded."""
    facts = emulator.tenants[name]
    endpoints = Endpoints(emulator.url, emulator.url, emulator.url, emulator.url)

    def new(client_id: str, secret: str) -> NewConnection:
        return NewConnection(UUID(client_id), SecretCredential(secret), cloud="custom", endpoints=endpoints)

    return connections.onboard(
        operator(),
        customer_name=facts.customer,
        name=name,
        directory_id=UUID(facts.directory_id),
        reader=new(facts.reader.client_id, facts.reader.secret),
        writer=new(facts.writer.client_id, facts.writer.secret) if writer else None,
    )
