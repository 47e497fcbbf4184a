"""User-assigned managed identities: each is a service principal of the directory too, with federated credentials."""

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lavawall.emulator import audit, registry
from lavawall.emulator.arm import resources
from lavawall.emulator.arm.errors import bad_request, conflict
from lavawall.emulator.arm.model import ArmCall, ArmType, ArmWrite
from lavawall.emulator.arm.state import Resource
from lavawall.emulator.store import Caller, Json, Record, Session

IDENTITIES = "Microsoft.ManagedIdentity/userAssignedIdentities"
CREDENTIALS = f"{IDENTITIES}/federatedIdentityCredentials"
VERSIONS = ("2023-01-31", "2023-07-31-preview", "2024-11-30", "2025-01-31-preview")
MOST_CREDENTIALS = 20
SERVICE = Caller("app", "", "Managed Service Identity", "ef5d5c69-a5df-46bb-acaf-426f161a21a2")


def check_identity(write: ArmWrite) -> None:
    """A new identity gets ids of its own, which no client chooses and none brings back."""
    properties, session = write.after.properties, write.call.session
    properties["tenantId"] = session.directory.directory_id
    ids: Mapping[str, Any] = write.sent if session.is_seeding else {}
    for name in ("principalId", "clientId"):
        properties.setdefault(name, ids.get(name) or session.randomness.guid())


def _as_service(session: Session) -> Session:
    return session if session.is_seeding else replace(session, caller=SERVICE)


def add_principal(call: ArmCall, identity: Resource) -> None:
    """The service principal that an identity is in the directory."""
    kind, properties = registry.kind("servicePrincipal"), identity.properties
    body: Json = {
        **copy.deepcopy(dict(kind.defaults)),
        "id": properties["principalId"],
        "appId": properties["clientId"],
        "displayName": identity.name,
        "appDisplayName": None,
        "servicePrincipalType": "ManagedIdentity",
        "alternativeNames": ["isExplicit=True", identity.id],
        "servicePrincipalNames": [properties["clientId"]],
        "signInAudience": None,
    }
    session = _as_service(call.session)
    record = Record("servicePrincipal", body, session.now if session.is_seeding else session.visible_from)
    session.directory.add(record)
    if kind.audit is not None:
        audit.write_change(session, kind.audit, "Add", record, None)


def remove_principal(call: ArmCall, identity: Resource) -> None:
    """It leaves for good, with what was granted to it in the directory; Azure's role assignments are orphans then."""
    kind, directory = registry.kind("servicePrincipal"), call.session.directory
    record = directory.records[kind.name].get(identity.properties["principalId"])
    if record is None:
        return
    for dependant in kind.dependants(call.session, record) if kind.dependants else ():
        directory.remove(dependant)
    directory.remove(record)
    if kind.audit is not None:
        audit.write_change(_as_service(call.session), kind.audit, "Delete", record, record.body)


def check_credential(write: ArmWrite) -> None:
    properties = write.after.properties
    for name in ("issuer", "subject"):
        if not isinstance(properties.get(name), str) or not properties[name]:
            raise bad_request(f"A federated identity credential needs '{name}'.", "BadRequest")
    if not properties["issuer"].startswith("https://"):
        raise bad_request("The issuer is an address that starts with https.")
    audiences = properties.get("audiences")
    if not isinstance(audiences, list) or len(audiences) != 1:
        raise bad_request("A federated identity credential has one audience.")
    others = [
        each
        for each in write.call.azure.all(CREDENTIALS, write.call.target.parent_id)
        if each.name.lower() != write.after.name.lower()
    ]
    if len(others) >= MOST_CREDENTIALS:
        raise bad_request(f"An identity has at most {MOST_CREDENTIALS} federated identity credentials.")
    own = (properties["issuer"], properties["subject"])
    if any((each.properties["issuer"], each.properties["subject"]) == own for each in others):
        raise conflict("The combination of issuer and subject exists on this identity.")


TYPES = (
    ArmType(
        name=IDENTITIES,
        versions=VERSIONS,
        handlers={**resources.CRUD, "patch": resources.patch_tags},
        computed=frozenset({"tenantId", "principalId", "clientId"}),
        is_tracked=True,
        has_system_data=True,
        check=check_identity,
        created=add_principal,
        deleted=remove_principal,
    ),
    ArmType(
        name=CREDENTIALS,
        versions=VERSIONS,
        handlers=resources.CRUD,
        writable=frozenset({"issuer", "subject", "audiences"}),
        check=check_credential,
    ),
)
