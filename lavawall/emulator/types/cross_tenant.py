"""Cross-tenant access: the policy, its default, partners by tenant id, and identity synchronization below them."""

import copy
import re
from collections.abc import Iterator
from typing import Any

from lavawall.emulator import audit, registry
from lavawall.emulator.errors import bad_request
from lavawall.emulator.model import Action, Audit, EntityType, Permissions, Write
from lavawall.emulator.requests import Answer, Call
from lavawall.emulator.store import Json, Record, Session
from lavawall.emulator.validation import WriteRules

READ: Permissions = ("Policy.Read.All", "Policy.ReadWrite.CrossTenantAccess")
WRITE: Permissions = ("Policy.ReadWrite.CrossTenantAccess",)
POLICY = "/policies/crossTenantAccessPolicy"
DEFAULT = "crossTenantAccessPolicyConfigurationDefault"
PARTNER = "crossTenantAccessPolicyConfigurationPartner"
CLOUDS = frozenset({"microsoftonline.com", "microsoftonline.us", "partner.microsoftonline.cn"})
GUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
EVERYBODY = "AllUsers"
WELL_KNOWN_APPLICATIONS = frozenset({"AllApplications", "Office365", "AllMicrosoftApps"})


def _side(access: str) -> Json:
    return {
        "usersAndGroups": {
            "accessType": access,
            "targets": [{"target": EVERYBODY, "targetType": "user"}],
        },
        "applications": {
            "accessType": access,
            "targets": [{"target": "AllApplications", "targetType": "application"}],
        },
    }


def system_default() -> Json:
    """The default configuration as Microsoft delivers it."""
    return {
        "isServiceDefault": True,
        "inboundTrust": {
            "isMfaAccepted": False,
            "isCompliantDeviceAccepted": False,
            "isHybridAzureADJoinedDeviceAccepted": False,
        },
        "automaticUserConsentSettings": {"inboundAllowed": False, "outboundAllowed": False},
        "b2bCollaborationInbound": _side("allowed"),
        "b2bCollaborationOutbound": _side("allowed"),
        "b2bDirectConnectInbound": _side("blocked"),
        "b2bDirectConnectOutbound": _side("blocked"),
        "tenantRestrictions": {"devices": None, **_side("blocked")},
    }


def check_clouds(write: Write) -> None:
    unknown = set(write.after.get("allowedCloudEndpoints") or []) - CLOUDS
    if unknown:
        raise bad_request(f"Unknown cloud endpoints: {sorted(unknown)}.", "BadRequest")


def _targets(body: Json) -> Iterator[tuple[str, str, Json]]:
    """Every target in the blocks of a configuration: block, part, target."""
    for block, value in body.items():
        for part in ("usersAndGroups", "applications"):
            configuration = value.get(part) if isinstance(value, dict) else None
            for target in (configuration or {}).get("targets") or []:
                yield block, part, target


def check_targets(write: Write) -> None:
    """Own users and groups must exist; what stands on the other side cannot be looked up."""
    for block, part, target in _targets(write.body):
        value, kind = str(target.get("target")), target.get("targetType")
        if (kind == "application") != (part == "applications"):
            raise bad_request(f"A target of type '{kind}' does not belong in {block}/{part}.", "BadRequest")
        words = WELL_KNOWN_APPLICATIONS if part == "applications" else frozenset({EVERYBODY})
        if value in words:
            continue
        if not GUID.match(value.lower()):
            raise bad_request(f"'{value}' in {block}/{part} is no id.", "BadRequest")
        outbound = block.endswith("Outbound") and part == "usersAndGroups"
        if outbound and write.session.directory.get(str(kind), value.lower()) is None:
            raise bad_request(f"The {kind} '{value}' in {block} does not exist.", "BadRequest")


def leave_service_default(write: Write) -> None:
    if not write.session.is_seeding:
        write.after["isServiceDefault"] = False


