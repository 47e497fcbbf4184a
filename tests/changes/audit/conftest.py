"""An emulated cloud with a clock of its own, a tenant connected to it, and somebody's session in that tenant."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import requests

from lavawall.emulator.seed.builder import TenantInfo
from lavawall.emulator.server import Emulator
from tenants.microsoft.client import GraphClient
from tenants.microsoft.connection import ConnectionConfig, Endpoints, SecretCredential
from tenants.models import AppRegistration, Connection, Tenant
from tenants.trust import crypto
from tests.factories.tenants import TenantFactory

AUDIT_DELAY = timedelta(minutes=10)
BUCHAREST = "198.51.100.7"
AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"


class Clock:
    """The emulator's time, which stands until a test moves it."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def catch_up(self) -> None:
        """To the time of this machine, by which snapshots are dated."""
        self.now = datetime.now(UTC)

    def pass_by(self, time: timedelta) -> datetime:
        self.now += time
        return self.now


@dataclass
class World:
    """One emulated tenant and ours that is connected to it."""

    emulator: Emulator
    clock: Clock
    info: TenantInfo
    tenant: Tenant
    client: GraphClient

    def sign_in(self, *, ip: str = BUCHAREST, to: str = "") -> Callable[..., Any]:
        """A session of the tenant's first administrator, with Graph or `to` another service; returns what sends a
        request in it.
        """
        admin = self.info.admins[0]
        answer = self._post(
            f"/{self.info.directory_id}/oauth2/v2.0/token",
            ip,
            grant_type="password",
            client_id=AZURE_CLI,
            username=admin.user_principal_name,
            password=admin.password,
            scope=f"{to or self.emulator.url}/.default",
        )
        return self._session(answer["access_token"])

    def sign_in_as_app(self, app: Any, *, to: str = "") -> Callable[..., Any]:
        answer = self._post(
            f"/{self.info.directory_id}/oauth2/v2.0/token",
            "",
            grant_type="client_credentials",
            client_id=app.client_id,
            client_secret=app.secret,
            scope=f"{to or self.emulator.url}/.default",
        )
        return self._session(answer["access_token"])

    def _post(self, path: str, ip: str, **form: str) -> Any:
        headers = {"X-Forwarded-For": ip} if ip else {}
        answer = requests.post(f"{self.emulator.url}{path}", data=form, headers=headers, timeout=10)
        assert answer.ok, answer.text
        return answer.json()

    def _session(self, token: str) -> Callable[..., Any]:
        def send(method: str, path: str, body: Any = None) -> Any:
            answer = requests.request(
                method,
                f"{self.emulator.url}{'' if path.startswith('/subscriptions/') else '/v1.0'}{path}",
                json=body,
                headers={"Authorization": f"Bearer {token}"},
                timeout=10,
            )
            assert answer.ok, answer.text
            return answer.json() if answer.content else None

        return send


@pytest.fixture
def world(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    clock = Clock()
    delay = AUDIT_DELAY.total_seconds()
    with Emulator(seed="demo", audit_delay=delay, page_size=3, clock=clock) as emulator:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", emulator.ca_file)
        info = emulator.tenants["Aurora Dental"]
        tenant = TenantFactory(name=info.name, directory_id=UUID(info.directory_id))
        origin = emulator.url
        config = ConnectionConfig(
            directory_id=info.directory_id,
            client_id=info.reader.client_id,
            endpoints=Endpoints(origin, origin, origin, origin),
            credential=SecretCredential(info.reader.secret),
            pace="unlimited",
        )
        with closing(GraphClient(config, sleep=lambda _seconds: None)) as client:
            yield World(emulator, clock, info, tenant, client)


@pytest.fixture
def connect_app() -> Callable[[Tenant, str], Connection]:
    """Makes an app registration the writer of a tenant."""

    def connect(tenant: Tenant, client_id: str) -> Connection:
        registration = AppRegistration.objects.create(
            name="Lavawall Writer",
            client_id=UUID(client_id),
            credential_kind=AppRegistration.Credential.SECRET,
            sealed_credential=crypto.seal(crypto.new_key(), b"-", "test"),
            fingerprint="-",
        )
        return Connection.objects.create(tenant=tenant, purpose="writer", app_registration=registration)

    return connect
