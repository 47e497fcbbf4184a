"""Log records and kept rows in Microsoft's shapes, for the tests of this folder. All names and ids are made up."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from changes.attribution.compared import EventFacts, event_facts
from changes.audit import parse
from changes.models import AuditEvent, Change
from snapshots.catalog import registry
from snapshots.catalog.spec import Document
from snapshots.models import Snapshot
from snapshots.store import content_store
from tenants.models import Customer, Tenant
from tenants.trust import vault

ALICE = "a11ce000-0000-4000-8000-000000000001"
MALLORY = "bad00000-0000-4000-8000-000000000002"
GROUP = "96009000-0000-4000-8000-000000000003"
POLICY = "90110000-0000-4000-8000-000000000004"
BREAK_GLASS = "b9000000-0000-4000-8000-000000000005"
CLIENT_SP = "c11e0000-0000-4000-8000-000000000006"
GRAPH_SP = "96a90000-0000-4000-8000-000000000007"
MAIL_ROLE = "ae110000-0000-4000-8000-000000000008"

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def modified(name: str, old: object, new: object) -> dict[str, Any]:
    return {
        "displayName": name,
        "oldValue": None if old is None else json.dumps(old),
        "newValue": None if new is None else json.dumps(new),
    }


def target(object_id: str | None, name: str | None = None, *changes: dict[str, Any]) -> dict[str, Any]:
    return {"id": object_id, "displayName": name, "type": "Other", "modifiedProperties": list(changes)}


def user(principal_id: str = ALICE, name: str = "alice@aurora.example", ip: str = "198.51.100.7") -> Any:
    return {"app": None, "user": {"id": principal_id, "userPrincipalName": name, "ipAddress": ip}}


def application(app_id: str, name: str = "Deployer") -> dict[str, Any]:
    return {"user": None, "app": {"appId": app_id, "displayName": name, "servicePrincipalId": CLIENT_SP}}


def audit_record(*, targets: list[dict[str, Any]] | None = None, **members: Any) -> dict[str, Any]:
    return {
        "id": "Directory_1",
        "category": "GroupManagement",
        "correlationId": "c0",
        "result": "success",
        "activityDisplayName": "Update group",
        "activityDateTime": "2026-03-01T12:00:00.1458248Z",
        "loggedByService": "Core Directory",
        "initiatedBy": user(),
        "targetResources": targets or [],
    } | members


def sign_in_record(**members: Any) -> dict[str, Any]:
    return {
        "id": "sign-in-1",
        "createdDateTime": "2026-03-01T11:50:00Z",
        "userId": ALICE,
        "userPrincipalName": "alice@aurora.example",
        "appId": "app-1",
        "ipAddress": "198.51.100.7",
        "location": {"city": "Bucharest", "countryOrRegion": "RO"},
    } | members


def event(
    activity: str = "Update conditional access policy",
    *targets: dict[str, Any],
    at: datetime = NOON,
    result: str = "success",
    initiated_by: Any = None,
    log: str = "directoryAudit",
    correlation_id: str = "",
) -> EventFacts:
    """An event as matching sees it, by way of the parser."""
    record = audit_record(
        targets=list(targets),
        activityDisplayName=activity,
        activityDateTime=at.isoformat(),
        result=result,
        initiatedBy=initiated_by or user(),
    )
    facts = parse.audit_event(record)
    assert facts is not None
    return event_facts(
        activity=facts.activity,
        result=facts.result,
        occurred_at=facts.occurred_at,
        actor_name=facts.actor_name,
        targets=facts.targets,
        log=log,
        correlation_id=correlation_id,
    )


class History:
    """A tenant of the database with snapshots ten minutes apart, to which a test adds changes and events."""

    def __init__(self, name: str = "Aurora Dental", number: int = 1) -> None:
        customer, _ = Customer.objects.get_or_create(name="Aurora Dental Group")
        self.tenant = Tenant.objects.create(customer=customer, name=name, directory_id=UUID(int=number))
        self._snapshots = [self._snapshot(0), self._snapshot(1)]

    def _snapshot(self, number: int) -> Snapshot:
        at = NOON + number * 10 * MINUTE - 5 * MINUTE
        return Snapshot.objects.create(
            tenant=self.tenant,
            number=number + 1,
            status="complete",
            requested_by="schedule",
            started_at=at,
            completed_at=at,
            root=f"root {number}",
            resource_count=0,
        )

    def change(
        self,
        before: Document | None,
        after: Document | None,
        *,
        type_key: str = "conditionalAccessPolicy",
        resource_id: str = POLICY,
        name: str = "Require MFA",
    ) -> Change:
        """Between five minutes before and five minutes after noon."""
        spec = registry.get(type_key)
        digests = content_store.put(
            self.tenant, [(spec, each) for each in (before, after) if each is not None]
        )
        previous, current = self._snapshots[0], self._snapshots[1]
        return Change.objects.create(
            tenant=self.tenant,
            snapshot=current,
            previous_snapshot=previous,
            resource_type=type_key,
            resource_id=resource_id,
            display_name=name,
            kind="created" if before is None else "deleted" if after is None else "updated",
            before_digest="" if before is None else digests[0],
            after_digest="" if after is None else digests[-1],
            severity="high",
            direction="weakens",
            summary="Something changed.",
            earliest_at=previous.completed_at,
            detected_at=current.completed_at,
        )

    def event(self, event_id: str, activity: str, *targets: dict[str, Any], **members: Any) -> AuditEvent:
        """A kept event, at noon unless said otherwise."""
        facts = parse.audit_event(
            audit_record(targets=list(targets), id=event_id, activityDisplayName=activity, **members)
        )
        assert facts is not None
        return AuditEvent.objects.create(
            tenant=self.tenant,
            event_id=facts.event_id,
            activity=facts.activity,
            result=facts.result,
            occurred_at=facts.occurred_at,
            actor_type=facts.actor_type,
            actor_id=facts.actor_id,
            actor_name=facts.actor_name,
            actor_app_id=facts.actor_app_id,
            ip=facts.ip,
            targets=[each.to_json() for each in facts.targets],
            sealed=vault.seal(self.tenant, b"{}", f"audit-event:{event_id}"),
            received_at=NOON,
        )
