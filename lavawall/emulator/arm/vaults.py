"""Key vaults: access policies, what is fixed for good, and the recycle bin with recovery and purge."""

import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from lavawall.emulator.arm import resources
from lavawall.emulator.arm.errors import bad_request, conflict, not_found
from lavawall.emulator.arm.ids import covers, key
from lavawall.emulator.arm.model import ArmCall, ArmType, ArmWrite
from lavawall.emulator.arm.spelling import respelling
from lavawall.emulator.arm.state import AzureTenant, DeletedVault, Resource
from lavawall.emulator.requests import Answer
from lavawall.emulator.store import Json, precise_timestamp

VAULTS = "Microsoft.KeyVault/vaults"
DELETED = "Microsoft.KeyVault/deletedVaults"
VERSIONS = ("2023-07-01", "2024-11-01", "2024-12-01-preview", "2025-05-01", "2026-02-01", "2026-05-15")
NAME = re.compile(r"[A-Za-z](?!.*--)[A-Za-z0-9-]{1,22}[A-Za-z0-9]")
RETENTION = range(7, 91)
LASTING = ("enablePurgeProtection", "softDeleteRetentionInDays", "enableSoftDelete")
DEFAULTS = {
    "enableSoftDelete": True,
    "softDeleteRetentionInDays": 90,
    "enableRbacAuthorization": False,
    "enabledForDeployment": False,
    "publicNetworkAccess": "Enabled",
}
UNSET = ("enabledForDiskEncryption", "enabledForTemplateDeployment", "networkAcls", "hsmPoolResourceId")


def _guid(value: Any, what: str) -> str:
    try:
        return str(UUID(str(value)))
    except ValueError as error:
        raise bad_request(f"The value '{value}' of {what} is not a valid GUID.") from error


def _policy_key(policy: Json) -> tuple[str, str, str]:
    return (policy["tenantId"], policy["objectId"], str(policy.get("applicationId") or "").lower())


def _checked_policies(policies: Any, tenant_id: str) -> list[Json]:
    """Access policies by principal; that the principal exists is nobody's concern."""
    if not isinstance(policies, list) or not all(isinstance(each, dict) for each in policies):
        raise bad_request("accessPolicies is a list of objects.")
    checked = [
        {
            **policy,
            "tenantId": _guid(policy.get("tenantId"), "accessPolicies.tenantId"),
            "objectId": _guid(policy.get("objectId"), "accessPolicies.objectId"),
            "permissions": dict(policy.get("permissions") or {}),
        }
        for policy in policies
    ]
    if any(policy["tenantId"] != tenant_id for policy in checked):
        raise bad_request("An access policy has to be of the vault's own tenant.")
    if len({_policy_key(policy) for policy in checked}) < len(checked):
        raise bad_request("There is more than one access policy for the same principal.")
    return checked


def check_vault(write: ArmWrite) -> None:
    properties, before = write.after.properties, write.before
    if before is None:
        _check_name(write)
    for name, value in DEFAULTS.items():
        properties.setdefault(name, value)
    properties["tenantId"] = _guid(properties.get("tenantId"), "tenantId")
    _check_fixed(write)
    sku = properties.get("sku")
    if not isinstance(sku, dict) or str(sku.get("name")).lower() not in {"standard", "premium"}:
        raise bad_request("The property 'sku' needs a name: standard or premium.")
    properties["sku"] = {"family": "A", "name": str(sku["name"]).lower()}
    policies = properties.get("accessPolicies") or []
    properties["accessPolicies"] = _checked_policies(policies, properties["tenantId"])
    properties["vaultUri"] = f"https://{write.after.name.lower()}.vault.azure.net/"


def _check_name(write: ArmWrite) -> None:
    """Names are one for the whole cloud; those in recycle bins count."""
    name = write.after.name
    if not NAME.fullmatch(name):
        raise bad_request(f"The vault name '{name}' is invalid.", "VaultNameNotValid")
    for azure in write.call.cloud.azure.values():
        if any(each.name.lower() == name.lower() for each in azure.all(VAULTS)):
            raise conflict(f"The vault name '{name}' is already in use.", "VaultAlreadyExists")
        if name.lower() in _recycle_bin(azure, write.call.session.now):
            raise conflict(
                "A vault with the same name already exists in deleted state. You need to either recover or purge "
                "existing key vault.",
                "ConflictError",
            )


