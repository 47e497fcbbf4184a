"""Microsoft's own Azure SDKs, which know nothing of the emulator, read and write its resources."""

from typing import Any
from uuid import uuid4

import pytest
from azure.core.exceptions import HttpResponseError
from azure.identity import ClientSecretCredential
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.keyvault import KeyVaultManagementClient
from azure.mgmt.msi import ManagedServiceIdentityClient
from azure.mgmt.network import NetworkManagementClient

from lavawall.emulator import AppRegistration, Emulator, TenantInfo

READER_ROLE = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


class Sdk:
    """The clients of one app in one tenant's subscription."""

    def __init__(self, emulator: Emulator, tenant: TenantInfo, app: AppRegistration) -> None:
        self.subscription = tenant.subscriptions[0]
        self.group = f"rg-{tenant.name.lower().replace(' ', '-')}"
        self.scope = f"/subscriptions/{self.subscription}"
        self._credential = ClientSecretCredential(
            tenant.directory_id,
            app.client_id,
            app.secret,
            authority=emulator.url,
            disable_instance_discovery=True,
            connection_verify=emulator.ca_file,
        )
        self._options = {
            "base_url": emulator.url,
            "credential_scopes": ["https://management.azure.com/.default"],
            "connection_verify": emulator.ca_file,
            "polling_interval": 0,
        }

    def client(self, kind: Any) -> Any:
        return kind(self._credential, self.subscription, **self._options)

    @property
    def network(self) -> Any:
        return self.client(NetworkManagementClient)

    @property
    def vaults(self) -> Any:
        return self.client(KeyVaultManagementClient).vaults

    @property
    def authorization(self) -> Any:
        return self.client(AuthorizationManagementClient)

    @property
    def identities(self) -> Any:
        return self.client(ManagedServiceIdentityClient)


@pytest.fixture
def sdk(emulator: Emulator, tenant: TenantInfo) -> Sdk:
    return Sdk(emulator, tenant, tenant.writer)


def rule(priority: int) -> dict[str, Any]:
    return {
        "name": f"Rule{priority}",
        "properties": {
            "protocol": "Tcp",
            "access": "Allow",
            "direction": "Inbound",
            "priority": priority,
            "sourceAddressPrefix": "203.0.113.0/24",
            "sourcePortRange": "*",
            "destinationAddressPrefix": "*",
            "destinationPortRange": "443",
        },
    }


def test_the_sdk_writes_and_reads_a_network_security_group(sdk: Sdk) -> None:
    groups, body = sdk.network.network_security_groups, {"location": "canadacentral"}
    body["properties"] = {"securityRules": [rule(100), rule(200)]}  # type: ignore[assignment]
    made = groups.begin_create_or_update(sdk.group, "nsg-sdk", body).result()
    assert made.provisioning_state == "Succeeded"
    assert {each.priority for each in made.security_rules} == {100, 200}
    assert len(made.default_security_rules) == 6
    sdk.network.security_rules.begin_delete(sdk.group, "nsg-sdk", "Rule100").result()
    found = groups.get(sdk.group, "nsg-sdk")
    assert [each.name for each in found.security_rules] == ["Rule200"]
    groups.begin_delete(sdk.group, "nsg-sdk").result()
    assert "nsg-sdk" not in {each.name for each in groups.list_all()}


def test_the_sdk_deletes_recovers_and_purges_a_vault(sdk: Sdk, tenant: TenantInfo) -> None:
    vaults, properties = (
        sdk.vaults,
        {"tenantId": tenant.directory_id, "sku": {"family": "A", "name": "standard"}},
    )
    body = {"location": "canadacentral", "properties": {**properties, "accessPolicies": []}}
    made = vaults.begin_create_or_update(sdk.group, "kv-from-sdk", body).result()
    assert made.properties.provisioning_state == "Succeeded"
    vaults.delete(sdk.group, "kv-from-sdk")
    assert [each.name for each in vaults.list_deleted()] == ["kv-from-sdk"]
    repeated = {"location": "canadacentral", "properties": {**properties, "createMode": "recover"}}
    assert vaults.begin_create_or_update(sdk.group, "kv-from-sdk", repeated).result().name == "kv-from-sdk"
    assert "kv-from-sdk" in {each.name for each in vaults.list_by_subscription()}
    vaults.delete(sdk.group, "kv-from-sdk")
    vaults.begin_purge_deleted("kv-from-sdk", "canadacentral").result()
    assert list(vaults.list_deleted()) == []


def test_the_sdk_lists_vaults_among_all_resources(sdk: Sdk) -> None:
    assert {each.type for each in sdk.vaults.list()} == {"Microsoft.KeyVault/vaults"}


def test_the_sdk_assigns_and_unassigns_a_role(sdk: Sdk, tenant: TenantInfo) -> None:
    assignments, name = sdk.authorization.role_assignments, str(uuid4())
    role = f"{sdk.scope}/providers/Microsoft.Authorization/roleDefinitions/{READER_ROLE}"
    body = {"properties": {"principalId": tenant.admins[1].id, "roleDefinitionId": role}}
    made = assignments.create(sdk.scope, name, body)
    assert (made.principal_type, made.principal_id) == ("User", tenant.admins[1].id)
    found = {each.name for each in assignments.list_for_subscription(filter="atScope()")}
    assert name in found
    assert assignments.delete(sdk.scope, name).name == name
    assert name not in {each.name for each in assignments.list_for_subscription()}


def test_the_sdk_finds_the_custom_role(sdk: Sdk) -> None:
    found = list(sdk.authorization.role_definitions.list(sdk.scope, filter="type eq 'CustomRole'"))
    assert [each.role_name for each in found] == ["Firewall Rule Operator"]
    assert found[0].assignable_scopes == [sdk.scope]


def test_the_sdk_makes_an_identity_with_a_federated_credential(
    sdk: Sdk, emulator: Emulator, tenant: TenantInfo
) -> None:
    identities, credentials = (
        sdk.identities.user_assigned_identities,
        sdk.identities.federated_identity_credentials,
    )
    made = identities.create_or_update(sdk.group, "id-sdk", {"location": "canadacentral"})
    trust = {
        "issuer": "https://issuer.example",
        "subject": "job",
        "audiences": ["api://AzureADTokenExchange"],
    }
    credentials.create_or_update(sdk.group, "id-sdk", "job", {"properties": trust})
    assert [each.subject for each in credentials.list(sdk.group, "id-sdk")] == ["job"]
    principal = emulator.state(tenant.directory_id).get("servicePrincipal", made.principal_id)
    assert principal is not None
    assert principal.body["appId"] == made.client_id
    identities.delete(sdk.group, "id-sdk")
    assert "id-sdk" not in {each.name for each in identities.list_by_subscription()}


def test_the_sdk_reads_a_refusal(emulator: Emulator, tenant: TenantInfo) -> None:
    reader = Sdk(emulator, tenant, tenant.reader)
    with pytest.raises(HttpResponseError) as caught:
        reader.network.network_security_groups.begin_delete(reader.group, "nsg-aurora-dental-data")
    assert caught.value.status_code == 403
    assert caught.value.error is not None
    assert caught.value.error.code == "AuthorizationFailed"
