from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tenants.microsoft.client import GraphClient
from tenants.microsoft.connection import (
    CertificateCredential,
    ConnectionConfig,
    Endpoints,
    SecretCredential,
)
from tests.tenants.microsoft.cloud import CLIENT, DIRECTORY, SECRET, Cloud, app_certificate

MakeClient = Callable[..., GraphClient]


@pytest.fixture(scope="session")
def _cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    cloud = Cloud(tmp_path_factory.mktemp("cloud"), "cloud")
    yield cloud
    cloud.close()


@pytest.fixture
def cloud(_cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """A cloud without any answer queued, whose authority this process trusts."""
    _cloud.forget()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(_cloud.ca_file))
    return _cloud


@pytest.fixture(scope="session")
def pem() -> str:
    return app_certificate()


@pytest.fixture
def waits() -> list[float]:
    """Each wait that a client made instead of sleeping."""
    return []


@pytest.fixture
def make_client(cloud: Cloud, waits: list[float]) -> Iterator[MakeClient]:
    made: list[GraphClient] = []

    def make(
        *,
        url: str = "",
        credential: SecretCredential | CertificateCredential | None = None,
        config: dict[str, Any] | None = None,
        **options: Any,
    ) -> GraphClient:
        origin = url or cloud.url
        settings: dict[str, Any] = {
            "directory_id": DIRECTORY,
            "client_id": CLIENT,
            "endpoints": Endpoints(origin, origin, origin, origin),
            "credential": credential or SecretCredential(SECRET),
            "pace": "unlimited",
        }
        client = GraphClient(ConnectionConfig(**settings | (config or {})), sleep=waits.append, **options)
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(make_client: MakeClient) -> GraphClient:
    return make_client()