def _check_fixed(write: ArmWrite) -> None:
    """What was set once and for all: protection and soft delete only go on, retention and tenant stay."""
    properties, sent = write.after.properties, write.sent
    old = write.before.properties if write.before else {}
    if sent.get("enableSoftDelete") is False:
        raise bad_request('The property "enableSoftDelete" can be set to false only for creating new vault.')
    if sent.get("enablePurgeProtection") is False:
        raise bad_request(
            'The property "enablePurgeProtection" cannot be set to false. Enabling the purge protection for a vault '
            "is an irreversible action."
        )
    days = properties["softDeleteRetentionInDays"]
    if days not in RETENTION:
        raise bad_request("softDeleteRetentionInDays takes 7 to 90 days.")
    for name in ("softDeleteRetentionInDays", "tenantId"):
        if name in old and properties[name] != old[name]:
            raise bad_request(f'The property "{name}" has been set already and it can\'t be modified.')


def complete_vault(_: ArmCall, vault: Resource, body: Json) -> None:
    properties = body["properties"]
    body["properties"] = {**dict.fromkeys(UNSET), **properties}
    body["properties"]["provisioningState"] = vault.unsettled or "Succeeded"


def put_vault(call: ArmCall) -> Answer:
    """Creates, replaces or, with createMode recover, takes a vault out of the recycle bin."""
    if call.body().get("properties", {}).get("createMode") == "recover":
        return _recover(call)
    return resources.put(call)


def patch_vault(call: ArmCall) -> Answer:
    before, body = resources.find(call), call.body()
    sent = resources.known_properties(call.kind, body)
    after = Resource(before.id, before.type, {**before.body, "properties": {**before.properties, **sent}})
    if "tags" in body:
        after.body["tags"] = resources.checked_tags(body["tags"] or {})
    return resources.store(ArmWrite(call, body, after, before))


def put_policies(call: ArmCall) -> Answer:
    """add merges permissions into what a principal has, replace sets them, remove takes them away."""
    vault = call.azure.get(call.target.parent_id)
    if vault is None:
        raise resources.missing(call.target.parent_id)
    given = _checked_policies(
        call.body().get("properties", {}).get("accessPolicies"), vault.properties["tenantId"]
    )
    policies = {_policy_key(each): each for each in vault.properties["accessPolicies"]}
    for policy in given:
        old = policies.get(_policy_key(policy), {}).get("permissions", {})
        match call.target.name.lower():
            case "add":
                merged = {**policy, "permissions": _united(old, policy["permissions"])}
                policies[_policy_key(policy)] = merged
            case "replace":
                policies[_policy_key(policy)] = policy
            case "remove":
                _take(policies, policy, old)
            case operation:
                raise bad_request(f"The operation '{operation}' is not one of add, replace and remove.")
    vault.body["properties"] = {**vault.properties, "accessPolicies": list(policies.values())}
    body = {
        "id": f"{vault.id}/accessPolicies/",
        "type": f"{VAULTS}/accessPolicies",
        "location": vault.body["location"],
        "properties": {"accessPolicies": vault.properties["accessPolicies"]},
    }
    return Answer(200, respelling(call.session, body))


def _united(old: Json, new: Json) -> Json:
    return {
        name: list(dict.fromkeys([*(old.get(name) or []), *(new.get(name) or [])])) for name in {**old, **new}
    }


def _take(policies: dict[tuple[str, str, str], Json], policy: Json, old: Json) -> None:
    """Permissions named are taken away; a policy that names none, or has none left, goes as a whole."""
    gone = policy["permissions"]
    left = {
        name: [each for each in values if each not in (gone.get(name) or [])] for name, values in old.items()
    }
    if gone and any(left.values()):
        policies[_policy_key(policy)] = {**policy, "permissions": left}
    else:
        policies.pop(_policy_key(policy), None)


def delete_vault(call: ArmCall) -> Answer:
    """Moves the vault to the recycle bin; what was assigned on it or locks it is gone for good."""
    vault = call.azure.get(call.target.id)
    if vault is None:
        return Answer(204)
    call.azure.remove(vault)
    now = call.session.now
    purged = now + timedelta(days=vault.properties["softDeleteRetentionInDays"])
    call.azure.deleted_vaults[vault.name.lower()] = DeletedVault(vault, now, purged)
    return Answer(200)


