"""The audit and sign-in logs: read only, newest first, late by the configured delay."""

from collections.abc import Iterable

from lavawall.emulator import registry
from lavawall.emulator.errors import resource_not_found
from lavawall.emulator.model import Action, EntityType
from lavawall.emulator.odata import listing
from lavawall.emulator.presentation import present
from lavawall.emulator.requests import Answer, Call
from lavawall.emulator.store import Record

AUDIT_READ = ("AuditLog.Read.All", "Directory.Read.All")
SIGN_IN_READ = ("AuditLog.Read.All",)
ATTRIBUTE_READ = ("CustomSecAttributeAuditLogs.Read.All",)
ATTRIBUTE_AUDITS = "/auditLogs/customSecurityAttributeAudits"


def _visible(call: Call, entries: Iterable[Record]) -> list[Record]:
    return [entry for entry in reversed(list(entries)) if entry.visible_from <= call.session.now]


def list_audits(call: Call) -> Answer:
    kind = registry.kind("directoryAudit")
    return Answer(200, listing(call, kind, _visible(call, call.session.directory.audits), keep_order=True))


def list_sign_ins(call: Call) -> Answer:
    kind = registry.kind("signIn")
    return Answer(200, listing(call, kind, _visible(call, call.session.directory.sign_ins), keep_order=True))


def list_attribute_audits(call: Call) -> Answer:
    kind, entries = registry.kind("customSecurityAttributeAudit"), call.session.directory.attribute_audits
    return Answer(200, listing(call, kind, _visible(call, entries), keep_order=True))


def get_attribute_audit(call: Call) -> Answer:
    return _one(call, "directoryAudit", call.session.directory.attribute_audits)


def _one(call: Call, name: str, entries: Iterable[Record]) -> Answer:
    for entry in _visible(call, entries):
        if entry.id == call.parameter("id"):
            return Answer(200, present(call.session, registry.kind(name), entry, single=True))
    raise resource_not_found(call.parameter("id"))


def get_audit(call: Call) -> Answer:
    return _one(call, "directoryAudit", call.session.directory.audits)


def get_sign_in(call: Call) -> Answer:
    return _one(call, "signIn", call.session.directory.sign_ins)


KINDS = (
    EntityType(
        name="directoryAudit",
        path="/auditLogs/directoryAudits",
        verbs=frozenset(),
        read=AUDIT_READ,
        service="auditLogs",
        actions=(
            Action("GET", "/auditLogs/directoryAudits", list_audits, AUDIT_READ),
            Action("GET", "/auditLogs/directoryAudits/{id}", get_audit, AUDIT_READ),
        ),
        filterable=frozenset(
            {
                "activityDateTime",
                "activityDisplayName",
                "correlationId",
                "id",
                "loggedByService",
                "initiatedBy/user/id",
                "initiatedBy/user/displayName",
                "initiatedBy/user/userPrincipalName",
                "initiatedBy/app/appId",
                "initiatedBy/app/displayName",
                "targetResources",
            }
        ),
    ),
    EntityType(
        name="customSecurityAttributeAudit",
        schema="directoryAudit",
        path=ATTRIBUTE_AUDITS,
        verbs=frozenset(),
        read=ATTRIBUTE_READ,
        service="auditLogs",
        actions=(
            Action("GET", ATTRIBUTE_AUDITS, list_attribute_audits, ATTRIBUTE_READ),
            Action("GET", f"{ATTRIBUTE_AUDITS}/{{id}}", get_attribute_audit, ATTRIBUTE_READ),
        ),
    ),
    EntityType(
        name="signIn",
        path="/auditLogs/signIns",
        verbs=frozenset(),
        read=SIGN_IN_READ,
        service="auditLogs",
        actions=(
            Action("GET", "/auditLogs/signIns", list_sign_ins, SIGN_IN_READ),
            Action("GET", "/auditLogs/signIns/{id}", get_sign_in, SIGN_IN_READ),
        ),
        filterable=frozenset(
            {
                "appDisplayName",
                "appId",
                "correlationId",
                "createdDateTime",
                "id",
                "ipAddress",
                "userDisplayName",
                "userId",
                "userPrincipalName",
            }
        ),
        largest_page=1000,
    ),
)
