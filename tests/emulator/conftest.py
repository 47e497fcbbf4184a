"""A running emulator per test, and clients that talk to it over real HTTPS as any customer of Microsoft would."""

import copy
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msal
import pytest
import requests

from lavawall.emulator import AppRegistration, Emulator, TenantInfo
from lavawall.emulator.attack import StolenSession

Json = dict[str, Any]


class SettableClock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Client:
    """Graph calls with one access token."""

    def __init__(self, emulator: Emulator, token: str) -> None:
        self.base = f"{emulator.url}/v1.0"
        self.http = plain_session(emulator)
        self.http.headers["Authorization"] = f"Bearer {token}"

    def in_beta(self) -> "Client":
        """The same caller, speaking the beta version."""
        other = copy.copy(self)
        other.base = self.base.replace("/v1.0", "/beta")
        return other

    def send(self, method: str, path: str, body: Any = None, **more: Any) -> requests.Response:
        url = path if path.startswith("https://") else f"{self.base}{path}"
        return self.http.request(method, url, json=body, timeout=10, **more)

    def get(self, path: str, **more: Any) -> Json:
        answer = self.send("GET", path, **more)
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    def post(self, path: str, body: Any) -> Json:
        answer = self.send("POST", path, body)
        assert answer.status_code in {200, 201}, answer.text
        found: Json = answer.json()
        return found

    def refused(self, method: str, path: str, body: Any = None, *, status: int = 400) -> str:
        """The message of a refusal, whose format is checked on the way."""
        answer = self.send(method, path, body)
        assert answer.status_code == status, answer.text
        error = answer.json()["error"]
        assert set(error) == {"code", "message", "innerError"}
        assert error["innerError"]["request-id"] == answer.headers["request-id"]
        message: str = error["message"]
        return message

    def done(self, method: str, path: str, body: Any = None) -> None:
        answer = self.send(method, path, body)
        assert answer.status_code == 204, answer.text


def plain_session(emulator: Emulator) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.verify = emulator.ca_file
    return session


def sign_in(
    emulator: Emulator, tenant: TenantInfo, app: AppRegistration, credential: Any = None, *, scope: str = ""
) -> Json:
    client = msal.ConfidentialClientApplication(
        app.client_id,
        client_credential=credential or app.secret,
        authority=f"{emulator.url}/{tenant.directory_id}",
        instance_discovery=False,
        http_client=plain_session(emulator),
    )
    answer: Json = client.acquire_token_for_client([scope or f"{emulator.url}/.default"])
    return answer


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def start() -> Iterator[Callable[..., Emulator]]:
    """Starts emulators with the options a test needs and stops them all afterwards."""
    running: list[Emulator] = []

    def begin(**options: Any) -> Emulator:
        running.append(Emulator(**options).start())
        return running[-1]

    yield begin
    for emulator in running:
        emulator.stop()


@pytest.fixture
def emulator(start: Callable[..., Emulator]) -> Emulator:
    return start()


@pytest.fixture
def tenant(emulator: Emulator) -> TenantInfo:
    return emulator.tenants["Aurora Dental"]


def client_for(emulator: Emulator, tenant: TenantInfo, app: AppRegistration) -> Client:
    return Client(emulator, sign_in(emulator, tenant, app)["access_token"])


@pytest.fixture
def reader(emulator: Emulator, tenant: TenantInfo) -> Client:
    return client_for(emulator, tenant, tenant.reader)


@pytest.fixture
def writer(emulator: Emulator, tenant: TenantInfo) -> Client:
    return client_for(emulator, tenant, tenant.writer)


@pytest.fixture
def admin(emulator: Emulator, tenant: TenantInfo) -> StolenSession:
    login = tenant.admins[0]
    return StolenSession(
        login_url=emulator.url,
        graph_url=emulator.url,
        directory_id=tenant.directory_id,
        user=login.user_principal_name,
        password=login.password,
        ip="203.0.113.9",
        verify=emulator.ca_file,
    )
