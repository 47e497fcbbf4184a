"""Key vaults: what is fixed, access policies, soft delete, recovery and purge."""

from collections.abc import Callable
from typing import Any

import pytest

from lavawall.emulator import Emulator, TenantInfo
from tests.emulator.arm_client import LOCATION, VAULTS, Arm, names
from tests.emulator.conftest import Json, SettableClock

NEW = f"{VAULTS}/kv-new-vault"
SOMEBODY = "9f5d7b1c-3c3b-4a63-9a40-1d8f3a2b6c01"
DELETED = f"providers/Microsoft.KeyVault/locations/{LOCATION}/deletedVaults/kv-new-vault"


@pytest.fixture
def emulator(start: Callable[..., Emulator], clock: SettableClock) -> Emulator:
    return start(clock=clock)


@pytest.fixture
def arm(emulator: Emulator, tenant: TenantInfo) -> Arm:
    return Arm(emulator, tenant, tenant.writer)


@pytest.fixture
def properties(tenant: TenantInfo) -> Json:
    return {"tenantId": tenant.directory_id, "sku": {"family": "A", "name": "standard"}}


@pytest.fixture
def policy(tenant: TenantInfo) -> Json:
    return {
        "tenantId": tenant.directory_id,
        "objectId": SOMEBODY,
        "permissions": {"secrets": ["get", "list"]},
    }


def put(arm: Arm, properties: Json, **more: Any) -> Json:
    return arm.put(NEW, {**properties, **more}, location=LOCATION)


def refused(arm: Arm, properties: Json, path: str = NEW, **more: Any) -> tuple[int, str]:
    return arm.refused("PUT", path, {"location": LOCATION, "properties": {**properties, **more}})


def policies(arm: Arm) -> dict[str, set[str]]:
    found = arm.get(NEW)["properties"]["accessPolicies"]
    return {each["objectId"]: set(each["permissions"]["secrets"]) for each in found}


def test_a_new_vault_gets_its_address_and_defaults(arm: Arm, properties: Json) -> None:
    made = put(arm, properties)["properties"]
    assert made["vaultUri"] == "https://kv-new-vault.vault.azure.net/"
    assert (made["enableSoftDelete"], made["softDeleteRetentionInDays"]) == (True, 90)
    assert made["provisioningState"] == "RegisteringDns"
    assert "createdAt" in arm.get(NEW)["systemData"]
    assert arm.get(NEW)["properties"]["provisioningState"] == "Succeeded"


def test_protection_once_on_stays_on(arm: Arm, properties: Json) -> None:
    put(arm, properties, enablePurgeProtection=True)
    assert refused(arm, properties, enablePurgeProtection=False) == (400, "BadRequest")
    assert arm.refused("PATCH", NEW, {"properties": {"enablePurgeProtection": False}})[0] == 400
    assert put(arm, properties)["properties"]["enablePurgeProtection"] is True


@pytest.mark.parametrize("more", [{"enableSoftDelete": False}, {"softDeleteRetentionInDays": 30}])
def test_soft_delete_and_its_time_stay(arm: Arm, properties: Json, more: Json) -> None:
    put(arm, properties)
    assert refused(arm, properties, **more) == (400, "BadRequest")


def test_the_time_in_the_bin_has_bounds(arm: Arm, properties: Json) -> None:
    assert refused(arm, properties, softDeleteRetentionInDays=6)[0] == 400
    assert put(arm, properties, softDeleteRetentionInDays=7)["properties"]["softDeleteRetentionInDays"] == 7


def test_tenant_and_location_stay(arm: Arm, properties: Json) -> None:
    put(arm, properties)
    assert refused(arm, properties, tenantId=SOMEBODY) == (400, "BadRequest")
    body = {"location": "westeurope", "properties": properties}
    assert arm.refused("PUT", NEW, body) == (409, "InvalidResourceLocation")


def test_a_put_without_policies_wipes_them(arm: Arm, properties: Json, policy: Json) -> None:
    put(arm, properties, accessPolicies=[policy])
    assert policies(arm) == {SOMEBODY: {"get", "list"}}
    put(arm, properties)
    assert policies(arm) == {}


def test_a_patch_keeps_what_it_does_not_name(arm: Arm, properties: Json, policy: Json) -> None:
    put(arm, properties, accessPolicies=[policy])
    answer = arm.send("PATCH", NEW, {"properties": {"publicNetworkAccess": "Disabled"}, "tags": {"a": "b"}})
    assert (answer.status_code, answer.json()["tags"]) == (200, {"a": "b"})
    assert arm.get(NEW)["properties"]["publicNetworkAccess"] == "Disabled"
    assert policies(arm) == {SOMEBODY: {"get", "list"}}


