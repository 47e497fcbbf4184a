"""One emulated cloud per module, with clients of both versions for a tenant that uses Intune."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from lavawall.emulator import Emulator, TenantInfo
from tests.emulator.conftest import Client, Json, client_for

TYPE = "#microsoft.graph."
NOBODY = "00000000-1111-2222-3333-444444444444"


@dataclass
class Intune:
    """A tenant and who works in it."""

    emulator: Emulator
    tenant: TenantInfo
    v1: Client
    beta: Client
    reader: Client

    def group(self, name: str = "All Staff") -> str:
        groups = self.emulator.state(self.tenant.directory_id).documents("group")
        return next(key for key, group in groups.items() if group["displayName"] == name)

    def seeded(self, kind: str, name: str = "") -> Json:
        """A seeded object as it is stored."""
        found = self.emulator.state(self.tenant.directory_id).documents(kind).values()
        return next(each for each in found if name in {"", each.get("displayName"), each.get("name")})

    def target(self, **more: Any) -> Json:
        return {"@odata.type": f"{TYPE}groupAssignmentTarget", "groupId": self.group(), **more}


def _beta(client: Client) -> Client:
    client.base = client.base.replace("/v1.0", "/beta")
    return client


@pytest.fixture(scope="module")
def intune() -> Iterator[Intune]:
    with Emulator() as emulator:
        tenant = emulator.tenants["Aurora Dental"]
        yield Intune(
            emulator,
            tenant,
            client_for(emulator, tenant, tenant.writer),
            _beta(client_for(emulator, tenant, tenant.writer)),
            _beta(client_for(emulator, tenant, tenant.reader)),
        )
