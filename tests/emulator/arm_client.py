"""A client of Azure Resource Manager in one tenant's subscription, and what tests put there."""

from typing import Any

import requests

from lavawall.emulator import AppRegistration, Emulator, TenantInfo
from tests.emulator.conftest import Json, plain_session, sign_in

SCOPE = "https://management.azure.com/.default"
VERSIONS = {
    "microsoft.network": "2023-09-01",
    "microsoft.keyvault": "2023-07-01",
    "microsoft.authorization": "2022-04-01",
    "microsoft.managedidentity": "2023-01-31",
    "microsoft.insights": "2015-04-01",
    "": "2021-04-01",
}
NETWORK = "providers/Microsoft.Network/networkSecurityGroups"
VAULTS = "providers/Microsoft.KeyVault/vaults"
IDENTITIES = "providers/Microsoft.ManagedIdentity/userAssignedIdentities"
ASSIGNMENTS = "providers/Microsoft.Authorization/roleAssignments"
DEFINITIONS = "providers/Microsoft.Authorization/roleDefinitions"
LOCATION = "canadacentral"


class Arm:
    """Calls with one app's token. A path that does not begin with a slash is below the tenant's resource group."""

    def __init__(self, emulator: Emulator, tenant: TenantInfo, app: AppRegistration) -> None:
        self.base = emulator.url
        self.subscription = f"/subscriptions/{tenant.subscriptions[0]}"
        self.group = f"{self.subscription}/resourceGroups/rg-{tenant.name.lower().replace(' ', '-')}"
        self.http = plain_session(emulator)
        self.http.headers["Authorization"] = (
            f"Bearer {sign_in(emulator, tenant, app, scope=SCOPE)['access_token']}"
        )

    def id(self, path: str) -> str:
        return path if path.startswith("/") else f"{self.group}/{path}"

    def send(self, method: str, path: str, body: Any = None, **params: str) -> requests.Response:
        if path.startswith("https://"):
            return self.http.request(method, path, timeout=10)
        path = self.id(path)
        provider = (
            path.lower().rpartition("/providers/")[2].partition("/")[0]
            if "/providers/" in path.lower()
            else ""
        )
        query = {"api-version": VERSIONS[provider], **params}
        return self.http.request(method, f"{self.base}{path}", json=body, params=query, timeout=10)

    def get(self, path: str, **params: str) -> Json:
        answer = self.send("GET", path, **params)
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    def list(self, path: str, **params: str) -> list[Json]:
        page = self.get(path, **params)
        items: list[Json] = page["value"]
        while "nextLink" in page:
            page = self.get(page["nextLink"])
            items += page["value"]
        return items

    def put(self, path: str, properties: Json, **more: Any) -> Json:
        answer = self.send("PUT", path, {**more, "properties": properties})
        assert answer.status_code in {200, 201}, answer.text
        found: Json = answer.json()
        return found

    def refused(self, method: str, path: str, body: Any = None, **params: str) -> tuple[int, str]:
        """Status and code of a refusal, whose format is checked on the way."""
        answer = self.send(method, path, body, **params)
        assert answer.status_code >= 400, answer.text
        assert set(answer.json()) == {"error"}
        assert set(answer.json()["error"]) == {"code", "message"}
        return answer.status_code, answer.json()["error"]["code"]


def names(items: list[Json]) -> set[str]:
    return {each["name"] for each in items}


def rule(name: str, priority: int, **more: Any) -> Json:
    properties = {
        "protocol": "Tcp",
        "access": "Allow",
        "direction": "Inbound",
        "priority": priority,
        "sourceAddressPrefix": "*",
        "sourcePortRange": "*",
        "destinationAddressPrefix": "*",
        "destinationPortRange": "443",
    }
    return {"name": name, "properties": {**properties, **more}}
