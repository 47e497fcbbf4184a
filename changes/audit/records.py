"""Original audit records from Microsoft, encrypted with the tenant's data key."""

import json
from typing import Any

from changes.models import AuditEvent
from tenants.models import Tenant
from tenants.trust import vault

Record = dict[str, Any]


def sealed(tenant: Tenant, event_id: str, record: Record) -> bytes:
    return vault.seal(tenant, json.dumps(record, separators=(",", ":")).encode(), _context(event_id))


def as_received(event: AuditEvent) -> Record:
    """The whole record. Raises tenants.trust.crypto.SealBroken if it was altered."""
    record: Record = json.loads(vault.unseal(event.tenant, event.sealed, _context(event.event_id)))
    return record


def _context(event_id: str) -> str:
    return f"audit-event:{event_id}"