def test_policies_are_added_replaced_and_removed(arm: Arm, properties: Json, policy: Json) -> None:
    put(arm, properties, accessPolicies=[policy])

    def change(operation: str, secrets: list[str]) -> None:
        body = {"accessPolicies": [{**policy, "permissions": {"secrets": secrets}}]}
        arm.put(f"{NEW}/accessPolicies/{operation}", body)

    change("add", ["set"])
    assert policies(arm) == {SOMEBODY: {"get", "list", "set"}}
    change("replace", ["get", "set"])
    assert policies(arm) == {SOMEBODY: {"get", "set"}}
    change("remove", ["set"])
    assert policies(arm) == {SOMEBODY: {"get"}}
    change("remove", ["get"])
    assert policies(arm) == {}


@pytest.mark.parametrize("broken", [{"tenantId": SOMEBODY}, {"objectId": "nobody"}])
def test_policies_need_the_vaults_tenant_and_a_guid(
    arm: Arm, properties: Json, policy: Json, broken: Json
) -> None:
    assert refused(arm, properties, accessPolicies=[{**policy, **broken}])[0] == 400


def test_one_policy_per_principal(arm: Arm, properties: Json, policy: Json) -> None:
    assert refused(arm, properties, accessPolicies=[policy, policy])[0] == 400


def test_a_deleted_vault_waits_in_the_bin(arm: Arm, properties: Json) -> None:
    put(arm, properties)
    assert arm.send("DELETE", NEW).status_code == 200
    assert arm.refused("GET", NEW)[0] == 404
    stored = arm.get(f"{arm.subscription}/{DELETED}")
    assert stored["properties"]["vaultId"].lower() == arm.id(NEW).lower()
    assert names(arm.list(f"{arm.subscription}/providers/Microsoft.KeyVault/deletedVaults")) == {
        "kv-new-vault"
    }
    assert refused(arm, properties) == (409, "ConflictError")


def test_a_deleted_vault_is_recovered_as_it_was(arm: Arm, properties: Json, policy: Json) -> None:
    put(arm, properties, accessPolicies=[policy])
    arm.send("DELETE", NEW)
    assert refused(arm, properties, path=NEW, createMode="default") == (409, "ConflictError")
    elsewhere = {"location": "westeurope", "properties": {**properties, "createMode": "recover"}}
    assert arm.refused("PUT", NEW, elsewhere)[0] == 400
    put(arm, properties, createMode="recover")
    assert policies(arm) == {SOMEBODY: {"get", "list"}}
    assert refused(arm, properties, path=f"{VAULTS}/kv-other", createMode="recover")[0] == 404


def test_role_assignments_do_not_come_back_with_a_vault(
    emulator: Emulator, arm: Arm, tenant: TenantInfo
) -> None:
    vault = next(each for each in arm.list(VAULTS) if "rbac" in each["name"])
    listing = f"{VAULTS}/{vault['name']}/providers/Microsoft.Authorization/roleAssignments"
    below = [each for each in arm.list(listing) if "/vaults/" in each["properties"]["scope"].lower()]
    assert len(below) == 1
    arm.send("DELETE", f"{VAULTS}/{vault['name']}")
    body = {"location": LOCATION, "properties": {"createMode": "recover"}}
    assert arm.send("PUT", f"{VAULTS}/{vault['name']}", body).status_code == 201
    assert not [each for each in arm.list(listing) if "/vaults/" in each["properties"]["scope"].lower()]


def test_a_purged_vault_gives_its_name_back(arm: Arm, properties: Json) -> None:
    put(arm, properties)
    arm.send("DELETE", NEW)
    answer = arm.send("POST", f"{arm.subscription}/{DELETED}/purge")
    assert answer.status_code == 202
    assert arm.refused("GET", f"{arm.subscription}/{DELETED}")[0] == 404
    put(arm, properties)


def test_a_protected_vault_waits_for_its_time(
    emulator: Emulator, tenant: TenantInfo, arm: Arm, properties: Json, clock: SettableClock
) -> None:
    put(arm, properties, enablePurgeProtection=True, softDeleteRetentionInDays=7)
    arm.send("DELETE", NEW)
    assert arm.refused("POST", f"{arm.subscription}/{DELETED}/purge") == (400, "BadRequest")
    clock.advance(7 * 86_400 - 1)
    later = Arm(emulator, tenant, tenant.writer)
    assert refused(later, properties) == (409, "ConflictError")
    clock.advance(2)
    put(later, properties)


def test_names_are_one_for_the_whole_cloud(emulator: Emulator, arm: Arm, properties: Json) -> None:
    other = emulator.tenants["Brenner Logistics"]
    taken = next(each for each in emulator.azure.tenant(other.directory_id).all("Microsoft.KeyVault/vaults"))
    assert refused(arm, properties, path=f"{VAULTS}/{taken.name.upper()}") == (409, "VaultAlreadyExists")
    assert refused(arm, properties, path=f"{VAULTS}/kv--bad") == (400, "VaultNameNotValid")