def _recycle_bin(azure: AzureTenant, now: datetime) -> dict[str, DeletedVault]:
    """Deleted vaults by name in lower case; those whose time is over are gone."""
    stored = {name: each for name, each in azure.deleted_vaults.items() if each.purged > now}
    azure.deleted_vaults = stored
    return stored


def _kept(call: ArmCall) -> list[DeletedVault]:
    """The vaults in the recycle bin of this subscription."""
    position = f"/subscriptions/{call.subscription_id}"
    every = _recycle_bin(call.azure, call.session.now).values()
    return [each for each in every if covers(position, each.resource.id)]


def _kept_vault(call: ArmCall) -> DeletedVault:
    name = call.target.name.lower()
    found = next((each for each in _kept(call) if each.resource.name.lower() == name), None)
    if found is None:
        raise not_found(f"The deleted vault '{name}' was not found.", "DeletedVaultNotFound")
    return found


def _recover(call: ArmCall) -> Answer:
    resources.require_place(call)
    stored = _kept_vault(call)
    location = str(call.body().get("location") or "").replace(" ", "").lower()
    if key(stored.resource.id) != key(call.target.id) or location != stored.resource.body["location"]:
        raise bad_request("A vault is recovered in the resource group and the location it was deleted from.")
    del call.azure.deleted_vaults[stored.resource.name.lower()]
    call.azure.put(stored.resource)
    stored.resource.unsettled = call.kind.creating_state
    return Answer(201, resources.shown(call, stored.resource))


def _deleted_body(call: ArmCall, stored: DeletedVault) -> Json:
    vault, location = stored.resource, stored.resource.body["location"]
    body = {
        "id": f"/subscriptions/{call.subscription_id}/providers/Microsoft.KeyVault/locations/{location}"
        f"/deletedVaults/{vault.name}",
        "name": vault.name,
        "type": DELETED,
        "properties": {
            "vaultId": vault.id,
            "location": location,
            "tags": vault.body["tags"],
            "deletionDate": precise_timestamp(stored.deleted),
            "scheduledPurgeDate": precise_timestamp(stored.purged),
            "purgeProtectionEnabled": vault.properties.get("enablePurgeProtection"),
        },
    }
    return respelling(call.session, body)


def list_deleted(call: ArmCall) -> Answer:
    return resources.paged(call, lambda: _kept(call), lambda each: _deleted_body(call, each))


def _deleted(call: ArmCall) -> DeletedVault:
    stored = _kept_vault(call)
    if stored.resource.body["location"] != call.target.names[0].lower():
        raise not_found(f"No vault was deleted in '{call.target.names[0]}'.", "DeletedVaultNotFound")
    return stored


def get_deleted(call: ArmCall) -> Answer:
    return Answer(200, _deleted_body(call, _deleted(call)))


def purge(call: ArmCall) -> Answer:
    stored = _deleted(call)
    if stored.resource.properties.get("enablePurgeProtection"):
        raise bad_request("A vault with purge protection cannot be purged before its time is over.")
    del call.azure.deleted_vaults[stored.resource.name.lower()]
    headers = resources.operation_headers(call, stored.resource)
    return Answer(202, None, {"Location": headers["Location"]})


TYPES = (
    ArmType(
        name=VAULTS,
        versions=VERSIONS,
        handlers={**resources.CRUD, "put": put_vault, "patch": patch_vault, "delete": delete_vault},
        writable=frozenset(
            {
                "tenantId",
                "sku",
                "accessPolicies",
                "enabledForDeployment",
                "enabledForDiskEncryption",
                "enabledForTemplateDeployment",
                "enableRbacAuthorization",
                "networkAcls",
                "publicNetworkAccess",
                *LASTING,
            }
        ),
        computed=frozenset({*LASTING, "vaultUri", "hsmPoolResourceId"}),
        is_tracked=True,
        has_system_data=True,
        creating_state="RegisteringDns",
        check=check_vault,
        complete=complete_vault,
    ),
    ArmType(name=f"{VAULTS}/accessPolicies", versions=VERSIONS, handlers={"put": put_policies}),
    ArmType(name=DELETED, versions=VERSIONS, handlers={"list": list_deleted}),
    ArmType(
        name="Microsoft.KeyVault/locations/deletedVaults",
        versions=VERSIONS,
        handlers={"get": get_deleted, "purge": purge},
    ),
    ArmType(
        name="Microsoft.KeyVault/locations/operationResults",
        versions=VERSIONS,
        handlers={"get": resources.operation_result},
    ),
)