def reset_default(call: Call) -> Answer:
    kind = registry.kind(DEFAULT)
    record = call.session.directory.records[DEFAULT][kind.singleton]
    before = copy.deepcopy(record.body)
    record.body = {"id": kind.singleton, **system_default()}
    assert kind.audit is not None  # noqa: S101 - declared below
    audit.write_change(call.session, kind.audit, "Update", record, before)
    return Answer(204)


def check_partner(write: Write) -> None:
    tenant_id = str(write.after["tenantId"])
    if not GUID.match(tenant_id.lower()) or tenant_id == write.session.directory.directory_id:
        raise bad_request(f"'{tenant_id}' is not the id of another tenant.", "BadRequest")


def check_no_synchronization(session: Session, record: Record) -> None:
    if record.id in session.directory.records["crossTenantIdentitySyncPolicyPartner"]:
        raise bad_request(
            "The partner has an identity synchronization policy; delete that first.", "BadRequest"
        )


def check_synchronization(write: Write) -> None:
    allowed: Any = (write.after.get("userSyncInbound") or {}).get("isSyncAllowed")
    if allowed is None and write.creating:
        raise bad_request("A value is required for property 'userSyncInbound/isSyncAllowed'.", "BadRequest")


def _audit(create: str = "", update: str = "", delete: str = "") -> Audit:
    return Audit(
        service=audit.CORE_DIRECTORY,
        category="CrossTenantAccessSettings",
        target_type="Policy",
        create=create,
        update=update,
        delete=delete,
    )


KINDS = (
    EntityType(
        name="crossTenantAccessPolicy",
        path=POLICY,
        singleton="crossTenantAccessPolicy",
        verbs=frozenset({"get", "update"}),
        read=READ,
        write=WRITE,
        rules=WriteRules(computed=frozenset({"deletedDateTime"})),
        audit=_audit(update="Update a cross-tenant access setting"),
        checks=(check_clouds,),
        dates=(),
    ),
    EntityType(
        name=DEFAULT,
        path=f"{POLICY}/default",
        singleton="default",
        verbs=frozenset({"get", "update"}),
        read=READ,
        write=WRITE,
        rules=WriteRules(computed=frozenset({"isServiceDefault"})),
        audit=_audit(update="Update the company default cross-tenant access setting"),
        checks=(check_targets, leave_service_default),
        dates=(),
        actions=(Action("POST", f"{POLICY}/default/resetToSystemDefault", reset_default, WRITE),),
        on_request=frozenset({"id"}),
        ordered=frozenset({"primaryIdentityProviderPrecedenceOrder"}),
    ),
    EntityType(
        name=PARTNER,
        path=f"{POLICY}/partners",
        read=READ,
        write=WRITE,
        rules=WriteRules(
            computed=frozenset({"isInMultiTenantOrganization"}),
            immutable=frozenset({"tenantId"}),
        ),
        defaults={"isInMultiTenantOrganization": False, "isServiceProvider": None},
        audit=_audit(
            create="Add a partner to cross-tenant access setting",
            update="Update a partner cross-tenant access setting",
            delete="Delete partner specific cross-tenant access setting",
        ),
        checks=(check_partner, check_targets),
        delete_checks=(check_no_synchronization,),
        dates=(),
        client_key="tenantId",
        repeatable=frozenset({"tenantId"}),
    ),
    EntityType(
        name="crossTenantIdentitySyncPolicyPartner",
        path=f"{POLICY}/partners/{{parent}}/identitySynchronization",
        parent=PARTNER,
        singleton="{parent}",
        verbs=frozenset({"get", "update", "replace", "delete"}),
        read=READ,
        write=WRITE,
        rules=WriteRules(immutable=frozenset({"tenantId"})),
        audit=_audit(
            create="Create a partner cross-tenant identity sync setting",
            update="Update a partner cross-tenant identity sync setting",
            delete="Delete a partner cross-tenant identity sync setting",
        ),
        checks=(check_synchronization,),
        dates=(),
        client_key="tenantId",
        upsert=frozenset({"PUT"}),
        repeatable=frozenset({"tenantId"}),
    ),
)
